import { TautlineError } from '../../base/index.js';
import { BLOCKS_DEFAULT, BLOCKS_MAX, BLOCKS_MIN, BLOCK_RUNS } from '../../tune/index.js';

/** How long each part of a run takes. */
export interface RunTimes {
  readonly echoes: number;
  readonly echoIntervalMs: number;
  readonly connects: number;
  /** The start of a load that does not count. */
  readonly omitMs: number;
  /** What counts of a load; and where nothing that is tried could change it. */
  readonly loadMs: number;
  readonly loadMsMin: number;
  /** How long to wait for one answer: a first segment that was lost is sent again after a second (RFC 6298, section 2). */
  readonly timeoutMs: number;
}

/** What a host and its path are like, as a first look found them. */
export interface PathPace {
  readonly rttMs: number;
  /** What a handshake took there: a slow host needs its time too. */
  readonly handshakeMs: number;
}

export interface ExperimentTimes {
  readonly blocks: number;
  readonly run: RunTimes;
  readonly totalMs: number;
}

/** A window has grown after so many round trips: slow start doubles the 10 segments that it begins with (RFC 6928) in each. */
const OMIT_ROUND_TRIPS = 10;
const OMIT_MS_MIN = 200;
const OMIT_MS_MAX = 1500;
const LOAD_MS_MIN = 300;
const LOAD_MS_DEFAULT = 1000;
const LOAD_MS_MAX = 10_000;
/** A rate is told by several round trips of full flow. */
const LOAD_ROUND_TRIPS = 8;
const ECHO_INTERVAL_MS = 10;
const ECHOES_MIN = 50;
const ECHOES_DEFAULT = 100;
const CONNECTS = 8;
const TIMEOUT_MS = 1000;
const TIMEOUT_ROUND_TRIPS = 10;
const TIMEOUT_HANDSHAKES = 10;
const TIMEOUT_MS_MAX = 3000;

interface Asked extends PathPace {
  /** What a run took there beyond its trains and loads: handshakes, waiting for what was lost, programs. */
  readonly overheadMs: number;
  readonly groups: number;
  readonly settleMs: number;
  readonly blocks?: number;
  readonly timeMs?: number;
}

/**
 * More blocks and then longer loads fill the time that is given; where it is short, runs get shorter and then blocks fewer,
 * down to what can still tell anything. On a host that is slower than it was when it was looked at, it takes longer.
 * @throws TautlineError `usage` when the time or the blocks are too few for any answer
 */
export function planTimes(asked: Asked): ExperimentTimes {
  const { groups, timeMs } = asked;
  if (asked.blocks !== undefined && !(Number.isInteger(asked.blocks) && asked.blocks >= BLOCKS_MIN && asked.blocks <= BLOCKS_MAX)) {
    throw new TautlineError('usage', `an experiment cannot have ${asked.blocks} blocks`, {
      hint: `--blocks takes ${BLOCKS_MIN} (fewer say nothing that chance would not) to ${BLOCKS_MAX}`,
    });
  }
  const usual = runTimes(asked, LOAD_MS_DEFAULT);
  const total = (blocks: number, run: RunTimes): number => groups * blocks * BLOCK_RUNS * (runMs(run) + asked.overheadMs + asked.settleMs);
  if (timeMs === undefined) {
    const blocks = asked.blocks ?? BLOCKS_DEFAULT;
    return { blocks, run: usual, totalMs: total(blocks, usual) };
  }
  const shortest = runTimes(asked, LOAD_MS_MIN);
  const fewest = asked.blocks ?? BLOCKS_MIN;
  const least = total(fewest, shortest);
  // What handshakes and waiting take was seen once, on a host that may have been busy just then: no reason to refuse.
  if (least - groups * fewest * BLOCK_RUNS * asked.overheadMs > timeMs) {
    throw new TautlineError(
      'usage',
      `${seconds(timeMs)} are too short for ${groups === 1 ? 'a group' : `${groups} groups`} of settings on this path`,
      {
        hint: `give it ${seconds(least)} or more, or try fewer groups`,
      },
    );
  }
  const fits = (blocks: number, run: RunTimes): boolean => total(blocks, run) <= timeMs;
  const counts = asked.blocks === undefined ? descending(BLOCKS_MAX, BLOCKS_DEFAULT) : [asked.blocks];
  const fewer = asked.blocks === undefined ? descending(BLOCKS_DEFAULT, BLOCKS_MIN) : [asked.blocks];
  const blocks = counts.find((count) => fits(count, usual)) ?? fewer.find((count) => fits(count, shortest)) ?? fewest;
  // What is left over after the blocks goes to the loads, two in each run.
  const [base, most] = fits(blocks, usual) ? [usual, LOAD_MS_MAX] : [shortest, LOAD_MS_DEFAULT - 1];
  const spareMs = Math.max(0, Math.floor((timeMs - total(blocks, base)) / (groups * blocks * BLOCK_RUNS * 2)));
  const run = { ...base, loadMs: Math.max(base.loadMs, Math.min(most, base.loadMs + spareMs)) };
  return { blocks, run, totalMs: total(blocks, run) };
}

export function runTimes({ rttMs, handshakeMs }: PathPace, loadMs: number): RunTimes {
  const between = (value: number, min: number, max: number): number => Math.round(Math.min(max, Math.max(min, value)));
  return {
    echoes: loadMs >= LOAD_MS_DEFAULT ? ECHOES_DEFAULT : ECHOES_MIN,
    echoIntervalMs: ECHO_INTERVAL_MS,
    connects: CONNECTS,
    omitMs: between(OMIT_ROUND_TRIPS * rttMs, OMIT_MS_MIN, OMIT_MS_MAX),
    loadMs: between(loadMs, LOAD_ROUND_TRIPS * rttMs, Math.max(LOAD_MS_MAX, LOAD_ROUND_TRIPS * rttMs)),
    loadMsMin: between(LOAD_MS_MIN, 4 * rttMs, LOAD_MS_MAX),
    timeoutMs: between(
      TIMEOUT_HANDSHAKES * handshakeMs,
      TIMEOUT_MS + TIMEOUT_ROUND_TRIPS * rttMs,
      Math.max(TIMEOUT_MS_MAX, TIMEOUT_MS + TIMEOUT_ROUND_TRIPS * rttMs),
    ),
  };
}

/** What a run's trains and loads take. */
export function runMs({ echoes, echoIntervalMs, omitMs, loadMs }: RunTimes): number {
  return echoes * echoIntervalMs + 2 * (omitMs + loadMs);
}

function descending(from: number, to: number): number[] {
  return Array.from({ length: from - to + 1 }, (_, i) => from - i);
}

function seconds(ms: number): string {
  return ms >= 120_000 ? `${Math.ceil(ms / 60_000)} minutes` : `${Math.ceil(ms / 1000)} seconds`;
}
