import type { HttpLoad, HttpOutcome, Ports, Random } from '../base/index.js';
import { AbortFan } from './abort-fan.js';
import { ResponsivenessAlgorithm } from './responsiveness-algorithm.js';
import type { ResponsivenessParameters, ResponsivenessResult, ResponsivenessSample } from './responsiveness-algorithm.js';
import type { ResponsivenessService } from './responsiveness-service.js';

/** Probes under way at once: on a path that takes seconds to answer, a second's worth of them. */
const PROBES_OUTSTANDING_MAX = 100;
/** A sleep that rounds to nothing would never end. */
const SLEEP_MS_MIN = 0.01;
/** A part of an interval at the end counts when it is at least this share of one. */
const LAST_INTERVAL_SHARE = 0.5;

export interface ResponsivenessPlan {
  readonly ports: Pick<Ports, 'clock' | 'web'>;
  readonly service: ResponsivenessService;
  readonly direction: 'down' | 'up';
  readonly parameters: ResponsivenessParameters;
  /** All the time that this direction may take. */
  readonly budgetMs: number;
  readonly timeoutMs: number;
  readonly insecure: boolean;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly onProgress: (stage: 'goodput' | 'responsiveness' | 'done', elapsedMs: number) => void;
}

export interface ResponsivenessLog extends ResponsivenessResult {
  readonly multiplexed: boolean;
  readonly connections: number;
  readonly probes: { readonly sent: number; readonly failed: number };
  /** How late this process woke at the ends of intervals: it was too busy, or the host was. */
  readonly latenessMs: readonly number[];
  /** How long it was busy itself within each foreign probe. */
  readonly ownMs: readonly number[];
  /** Why load ended before its time, or could not grow. */
  readonly failures: readonly string[];
  /** Every load-generating connection had ended, or nothing moved on them any more. */
  readonly died: boolean;
  readonly elapsedMs: number;
}

/** One direction: loads the path with more and more connections, probes it, and stops when the result is stable or the time is up. */
export async function runResponsiveness(plan: ResponsivenessPlan): Promise<ResponsivenessLog> {
  const { ports, parameters, budgetMs, signal } = plan;
  const stop = new AbortFan(signal);
  const loads = new Loads(plan, stop);
  const startMs = ports.clock.nowMs();
  const latenessMs: number[] = [];
  let algorithm: ResponsivenessAlgorithm | undefined;
  let prober: Prober | undefined;
  let died = false;
  try {
    await loads.grow(parameters.connectionsFirst);
    const multiplexed = loads.multiplexed;
    algorithm = new ResponsivenessAlgorithm({ parameters, multiplexed, goodputIntervalsMax: goodputIntervals(plan) });
    prober = new Prober(plan, { loads, algorithm, stop });
    let probing: Promise<void> | undefined;
    const loadedMs = ports.clock.nowMs();
    let lastMs = loadedMs;
    let lastBytes = loads.bytes();
    let movedMs = loadedMs;
    died = loads.live === 0;
    for (let i = 1; !signal.aborted && !died; i++) {
      const dueMs = Math.min(loadedMs + i * parameters.intervalMs, Math.max(lastMs, startMs + budgetMs));
      await ports.clock.sleep(Math.max(0, dueMs - ports.clock.nowMs()), signal);
      const nowMs = ports.clock.nowMs();
      died = loads.live === 0;
      const elapsedMs = nowMs - lastMs;
      if (signal.aborted || died || elapsedMs < LAST_INTERVAL_SHARE * parameters.intervalMs) break;
      latenessMs.push(nowMs - dueMs);
      const bytes = loads.bytes();
      if (bytes > lastBytes) movedMs = nowMs;
      if (nowMs - movedMs >= plan.timeoutMs) {
        loads.fail(`nothing moved for ${Math.round(nowMs - movedMs)} ms: the server or the path went away`);
        died = true;
        break;
      }
      const step = algorithm.endInterval({ bytes: bytes - lastBytes, elapsedMs });
      lastMs = nowMs;
      lastBytes = bytes;
      plan.onProgress(step.stage, nowMs - startMs);
      if (step.stage === 'done' || nowMs - startMs >= budgetMs) break;
      if (step.stage === 'responsiveness') probing ??= prober.run();
      // Opened beside the next interval, not before it: on a full path that takes a while.
      void loads.grow(step.connections);
    }
    stop.abort();
    await probing;
  } finally {
    stop.abort();
    await prober?.settled();
    await loads.close();
  }
  const result = (algorithm as ResponsivenessAlgorithm).result();
  return {
    ...result,
    multiplexed: loads.multiplexed,
    connections: loads.opened,
    probes: { sent: prober.sent, failed: prober.failed },
    latenessMs,
    ownMs: prober.ownMs,
    failures: loads.failures,
    died,
    elapsedMs: ports.clock.nowMs() - startMs,
  };
}

/** The goodput stage leaves the other one its MAD intervals, and takes half of the time where that is too short for both. */
function goodputIntervals({ parameters, budgetMs }: ResponsivenessPlan): number {
  const intervals = Math.round(budgetMs / parameters.intervalMs);
  return Math.max(1, Math.floor(intervals / 2), intervals - parameters.movingIntervals);
}

/** The load-generating connections. */
class Loads {
  readonly #plan: ResponsivenessPlan;
  readonly #stop: AbortFan;
  readonly #loads: HttpLoad[] = [];
  readonly #failures = new Set<string>();
  #opening: Promise<void> = Promise.resolve();
  #full = false;
  #closed = false;

  constructor(plan: ResponsivenessPlan, stop: AbortFan) {
    this.#plan = plan;
    this.#stop = stop;
  }

  /** Opens connections until there are `wanted`, one after the other; a server that takes no more is not asked again. */
  grow(wanted: number): Promise<void> {
    this.#opening = this.#opening.then(() => this.#open(wanted));
    return this.#opening;
  }

  async #open(wanted: number): Promise<void> {
    const { ports, service, direction, timeoutMs, insecure } = this.#plan;
    while (this.#loads.length < wanted && !this.#full && !this.#closed && !this.#stop.aborted) {
      const load = await ports.web.load({
        url: direction === 'down' ? service.urls.large : service.urls.upload,
        remote: service.remote,
        direction,
        headers: service.headers,
        timeoutMs,
        signal: this.#stop.branch().signal,
        ...(insecure ? { insecure: true } : {}),
      });
      if (this.#closed) load.close();
      this.#loads.push(load);
      // One that the end of the test cut short has not failed.
      if (load.failure === undefined || this.#stop.aborted) continue;
      this.#failures.add(load.failure);
      this.#full = true;
    }
  }

  get opened(): number {
    return this.#loads.filter((load) => load.failure === undefined || load.bytes() > 0).length;
  }

  get live(): number {
    return this.#alive().length;
  }

  get multiplexed(): boolean {
    return this.#loads[0]?.multiplexed ?? false;
  }

  get failures(): readonly string[] {
    return [...this.#failures];
  }

  /** What is wrong with all of them together. */
  fail(reason: string): void {
    this.#failures.add(reason);
  }

  bytes(): number {
    return this.#loads.reduce((sum, load) => sum + load.bytes(), 0);
  }

  /** One of them, each with the same chance. */
  pick(): HttpLoad | undefined {
    const alive = this.#alive();
    return alive[this.#plan.random.below(alive.length)];
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const load of this.#loads) load.close();
    await this.#opening;
  }

  #alive(): HttpLoad[] {
    return this.#loads.filter((load) => {
      // What a load said while it was being closed is no news.
      if (load.failure !== undefined && !this.#closed) this.#failures.add(load.failure);
      return load.failure === undefined;
    });
  }
}

/** Sends probes at the pace that the algorithm sets, foreign and self by turns. */
class Prober {
  readonly #plan: ResponsivenessPlan;
  readonly #loads: Loads;
  readonly #algorithm: ResponsivenessAlgorithm;
  readonly #stop: AbortFan;
  readonly #running = new Set<Promise<void>>();
  readonly ownMs: number[] = [];
  sent = 0;
  failed = 0;

  constructor(plan: ResponsivenessPlan, parts: { loads: Loads; algorithm: ResponsivenessAlgorithm; stop: AbortFan }) {
    this.#plan = plan;
    this.#loads = parts.loads;
    this.#algorithm = parts.algorithm;
    this.#stop = parts.stop;
  }

  async run(): Promise<void> {
    const { clock } = this.#plan.ports;
    const { signal } = this.#stop.branch();
    let dueMs = clock.nowMs();
    for (let turn = 0; !signal.aborted; turn++) {
      if (this.#running.size < PROBES_OUTSTANDING_MAX) this.#launch(turn % 2 === 1 && this.#loads.multiplexed ? 'self' : 'foreign');
      // The pace may change while this waits, so a long wait is cut into intervals.
      const { intervalMs } = this.#plan.parameters;
      const launchedMs = dueMs;
      for (;;) {
        const nowMs = clock.nowMs();
        dueMs = launchedMs + this.#algorithm.probeEveryMs();
        if (nowMs >= dueMs || signal.aborted) break;
        await clock.sleep(Math.max(SLEEP_MS_MIN, Math.min(intervalMs, dueMs - nowMs)), signal);
      }
      // After a stall the pace goes on from now: probes in a burst would measure each other.
      dueMs = Math.max(dueMs, clock.nowMs() - this.#algorithm.probeEveryMs());
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  #launch(kind: ResponsivenessSample['kind']): void {
    this.sent++;
    const probe = (kind === 'self' ? this.#self() : this.#foreign()).then((sample) => {
      if (sample !== undefined && !this.#stop.aborted) this.#algorithm.add(sample);
      // A probe that the end of the test cut short has not failed.
      else if (this.#stop.aborted) this.sent--;
      else this.failed++;
      this.#running.delete(probe);
    });
    this.#running.add(probe);
  }

  async #self(): Promise<ResponsivenessSample | undefined> {
    const httpMs = await this.#loads.pick()?.selfProbeMs(this.#plan.service.urls.small);
    return httpMs === undefined ? undefined : { kind: 'self', httpMs };
  }

  async #foreign(): Promise<ResponsivenessSample | undefined> {
    const { signal, release } = this.#stop.branch();
    const { sample, ownMs } = await foreignProbe({ ...this.#plan, signal });
    release();
    if (ownMs !== undefined) this.ownMs.push(ownMs);
    return sample;
  }
}

/** TCP, TLS and a one-byte answer on a connection of their own. */
export async function foreignProbe(
  plan: Pick<ResponsivenessPlan, 'ports' | 'service' | 'timeoutMs' | 'insecure' | 'signal'>,
): Promise<{ sample: Extract<ResponsivenessSample, { kind: 'foreign' }> | undefined; ownMs: number | undefined }> {
  const { ports, service, timeoutMs, insecure, signal } = plan;
  const client = ports.web.client();
  try {
    const outcome = await client.request({
      url: service.urls.small,
      remote: service.remote,
      method: 'GET',
      timeoutMs,
      signal,
      ...(insecure ? { insecure: true } : {}),
    });
    return { sample: sampleOf(outcome), ownMs: outcome.outcome === 'ok' ? outcome.ownMs : undefined };
  } finally {
    client.close();
  }
}

/** A TLS handshake of several round trips counts as one (section 4.3): 1.3 has one (RFC 8446, section 2), older ones two. */
export function sampleOf(outcome: HttpOutcome): Extract<ResponsivenessSample, { kind: 'foreign' }> | undefined {
  if (outcome.outcome !== 'ok' || outcome.status !== 200 || outcome.connectMs === undefined) return undefined;
  const { connectMs, tlsMs, dnsMs = 0, totalMs, tlsProtocol } = outcome;
  const roundTrips = tlsProtocol === 'TLSv1.3' ? 1 : 2;
  return {
    kind: 'foreign',
    tcpMs: connectMs,
    ...(tlsMs === undefined ? {} : { tlsMs: tlsMs / roundTrips }),
    httpMs: totalMs - dnsMs - connectMs - (tlsMs ?? 0),
  };
}
