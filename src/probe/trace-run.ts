import type { Endpoint, PacketLog, PacketOutcome, PacketPlan, Packets } from '../base/index.js';
import { CERTAINTY, flowsNeeded } from './multipath.js';
import { endsTheWay, flowsWanted, hopsOf, isFromTarget, loopOf, withinTheWay } from './trace-hops.js';
import type { Observation } from './trace-hops.js';

export type Protocol = PacketPlan['protocol'];

/** So many hops in a row that say nothing, and what is behind them is taken to be out of reach: mtr gives up at as many. */
export const SILENT_HOPS_MAX = 5;
/** Packets beyond the last hop that has answered, so that few go to the target when it turns out to be near. */
const AHEAD_MAX = 3;
const FIRST_INTERVAL_MS = 20;
/**
 * How many errors a Linux router sends to one address at once, and then how often one more (net/ipv4/icmp.c:
 * XRLIM_BURST_FACTOR, icmp_ratelimit; RFC 1812, section 4.3.2.8 asks for a limit). Packets are spaced to stay within.
 */
const ERRORS_BURST = 6;
const ERRORS_INTERVAL_MS = 1000;
const SWEEP_MS = 50;
const INTERVAL_MS_MIN = 2;
/** Ways differ in length: so many hops beyond the shortest one are looked at for the target. */
const LONGER_MAX = 5;
/** Each adds flows where the one before found routers side by side. */
const ROUNDS_MAX = 8;

export interface TracePlan {
  readonly packets: Packets;
  readonly protocol: Protocol;
  readonly remote: Endpoint;
  /** The remote's address as answers have it. */
  readonly target: string;
  readonly hopsMax: number;
  readonly queries: number;
  readonly flowsMax: number;
  readonly timeoutMs: number;
  /** From one packet to a hop to the next one. */
  readonly intervalMs?: number;
  readonly signal: AbortSignal;
  readonly onProgress: (doing: string, fraction: number) => void;
}

/** One trace over one protocol, packet by packet. */
export class TraceRun {
  readonly fallbacks = new Set<string>();
  readonly stamps = new Set<PacketLog['stamps']>();
  /** The kernel did not send, and why. */
  unsent: string | undefined;
  aborted = false;
  flowsUsed = 1;
  callMs: number | undefined;
  readonly #plan: TracePlan;
  readonly #all: Observation[] = [];
  #flowPorts: Record<number, number> = {};

  constructor(plan: TracePlan) {
    this.#plan = plan;
  }

  get observations(): readonly Observation[] {
    return withinTheWay(this.#all, this.#plan.target);
  }

  get reached(): boolean {
    return this.#all.some(({ outcome }) => isFromTarget(outcome, this.#plan.target));
  }

  /** The last hop that has answered. */
  get furthestTtl(): number {
    return Math.max(0, ...this.observations.filter(({ outcome }) => outcome.outcome !== 'silent').map(({ ttl }) => ttl));
  }

  /** The first way to the target: hop by hop with one flow, until it answers, somebody says that it ends, or nobody says anything. */
  async discover(): Promise<void> {
    const { hopsMax, target, signal, protocol, onProgress } = this.#plan;
    const stop = new AbortController();
    const onAbort = (): void => stop.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) stop.abort();
    const known = new Map<number, Observation['outcome']>();
    const onOutcome = (index: number, outcome: PacketOutcome): void => {
      const ttl = index + 1;
      if (outcome.outcome !== 'silent' && outcome.outcome !== 'reply' && outcome.outcome !== 'error') return stop.abort();
      known.set(ttl, outcome);
      onProgress(`tracing by ${protocol.toUpperCase()}, hop ${ttl}`, (0.3 * ttl) / hopsMax);
      const met = [...known].map(([at, what]) => ({ ttl: at, flow: 0, outcome: what }));
      const over = isFromTarget(outcome, target) || endsTheWay(outcome, target);
      if (over || loopOf(met, target) !== undefined || silentRun(known) >= SILENT_HOPS_MAX) stop.abort();
    };
    const ttls = Array.from({ length: hopsMax }, (_, i) => i + 1);
    try {
      await this.#send(
        ttls.map((ttl) => ({ ttl, flow: 0 })),
        { intervalMs: this.#plan.intervalMs ?? FIRST_INTERVAL_MS, outstandingMax: AHEAD_MAX, signal: stop.signal, onOutcome },
      );
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
    this.aborted = signal.aborted;
  }

  /** More packets to every hop: other flows for other ways, then as many as were asked for. */
  async measure(): Promise<void> {
    const { queries, flowsMax } = this.#plan;
    await this.#sweepFlows(Math.min(flowsMax, flowsNeeded(1, CERTAINTY)));
    for (let round = 0; round < ROUNDS_MAX && !this.aborted; round++) {
      const wanted = flowsWanted(hopsOf(this.observations, this.#plan.target), this.flowsUsed);
      const flows = Math.min(flowsMax, wanted.flows);
      if (flows <= this.flowsUsed) break;
      await this.#sweepFlows(flows, wanted.ttls);
    }
    if (!this.aborted) await this.#longerWays();
    const left = queries - this.flowsUsed;
    if (left > 0 && !this.aborted)
      await this.#sweep(
        Array.from({ length: left }, (_, i) => i % this.flowsUsed),
        this.#ttls(),
      );
    // What the first way's end cut off, where nothing else has asked since.
    const unasked = this.#ttls().filter((ttl) => !this.#all.some((one) => one.ttl === ttl));
    if (unasked.length > 0 && !this.aborted) await this.#sweep([0], unasked);
  }

  async #sweepFlows(flows: number, ttls: readonly number[] = this.#ttls()): Promise<void> {
    const fresh = Array.from({ length: flows - this.flowsUsed }, (_, i) => this.flowsUsed + i);
    this.flowsUsed = Math.max(flows, this.flowsUsed);
    if (fresh.length > 0) await this.#sweep(fresh, ttls);
  }

  /** Flows whose way is longer than the first one's have not met the target yet. */
  async #longerWays(): Promise<void> {
    const { target, hopsMax } = this.#plan;
    if (!this.reached) return;
    const last = Math.max(...this.#ttls());
    const open = Array.from({ length: this.flowsUsed }, (_, flow) => flow).filter((flow) => {
      const own = this.#all.filter((one) => one.flow === flow);
      const end = own.filter(({ ttl }) => ttl === last);
      return !own.some(({ outcome }) => isFromTarget(outcome, target)) && end.some(({ outcome }) => outcome.outcome === 'error');
    });
    const ttls = Array.from({ length: LONGER_MAX }, (_, i) => last + 1 + i).filter((ttl) => ttl <= hopsMax);
    if (open.length > 0 && ttls.length > 0) await this.#sweep(open, ttls);
  }

  #ttls(): number[] {
    const last = Math.max(1, this.furthestTtl);
    return Array.from({ length: last }, (_, i) => i + 1);
  }

  /** Each flow once over all the hops. */
  async #sweep(flows: readonly number[], ttls: readonly number[]): Promise<void> {
    const { intervalMs, signal, onProgress, protocol } = this.#plan;
    const specs = flows.flatMap((flow) => ttls.map((ttl) => ({ ttl, flow })));
    const sweepMs = intervalMs ?? this.#spacingMs(flows.length, ttls);
    let done = 0;
    await this.#send(specs, {
      intervalMs: Math.max(INTERVAL_MS_MIN, sweepMs / ttls.length),
      signal,
      onOutcome: () => onProgress(`asking each hop by ${protocol.toUpperCase()}`, 0.3 + (0.7 * ++done) / specs.length),
    });
    this.aborted = signal.aborted;
  }

  /**
   * How far apart sweeps have to be so that nobody comes to its limit: of routers side by side each is expected to
   * get the share of the packets that it got so far.
   */
  #spacingMs(sweeps: number, ttls: readonly number[]): number {
    let spacingMs = SWEEP_MS;
    for (const { nodes } of hopsOf(this.observations, this.#plan.target).filter(({ ttl }) => ttls.includes(ttl))) {
      const all = nodes.reduce((sum, { answered }) => sum + answered, 0);
      for (const { answered } of nodes) {
        const beyond = (sweeps * answered) / all - Math.max(0, ERRORS_BURST - answered);
        spacingMs = Math.max(spacingMs, SWEEP_MS + (ERRORS_INTERVAL_MS * beyond) / sweeps);
      }
    }
    return spacingMs;
  }

  async #send(
    specs: readonly { readonly ttl: number; readonly flow: number }[],
    options: Pick<PacketPlan, 'intervalMs' | 'signal' | 'onOutcome' | 'outstandingMax'>,
  ): Promise<void> {
    const { packets, protocol, remote, timeoutMs } = this.#plan;
    const log = await packets.probe({ protocol, remote, packets: specs, timeoutMs, flowPorts: this.#flowPorts, ...options });
    log.outcomes.forEach((outcome, i) => {
      const { ttl, flow } = specs[i] as { ttl: number; flow: number };
      if (outcome.outcome === 'unsent') this.unsent ??= outcome.errno;
      else if (outcome.outcome !== 'unasked') this.#all.push({ ttl, flow, outcome });
    });
    this.#flowPorts = { ...this.#flowPorts, ...log.flowPorts };
    this.stamps.add(log.stamps);
    for (const fallback of log.fallbacks) this.fallbacks.add(fallback);
    if (log.callMs !== undefined) this.callMs = Math.max(this.callMs ?? 0, log.callMs);
  }
}

/** How many hops in a row have said nothing, of those that are known without a gap from the first on. */
function silentRun(known: ReadonlyMap<number, Observation['outcome']>): number {
  let run = 0;
  for (let ttl = 1; known.has(ttl); ttl++) run = known.get(ttl)?.outcome === 'silent' ? run + 1 : 0;
  return run;
}
