import * as v from 'valibot';
import { TautlineError } from '../../base/index.js';
import type { CommandResult, HttpOutcome } from '../../base/index.js';
import type { TunePorts } from '../ports.js';

/** Where tailscaled listens: Linux, and macOS when it was not installed as an app (paths/paths.go). */
const SOCKETS = ['/var/run/tailscale/tailscaled.sock', '/var/run/tailscaled.socket'] as const;
/** The app for macOS listens where only its own program finds it, which is in no PATH. */
const APP_PROGRAM = '/Applications/Tailscale.app/Contents/MacOS/Tailscale';
/** The daemon answers to this name only (ipn/localapi). */
const PREFS_URL = 'http://local-tailscaled.sock/localapi/v0/prefs';
const PREFS_BYTES_MAX = 1024 * 1024;
const ROUTES_MAX = 1000;
const ASK_TIMEOUT_MS = 2000;
const PROGRAM_TIMEOUT_MS = 10_000;

const Routes = v.pipe(v.array(v.pipe(v.string(), v.regex(/^[0-9A-Fa-f.:]+\/\d{1,3}$/))), v.maxLength(ROUTES_MAX));

/** What is read of ipn.Prefs. */
const PrefsSchema = v.object({
  RouteAll: v.optional(v.boolean()),
  AdvertiseRoutes: v.optional(v.nullable(Routes)),
  OperatorUser: v.optional(v.string()),
  WantRunning: v.optional(v.boolean()),
  LoggedOut: v.optional(v.boolean()),
});
export type TailscalePrefs = v.InferOutput<typeof PrefsSchema>;

/** Names of preferences that are written here, with the options of `tailscale set` for where its socket cannot be reached. */
export const WRITABLE_PREFS = ['RouteAll', 'AdvertiseRoutes'] as const;
export type WritablePref = (typeof WRITABLE_PREFS)[number];
/** Null: routes that were never set, as the client tells them. */
export type PrefValue = boolean | readonly string[] | null;

/**
 * The preferences of the Tailscale client of this host; undefined when there is none.
 * @throws TautlineError `permission` where this user may not ask, `io` where it gives no answer
 */
export async function readTailscalePrefs(ports: TunePorts): Promise<TailscalePrefs | undefined> {
  const answer = await askSockets(ports, { method: 'GET' });
  if (answer) return parsePrefs(textOf(answer, 'be read'));
  const shown = await runApp(ports, ['debug', 'prefs']);
  return shown.outcome === 'missing' ? undefined : parsePrefs(outputOf(shown, 'be read'));
}

/** @throws TautlineError `permission` where this user is not its operator */
export async function writeTailscalePref(ports: TunePorts, name: WritablePref, value: PrefValue): Promise<void> {
  const body = JSON.stringify({ [name]: value, [`${name}Set`]: true });
  const answer = await askSockets(ports, { method: 'PATCH', body, headers: { 'content-type': 'application/json' } });
  if (answer) return void textOf(answer, 'be changed');
  const done = await runApp(ports, setArguments(name, value));
  if (done.outcome === 'missing') throw new TautlineError('unsupported', 'there is no Tailscale client here any more');
  outputOf(done, 'be changed');
}

/** `tailscale set ...`, which changes what is named and nothing else (since 1.34). */
export function setArguments(name: WritablePref, value: PrefValue): readonly string[] {
  if (name === 'RouteAll') return ['set', `--accept-routes=${value === true}`];
  const routes = Array.isArray(value) ? (value as readonly string[]) : [];
  const exit = EXIT_ROUTES.every((route) => routes.includes(route));
  const others = exit ? routes.filter((route) => !EXIT_ROUTES.includes(route)) : routes;
  return ['set', `--advertise-exit-node=${exit}`, `--advertise-routes=${others.join(',')}`];
}

/** An exit node advertises the default routes, both of them. */
export const EXIT_ROUTES: readonly string[] = ['0.0.0.0/0', '::/0'];

async function askSockets(
  ports: TunePorts,
  request: { method: 'GET' | 'PATCH'; body?: string; headers?: Readonly<Record<string, string>> },
): Promise<{ readonly socketPath: string; readonly outcome: HttpOutcome } | undefined> {
  for (const socketPath of SOCKETS) {
    const client = ports.web.client();
    const outcome = await client.request({ url: PREFS_URL, socketPath, timeoutMs: ASK_TIMEOUT_MS, keepBytesMax: PREFS_BYTES_MAX, ...request });
    client.close();
    if (outcome.outcome === 'ok' || !['ENOENT', 'ENOTDIR', 'ECONNREFUSED'].includes(outcome.errno ?? '')) return { socketPath, outcome };
  }
  return undefined;
}

function textOf({ socketPath, outcome }: { readonly socketPath: string; readonly outcome: HttpOutcome }, be: string): string {
  const what = `the preferences of the Tailscale client cannot ${be}`;
  if (outcome.outcome !== 'ok') {
    const denied = outcome.errno === 'EACCES' || outcome.errno === 'EPERM';
    throw new TautlineError(denied ? 'permission' : 'io', `${what}: ${outcome.reason}`);
  }
  const text = new TextDecoder().decode(outcome.body ?? new Uint8Array());
  if (outcome.status === 401 || outcome.status === 403) {
    throw new TautlineError('permission', `${what}: ${socketPath} answers ${outcome.status} (${firstLine(text)})`, {
      hint: 'run it as root, or once: sudo tailscale set --operator=$USER',
    });
  }
  if (outcome.status < 200 || outcome.status > 299) {
    throw new TautlineError('io', `${what}: ${socketPath} answers ${outcome.status} (${firstLine(text)})`);
  }
  return text;
}

function parsePrefs(text: string): TailscalePrefs {
  try {
    return v.parse(PrefsSchema, JSON.parse(text));
  } catch (error) {
    throw new TautlineError('io', 'the preferences of the Tailscale client cannot be read: what it says is not understood', { cause: error });
  }
}

async function runApp(ports: TunePorts, args: readonly string[]): Promise<CommandResult> {
  if (!(await ports.files.status(APP_PROGRAM).catch(() => undefined))) return { outcome: 'missing' };
  return await ports.commands.run(APP_PROGRAM, args, { timeoutMs: PROGRAM_TIMEOUT_MS });
}

function outputOf(result: Exclude<CommandResult, { outcome: 'missing' }>, be: string): string {
  if (result.outcome === 'exited' && result.code === 0) return result.stdout;
  const why = result.outcome === 'timeout' ? `it did not answer within ${PROGRAM_TIMEOUT_MS} ms` : firstLine(result.stderr);
  throw new TautlineError('io', `the preferences of the Tailscale app cannot ${be}: ${why}`);
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.slice(0, 200) ?? '';
}
