import { TautlineError } from '../base/index.js';
import type { Ports, Target } from '../base/index.js';
import { concludeMeasurements, rateAll, scaleOf } from '../diagnose/index.js';
import type { Bands } from '../diagnose/index.js';
import type { Peer } from '../paths/index.js';
import { PROBES } from '../probe/index.js';
import type { CommonOptions, Probe } from '../probe/index.js';
import type { MeasureDocument, Measurement } from '../results/index.js';
import { documentHead } from './head.js';
import { readKey } from './key.js';
import { nearest } from './nearest.js';
import type { Progress } from './progress.js';
import { resolveTarget } from './targets.js';
import type { NamedTarget } from './targets.js';

export interface MeasureRequest {
  readonly probe: string;
  readonly target: string;
  /** The probe's options by key; what is left out or undefined is the probe's default. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly peers: readonly Peer[];
  readonly bands: Bands;
  readonly keyFile?: string;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Runs one probe. @throws TautlineError `usage` for an unknown probe, target or impossible option, `config` for the key */
export async function measure(ports: Ports, request: MeasureRequest): Promise<MeasureDocument> {
  const probe = findProbe(request.probe);
  const named = resolveTarget(request.target, request.peers);
  const keyFile = named.peer?.keyFile ?? request.keyFile;
  const key = keyFile === undefined ? undefined : await readKey(ports.files, keyFile);
  const options = withOptions(probe, request.options);
  const head = await documentHead(ports);
  const startedMs = ports.clock.nowMs();
  const expectedMs = probe.expectedMs(options);
  request.progress.planned({ lines: [`${probe.name} of ${request.target}`], totalMs: expectedMs });
  const measurements = await probe.run({
    target: placeOf(probe, named),
    path: named.path,
    options,
    ports,
    ...(key ? { key } : {}),
    seed: request.seed,
    signal: request.signal,
    onProgress: (doing, fraction) => request.progress.update(doing, Math.max(0, expectedMs * (1 - fraction))),
  });
  const rated = rateAll(measurements, request.bands);
  return {
    schema: 'tautline.measure/1',
    ...head,
    durationMs: ports.clock.nowMs() - startedMs,
    ...(request.signal.aborted ? { interrupted: true } : {}),
    probe: probe.name,
    target: request.target,
    measurements: rated,
    ...(describesOnly(rated, request.bands)
      ? {}
      : { verdict: concludeMeasurements(rated, { target: request.target, bands: request.bands, interrupted: request.signal.aborted }) }),
  };
}

/** Routers, a link, a path MTU: facts that worked out and that no band rates are told, and there is nothing to conclude from them. */
function describesOnly(measurements: readonly Measurement[], bands: Bands): boolean {
  const unrated = ({ metric, summary, loss }: Measurement): boolean => !scaleOf(metric, bands) || (summary === undefined && loss === undefined);
  return measurements.length > 0 && measurements.every((each) => each.outcome === 'ok' && each.partial !== true && unrated(each));
}

/** The port of a peer's path is that of its `tautline serve`: ssh has its own, and perhaps a name of its own for the peer. */
function placeOf(probe: Probe, named: NamedTarget): Target {
  if (probe.name !== 'ssh' || !named.peer) return named.target;
  const name = named.sshAlias ?? named.target.host;
  return { text: name, host: name };
}

/** @throws TautlineError `usage` that names the nearest probe */
export function findProbe(name: string): Probe {
  const probe = PROBES.find((candidate) => candidate.name === name);
  if (probe) return probe;
  const names = PROBES.map((candidate) => candidate.name);
  const guess = nearest(name, names);
  throw new TautlineError('usage', `there is no probe '${name}'`, {
    hint: guess === undefined ? `the probes are ${names.join(', ')}` : `did you mean '${guess}'?`,
  });
}

export function withOptions(probe: Probe, options: Readonly<Record<string, unknown>>): CommonOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return { ...probe.defaults, ...given };
}

/**
 * Whether a probe got what it was asked for: each of its figures at least once, and none cut short by
 * the network (of several resolvers one may be down). Latency beside another figure (`rtt.loaded.up`
 * of a throughput) may be missing with its reason; what the probe is named for may not.
 */
export function succeeded(document: Pick<MeasureDocument, 'measurements'>): boolean {
  const main = document.measurements.filter((measurement) => !measurement.metric.startsWith('rtt.'));
  const wanted = main.length > 0 ? main : document.measurements;
  const tried = wanted.filter((measurement) => !NOT_TRIED.includes(measurement.outcome));
  const good = new Set(tried.filter((measurement) => measurement.outcome === 'ok' && measurement.partial !== true).map(({ metric }) => metric));
  return good.size > 0 && tried.every(({ metric }) => good.has(metric));
}

const NOT_TRIED: readonly string[] = ['unsupported', 'unchecked'];
