import { shellWord } from '../base/index.js';
import type { CommandOptions, CommandResult, Ports } from '../base/index.js';
import { plainText } from '../wire/index.js';

/** What `ssh` would do for a name, of which `ssh -G` tells, as far as it matters here. */
export interface SshSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** `ProxyJump bastion`, `ProxyCommand ...`: then there is no direct connection. */
  readonly proxy?: string;
  readonly compression: boolean;
  /** Where masters of multiplexed connections listen; undefined where that is not set up. */
  readonly controlPath?: string;
  /** `auto`, `yes`, `ask`, `autoask` or `no`. */
  readonly controlMaster: string;
  /** How long a master stays after its last session, as ssh writes it; undefined where it does not. */
  readonly controlPersist?: string;
  readonly identityFiles: readonly string[];
  /** `yes`, `ask`, `accept-new` or `no`: what is done about a host key that is not known. */
  readonly hostKeyChecking: string;
  readonly knownHosts: readonly string[];
}

export interface SshPlace {
  /** A name of the configuration, a host name or an address. */
  readonly name: string;
  readonly port?: number;
  readonly family?: 4 | 6;
  /** Instead of `~/.ssh/config` and the system's. */
  readonly configFile?: string;
}

export type SshAnswer =
  | { readonly outcome: 'ok'; readonly settings: SshSettings; readonly elapsedMs: number }
  | { readonly outcome: 'missing' | 'failed' | 'timeout'; readonly reason: string };

/** Asks the ssh program what its configuration says of a name. Nothing is connected. */
export async function askSshSettings(
  ports: Pick<Ports, 'commands' | 'clock'>,
  place: SshPlace,
  limits: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<SshAnswer> {
  if (!isSshName(place.name)) return { outcome: 'failed', reason: `'${plainText(place.name)}' is no name that ssh could take` };
  const startMs = ports.clock.nowMs();
  const result = await runSsh(ports, ['-G', ...placeArguments(place)], limits);
  const elapsedMs = ports.clock.nowMs() - startMs;
  if (result.outcome === 'missing') return { outcome: 'missing', reason: 'there is no ssh program here: install the OpenSSH client' };
  if (result.outcome === 'timeout')
    return { outcome: 'timeout', reason: `'ssh -G ${place.name}' did not end: look for 'Match exec' in the ssh configuration` };
  const settings = result.code === 0 ? readSshSettings(result.stdout) : undefined;
  if (settings) return { outcome: 'ok', settings, elapsedMs };
  return { outcome: 'failed', reason: `'ssh -G ${place.name}' failed: ${firstLine(result.stderr) || 'it says nothing of why'}` };
}

/** This user's number and home folder as ssh sees them (it asks the user database, not the environment). */
export async function askSshUser(
  ports: Pick<Ports, 'commands'>,
  place: SshPlace,
  limits: { readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<{ readonly id: number; readonly homeFolder: string } | undefined> {
  if (!isSshName(place.name)) return undefined;
  // The tokens of ControlPath are expanded in what -G prints: %i and %d are the local user's id and home (ssh_config(5), TOKENS).
  const result = await runSsh(ports, ['-G', '-o', 'ControlPath=%i:%d', ...placeArguments(place)], limits);
  const [, id, homeFolder] = (result.outcome === 'exited' && /^controlpath (\d+):(\/.*)$/m.exec(result.stdout)) || [];
  return id === undefined || homeFolder === undefined ? undefined : { id: Number(id), homeFolder };
}

/**
 * Whether ssh may be handed a name. A configuration may put it into the command lines of `Match exec` and `ProxyCommand`
 * (%h, %n), which a shell runs, and a name may stand in a file that somebody else wrote: what a shell would obey is
 * refused, as ssh itself does since 9.6 (valid_hostname, ssh.c; CVE-2023-51385), and older releases do not.
 */
export function isSshName(name: string): boolean {
  return name !== '' && !/^-|['`"$\\;&<>|(){}\s\p{Cc}]/u.test(name);
}

/** Runs ssh so that it cannot ask a person anything: no terminal, no window, and nobody to type. */
export function runSsh(
  ports: Pick<Ports, 'commands'>,
  args: readonly string[],
  limits: Pick<CommandOptions, 'timeoutMs' | 'signal'>,
): Promise<CommandResult> {
  return ports.commands.run('ssh', ['-T', ...args], {
    ...limits,
    terminal: 'none',
    environment: { SSH_ASKPASS: undefined, SSH_ASKPASS_REQUIRE: 'never', DISPLAY: undefined, WAYLAND_DISPLAY: undefined },
  });
}

/** The end of a command line that names the place. `--`: what follows is no option, whatever it begins with. */
export function placeArguments(place: SshPlace): string[] {
  return [
    ...(place.configFile === undefined ? [] : ['-F', place.configFile]),
    ...(place.family === undefined ? [] : [`-${place.family}`]),
    ...(place.port === undefined ? [] : ['-p', String(place.port)]),
    '--',
    place.name,
  ];
}

/** What a person would type for that place. */
export function sshCommand(place: SshPlace, ...options: readonly string[]): string {
  const { configFile, port, name } = place;
  const file = configFile === undefined ? [] : ['-F', shellWord(configFile)];
  return ['ssh', ...file, ...(port === undefined ? [] : ['-p', String(port)]), ...options, shellWord(name)].join(' ');
}

/** Reads the output of `ssh -G`: a keyword in lower case and its value on each line. */
export function readSshSettings(text: string): SshSettings | undefined {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^([a-z0-9]+) (.*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined) continue;
    const known = values.get(key);
    if (known) known.push(value);
    else values.set(key, [value]);
  }
  const one = (key: string): string | undefined => {
    const value = values.get(key)?.[0];
    return value === undefined || value === 'none' || value === '' ? undefined : value;
  };
  const host = one('hostname');
  const port = Number(one('port'));
  if (host === undefined || !Number.isInteger(port) || port < 1 || port > 65535) return undefined;
  const [jump, command] = [one('proxyjump'), one('proxycommand')];
  const proxy = jump === undefined ? (command === undefined ? undefined : `ProxyCommand ${command}`) : `ProxyJump ${jump}`;
  const [controlPath, persist] = [one('controlpath'), one('controlpersist')];
  return {
    host,
    port,
    user: one('user') ?? '',
    ...(proxy === undefined ? {} : { proxy }),
    compression: one('compression') === 'yes',
    ...(controlPath === undefined ? {} : { controlPath }),
    controlMaster: yesOrNo(one('controlmaster')),
    ...(persist === undefined || yesOrNo(persist) === 'no' ? {} : { controlPersist: persist }),
    identityFiles: (values.get('identityfile') ?? []).filter((path) => path !== 'none'),
    hostKeyChecking: yesOrNo(one('stricthostkeychecking')),
    knownHosts: (one('userknownhostsfile') ?? '').split(' ').filter((path) => path !== ''),
  };
}

/** ssh prints flags of some keywords as true and false. */
function yesOrNo(text: string | undefined): string {
  if (text === undefined || text === 'false' || text === 'off') return 'no';
  return text === 'true' ? 'yes' : text;
}

function firstLine(text: string): string {
  const line = text.split('\n').find((each) => each.trim() !== '' && !each.startsWith('Pseudo-terminal')) ?? '';
  return line.trim().slice(0, 200);
}
