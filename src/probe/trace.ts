import { TautlineError, formatMs, parseDurationMs } from '../base/index.js';
import type { Endpoint } from '../base/index.js';
import type { Measurement, Outcome, TraceDetails } from '../results/index.js';
import { lossOf } from '../stats/index.js';
import { decodeAddress, encodeAddress } from '../wire/index.js';
import { candidatesOf } from './candidates.js';
import { makerOf, withSummary } from './measuring.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';
import { allRoutersSeen, endOf, endsTheWay, hopsOf, isFromTarget, loopOf, partingOf, wayInWords } from './trace-hops.js';
import type { Answer, Hop } from './trace-hops.js';
import { SILENT_HOPS_MAX, TraceRun } from './trace-run.js';
import type { Protocol } from './trace-run.js';

export interface TraceOptions extends CommonOptions {
  /** Undefined: UDP, and where that does not lead to the target, ICMP and then TCP. */
  readonly protocol?: Protocol;
  readonly port?: number;
  readonly hopsMax: number;
  /** Packets to each hop, at least. */
  readonly queries: number;
  /** How many ways to look for at most. */
  readonly flows: number;
}

/** Where no program is expected to listen, so that the target says so (traceroute's since 1988). */
const UDP_PORT = 33434;
const TCP_PORT = 443;
/** How often a hop is asked for a given duration. */
const ASKING_MS = 1000;
const HOPS_MAX = 64;
const QUERIES_MAX = 100;
const FLOWS_MAX = 64;
const PROTOCOLS: readonly Protocol[] = ['udp', 'icmp', 'tcp'];

/**
 * The routers on the way to a host. Packets of one flow keep everything that equal-cost routers hash (Augustin et
 * al., "Avoiding traceroute anomalies with Paris traceroute", IMC 2006), and further flows look for further ways.
 */
export const traceProbe: Probe<TraceOptions> = {
  name: 'trace',
  summary: 'the routers on the way, with loss and delay of each, and the ways beside each other',
  flags: [
    {
      key: 'protocol',
      flag: '--protocol <name>',
      help: 'udp, icmp or tcp (default: udp, and where that does not reach the target, icmp and then tcp)',
      parse: parseProtocol,
    },
    {
      key: 'port',
      flag: '--port <n>',
      help: `port that packets go to (default: ${UDP_PORT} for UDP; the target's own or ${TCP_PORT} for TCP)`,
      parse: (text) => parseWhole(text, 65_535),
    },
    { key: 'hopsMax', flag: '--max-hops <n>', help: `farthest hop, 1 to ${HOPS_MAX}`, parse: (text) => parseWhole(text, HOPS_MAX) },
    {
      key: 'queries',
      flag: '--queries <n>',
      help: `packets to each hop, at least, 1 to ${QUERIES_MAX}`,
      parse: (text) => parseWhole(text, QUERIES_MAX),
    },
    {
      key: 'flows',
      flag: '--flows <n>',
      help: `ways to look for beside each other at most, 1 to ${FLOWS_MAX}: 6 flows are 95 % sure that a hop has one router, 11 that it has two`,
      parse: (text) => parseWhole(text, FLOWS_MAX),
    },
    { key: 'count', flag: '--count <n>', help: 'the same as --queries', parse: (text) => parseWhole(text, QUERIES_MAX) },
    {
      key: 'intervalMs',
      flag: '--interval <time>',
      help: 'from one packet to a hop to the next one (default: within what routers answer)',
      parse: parseDurationMs,
    },
    { key: 'durationMs', flag: '--duration <time>', help: 'ask each hop for so long, once in --interval or a second', parse: parseDurationMs },
  ],
  defaults: { timeoutMs: 1000, hopsMax: 30, queries: 3, flows: 16 },
  expectedMs: (options) => 2 * options.timeoutMs + (options.intervalMs ?? ASKING_MS) * Math.max(1, queriesOf(options) - 5),
  run: runTrace,
};

/** @throws TautlineError `usage` */
function parseProtocol(text: string): Protocol {
  const found = PROTOCOLS.find((protocol) => protocol === text.toLowerCase());
  if (found) return found;
  throw new TautlineError('usage', `'${text}' is not a protocol to trace with`, { hint: 'write udp, icmp or tcp' });
}

/** @throws TautlineError `usage` */
function parseWhole(text: string, most: number): number {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw new TautlineError('usage', `'${text}' is not a whole number from 1 to ${most}`);
}

/** How many packets go to each hop, at least. */
function queriesOf({ count, queries, durationMs, intervalMs = ASKING_MS }: TraceOptions): number {
  if (count !== undefined) return Math.min(count, QUERIES_MAX);
  return durationMs === undefined ? queries : Math.min(QUERIES_MAX, Math.max(1, Math.floor(durationMs / intervalMs)));
}

/** What one protocol came to. */
interface Attempt {
  readonly protocol: Protocol;
  readonly remote: Endpoint;
  /** The remote's address as answers have it. */
  readonly target: string;
  readonly run: TraceRun;
}
type Failure = { readonly outcome: Exclude<Outcome, 'ok'>; readonly reason: string };

async function runTrace(request: ProbeRequest<TraceOptions>): Promise<Measurement[]> {
  const { options, signal, target } = request;
  const make = makerOf('trace', request);
  const found = await candidatesOf(request, { host: target.host, port: 0 });
  if (found.outcome !== 'ok') return [make('trace', found)];
  const { best, tried, failure } = await discover(request, found.remotes);
  if (!best) return [make('trace', failure ?? { outcome: 'unchecked', reason: 'interrupted before anything was measured', partial: true })];
  if (best.run.observations.length > 0 && !signal.aborted) await best.run.measure();
  return [measurementOf(best, { request, make, tried: tried.filter(({ protocol }) => protocol !== best.protocol), asked: options.protocol })];
}

/** Finds the way with the first protocol that leads to the target, or else the one that leads farthest. */
async function discover(
  request: ProbeRequest<TraceOptions>,
  remotes: readonly Endpoint[],
): Promise<{ best: Attempt | undefined; tried: NonNullable<TraceDetails['tried']>; failure?: Failure }> {
  const tried: { protocol: Protocol; why: string }[] = [];
  const attempts: Attempt[] = [];
  let failure: Failure | undefined;
  for (const protocol of request.options.protocol === undefined ? PROTOCOLS : [request.options.protocol]) {
    if (request.signal.aborted) break;
    const attempt = await tryProtocol(request, remotes, protocol);
    if ('reason' in attempt) {
      failure ??= attempt;
      tried.push({ protocol, why: attempt.reason });
      continue;
    }
    attempts.push(attempt);
    if (attempt.run.reached || attempt.run.aborted) break;
    tried.push({ protocol, why: whyNot(attempt) });
    // What this host itself cannot send, or what goes round, no other protocol brings there.
    if (attempt.run.observations.length === 0 || loopOf(attempt.run.observations, attempt.target)) break;
  }
  const reached = attempts.find(({ run }) => run.reached);
  const farthest = attempts.toSorted((a, b) => b.run.furthestTtl - a.run.furthestTtl)[0];
  return { best: reached ?? farthest, tried, ...(failure ? { failure } : {}) };
}

/** Traces to the first of a host's addresses that packets can be sent to. */
async function tryProtocol(request: ProbeRequest<TraceOptions>, remotes: readonly Endpoint[], protocol: Protocol): Promise<Attempt | Failure> {
  const { options, ports, signal } = request;
  let first: Attempt | Failure | undefined;
  for (const address of remotes) {
    const remote = { ...address, port: portOf(protocol, request) };
    const target = canonical(remote);
    const run = new TraceRun({
      packets: ports.packets,
      protocol,
      remote,
      target,
      hopsMax: options.hopsMax,
      queries: queriesOf(options),
      flowsMax: options.flows,
      timeoutMs: options.timeoutMs,
      ...(options.intervalMs === undefined ? {} : { intervalMs: options.intervalMs }),
      signal,
      onProgress: request.onProgress,
    });
    try {
      await run.discover();
      if (run.observations.length > 0 || signal.aborted) return { protocol, remote, target, run };
      first ??= { protocol, remote, target, run };
    } catch (error) {
      if (!(error instanceof TautlineError) || error.code === 'usage') throw error;
      first ??= {
        outcome: error.code === 'permission' || error.code === 'unsupported' ? 'unsupported' : 'lost',
        reason: `${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`,
      };
    }
  }
  return first ?? { outcome: 'unchecked', reason: 'the target has no address' };
}

function portOf(protocol: Protocol, { options, target }: ProbeRequest<TraceOptions>): number {
  if (protocol === 'icmp') return 0;
  // What listens on the target's own port would not say that a datagram of ours has come.
  if (protocol === 'udp') return options.port ?? UDP_PORT;
  return options.port ?? target.port ?? TCP_PORT;
}

/** An address as the system writes it (RFC 5952). */
function canonical(endpoint: Endpoint): string {
  const zone = endpoint.host.indexOf('%');
  return decodeAddress(encodeAddress(endpoint)).host + (zone < 0 ? '' : endpoint.host.slice(zone));
}

// --- What it comes to --------------------------------------------------------------------------

function measurementOf(
  { protocol, remote, target, run }: Attempt,
  context: {
    readonly request: ProbeRequest<TraceOptions>;
    readonly make: ReturnType<typeof makerOf>;
    readonly tried: NonNullable<TraceDetails['tried']>;
    readonly asked: Protocol | undefined;
  },
): Measurement {
  const { make, tried, request } = context;
  const observations = run.observations;
  const hops = hopsOf(observations, target);
  const atTarget = observations.filter(({ outcome }) => isFromTarget(outcome, target));
  const loop = run.reached ? undefined : loopOf(observations, target);
  const parting = partingOf(hops);
  const details: TraceDetails & Record<string, unknown> = {
    inShort: wayInWords(hops),
    remote: remote.host,
    ...(remote.port === 0 ? {} : { port: remote.port }),
    protocol,
    reached: run.reached,
    hops,
    flows: run.flowsUsed,
    allRoutersSeen: allRoutersSeen(hops),
    ...(parting ? { parting } : {}),
    ...(tried.length > 0 ? { tried } : {}),
    ...(loop ? { loop } : {}),
  };
  const partial = run.aborted ? { partial: true as const } : {};
  const rttMs = atTarget.map(({ outcome }) => (outcome as Answer).rttMs);
  const sent = observations.filter(({ ttl }) => ttl === hops.length).length;
  if (!run.reached) {
    const { outcome, reason } = unreached({ protocol, remote, target, run }, hops);
    return make('trace', { outcome, reason: withOthers(reason, tried), details, ...partial });
  }
  const notes = notesOf(hops, { parting, tried, protocol });
  if (run.aborted) notes.unshift('interrupted');
  return make('trace', {
    outcome: 'ok',
    ...withSummary(rttMs, request.seed),
    // Hosts limit how often they say that a port is closed (RFC 1812, section 4.3.2.8): what is missing then is no loss.
    ...(protocol === 'udp' || parting ? {} : { loss: lossOf(sent, atTarget.length) }),
    error: errorOf(run),
    details,
    ...(notes.length > 0 ? { reason: notes.join('; ') } : {}),
    ...partial,
  });
}

function errorOf(run: TraceRun): NonNullable<Measurement['error']> {
  const callMs = run.callMs ?? 0;
  const stamped = run.stamps.has('user') ? 'answers stamped by this process when it read them' : 'answers stamped by the kernel';
  return {
    value: callMs,
    unit: 'ms',
    from: [stamped, `departures stamped before the send call, which took ${formatMs(callMs)} (median)`, ...run.fallbacks],
  };
}

function unreached({ protocol, remote, target, run }: Attempt, hops: readonly Hop[]): Failure {
  if (run.aborted) return { outcome: 'unchecked', reason: `interrupted after ${run.furthestTtl} hops, before the target had answered` };
  if (run.observations.length === 0) {
    return { outcome: 'lost', reason: `nothing could be sent to ${remote.host}: ${run.unsent ?? 'the system does not say why'}` };
  }
  const loop = loopOf(run.observations, target);
  if (loop) return { outcome: 'lost', reason: `packets go round in a loop between ${loop.join(' and ')}: the routes there point at each other` };
  const end = run.observations.find(({ outcome }) => endsTheWay(outcome, target));
  if (end && end.outcome.outcome === 'error') {
    const { from, what } = end.outcome;
    // A firewall lets packets die on its router before it refuses them.
    const ttl = Math.min(...run.observations.filter((one) => one.outcome.outcome !== 'silent' && one.outcome.from === from).map((one) => one.ttl));
    return {
      outcome: what === 'prohibited' ? 'refused' : 'lost',
      reason: `the way ends at hop ${ttl}: ${from} says ${endOf(end.outcome)}`,
    };
  }
  const last = run.furthestTtl;
  const from = hops[last - 1]?.nodes.map(({ address }) => address).join(', ');
  const place = last === 0 ? 'no hop has answered at all' : `hop ${last} (${from}) was the last to answer`;
  const silent = Math.max(...run.observations.map(({ ttl }) => ttl)) - last;
  if (silent === 0) return { outcome: 'lost', reason: `the target is farther than ${last} hops: allow more with --max-hops` };
  return {
    outcome: 'lost',
    reason: `the target did not answer ${protocol.toUpperCase()}: ${place}, and ${Math.min(silent, SILENT_HOPS_MAX)} hops behind it were silent. A firewall drops the packets there, or the host is off`,
  };
}

/** What the other protocols came to, in as few words as it takes. */
function withOthers(reason: string, tried: NonNullable<TraceDetails['tried']>): string {
  const same = tried.filter(({ why }) => why === reason).map(({ protocol }) => protocol.toUpperCase());
  const others = tried.filter(({ why }) => why !== reason).map(({ protocol, why }) => `${protocol.toUpperCase()}: ${why}`);
  return [reason, ...(same.length > 0 ? [`the same by ${same.join(' and ')}`] : []), ...others].join('; ');
}

/** Why an attempt an attempt did not reach the target. */
function whyNot(attempt: Attempt): string {
  return unreached(attempt, hopsOf(attempt.run.observations, attempt.target)).reason;
}

function notesOf(
  hops: readonly Hop[],
  { parting, tried, protocol }: { parting: TraceDetails['parting']; tried: NonNullable<TraceDetails['tried']>; protocol: Protocol },
): string[] {
  const notes: string[] = [];
  const at = (kind: NonNullable<Hop['answers']>): number[] => hops.filter(({ answers }) => answers === kind).map(({ ttl }) => ttl);
  const silent = at('silent');
  const limited = at('limited');
  if (silent.length > 0) notes.push(`${hopList(silent)} never answered, but packets get past: that is no loss of the path`);
  if (limited.length > 0)
    notes.push(
      `${hopList(limited)} answered only some packets while later hops answered more: routers limit their errors, the path does not lose there`,
    );
  if (parting) notes.push(`ways part behind hop ${parting.fromTtl} and meet at hop ${parting.toTtl}`);
  if (tried.length > 0)
    notes.push(
      `traced by ${protocol.toUpperCase()}, since ${tried.map((one) => one.protocol.toUpperCase()).join(' and ')} did not get to the target`,
    );
  return notes;
}

function hopList(ttls: readonly number[]): string {
  return `${ttls.length === 1 ? 'hop' : 'hops'} ${ttls.join(', ')}`;
}
