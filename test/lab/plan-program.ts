import { createHostPorts } from '../../src/host/index.js';
import { readPlace, writePlace } from '../../src/tune/places/registry.js';
import { SETTINGS, createView } from '../../src/tune/index.js';
import type { Change, Step } from '../../src/tune/index.js';

/*
 * A program for a namespace or a kernel of its own: looks at the settings that are asked for, and prints what each would do
 * there. With `try` it also writes each change, looks again, and puts the original back.
 *
 *     node plan-program.js '{"wanted": [["net.ipv4.tcp_mtu_probing", 1]], "interfaces": ["path0"], "try": true}'
 */
interface Asked {
  readonly wanted: readonly (readonly [id: string, value: unknown])[];
  readonly interfaces?: readonly string[];
  readonly exact?: boolean;
  readonly try?: boolean;
}

export interface Planned {
  readonly id: string;
  readonly steps: readonly Step[];
  /** With `try`: what is planned once the changes were made, and whether every place is as before at the end. */
  readonly after?: readonly Step[];
  readonly restored?: boolean;
}

const asked = JSON.parse(process.argv[2] ?? '{"wanted": []}') as Asked;
const ports = createHostPorts();
const look = () => createView(ports, { homeFolder: '/nonexistent', ...(asked.interfaces ? { interfaces: asked.interfaces } : {}) });

async function plan(id: string, value: unknown): Promise<readonly Step[]> {
  const setting = SETTINGS.find((one) => one.id === id);
  if (!setting) throw new Error(`there is no setting ${id}`);
  const parsed = setting.parse(value);
  if ('problem' in parsed) throw new Error(`${id}: ${parsed.problem}`);
  return setting.plan(await look(), parsed.value, { exact: asked.exact === true });
}

const states = async (changes: readonly Change[]): Promise<string> =>
  JSON.stringify(await Promise.all(changes.map(({ place }) => readPlace(ports, place))));

const planned: Planned[] = [];
for (const [id, value] of asked.wanted) {
  const steps = await plan(id, value);
  const changes = steps.flatMap((step) => (step.verdict === 'change' ? step.changes : []));
  if (asked.try !== true || changes.length === 0) {
    planned.push({ id, steps });
    continue;
  }
  const before = await states(changes);
  for (const { place, desired } of changes) await writePlace(ports, place, desired);
  const after = await plan(id, value);
  for (const { place, original } of changes.toReversed()) await writePlace(ports, place, original);
  planned.push({ id, steps, after, restored: (await states(changes)) === before });
}
process.stdout.write(`${JSON.stringify(planned)}\n`);
process.exit(0);
