import { createHostPorts } from '../../src/host/index.js';
import { applyChange, createView, planTune, rollBack, SETTINGS } from '../../src/tune/index.js';
import type { ChangeReport, JournalStep } from '../../src/tune/index.js';
import type { NotDone } from '../../src/results/index.js';

/*
 * A program for a namespace: plans settings as a profile would name them and applies them through the journal, or rolls the
 * last change back. It prints what became of it as JSON.
 *
 *     node change-program.js '{"do": "apply", "folder": "/tmp/x", "home": "/tmp/y", "wanted": [["mss-clamp", "route"]]}'
 */
const request = JSON.parse(process.argv[2] ?? '{}') as ChangeRequest;
const { folder, home = '/nonexistent', wanted = [] } = request;
const ports = createHostPorts({ logLevel: 'none' });
const print = (result: ChangeResult): void => void process.stdout.write(JSON.stringify(result));

export interface ChangeRequest {
  readonly do: 'apply' | 'roll-back';
  /** Where the journal is. */
  readonly folder: string;
  readonly home?: string;
  readonly wanted?: readonly (readonly [string, unknown])[];
}

export interface ChangeResult {
  readonly report?: ChangeReport;
  readonly notDone: readonly NotDone[];
}

if (request.do === 'roll-back') print({ report: await rollBack(ports, { folder, force: false, reason: 'asked' }), notDone: [] });
else {
  const settings = wanted.map(([id, value]) => ({ id, wanted: { value, at: 'test:1' }, from: 'test' }));
  const profile = { name: 'test', title: 'test', about: '', risk: 'low', exact: false, lineage: ['test'], settings } as const;
  const { planned, notDone } = await planTune(await createView(ports, { homeFolder: home }), profile, SETTINGS);
  const steps = planned.flatMap(({ setting, step }) => step.changes.map((change) => ({ ...change, setting: setting.id }) as JournalStep));
  const report = steps.length === 0 ? undefined : await applyChange(ports, { folder, profile: 'test', persist: false, steps });
  print({ ...(report ? { report } : {}), notDone });
}
await ports.close();
