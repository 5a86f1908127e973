import { createHostPorts, tuneFolder } from '../app/index.js';
import type { Config, HostPorts, Progress, TuneScope } from '../app/index.js';
import { TUNE_REPORTS } from '../report/index.js';
import type { TuneRenderOptions } from '../report/index.js';
import type { TuneDocument } from '../results/index.js';
import { pagePath } from './common-options.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { readConfig, renderOptions } from './measuring.js';
import { ResultOutput } from './output.js';
import { createProgress } from './progress.js';
import type { Terminal } from './terminal.js';
import type { TuneFlags } from './tune-flags.js';

/** What every command of `tune` works with. */
export interface TuneContext {
  readonly terminal: Terminal;
  readonly ports: HostPorts;
  readonly config: Config;
  readonly scope: TuneScope;
  readonly signal: AbortSignal;
  readonly progress: Progress & { done(): void };
  /** For what is written to stdout or to a file. */
  readonly render: TuneRenderOptions;
}

/** What is to be written, and the exit code that it stands for. */
export interface TuneResult {
  /** Left out where there is none: not even an empty line. */
  readonly text?: string;
  /** The same as a page, where one was asked for beside it. */
  readonly page?: string;
  readonly code: ExitCode;
}

/** The host, unless a test hands in a simulated one. */
export type PortsFactory = typeof createHostPorts;

export async function runTune(
  terminal: Terminal,
  options: {
    readonly createPorts?: PortsFactory;
    readonly flags: TuneFlags;
    readonly settings?: Readonly<Record<string, string | undefined>>;
    readonly repeat?: TuneRenderOptions['repeat'];
  },
  work: (context: TuneContext) => Promise<TuneResult>,
): Promise<ExitCode> {
  const { flags, repeat } = options;
  const quiet = flags.quiet === true;
  const ports = (options.createPorts ?? createHostPorts)({ logLevel: quiet ? 'none' : 'warn' });
  const interrupt = terminal.interruptible(HALF_DONE);
  const progress = createProgress(terminal, { quiet });
  try {
    const config = await readConfig(terminal, { flags, files: ports.files, ...(options.settings ? { settings: options.settings } : {}) });
    const output = new ResultOutput({ files: ports.files, terminal }, flags.output === undefined ? {} : { path: flags.output });
    await output.prepare();
    const page = pagePath(flags);
    const pageOutput = page === undefined ? undefined : new ResultOutput({ files: ports.files, terminal }, { path: page, beside: true });
    await pageOutput?.prepare();
    const { root } = await ports.facts.identity();
    const {
      text,
      code,
      page: markup,
    } = await work({
      terminal,
      ports,
      config,
      scope: scopeOf(config, terminal, root),
      signal: interrupt.signal,
      progress,
      render: {
        ...renderOptions(config, terminal, flags),
        all: flags.all === true,
        sudo: root && (terminal.env['SUDO_UID'] ?? '') !== '',
        ...(repeat ? { repeat } : {}),
      },
    }).finally(() => progress.done());
    const pageWritten = markup === undefined ? undefined : await pageOutput?.write(markup);
    return (text === undefined || (await output.write(text))) && pageWritten !== false ? code : EXIT.unmeasured;
  } finally {
    interrupt.release();
    await ports.close();
  }
}

const HALF_DONE = "still putting back what was begun; once more leaves it half done, and 'tautline tune rollback' finishes it";

function scopeOf(config: Config, { env, homeFolder, platform }: Terminal, root: boolean): TuneScope {
  const place = { env, homeFolder, platform };
  const own = config.tuneFolder ?? tuneFolder({ ...place, root });
  const configHome = env['XDG_CONFIG_HOME'];
  const home = homeFolder.replace(/\/+$/, '');
  return {
    folder: own,
    ...(root || config.tuneFolder !== undefined ? {} : { rootFolder: tuneFolder({ ...place, root: true }) }),
    homeFolder,
    profileFolders: [
      `${configHome !== undefined && configHome.startsWith('/') ? configHome.replace(/\/+$/, '') : `${home}/.config`}/tautline/profiles`,
      '/etc/tautline/profiles',
    ],
  };
}

const CODES = {
  pass: EXIT.pass,
  fail: EXIT.fail,
  inconclusive: EXIT.inconclusive,
  unmeasured: EXIT.unmeasured,
} as const satisfies Readonly<Record<string, ExitCode>>;

/** The document as it was asked for, and the exit code of its verdict; a plan and a list have none, and are no failure. */
export function resultOf(document: TuneDocument, { config, render }: TuneContext, more: Partial<TuneRenderOptions> = {}): TuneResult {
  const format = config.format in TUNE_REPORTS ? (config.format as keyof typeof TUNE_REPORTS) : 'text';
  const code = document.interrupted === true ? EXIT.interrupted : 'verdict' in document ? CODES[document.verdict.outcome] : EXIT.pass;
  return { text: TUNE_REPORTS[format](document, { ...render, ...more }), code };
}
