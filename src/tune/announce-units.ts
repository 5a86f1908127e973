import { DAEMON, DAEMON_LABEL, UNIT, UNIT_NAME } from './persist/boot-hooks.js';
import type { PlaceRef } from './place.js';
import type { TunePorts } from './ports.js';

const TIMEOUT_MS = 10_000;

/**
 * Tells the system's service manager of files of ours that came or went, once all steps of a change are done or undone. At
 * boot it reads them anyway, so what fails here costs nothing but that it knows of them later; it may be done twice.
 * @returns what could not be told, for a note
 */
export async function announceUnits(
  ports: Pick<TunePorts, 'commands' | 'files'>,
  places: readonly PlaceRef[],
  after: 'apply' | 'undo',
): Promise<readonly string[]> {
  const touched = (path: string): boolean => places.some((place) => place.kind === 'entry' && place.path === path);
  const commands: (readonly [string, ...string[]])[] = [];
  // As sd_booted(3): only where systemd runs the system, and not merely is installed.
  if (touched(UNIT) && (await exists(ports, '/run/systemd/system'))) {
    // One that ran at boot stays active without its file, with whatever it started.
    if (after === 'undo' && !(await exists(ports, UNIT))) commands.push(['systemctl', 'stop', UNIT_NAME]);
    commands.push(['systemctl', 'daemon-reload']);
  }
  if (touched(DAEMON) && after === 'undo' && !(await exists(ports, DAEMON))) commands.push(['launchctl', 'bootout', `system/${DAEMON_LABEL}`]);
  const failed: string[] = [];
  for (const [program, ...args] of commands) {
    const done = await ports.commands.run(program, args, { timeoutMs: TIMEOUT_MS, terminal: 'none' });
    if (done.outcome === 'missing' || (done.outcome === 'exited' && (done.code === 0 || isUnknown(done.stderr)))) continue;
    failed.push(`${[program, ...args].join(' ')}: ${done.outcome === 'timeout' ? 'it did not end' : done.stderr.trim()}`);
  }
  return failed;
}

async function exists({ files }: Pick<TunePorts, 'files'>, path: string): Promise<boolean> {
  return (await files.status(path).catch(() => undefined)) !== undefined;
}

/** It was not running, which is what is wanted. */
function isUnknown(said: string): boolean {
  return /not loaded|could not find service|no such process/i.test(said);
}
