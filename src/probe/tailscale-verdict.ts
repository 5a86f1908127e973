import { formatMs } from '../base/index.js';
import type { Outcome } from '../results/index.js';
import type { TailscalePeer, TailscaleStatus } from './tailscale-status.js';

/** WireGuard lets no packet through with keys older than this (whitepaper, section 6.1: REJECT_AFTER_TIME). */
const SESSION_MS_MAX = 180_000;
/**
 * Whoever receives data and has none to send answers after 10 s all the same (whitepaper, section 6.5: KEEPALIVE_TIMEOUT):
 * a tunnel that works thus returns bytes within this time of a packet, even where something drops pings.
 */
export const TUNNEL_ANSWER_MS = 12_000;

export interface PacketTally {
  readonly sent: number;
  readonly received: number;
}

/** Why nothing can be measured in this state of the client; undefined when it runs. */
export function stateProblem({ state, health }: TailscaleStatus): { readonly outcome: Exclude<Outcome, 'ok'>; readonly reason: string } | undefined {
  const said = health[0] === undefined ? '' : ` (it says: ${health[0]})`;
  switch (state) {
    case 'Running':
      return undefined;
    case 'NeedsLogin':
      return { outcome: 'unchecked', reason: `the Tailscale client is logged out: log in with \`sudo tailscale up\`${said}` };
    case 'NeedsMachineAuth':
      return { outcome: 'unchecked', reason: `an administrator of the tailnet has to approve this host first (admin console, Machines)${said}` };
    case 'Stopped':
      return { outcome: 'unchecked', reason: `the Tailscale client is stopped: start it with \`sudo tailscale up\`${said}` };
    case 'InUseOtherUser':
      return { outcome: 'unchecked', reason: `the Tailscale client is used by another user of this host: log in as that user${said}` };
    case 'Starting':
    case 'NoState':
      return { outcome: 'unchecked', reason: `the Tailscale client is still starting: try again in a moment${said}` };
    default:
      return { outcome: 'unchecked', reason: `the Tailscale client is in a state that is not known here, '${state}'${said}` };
  }
}

export interface TunnelEvidence {
  /** What the client said of the peer before and after packets were sent. */
  readonly before: TailscalePeer;
  readonly after: TailscalePeer;
  readonly small: PacketTally;
  /** Packets as large as the tunnel's interface takes. */
  readonly large?: PacketTally;
  /** Pings to the endpoint itself, outside the tunnel. */
  readonly endpoint?: PacketTally;
  readonly mtuBytes: number;
  readonly wallMs: number;
}

export interface TunnelVerdict {
  /** Undefined when the connection is not called direct, or nothing was sent. */
  readonly directButBroken?: boolean;
  readonly why?: string;
}

/**
 * Whether a connection that the client calls direct carries packets. Lost pings alone do not say so, since access
 * rules and firewalls drop pings: the tunnel is broken when nothing came back through it at all, neither bytes nor
 * a handshake, within the time in which WireGuard must answer.
 */
export function tunnelVerdict(evidence: TunnelEvidence): TunnelVerdict {
  const { before, after, small, large, endpoint, mtuBytes, wallMs } = evidence;
  if (after.connection !== 'direct' || small.sent === 0) return {};
  // That it is off explains the silence.
  if (small.received === 0 && !after.online) return {};
  const outsideHost = hostOf(after.endpoint);
  const outside =
    endpoint === undefined || endpoint.sent === 0
      ? ''
      : endpoint.received > 0
        ? `; its endpoint ${after.endpoint} answers pings outside the tunnel, so the way there is open and the UDP port is not`
        : `; its endpoint ${after.endpoint} does not answer pings outside the tunnel either`;
  if (small.received === 0) {
    const returnedBytes =
      after.receivedBytes !== undefined && before.receivedBytes !== undefined ? after.receivedBytes - before.receivedBytes : undefined;
    const ageMs = after.handshakeAtMs === undefined ? undefined : wallMs - after.handshakeAtMs;
    const newKeys = after.handshakeAtMs !== undefined && after.handshakeAtMs > (before.handshakeAtMs ?? 0);
    const alive = (returnedBytes ?? 0) > 0 || newKeys || (returnedBytes === undefined && ageMs !== undefined && ageMs >= 0 && ageMs < SESSION_MS_MAX);
    if (alive)
      return {
        directButBroken: false,
        why: `the tunnel itself is alive (${newKeys ? 'a handshake succeeded' : `${returnedBytes ?? 'some'} bytes came back`} meanwhile): a firewall on the peer or the access rules of the tailnet drop pings`,
      };
    const age = ageMs === undefined || ageMs < 0 ? 'there was never a handshake' : `the last handshake was ${formatMs(ageMs)} ago`;
    return { directButBroken: true, why: `the client calls the connection direct, but nothing comes back through it (${age})${outside}` };
  }
  if (large !== undefined && large.sent > 0 && large.received === 0)
    return {
      directButBroken: true,
      why: `the client calls the connection direct, but packets of ${mtuBytes} bytes vanish while small ones pass: the way outside the tunnel does not take datagrams of ${mtuBytes + OUTER_BYTES} bytes${outsideHost === undefined ? '' : `; see how much it takes with \`tautline measure mtu ${outsideHost}\``}`,
    };
  return { directButBroken: false };
}

/** What WireGuard adds over IPv4: 20 of IP, 8 of UDP, 16 of its header, 16 of its tag; IPv6 takes 20 more. */
const OUTER_BYTES = 60;

/** Everything else about the peer that a person should know beside the time. */
export function sayBroken({ why }: TunnelVerdict, peer: TailscalePeer, { wallMs }: { readonly wallMs: number }): string[] {
  const said: string[] = [];
  if (peer.expired === true) said.push(`the key of ${peer.name} has expired: log in again on it`);
  if (!peer.online) {
    const ageMs = peer.lastSeenMs === undefined ? undefined : wallMs - peer.lastSeenMs;
    said.push(`the tailnet says that ${peer.name} is offline${ageMs === undefined || ageMs < 0 ? '' : `, last seen ${ago(ageMs)} ago`}`);
  }
  if (peer.connection === 'relayed')
    said.push(
      peer.peerRelay === undefined
        ? `relayed by DERP region ${peer.relay ?? '?'}, not direct: UDP between both ends does not get through`
        : `relayed by the peer at ${peer.peerRelay}, not direct`,
    );
  if (why !== undefined) said.push(why);
  return said;
}

function ago(ms: number): string {
  const hours = ms / 3600e3;
  if (hours < 1) return `${Math.round(ms / 60e3)} minutes`;
  return hours < 48 ? `${Math.round(hours)} hours` : `${Math.round(hours / 24)} days`;
}

/** The address of `192.0.2.20:41641` or `[2001:db8::1]:41641`. */
export function hostOf(endpoint: string | undefined): string | undefined {
  return /^\[?([^\]]+?)\]?:\d+$/.exec(endpoint ?? '')?.[1];
}
