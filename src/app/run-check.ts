import { TautlineError } from '../base/index.js';
import type { Ports } from '../base/index.js';
import type { Measurement } from '../results/index.js';
import { findProbe, withOptions } from './measure.js';
import type { Stage, Step } from './plan-check.js';
import type { Progress } from './progress.js';

export interface RunOptions {
  readonly keyOf: (subject: number) => Uint8Array | undefined;
  readonly family?: 4 | 6;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Whether a subject has just been silent: then nothing waits long for it. */
  readonly silent?: (subject: number) => boolean;
  /** Told after each stage; an interrupted stage ends soon, with what it has. */
  readonly onMeasured: (step: Step, results: readonly Result[]) => void;
}

/** A measurement, with the samples that its summary is of where its probe hands them over. */
export interface Result {
  readonly measurement: Measurement;
  readonly samples?: ArrayLike<number>;
}

export function stageMs(stage: Stage): number {
  return Math.max(0, ...stage.map((step) => findProbe(step.probe).expectedMs(withOptions(findProbe(step.probe), step.options))));
}

export function stagesMs(stages: readonly Stage[]): number {
  return stages.reduce((sum, stage) => sum + stageMs(stage), 0);
}

/** The plan in words: what is done several times in turns is told once. */
export function planLines(stages: readonly Stage[]): string[] {
  const times = new Map<string, number>();
  for (const stage of stages) {
    const line = stage.map((step) => step.label).join(' and ');
    times.set(line, (times.get(line) ?? 0) + 1);
  }
  return [...times].map(([line, turns]) => (turns === 1 ? line : `${line}, in ${turns} turns`));
}

/** Runs stages one after another, the steps of a stage side by side. `afterMs` is what follows them, for the time left. */
export async function runStages(ports: Ports, stages: readonly Stage[], options: RunOptions & { readonly afterMs: number }): Promise<void> {
  let leftMs = stagesMs(stages) + options.afterMs;
  for (const planned of stages) {
    if (options.signal.aborted) return;
    const stage = planned.filter(({ onlyIf }) => onlyIf?.() !== false);
    leftMs -= stageMs(planned) - stageMs(stage);
    if (stage.length === 0) continue;
    const expectedMs = stageMs(stage);
    const label = stage.map((step) => step.label).join(', ');
    const atStartMs = leftMs;
    options.progress.update(label, atStartMs);
    // A stage is as far as its slowest step.
    const fractions = stage.map(() => 0);
    const onProgress =
      (index: number) =>
      (_doing: string, fraction: number): void => {
        fractions[index] = fraction;
        options.progress.update(label, atStartMs - expectedMs * Math.min(...fractions));
      };
    const found = await Promise.all(stage.map((step, index) => runStep(ports, step, { ...options, onProgress: onProgress(index) })));
    // In the order of the plan, whichever was ready first.
    stage.forEach((step, index) => options.onMeasured(step, found[index] ?? []));
    leftMs -= expectedMs;
  }
}

async function runStep(ports: Ports, step: Step, options: StepOptions): Promise<readonly Result[]> {
  const results = await runProbe(ports, step, options);
  const answered = results.some(({ measurement }) => measurement.outcome === 'ok');
  const others = answered || options.signal.aborted ? [] : (step.otherwise ?? []);
  if (others.length === 0) return results;
  const labels = others.map((other) => other.label).join(', ');
  options.progress.update(labels, undefined);
  const found = await Promise.all(others.map((other) => runProbe(ports, other, { ...options, onProgress: () => undefined })));
  const answers = found.flat().filter(({ measurement }) => measurement.outcome === 'ok');
  // What was tried in vain is told in one place and not line by line.
  const first =
    answers.length > 0
      ? results
      : results.map(({ measurement }) => ({
          measurement: { ...measurement, reason: `${measurement.reason ?? ''}; no answer to ${labels} either` },
        }));
  return [...first, ...answers];
}

/** A path that has stopped answering may come back, and is asked on; but not waited for as one that works. */
const SILENT_TIMEOUT_MS = 1000;

export type StepOptions = RunOptions & { onProgress: (doing: string, fraction: number) => void };

/** One probe that cannot run must not cost the others: what it throws becomes its result. */
export async function runProbe(ports: Ports, step: Step, options: StepOptions): Promise<Result[]> {
  const probe = findProbe(step.probe);
  const key = options.keyOf(step.subject);
  const startedAt = new Date(ports.clock.wallMs()).toISOString();
  const samples = new Map<string, ArrayLike<number>>();
  try {
    const asked = withOptions(probe, { ...step.options, ...step.optionsNow?.() });
    const bounded = options.silent?.(step.subject) === true ? { timeoutMs: Math.min(asked.timeoutMs, SILENT_TIMEOUT_MS) } : {};
    const measurements = await probe.run({
      target: step.target,
      path: step.path,
      options: {
        ...asked,
        ...bounded,
        ...(options.family === undefined ? {} : { family: options.family }),
      },
      ports,
      ...(key ? { key } : {}),
      seed: options.seed,
      signal: options.signal,
      onProgress: options.onProgress,
      onSamples: (metric, found) => void samples.set(metric, found),
    });
    return measurements.map((measurement) => {
      const found = samples.get(measurement.metric);
      return { measurement, ...(found ? { samples: found } : {}) };
    });
  } catch (error) {
    ports.log.debug(`${step.label}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return [
      {
        measurement: {
          probe: step.probe,
          metric: step.probe,
          target: step.target.text,
          path: step.path,
          outcome: error instanceof TautlineError && error.code === 'unsupported' ? 'unsupported' : 'unchecked',
          startedAt,
          durationMs: 0,
          provenance: ports.provenance ?? 'measured',
          reason: error instanceof Error ? error.message : String(error),
        },
      },
    ];
  }
}
