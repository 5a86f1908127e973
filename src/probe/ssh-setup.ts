import { TautlineError, shellWord } from '../base/index.js';
import type { FileStatus, Ports } from '../base/index.js';
import type { SshDetails } from '../results/index.js';
import { askMaster } from './ssh-login.js';
import type { MasterState } from './ssh-login.js';
import { sshCommand } from './ssh-settings.js';
import type { SshPlace, SshSettings } from './ssh-settings.js';

/** Each is asked by a program of its own. */
const SOCKETS_MAX = 16;
const CHECK_MS = 1000;

/** The state of what ssh keeps on this host: masters, their sockets, private keys. Nothing is changed. */
export interface SshSetup {
  readonly multiplexing: NonNullable<SshDetails['multiplexing']>;
  readonly staleSockets: readonly string[];
  readonly keys: NonNullable<SshDetails['keys']>;
  /** What is wrong, each with what to do. */
  readonly remarks: readonly string[];
}

interface SetupPlan {
  readonly place: SshPlace;
  readonly settings: SshSettings;
  readonly user: { readonly id: number; readonly homeFolder: string } | undefined;
  readonly signal: AbortSignal;
}

export async function lookAtSetup(ports: Ports, plan: SetupPlan): Promise<SshSetup> {
  const { controlPath, controlPersist } = plan.settings;
  const masters = controlPath === undefined ? [] : await askMasters(ports, { ...plan, controlPath });
  const own = masters.find(({ socket }) => socket === controlPath);
  const staleSockets = masters.filter(({ state }) => state === 'gone').map(({ socket }) => socket);
  const keys = await lookAtKeys(ports, plan);
  return {
    multiplexing: {
      configured: controlPath !== undefined,
      running: own?.state === 'running',
      ...(controlPath === undefined ? {} : { socket: controlPath }),
      ...(controlPersist === undefined ? {} : { persist: controlPersist }),
    },
    staleSockets,
    keys,
    remarks: [
      ...staleSockets.map((socket) => `the master of ${socket} is gone: remove its socket with 'rm ${shellWord(socket)}'`),
      ...masters.flatMap(({ socket, state }) =>
        state === 'hung'
          ? [
              `the master of ${socket} does not answer: end it with '${sshCommand(plan.place, '-O', 'exit', '-o', `ControlPath=${shellWord(socket)}`)}'`,
            ]
          : [],
      ),
      ...keys.flatMap(({ path, problem, fix }) => (problem === undefined ? [] : [`${path} ${problem}${fix === undefined ? '' : `: ${fix}`}`])),
      ...(plan.settings.compression ? ["compression is on: on a fast network it only slows down; turn it off with 'Compression no'"] : []),
    ],
  };
}

// --- Masters ---------------------------------------------------------------------------------

async function askMasters(
  ports: Ports,
  plan: SetupPlan & { readonly controlPath: string },
): Promise<readonly { readonly socket: string; readonly state: MasterState }[]> {
  const sockets = await socketsLike(ports, plan.controlPath, plan);
  return Promise.all(
    sockets.map(async (socket) => ({
      socket,
      state: await askMaster(ports, { place: plan.place, socket, timeoutMs: CHECK_MS, signal: plan.signal }),
    })),
  );
}

/** The socket of this place and those that the same ControlPath makes for others: a folder such as /tmp holds strangers' too. */
async function socketsLike(ports: Ports, controlPath: string, plan: SetupPlan): Promise<string[]> {
  const cut = controlPath.lastIndexOf('/');
  if (cut < 0) return [];
  const folder = controlPath.slice(0, cut) || '/';
  const like = namesLike(controlPath.slice(cut + 1), [plan.settings.host, plan.place.name, plan.settings.user, String(plan.settings.port)]);
  const names = await ports.files.list(folder).catch(nothing);
  const candidates = (names ?? []).filter((name) => like.test(name)).map((name) => `${folder === '/' ? '' : folder}/${name}`);
  const sockets: string[] = [];
  for (const path of [controlPath, ...candidates.filter((candidate) => candidate !== controlPath)]) {
    if (sockets.length >= SOCKETS_MAX) break;
    const status = await ports.files.status(path).catch(nothing);
    if (status?.kind === 'socket' && (plan.user === undefined || status.ownerId === plan.user.id)) sockets.push(path);
  }
  return sockets;
}

/**
 * `ssh -G` gives the path with its tokens filled in. Where the host, user, port or a hash (%C, 40
 * hexadecimal digits) stand in the name, others' sockets have others there.
 */
export function namesLike(name: string, parts: readonly string[]): RegExp {
  const words = parts.filter((part) => part !== '').sort((a, b) => b.length - a.length);
  const pattern = new RegExp(['[0-9a-f]{40,}', ...words.map(literally)].join('|'), 'gi');
  let made = '';
  let at = 0;
  for (const match of name.matchAll(pattern)) {
    made += literally(name.slice(at, match.index)) + (/^[0-9a-f]{40,}$/i.test(match[0]) ? '[0-9a-f]{40,}' : '[^/]+');
    at = match.index + match[0].length;
  }
  return new RegExp(`^${made}${literally(name.slice(at))}$`, 'i');
}

// --- Keys ------------------------------------------------------------------------------------

type Key = NonNullable<SshDetails['keys']>[number];

async function lookAtKeys(ports: Ports, plan: SetupPlan): Promise<Key[]> {
  const { user } = plan;
  const paths = plan.settings.identityFiles.flatMap((path) => placed(path, user?.homeFolder) ?? []);
  const keys: Key[] = [];
  for (const path of new Set(paths)) {
    // A public key may stand for one that an agent or a token holds; everyone may read it.
    if (path.endsWith('.pub')) continue;
    const status = await ports.files.status(path, { follow: true }).catch(unreadable);
    if (status === 'unreadable') keys.push({ path, problem: 'cannot be looked at by this user', fix: `sudo chown "$USER" ${shellWord(path)}` });
    else if (status !== undefined) keys.push({ path, ...faultOf(status, { path, user, what: 'key' }) });
  }
  const folder = user === undefined ? undefined : `${user.homeFolder.replace(/\/$/, '')}/.ssh`;
  const status = folder === undefined ? undefined : await ports.files.status(folder, { follow: true }).catch(nothing);
  const fault = folder === undefined || status?.kind !== 'folder' ? {} : faultOf(status, { path: folder, user, what: 'folder' });
  return folder !== undefined && 'problem' in fault ? [...keys, { path: folder, ...fault }] : keys;
}

/** ssh does not use a private key that others may read (authfile.c); that they may list the folder does no harm. */
function faultOf(
  status: FileStatus,
  about: { readonly path: string; readonly user: SetupPlan['user']; readonly what: 'key' | 'folder' },
): { problem: string; fix: string } | Record<string, never> {
  const { path, user, what } = about;
  // Root may use what belongs to others.
  if (user !== undefined && user.id !== 0 && status.ownerId !== user.id)
    return { problem: `belongs to the user with id ${status.ownerId}, not to you (${user.id})`, fix: `sudo chown ${user.id} ${shellWord(path)}` };
  const mode = status.mode.toString(8).padStart(4, '0');
  if (what === 'key' && (status.mode & 0o077) !== 0)
    return { problem: `may be read or written by others (mode ${mode}), so ssh does not use it`, fix: `chmod 600 ${shellWord(path)}` };
  if (what === 'folder' && (status.mode & 0o022) !== 0)
    return { problem: `may be written by others (mode ${mode}): they could change what ssh does`, fix: `chmod 700 ${shellWord(path)}` };
  return {};
}

/** A path of IdentityFile as `ssh -G` prints it: with `~` and some tokens; undefined where that leaves it open. */
function placed(path: string, homeFolder: string | undefined): string | undefined {
  const whole = homeFolder === undefined ? path : path.replace(/^~(?=\/)/, homeFolder).replaceAll('%d', homeFolder);
  return whole.startsWith('/') && !/%[^%]/.test(whole) ? whole : undefined;
}

function nothing(error: unknown): undefined {
  if (!(error instanceof TautlineError)) throw error;
}

function unreadable(error: unknown): 'unreadable' {
  nothing(error);
  return 'unreadable';
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
