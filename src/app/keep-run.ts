import { TautlineError, VERSION, parseTarget } from '../base/index.js';
import type { Files, HostFacts } from '../base/index.js';
import type { ResultDocument } from '../results/index.js';
import { KEEP_LIMITS, environmentOf, keepRun as keepInArchive } from '../store/index.js';

export interface KeepOptions {
  readonly folder: string;
  /** How many runs are kept at most. */
  readonly keep?: number;
  /** The folder was chosen by nobody: then root leaves another user's home alone. */
  readonly homeFolder?: string;
}

/**
 * Keeps a run in the archive, with the environment that it was measured in.
 * @returns why it was not kept, where it was not; this never fails a run
 */
export async function keepRun(
  ports: { files: Files; facts: HostFacts },
  document: ResultDocument,
  options: KeepOptions,
): Promise<string | undefined> {
  try {
    if (options.homeFolder !== undefined && (await isForeignHome(ports.files, document, options.homeFolder)))
      return 'this run is not kept in the history: as root in the home of another user it would leave files that are not theirs; TAUTLINE_HISTORY_FOLDER names another place';
    const environment = document.environment ?? (await environmentOf(ports.facts, { remotes: remotesOf(document), tool: `tautline ${VERSION}` }));
    const limits = { ...KEEP_LIMITS, ...(options.keep === undefined ? {} : { countMax: options.keep }) };
    await keepInArchive({ files: ports.files, folder: options.folder }, { ...document, environment }, limits);
    return undefined;
  } catch (error) {
    // Whatever it is, the run itself is done and told; only its copy is missing.
    const hint = error instanceof TautlineError && error.hint !== undefined ? `; ${error.hint}, or turn it off with --no-history` : '';
    return `this run is not kept in the history: ${error instanceof Error ? error.message : String(error)}${hint}`;
  }
}

/** The folder for runs by the platform's custom; a relative XDG_STATE_HOME is none, as its specification says. */
export function runFolder(env: Readonly<Record<string, string | undefined>>, homeFolder: string, platform: string): string {
  const state = env['XDG_STATE_HOME'];
  if (state !== undefined && state.startsWith('/')) return `${state.replace(/\/+$/, '')}/tautline/runs`;
  const home = homeFolder.replace(/\/+$/, '');
  return platform === 'darwin' ? `${home}/Library/Application Support/tautline/runs` : `${home}/.local/state/tautline/runs`;
}

async function isForeignHome(files: Files, document: ResultDocument, homeFolder: string): Promise<boolean> {
  if (!document.host.root) return false;
  const home = await files.status(homeFolder);
  return home !== undefined && home.ownerId !== 0;
}

/** Addresses that the document's figures are about; names are left out, as looking them up would send packets. */
function remotesOf(document: ResultDocument): string[] {
  const texts =
    document.schema === 'tautline.check/1'
      ? document.subjects.flatMap(({ role, address, name }) => (role === 'interface' ? [] : [address ?? name]))
      : document.measurements.map(({ target }) => target);
  return [...new Set(texts.flatMap(addressIn))];
}

function addressIn(text: string): string[] {
  try {
    const { host } = parseTarget(text);
    return /^[\d.]+$/.test(host) || host.includes(':') ? [host] : [];
  } catch {
    return [];
  }
}
