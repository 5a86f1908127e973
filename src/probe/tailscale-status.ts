import * as v from 'valibot';
import type { Ports } from '../base/index.js';
import type { Outcome } from '../results/index.js';
import { askLocally, excerpt } from './local-api.js';
import type { LocalFailure } from './local-api.js';
import { isAddressLiteral } from './subnets.js';

/** Where tailscaled listens: Linux, and macOS when it was not installed as an app (paths/paths.go). */
export const TAILSCALED_SOCKETS = ['/var/run/tailscale/tailscaled.sock', '/var/run/tailscaled.socket'] as const;
/** The client's program; the app for macOS brings its own, which is in no PATH. */
export const TAILSCALE_PROGRAMS = ['tailscale', '/Applications/Tailscale.app/Contents/MacOS/Tailscale'] as const;
/** The daemon answers to this name only (ipn/localapi). */
export const LOCAL_API_HOST = 'local-tailscaled.sock';

const PEERS_MAX = 5000;
const ADDRESSES_MAX = 16;
const HEALTH_MAX = 20;
const TEXT_CHARS_MAX = 255;
const HEALTH_CHARS_MAX = 500;

/** A host of the tailnet, as this host's client knows it. */
export interface TailscaleNode {
  /** The host's own name: neither a DNS name nor unique. */
  readonly name: string;
  /** Fully qualified, without the dot at the end; empty where it has none. */
  readonly dnsName: string;
  readonly addresses: readonly string[];
  /** False when the client says so; old clients say nothing. */
  readonly online: boolean;
  readonly os?: string;
  /** Its own DERP region. */
  readonly relay?: string;
}

export interface TailscalePeer extends TailscaleNode {
  /** Whether something was sent to it lately; undefined where an old client does not tell. */
  readonly active?: boolean;
  readonly connection: 'direct' | 'relayed' | 'idle' | 'unknown';
  /** Where its packets go when the connection is direct. */
  readonly endpoint?: string;
  /** Another host of the tailnet that relays, as `ip:port:vni`. */
  readonly peerRelay?: string;
  /** Wall clock, milliseconds since 1970. */
  readonly handshakeAtMs?: number;
  readonly lastSeenMs?: number;
  readonly receivedBytes?: number;
  readonly sentBytes?: number;
  readonly exitNode?: boolean;
  readonly expired?: boolean;
}

/** `outcome` is ok when the client answered, whatever its state. */
export interface TailscaleStatus {
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly source?: 'socket' | 'command';
  /** The socket or the program that answered. */
  readonly place?: string;
  /** `NoState`, `NeedsLogin`, `NeedsMachineAuth`, `InUseOtherUser`, `Stopped`, `Starting`, `Running`; `missing` when it is not installed. */
  readonly state?: string;
  readonly version?: string;
  /** The client has no network interface; only its own proxy reaches the tailnet. */
  readonly userspace?: boolean;
  readonly self?: TailscaleNode;
  readonly peers: readonly TailscalePeer[];
  readonly health: readonly string[];
}

/**
 * What this host's Tailscale client says of itself and of its peers: over its socket where this user may, else by
 * its program. The format is that of ipn/ipnstate/ipnstate.go, of which unknown and missing fields do no harm.
 */
export async function readTailscaleStatus(
  ports: Pick<Ports, 'web' | 'commands'>,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<TailscaleStatus> {
  const failures: LocalFailure[] = [];
  for (const socketPath of TAILSCALED_SOCKETS) {
    const client = ports.web.client();
    const answer = await askLocally({ client, socketPath, host: LOCAL_API_HOST, target: '/localapi/v0/status', ...options });
    client.close();
    if (answer.outcome === 'ok') {
      const status = parseTailscaleStatus(answer.value, { source: 'socket', place: socketPath });
      if (status) return status;
      failures.push({ outcome: 'lost', why: 'garbled', reason: `what ${socketPath} answers is not the status of a Tailscale client` });
    } else if (answer.why !== 'absent') failures.push(answer);
    // The program would ask the same daemon, and wait for it as long.
    if (failures.some(({ why }) => why === 'silent' || why === 'interrupted')) break;
  }
  const [first] = failures;
  if (first?.why === 'interrupted') return { ...NOBODY, outcome: 'unchecked', reason: first.reason };
  if (first?.why === 'silent')
    return { ...NOBODY, outcome: 'timeout', reason: `${first.reason}: tailscaled hangs; restart it (sudo systemctl restart tailscaled)` };
  return await statusByProgram(ports, options, first);
}

const NOBODY = { peers: [], health: [] } as const;

async function statusByProgram(
  ports: Pick<Ports, 'commands'>,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  socketFailure: LocalFailure | undefined,
): Promise<TailscaleStatus> {
  for (const program of TAILSCALE_PROGRAMS) {
    const result = await ports.commands.run(program, ['status', '--json'], options);
    if (options.signal.aborted) return { ...NOBODY, outcome: 'unchecked', reason: 'interrupted before anything was measured' };
    if (result.outcome === 'missing') continue;
    if (result.outcome === 'timeout')
      return { ...NOBODY, outcome: 'timeout', reason: `\`${program} status --json\` did not end within ${options.timeoutMs} ms: tailscaled hangs` };
    const status = parseTailscaleText(result.stdout, { source: 'command', place: program });
    if (status) return status;
    return { ...NOBODY, ...explainProgram(program, result, socketFailure) };
  }
  if (socketFailure?.why === 'denied')
    return {
      ...NOBODY,
      outcome: 'unchecked',
      reason: `${socketFailure.reason}; run as root, or allow this user with \`sudo tailscale set --operator=$USER\``,
    };
  if (socketFailure)
    return { ...NOBODY, outcome: socketFailure.outcome, reason: `${socketFailure.reason}; start it with \`sudo systemctl start tailscaled\`` };
  return {
    ...NOBODY,
    outcome: 'unsupported',
    state: 'missing',
    reason: 'Tailscale is not installed here, as far as can be seen: it has no socket at its usual places, and no program `tailscale`',
  };
}

function explainProgram(
  program: string,
  result: { readonly code: number; readonly stdout: string; readonly stderr: string },
  socketFailure: LocalFailure | undefined,
): { outcome: Outcome; reason: string } {
  const said = excerpt(result.stderr.trim() === '' ? result.stdout : result.stderr, 200);
  if (socketFailure?.why === 'denied' || /access denied|permission denied/i.test(result.stderr))
    return {
      outcome: 'unchecked',
      reason: `the Tailscale client does not answer this user (${said}): run as root, or allow this user with \`sudo tailscale set --operator=$USER\``,
    };
  if (/failed to connect to local|doesn't appear to be running|is Tailscale running/i.test(result.stderr))
    return {
      outcome: 'refused',
      reason: `Tailscale is installed, but its daemon does not run (${said}): start it with \`sudo systemctl start tailscaled\`, or open the app`,
    };
  return { outcome: 'lost', reason: `\`${program} status --json\` ended with code ${result.code} and without a status (${said})` };
}

/** @returns undefined for what is no status */
export function parseTailscaleText(text: string, from: Pick<TailscaleStatus, 'source' | 'place'>): TailscaleStatus | undefined {
  try {
    return parseTailscaleStatus(JSON.parse(text), from);
  } catch {
    return undefined;
  }
}

// --- The format ------------------------------------------------------------------------------

/** Whatever else a field holds than what is known, it is as if it were not there. */
const maybe = <T extends v.GenericSchema>(schema: T) => v.fallback(v.optional(schema), undefined as never);
const Text = maybe(v.string());
const Flag = maybe(v.boolean());
const Count = maybe(v.pipe(v.number(), v.finite()));

const NodeSchema = v.object({
  HostName: Text,
  DNSName: Text,
  OS: Text,
  TailscaleIPs: maybe(v.array(v.unknown())),
  CurAddr: Text,
  Relay: Text,
  PeerRelay: Text,
  RxBytes: Count,
  TxBytes: Count,
  LastSeen: Text,
  LastHandshake: Text,
  Online: Flag,
  ExitNode: Flag,
  Active: Flag,
  ShareeNode: Flag,
  Expired: Flag,
});
type WireNode = v.InferOutput<typeof NodeSchema>;

const StatusSchema = v.object({
  BackendState: v.string(),
  Version: Text,
  TUN: Flag,
  TailscaleIPs: maybe(v.array(v.unknown())),
  Self: maybe(NodeSchema),
  Health: maybe(v.array(v.unknown())),
  Peer: maybe(v.record(v.string(), v.unknown())),
});

/** @returns undefined for what is no status */
export function parseTailscaleStatus(input: unknown, from: Pick<TailscaleStatus, 'source' | 'place'>): TailscaleStatus | undefined {
  const parsed = v.safeParse(StatusSchema, input);
  if (!parsed.success) return undefined;
  const { BackendState, Version, TUN, Self, Health, Peer } = parsed.output;
  const peers = Object.values(Peer ?? {})
    .slice(0, PEERS_MAX)
    .map((peer) => v.safeParse(NodeSchema, peer))
    .flatMap((peer) => (peer.success && peer.output.ShareeNode !== true ? [peerOf(peer.output)] : []))
    .sort((a, b) => (a.dnsName < b.dnsName ? -1 : a.dnsName > b.dnsName ? 1 : 0));
  const self = Self && nodeOf({ ...Self, TailscaleIPs: Self.TailscaleIPs ?? parsed.output.TailscaleIPs });
  return {
    outcome: 'ok',
    ...from,
    state: short(BackendState),
    ...(Version === undefined ? {} : { version: short(Version) }),
    ...(TUN === undefined ? {} : { userspace: !TUN }),
    ...(self === undefined ? {} : { self }),
    peers,
    health: texts(Health, HEALTH_MAX, HEALTH_CHARS_MAX),
  };
}

function nodeOf(node: WireNode): TailscaleNode {
  return {
    name: short(node.HostName ?? ''),
    dnsName: short((node.DNSName ?? '').replace(/\.$/, '')),
    addresses: texts(node.TailscaleIPs, ADDRESSES_MAX, TEXT_CHARS_MAX).filter(isAddressLiteral),
    online: node.Online !== false,
    ...(present(node.OS) ? { os: short(node.OS) } : {}),
    ...(present(node.Relay) ? { relay: short(node.Relay) } : {}),
  };
}

function peerOf(node: WireNode): TailscalePeer {
  const handshakeAtMs = momentOf(node.LastHandshake);
  const lastSeenMs = momentOf(node.LastSeen);
  return {
    ...nodeOf(node),
    ...(node.Active === undefined ? {} : { active: node.Active }),
    connection: connectionOf(node),
    ...(present(node.CurAddr) ? { endpoint: short(node.CurAddr) } : {}),
    ...(present(node.PeerRelay) ? { peerRelay: short(node.PeerRelay) } : {}),
    ...(handshakeAtMs === undefined ? {} : { handshakeAtMs }),
    ...(lastSeenMs === undefined ? {} : { lastSeenMs }),
    ...(node.RxBytes === undefined ? {} : { receivedBytes: node.RxBytes }),
    ...(node.TxBytes === undefined ? {} : { sentBytes: node.TxBytes }),
    ...(node.ExitNode === true ? { exitNode: true } : {}),
    ...(node.Expired === true ? { expired: true } : {}),
  };
}

/** As `tailscale status` tells it (cmd/tailscale/cli/status.go): a direct address wins over relays, and an idle peer has neither. */
function connectionOf(node: WireNode): TailscalePeer['connection'] {
  if (present(node.CurAddr)) return 'direct';
  if (present(node.PeerRelay)) return 'relayed';
  if (node.Active === false) return 'idle';
  return node.Active === true && present(node.Relay) ? 'relayed' : 'unknown';
}

/** Go writes a time that was never set as the year 1. */
function momentOf(text: string | undefined): number | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return ms > 0 ? ms : undefined;
}

function present(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function texts(list: readonly unknown[] | undefined, countMax: number, charsMax: number): string[] {
  return (list ?? [])
    .slice(0, countMax)
    .filter((item) => typeof item === 'string')
    .map((text) => short(text, charsMax));
}

function short(text: string, chars = TEXT_CHARS_MAX): string {
  return text.length <= chars ? text : `${text.slice(0, chars)}…`;
}
