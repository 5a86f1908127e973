import { announceUnits } from '../../tune/index.js';
import type { ChangeReport, TunePorts } from '../../tune/index.js';

/** Tells the system's service manager of files of ours that a change has made or taken away. @returns what to know of that */
export async function announce(ports: TunePorts, { state, places = [] }: ChangeReport): Promise<readonly string[]> {
  if (state === 'nothing-to-do') return [];
  const undone = state === 'rolled-back' || state === 'rolling-back' || state === 'conflicted';
  const failed = await announceUnits(ports, places, undone ? 'undo' : 'apply');
  return failed.map((what) => `${what}; it reads its files anew at the next boot`);
}
