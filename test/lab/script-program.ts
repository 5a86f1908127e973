import { createHostPorts } from '../../src/host/index.js';
import { applyChange, planPersistence, readPlace, rollBack, tuneScript } from '../../src/tune/index.js';
import type { Change, JournalStep, PersistRequest, PlaceRef, TunePlan } from '../../src/tune/index.js';

/*
 * A program for a namespace: changes to these places as a script, or made and undone by the engine.
 *
 *     node script-program.js script '[[{"kind": "kernel-value", "path": "/proc/sys/net/ipv4/tcp_sack"}, "0"]]' > tune.sh
 *     node script-program.js apply '[...]' FOLDER; node script-program.js undo '[]' FOLDER
 *     node script-program.js persist '[{"setting": {"id": "x"}, "step": {"persist": [...]}}]' FOLDER systemd|other
 */
const [, , command, wishes = '[]', folder = ''] = process.argv;
const ports = createHostPorts();

async function changes(): Promise<JournalStep[]> {
  const steps: JournalStep[] = [];
  for (const [place, desired] of JSON.parse(wishes) as [PlaceRef, unknown][]) {
    const original = await readPlace(ports, place);
    if (original === undefined) throw new Error(`there is no ${JSON.stringify(place)}`);
    steps.push({ place, original, desired, setting: 'test' } as JournalStep);
  }
  return steps;
}

function planOf(steps: readonly Change[]): Parameters<typeof tuneScript>[0] {
  const setting = { id: 'test', needs: { root: true } } as unknown as TunePlan['planned'][number]['setting'];
  const planned = steps.map((change) => ({ setting, step: { changes: [change] }, why: "it's a test" }) as unknown as TunePlan['planned'][number]);
  return { planned, profile: { name: 'lab', title: 'a test' } };
}

if (command === 'script') process.stdout.write(tuneScript(planOf(await changes()), { identity: await ports.facts.identity() }));
if (command === 'apply')
  process.stdout.write(JSON.stringify(await applyChange(ports, { folder, profile: 'lab', steps: await changes(), persist: false })));
if (command === 'undo') process.stdout.write(JSON.stringify(await rollBack(ports, { folder, force: false, reason: 'asked' })));
if (command === 'persist') {
  const planned = JSON.parse(wishes) as PersistRequest['planned'];
  const init = process.argv[5] === 'other' ? 'other' : 'systemd';
  const view = { ports, platform: 'linux', environment: { kind: 'vm', init, evidence: [] } } as const;
  const { steps, notes } = await planPersistence(view, { planned, profile: 'lab' });
  if (steps.length > 0) await applyChange(ports, { folder, profile: 'lab', steps, persist: true });
  process.stdout.write(JSON.stringify({ steps, notes }));
}
