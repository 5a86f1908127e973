import { performance } from 'node:perf_hooks';
import type { Clock } from '../base/index.js';

/** The machine's monotonic clock (CLOCK_MONOTONIC where there is one). */
export function createClock(): Clock {
  return {
    nowNs: () => process.hrtime.bigint(),
    nowMs: () => Number(process.hrtime.bigint()) / 1e6,
    wallMs: () => performance.timeOrigin + performance.now(),
    sleep,
  };
}

/** A timer cannot be set further ahead than this (2^31 - 1 ms); longer sleeps are made of several. */
const TIMER_MS_MAX = 2_147_483_647;

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  for (let left = ms; left > 0 && signal?.aborted !== true; left -= TIMER_MS_MAX) await sleepOnce(Math.min(left, TIMER_MS_MAX), signal);
}

function sleepOnce(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
