import { shellWord } from '../base/index.js';
import type { CommandResult, Ports } from '../base/index.js';
import type { Outcome } from '../results/index.js';
import { plainText } from '../wire/index.js';
import { placeArguments, runSsh, sshCommand } from './ssh-settings.js';
import type { SshPlace, SshSettings } from './ssh-settings.js';

export type SshRun = { readonly outcome: 'ok'; readonly elapsedMs: number } | { readonly outcome: Exclude<Outcome, 'ok'>; readonly reason: string };

interface LoginPlan {
  readonly place: SshPlace;
  readonly settings: SshSettings;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Logs in afresh, runs `true` and leaves. It asks nobody anything and leaves nothing behind, neither here nor there. */
export async function sshLogin(ports: Pick<Ports, 'commands' | 'clock'>, plan: LoginPlan): Promise<SshRun> {
  const { hostKeyChecking, knownHosts } = plan.settings;
  // Who takes unknown keys would have them written down: the first file of the list is the one that is written to.
  const forgetful = ['accept-new', 'no'].includes(hostKeyChecking) ? ['-o', `UserKnownHostsFile=${['/dev/null', ...knownHosts].join(' ')}`] : [];
  return timed(ports, [...QUIET, '-o', 'ControlPath=none', ...forgetful], plan);
}

/** Runs `true` over a running master; where that is gone it fails rather than logging in afresh. */
export async function sshOverMaster(ports: Pick<Ports, 'commands' | 'clock'>, plan: LoginPlan & { readonly socket: string }): Promise<SshRun> {
  return timed(ports, [...QUIET, '-o', `ControlPath=${escaped(plan.socket)}`, '-o', 'ProxyCommand=false'], plan);
}

export type MasterState = 'running' | 'gone' | 'none' | 'hung' | 'unknown';

/** Asks the master behind a socket whether it lives. */
export async function askMaster(
  ports: Pick<Ports, 'commands'>,
  plan: { readonly place: SshPlace; readonly socket: string; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<MasterState> {
  const args = ['-O', 'check', '-o', `ControlPath=${escaped(plan.socket)}`, ...placeArguments(plan.place)];
  const result = await runSsh(ports, args, plan);
  if (result.outcome === 'timeout') return 'hung';
  if (result.outcome === 'missing') return 'unknown';
  if (result.code === 0) return 'running';
  if (/Connection refused/i.test(result.stderr)) return 'gone';
  return /No such file/i.test(result.stderr) ? 'none' : 'unknown';
}

/**
 * Nothing may ask, forward, execute locally or add host keys; messages are needed to tell why it failed.
 * `BatchMode` alone leaves the password prompts of a proxy's own ssh: these find no terminal (see `runSsh`).
 */
const QUIET: readonly string[] = [
  'BatchMode=yes',
  'NumberOfPasswordPrompts=0',
  'PasswordAuthentication=no',
  'KbdInteractiveAuthentication=no',
  'ControlMaster=no',
  'ClearAllForwardings=yes',
  'ForwardAgent=no',
  'ForwardX11=no',
  'PermitLocalCommand=no',
  'RemoteCommand=none',
  'RequestTTY=no',
  'UpdateHostKeys=no',
  'LogLevel=ERROR',
].flatMap((option) => ['-o', option]);

/** The exit code of ssh's own failures; any other one is the remote command's. */
const SSH_FAILED = 255;

async function timed(ports: Pick<Ports, 'commands' | 'clock'>, options: readonly string[], plan: LoginPlan): Promise<SshRun> {
  const { timeoutMs, signal, place } = plan;
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  const startMs = ports.clock.nowMs();
  const result = await runSsh(ports, [...options, '-o', `ConnectTimeout=${seconds}`, ...placeArguments(place), 'true'], { timeoutMs, signal });
  if (result.outcome === 'exited' && result.code !== SSH_FAILED) return { outcome: 'ok', elapsedMs: ports.clock.nowMs() - startMs };
  return signal.aborted ? { outcome: 'unchecked', reason: 'interrupted' } : explainLogin(result, plan);
}

/** Why ssh did not log in, from what it said, with what to do about it. */
export function explainLogin(
  result: CommandResult,
  plan: Pick<LoginPlan, 'place' | 'settings' | 'timeoutMs'>,
): { readonly outcome: Exclude<Outcome, 'ok'>; readonly reason: string } {
  const command = sshCommand(plan.place);
  if (result.outcome === 'missing') return { outcome: 'unsupported', reason: 'there is no ssh program here: install the OpenSSH client' };
  if (result.outcome === 'timeout') {
    const why = 'the server is slow, or ssh waits for somebody (the touch of a security key, the confirmation of an agent)';
    return { outcome: 'timeout', reason: `'${command}' did not log in within ${plan.timeoutMs} ms: ${why}` };
  }
  const known = MESSAGES.find(({ pattern }) => pattern.test(result.stderr));
  if (known) return { outcome: known.outcome, reason: known.reason(plan.place, result.stderr, recordOf(plan.settings)) };
  const said = plainText(result.stderr.trim().split('\n').at(-1) ?? '', 160);
  return { outcome: 'lost', reason: `'${command}' failed: ${said === '' ? 'it says nothing of why' : said}` };
}

interface Message {
  readonly pattern: RegExp;
  readonly outcome: Exclude<Outcome, 'ok'>;
  /** `record` is how known_hosts names the host. */
  readonly reason: (place: SshPlace, said: string, record: string) => string;
}

/** In this order: the first that fits explains it best. */
const MESSAGES: readonly Message[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed/i,
    outcome: 'refused',
    reason: (place, _said, record) =>
      `ssh refuses: the host key is not the one on record for ${place.name}. Unless you know why it changed (a new installation), somebody else answers there; 'ssh-keygen -R ${record}' forgets the old one`,
  },
  {
    pattern: /Host key verification failed|No .* host key is known/i,
    outcome: 'unchecked',
    reason: (place) =>
      `no login: the host key of ${place.name} is not known here yet. Log in once with '${sshCommand(place)}', compare the fingerprint that it shows with the host's own, and accept it`,
  },
  {
    pattern: /Bad owner or permissions on (\S+)/,
    outcome: 'unchecked',
    reason: (_place, said) => {
      const path = pathIn(said, /Bad owner or permissions on (\S+)/) ?? 'its configuration';
      return `no login: ssh does not use ${path} because others may write it; take that away with 'chmod go-w ${path}'`;
    },
  },
  {
    pattern: /UNPROTECTED PRIVATE KEY FILE|bad permissions/i,
    outcome: 'unchecked',
    reason: (_place, said) => {
      const path = pathIn(said, /Permissions \d+ for '([^']+)'/) ?? 'the private key';
      return `no login: ssh passes over ${path} because others may read it; take that away with 'chmod 600 ${path}'`;
    },
  },
  {
    pattern: /Permission denied \(/,
    outcome: 'unchecked',
    reason: (place, said) => {
      const methods = plainText(/Permission denied \(([^)]*)\)/.exec(said)?.[1] ?? '');
      return `no login without a password: ${place.name} accepts none of the keys that can be used without asking (it takes ${methods}). Install one with '${sshCommand(place).replace(/^ssh /, 'ssh-copy-id ')}', or load its passphrase into an agent with 'ssh-add'`;
    },
  },
  {
    pattern: /Too many authentication failures/i,
    outcome: 'unchecked',
    reason: (place) =>
      `no login: ${place.name} gave up after too many keys; name the right one with 'IdentityFile' and 'IdentitiesOnly yes' in the ssh configuration`,
  },
  {
    pattern: /Bad configuration option|bad configuration options|Bad .* argument|line \d+: /i,
    outcome: 'unchecked',
    reason: (_place, said) => `no login: ssh cannot read its configuration: ${plainText(said.trim().split('\n')[0] ?? '', 160)}`,
  },
  {
    pattern: /Could not resolve hostname/i,
    outcome: 'unchecked',
    reason: (place) => `no login: ssh cannot find the address of ${place.name}`,
  },
  {
    pattern: /Connection refused/i,
    outcome: 'refused',
    reason: (place) => `'${sshCommand(place)}': the connection was refused: nothing listens on that port`,
  },
  {
    pattern: /timed out/i,
    outcome: 'timeout',
    reason: (place) => `'${sshCommand(place)}': no answer within the time: the host is down, or a firewall drops the packets`,
  },
  {
    pattern: /No route to host|Network is unreachable/i,
    outcome: 'lost',
    reason: (place) => `'${sshCommand(place)}': there is no route to the host`,
  },
];

/** As known_hosts names it: with a port other than 22 in brackets. */
function recordOf({ host, port }: Pick<SshSettings, 'host' | 'port'>): string {
  return shellWord(port === 22 ? host : `[${host}]:${port}`);
}

/** A path that ssh complains of, as it may be pasted: among what ssh says may stand what the server's side said. */
function pathIn(said: string, pattern: RegExp): string | undefined {
  const path = pattern.exec(said)?.[1];
  return path === undefined ? undefined : shellWord(plainText(path, PATH_CHARS_MAX));
}

const PATH_CHARS_MAX = 1024;

/** ControlPath knows tokens that begin with a per cent sign. */
function escaped(path: string): string {
  return path.replaceAll('%', '%%');
}
