import type { RunFigure } from '../../tune/index.js';
import { figuresOf, measurementsOfRun } from './try-measure.js';
import type { Measuring } from './try-measure.js';
import { runMs, runTimes } from './try-times.js';

/** What a first run, before anything is switched, tells of a path for planning the others. */
export interface Look {
  readonly rttMs: number;
  /** What the handshake of an echo session took, programs included. */
  readonly handshakeMs: number;
  /** What the run took beyond its trains and loads. */
  readonly overheadMs: number;
  /** Why there is no point in going on; undefined when at least one metric was measured. */
  readonly unmeasured?: string;
}

const RTT_MS_ASSUMED = 50;
const LOOK_LOAD_MS = 400;
const LOOK_TIMEOUT_MS = 3000;
const ALL_LOADS: readonly string[] = ['throughput.up', 'throughput.down'];

/** For where there is nothing to look at the path for. */
export const NO_LOOK: Look = { rttMs: RTT_MS_ASSUMED, handshakeMs: 0, overheadMs: 0 };

export async function lookAtPath(measuring: Measuring): Promise<Look> {
  const { clock } = measuring.ports;
  const times = { ...runTimes({ rttMs: RTT_MS_ASSUMED, handshakeMs: 0 }, LOOK_LOAD_MS), timeoutMs: LOOK_TIMEOUT_MS };
  const startedMs = clock.nowMs();
  const measurements = await measurementsOfRun(measuring, times, ALL_LOADS);
  const overheadMs = Math.max(0, clock.nowMs() - startedMs - runMs(times));
  const handshakeMs = measurements.find(({ probe }) => probe === 'echo')?.details?.['handshakeMs'];
  const figures = figuresOf(measurements, measuring.cpus);
  const unmeasured = whyNothing(figures);
  return {
    rttMs: valueOf(figures, 'rtt') ?? valueOf(figures, 'connect') ?? RTT_MS_ASSUMED,
    handshakeMs: typeof handshakeMs === 'number' ? handshakeMs : 0,
    overheadMs,
    ...(unmeasured === undefined ? {} : { unmeasured }),
  };
}

function whyNothing(figures: Readonly<Record<string, RunFigure>>): string | undefined {
  const all = Object.values(figures);
  if (all.some((figure) => 'value' in figure)) return undefined;
  return all.flatMap((figure) => ('reason' in figure ? [figure.reason] : []))[0] ?? 'no probe gave a figure';
}

function valueOf(figures: Readonly<Record<string, RunFigure>>, metric: string): number | undefined {
  const figure = figures[metric];
  return figure && 'value' in figure ? figure.value : undefined;
}
