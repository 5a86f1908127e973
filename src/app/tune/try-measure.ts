import type { Ports } from '../../base/index.js';
import type { Measurement } from '../../results/index.js';
import { EXPERIMENT_METRICS } from '../../tune/index.js';
import type { RunFigure } from '../../tune/index.js';
import type { NamedTarget } from '../targets.js';
import { runProbe } from '../run-check.js';
import type { Result, StepOptions } from '../run-check.js';
import type { Step } from '../plan-check.js';
import type { RunTimes } from './try-times.js';

/** What every run of an experiment is measured with. */
export interface Measuring {
  readonly ports: Ports;
  readonly named: NamedTarget;
  readonly key?: Uint8Array;
  readonly family?: 4 | 6;
  readonly seed: number;
  /** Processors of this host. */
  readonly cpus: number;
  readonly signal: AbortSignal;
}

/**
 * One run: round trips and connects side by side, which hardly load anything, then a load up and one down with echoes
 * beside them. Every probe opens connections of its own.
 * @param moves metrics that what is tried can change: a load that nothing can change is short, and only there to find harm
 */
export async function measureRun(measuring: Measuring, times: RunTimes, moves: readonly string[]): Promise<Readonly<Record<string, RunFigure>>> {
  return figuresOf(await measurementsOfRun(measuring, times, moves), measuring.cpus);
}

/** All that the probes of one run found. */
export async function measurementsOfRun(measuring: Measuring, times: RunTimes, moves: readonly string[]): Promise<Measurement[]> {
  const loaded = moves.some((metric) => LOADED.test(metric));
  const latency = [
    step(measuring, 'echo', { count: times.echoes, intervalMs: times.echoIntervalMs, timeoutMs: times.timeoutMs }),
    step(measuring, 'tcp', { count: times.connects, intervalMs: times.echoIntervalMs, timeoutMs: times.timeoutMs }),
  ];
  const found = (await Promise.all(latency.map((each) => probe(measuring, each)))).flat();
  const durationMs = times.omitMs + (loaded ? times.loadMs : times.loadMsMin);
  const loads = step(measuring, 'throughput', { durationMs, omitMs: times.omitMs, timeoutMs: times.timeoutMs });
  if (!measuring.signal.aborted) found.push(...(await probe(measuring, loads)));
  return found.map(({ measurement }) => measurement);
}

/** Metrics of the loads. */
const LOADED = /\.(?:up|down)$/;

function step({ named }: Measuring, name: string, options: Record<string, unknown>): Step {
  return { subject: 0, probe: name, target: named.target, path: named.path, options, label: name };
}

async function probe({ ports, key, family, seed, signal }: Measuring, each: Step): Promise<Result[]> {
  const options: StepOptions = {
    keyOf: () => key,
    ...(family === undefined ? {} : { family }),
    seed,
    signal,
    progress: { planned: () => undefined, update: () => undefined },
    onMeasured: () => undefined,
    onProgress: () => undefined,
  };
  return await runProbe(ports, each, options);
}

/** The figure of each metric in a run's measurements, or why there is none. */
export function figuresOf(measurements: readonly Measurement[], cpus: number): Readonly<Record<string, RunFigure>> {
  return Object.fromEntries(EXPERIMENT_METRICS.map(({ name }) => [name, figureOf(name, measurements, cpus)]));
}

function figureOf(name: string, measurements: readonly Measurement[], cpus: number): RunFigure {
  const [kind, way] = name.split('.');
  if (kind === 'cpu')
    return processorFigure(
      measurements.find(({ metric }) => metric === `throughput.${way}`),
      way === 'up' ? 'sender' : 'receiver',
      cpus,
    );
  const measurement = measurements.find(({ metric }) => metric === name);
  const failure = failureOf(measurement, measurements, name);
  if (failure !== undefined || !measurement) return { reason: failure ?? 'not measured' };
  const value = kind === 'throughput' ? measurement.details?.['goodputBps'] : measurement.summary?.median;
  if (typeof value !== 'number') return { reason: measurement.reason ?? 'it gave no figure' };
  return { value, ...(measurement.error ? { error: measurement.error.value } : {}) };
}

/** A run that was cut short by the network or by the person measured something else than the others. */
function failureOf(measurement: Measurement | undefined, all: readonly Measurement[], name: string): string | undefined {
  if (!measurement) {
    const probeOf = name.startsWith('throughput') || name.startsWith('rtt.') ? 'throughput' : name === 'connect' ? 'tcp' : 'echo';
    return all.find((each) => each.probe === probeOf && each.outcome !== 'ok')?.reason ?? 'not measured';
  }
  if (measurement.outcome !== 'ok') return measurement.reason ?? measurement.outcome;
  return measurement.partial === true ? (measurement.reason ?? 'cut short') : undefined;
}

/** Processor time of this whole host while the load ran, in milliseconds for each gigabyte that arrived: the kernel's work is in it. */
function processorFigure(measurement: Measurement | undefined, end: 'sender' | 'receiver', cpus: number): RunFigure {
  const failure = failureOf(measurement, [], `throughput.`);
  if (failure !== undefined || !measurement) return { reason: failure ?? 'not measured' };
  const own = measurement.details?.[end] as { host?: { busy?: number }; elapsedMs?: number } | undefined;
  const bytes = measurement.details?.['bytes'];
  const busy = own?.host?.busy;
  if (busy === undefined || own?.elapsedMs === undefined || typeof bytes !== 'number' || bytes === 0) {
    return { reason: 'this platform does not tell how busy the host was' };
  }
  return { value: (busy * cpus * own.elapsedMs) / (bytes / 1e9) };
}
