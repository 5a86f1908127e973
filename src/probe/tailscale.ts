import { TautlineError, parseTarget } from '../base/index.js';
import type { Endpoint, NetworkInterface, PacketOutcome } from '../base/index.js';
import type { Measurement, TailscaleDetails } from '../results/index.js';
import { lossOf } from '../stats/index.js';
import { makerOf, withSummary } from './measuring.js';
import type { Make } from './measuring.js';
import { pingProbe } from './ping.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';
import { samplingOf } from './sampling.js';
import type { Sampling } from './sampling.js';
import { readNetcheck } from './tailscale-netcheck.js';
import type { Netcheck } from './tailscale-netcheck.js';
import { readTailscaleStatus } from './tailscale-status.js';
import type { TailscalePeer, TailscaleStatus } from './tailscale-status.js';
import { TUNNEL_ANSWER_MS, hostOf, sayBroken, stateProblem, tunnelVerdict } from './tailscale-verdict.js';
import type { PacketTally } from './tailscale-verdict.js';

export interface TailscaleOptions extends CommonOptions {
  /** Leaves out the client's own netcheck, which asks relays on the internet for some seconds. */
  readonly skipNetcheck?: boolean;
}

const SAMPLING: Sampling = { count: 20, intervalMs: 100 };
const LARGE_COUNT = 5;
const ENDPOINT_COUNT = 3;
/** What Tailscale's interface has unless told otherwise (net/tstun/mtu.go, safeTUNMTU). */
const TUNNEL_MTU_BYTES = 1280;
const NAMED_MAX = 5;

/** The tailnet as a path: what its client says of the way to a peer, and what packets say of it. */
export const tailscaleProbe: Probe<TailscaleOptions> = {
  name: 'tailscale',
  summary: 'a peer over Tailscale: direct or relayed, round trips, full-size packets, netcheck',
  flags: [
    {
      key: 'skipNetcheck',
      flag: '--skip-netcheck',
      help: "leave out the client's netcheck, which asks relays on the internet",
      parse: () => true,
      boolean: true,
    },
  ],
  defaults: { timeoutMs: 3000 },
  expectedMs(options) {
    const { count, intervalMs } = samplingOf(options, SAMPLING);
    return count * intervalMs + 1000 + (options.skipNetcheck === true ? 0 : 4000);
  },
  run: runTailscale,
};

async function runTailscale(request: ProbeRequest<TailscaleOptions>): Promise<Measurement[]> {
  const { options, ports, signal } = request;
  const sampling = samplingOf(options, SAMPLING);
  const make = makerOf('tailscale', request);
  request.onProgress('asking the Tailscale client', 0);
  const asking = { timeoutMs: options.timeoutMs, signal };
  const status = await readTailscaleStatus(ports, asking);
  if (status.outcome !== 'ok')
    return [
      make('tailscale', {
        outcome: status.outcome,
        ...(status.reason === undefined ? {} : { reason: status.reason }),
        ...(signal.aborted ? { partial: true } : {}),
      }),
    ];
  const problem = stateProblem(status);
  if (problem !== undefined) return [make('tailscale', { ...problem, details: { ...detailsOf(status) } })];
  const found = await findPeer(request, status);
  const own = ownInterface(await ports.facts.interfaces(), status);
  const about = { ...detailsOf(status), ...(own?.mtu === undefined ? {} : { mtu: own.mtu }) };
  if ('reason' in found) {
    const netcheck = found.self ? await netcheckOf(request, status) : {};
    return [make('tailscale', { outcome: 'unchecked', reason: found.reason, details: { ...about, ...netcheck } })];
  }
  return await measurePeer(request, { status, peer: found, about, make, sampling, mtuBytes: own?.mtu ?? TUNNEL_MTU_BYTES });
}

interface Context {
  readonly status: TailscaleStatus;
  readonly peer: TailscalePeer;
  readonly about: TailscaleDetails;
  readonly make: Make;
  readonly sampling: Sampling;
  readonly mtuBytes: number;
}

async function measurePeer(request: ProbeRequest<TailscaleOptions>, context: Context): Promise<Measurement[]> {
  const { options, ports, signal } = request;
  const { status, peer, about, make, sampling } = context;
  const address = peer.addresses.find((one) => options.family === undefined || one.includes(':') === (options.family === 6));
  if (address === undefined)
    return [
      make('tailscale', {
        outcome: 'unchecked',
        reason: `the client names no${options.family === undefined ? '' : ` IPv${options.family}`} address for ${peer.name}`,
        details: { ...about, peer: peerDetails(peer, request) },
      }),
    ];
  if (status.userspace === true)
    return [
      make('tailscale', {
        outcome: 'unsupported',
        reason:
          'the client runs without a network interface (userspace networking), so packets of other programs cannot go through it: try `tailscale ping`',
        details: { ...about, userspace: true, peer: peerDetails(peer, request) },
      }),
    ];
  const startMs = ports.clock.nowMs();
  const small = await ping(request, {
    host: address,
    count: sampling.count,
    intervalMs: sampling.intervalMs,
    doing: `pinging ${peer.name} through the tailnet`,
    metric: 'tailscale',
  });
  const large = small.loss !== undefined && small.loss.received > 0 && !signal.aborted ? await sendLarge(request, context, address) : undefined;
  if (lostAll(tallyOf(small)) && peer.connection === 'direct' && peer.online && !signal.aborted) {
    request.onProgress('waiting for the tunnel to say something', 0.5);
    await ports.clock.sleep(TUNNEL_ANSWER_MS - (ports.clock.nowMs() - startMs), signal);
  }
  // A connection comes up, or turns from relayed to direct, with the first packets.
  const again = signal.aborted ? undefined : await readTailscaleStatus(ports, { timeoutMs: options.timeoutMs, signal });
  const after = again?.peers.find((other) => other.addresses.includes(address)) ?? peer;
  const tallies = { small: tallyOf(small), ...(large ? { large: { sent: large.sent, received: large.rttMs.length } } : {}) };
  const suspicious =
    after.endpoint !== undefined && !signal.aborted && (lostAll(tallies.small) || (tallies.large !== undefined && lostAll(tallies.large)));
  const endpoint = suspicious ? await pingEndpoint(request, after.endpoint ?? '') : undefined;
  const verdict = tunnelVerdict({
    before: peer,
    after,
    ...tallies,
    ...(endpoint ? { endpoint } : {}),
    mtuBytes: context.mtuBytes,
    wallMs: ports.clock.wallMs(),
  });
  const details: TailscaleDetails = {
    ...about,
    peer: peerDetails(after, request),
    ...(verdict.directButBroken === undefined ? {} : { directButBroken: verdict.directButBroken }),
    packets: [
      { to: 'peer', bytes: SMALL_BYTES, ...tallies.small },
      ...(large ? [{ to: 'peer' as const, bytes: large.bytes, ...(tallies.large ?? { sent: 0, received: 0 }) }] : []),
      ...(endpoint ? [{ to: 'endpoint' as const, bytes: SMALL_BYTES, ...endpoint }] : []),
    ],
    ...(await netcheckOf(request, status)),
  };
  const reasons = [small.reason, ...sayBroken(verdict, after, { wallMs: ports.clock.wallMs() })].filter((reason) => reason !== undefined);
  const rtt = make('tailscale', {
    outcome: small.outcome,
    ...(reasons.length === 0 ? {} : { reason: reasons.join('; ') }),
    ...(small.summary ? { summary: small.summary } : {}),
    ...(small.loss ? { loss: small.loss } : {}),
    ...(small.error ? { error: small.error } : {}),
    ...(small.partial === true || signal.aborted ? { partial: true } : {}),
    details: { ...small.details, ...details },
  });
  return large ? [rtt, largeMeasurement(make, large, request.seed)] : [rtt];
}

/** A ping's IP packet: 56 bytes after 8 of ICMP and 20 of IPv4. */
const SMALL_BYTES = 84;

function lostAll({ sent, received }: PacketTally): boolean {
  return sent > 0 && received === 0;
}

function tallyOf({ loss }: Measurement): PacketTally {
  return { sent: loss?.sent ?? 0, received: loss?.received ?? 0 };
}

async function ping(
  request: ProbeRequest<TailscaleOptions>,
  { host, count, intervalMs, doing, metric }: { host: string; count: number; intervalMs: number; doing: string; metric?: string },
): Promise<Measurement> {
  const { timeoutMs } = request.options;
  const { onSamples } = request;
  const measurements = await pingProbe.run({
    ...request,
    target: parseTarget(host),
    options: { timeoutMs, sizeBytes: pingProbe.defaults.sizeBytes, count, intervalMs },
    onProgress: (_, fraction) => request.onProgress(doing, fraction / 2),
    // Only the round trips through the tailnet are this probe's figure.
    onSamples: (name, samples) => {
      if (metric !== undefined && name === 'rtt') onSamples?.(metric, samples);
    },
  });
  return measurements[0] as Measurement;
}

async function pingEndpoint(request: ProbeRequest<TailscaleOptions>, endpoint: string): Promise<PacketTally | undefined> {
  const host = hostOf(endpoint);
  if (host === undefined) return undefined;
  return tallyOf(await ping(request, { host, count: ENDPOINT_COUNT, intervalMs: 100, doing: 'pinging the endpoint outside the tailnet' }));
}

// --- Packets of full size --------------------------------------------------------------------

interface Large {
  readonly bytes: number;
  readonly sent: number;
  readonly rttMs: readonly number[];
  readonly why: readonly string[];
}

/** Packets that just fit the tunnel's interface: what carries bulk data. @returns undefined where such packets cannot be sent */
async function sendLarge(request: ProbeRequest<TailscaleOptions>, { mtuBytes }: Context, address: string): Promise<Large | undefined> {
  const remote: Endpoint = { host: address, port: 0, family: address.includes(':') ? 6 : 4 };
  request.onProgress('sending packets of full size', 0.5);
  try {
    const log = await request.ports.packets.probe({
      protocol: 'icmp',
      remote,
      packets: Array.from({ length: LARGE_COUNT }, () => ({ sizeBytes: mtuBytes, dontFragment: true })),
      intervalMs: 100,
      timeoutMs: request.options.timeoutMs,
      signal: request.signal,
    });
    const asked = log.outcomes.filter(({ outcome }) => outcome !== 'unasked');
    return {
      bytes: mtuBytes,
      sent: asked.length,
      rttMs: asked.flatMap((outcome) => (outcome.outcome === 'reply' ? [outcome.rttMs] : [])),
      why: [...new Set(asked.flatMap((outcome) => whyLost(outcome) ?? []))],
    };
  } catch (error) {
    // This host does not let programs choose a packet's size; what is known stays.
    if (error instanceof TautlineError && error.code !== 'usage') return undefined;
    throw error;
  }
}

function whyLost(outcome: PacketOutcome): string | undefined {
  if (outcome.outcome === 'error') return `${outcome.from} says ${outcome.what}${outcome.mtuBytes === undefined ? '' : ` (MTU ${outcome.mtuBytes})`}`;
  return outcome.outcome === 'unsent' ? `this host does not send them (${outcome.errno})` : undefined;
}

function largeMeasurement(make: Make, large: Large, seed: number): Measurement {
  const { bytes, sent, rttMs, why } = large;
  const none = rttMs.length === 0;
  const said = why.length === 0 ? '' : `: ${why.join(', ')}`;
  return make('tailscale.large', {
    outcome: sent === 0 ? 'unchecked' : none ? 'lost' : 'ok',
    ...(sent === 0 ? { reason: 'interrupted before anything was measured', partial: true } : {}),
    ...(none && sent > 0 ? { reason: `none of ${sent} packets of ${bytes} bytes was answered, though small ones are${said}` } : {}),
    ...(!none && rttMs.length < sent ? { reason: `${sent - rttMs.length} of ${sent} packets of ${bytes} bytes were not answered${said}` } : {}),
    ...withSummary(rttMs, seed),
    ...(sent > 0 ? { loss: lossOf(sent, rttMs.length) } : {}),
    details: { sizeBytes: bytes },
  });
}

// --- Who and what ----------------------------------------------------------------------------

/** By its name, its DNS name whole or its first label, or an address; a name of elsewhere is looked up. */
async function findPeer(
  request: ProbeRequest<TailscaleOptions>,
  status: TailscaleStatus,
): Promise<TailscalePeer | { readonly reason: string; readonly self?: true }> {
  const { ports, target, options, signal } = request;
  const asked = target.host.toLowerCase().replace(/\.$/, '');
  const { self, peers } = status;
  const isCalled = (node: { readonly name: string; readonly dnsName: string; readonly addresses: readonly string[] }, text: string): boolean => {
    const dnsName = node.dnsName.toLowerCase();
    return dnsName === text || dnsName.split('.')[0] === text || node.name.toLowerCase() === text || node.addresses.includes(text);
  };
  const here = (text: string): boolean => text === 'local' || text === 'localhost' || (self !== undefined && isCalled(self, text));
  if (here(asked)) return { self: true, reason: `${target.text} is this host itself: name a peer for a round trip${listed(peers)}` };
  const exact = peers.find(({ dnsName, addresses }) => dnsName.toLowerCase() === asked || addresses.includes(asked));
  const named = exact ?? peers.find((peer) => isCalled(peer, asked));
  if (named) return named;
  const looked = await ports.names.lookup(target.host, { timeoutMs: options.timeoutMs, signal });
  const addresses = looked.outcome === 'ok' ? looked.addresses.map(({ host }) => host) : [];
  const byAddress = peers.find((peer) => peer.addresses.some((address) => addresses.includes(address)));
  return byAddress ?? { reason: `the Tailscale client knows no peer '${target.text}'${listed(peers)}; check \`tailscale status\`` };
}

function listed(peers: readonly TailscalePeer[]): string {
  if (peers.length === 0) return ' (it has no peers)';
  const names = peers.slice(0, NAMED_MAX).map(({ name, dnsName }) => (dnsName === '' ? name : (dnsName.split('.')[0] ?? name)));
  return ` (peers: ${names.join(', ')}${peers.length > NAMED_MAX ? ` and ${peers.length - NAMED_MAX} more` : ''})`;
}

function ownInterface(interfaces: readonly NetworkInterface[], { self }: TailscaleStatus): NetworkInterface | undefined {
  return interfaces.find(({ addresses }) => addresses.some(({ address }) => self?.addresses.includes(address) === true));
}

function detailsOf(status: TailscaleStatus): TailscaleDetails {
  const { self, health } = status;
  return {
    source: status.source ?? 'command',
    state: status.state ?? 'unknown',
    ...(status.version === undefined ? {} : { version: status.version }),
    ...(self === undefined
      ? {}
      : { self: { name: self.name, addresses: self.addresses, ...(self.relay === undefined ? {} : { relay: self.relay }) } }),
    ...(health.length === 0 ? {} : { health }),
  };
}

function peerDetails(peer: TailscalePeer, { ports }: ProbeRequest<TailscaleOptions>): NonNullable<TailscaleDetails['peer']> {
  const { name, addresses, online, active, connection, endpoint, relay, peerRelay, handshakeAtMs, lastSeenMs, exitNode } = peer;
  const ageMs = handshakeAtMs === undefined ? undefined : ports.clock.wallMs() - handshakeAtMs;
  // Its own region is no relay of a direct connection.
  const via = peerRelay ?? (connection === 'relayed' ? relay : undefined);
  return {
    name,
    addresses,
    online,
    ...(active === undefined ? {} : { active }),
    connection,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(via === undefined ? {} : { relay: via }),
    // A clock that was set meanwhile makes an age that is none.
    ...(ageMs === undefined || ageMs < 0 ? {} : { handshakeAgeMs: ageMs }),
    ...(lastSeenMs === undefined ? {} : { lastSeenMs }),
    ...(exitNode === undefined ? {} : { exitNode }),
  };
}

async function netcheckOf(
  request: ProbeRequest<TailscaleOptions>,
  status: TailscaleStatus,
): Promise<{ netcheck?: Netcheck; netcheckMissing?: string }> {
  const { options, ports, signal } = request;
  if (options.skipNetcheck === true || signal.aborted) return {};
  request.onProgress("running the client's netcheck", 0.7);
  const netcheck = await readNetcheck(ports, status, { timeoutMs: options.timeoutMs, signal });
  return typeof netcheck === 'string' ? { netcheckMissing: netcheck } : { netcheck };
}
