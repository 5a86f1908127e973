import { TautlineError } from '../../base/index.js';
import { rollBack, standingChanges } from '../../tune/index.js';
import type { TunePorts } from '../../tune/index.js';
import { announce } from './announce.js';
import type { TuneGuardRequest } from './requests.js';

/** How often it looks whether the change was confirmed. */
const LOOK_MS = 500;
/** While another process holds the lock, or the disk does not answer, it is tried again so often before it is given up: an hour. */
const TRIES_MAX = 7200;

/**
 * Watches a change that awaits confirmation, and undoes it when its time is over. Runs in a process of its own that nothing
 * cuts off with the person's connection. Should it be killed all the same, the next call finds the time over and undoes it.
 * The time is over by the wall clock, which the journal has, or by how long it has waited: a wall clock that is set back
 * meanwhile must not leave somebody cut off for as long.
 */
export async function tuneGuard(ports: TunePorts, request: TuneGuardRequest): Promise<void> {
  await request.ready();
  let waitUntilMs: number | undefined;
  for (let tries = 0; tries < TRIES_MAX && !request.signal.aborted;) {
    try {
      const change = (await standingChanges(ports, request.folder)).find(({ id }) => id === request.change);
      if (change === undefined || change.damaged !== undefined || change.confirmBefore === undefined) return;
      const leftMs = Date.parse(change.confirmBefore) - ports.clock.wallMs();
      waitUntilMs ??= ports.clock.nowMs() + leftMs;
      if (leftMs > 0 && ports.clock.nowMs() < waitUntilMs) {
        await ports.clock.sleep(LOOK_MS, request.signal);
        continue;
      }
      await announce(ports, await rollBack(ports, { folder: request.folder, change: request.change, force: false, reason: 'unconfirmed' }));
      return;
    } catch (error) {
      // Whatever it is but an answer (the change is another host's, or gone), the next try may do better.
      if (error instanceof TautlineError && error.code === 'usage') return;
      tries += 1;
      await ports.clock.sleep(LOOK_MS, request.signal);
    }
  }
}
