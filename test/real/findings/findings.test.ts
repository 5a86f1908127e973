import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Finding } from '../../../src/results/index.js';
import { whyNoNamespaces } from '../../lab/namespaces.js';
import { Program, installed } from '../../lab/processes.js';
import { withRoutedPaths } from '../../lab/routed-paths.js';
import type { Place } from '../../lab/routed-paths.js';
import { PORT, check, startServe } from '../../lab/tautline.js';
import { HOSTS } from './hosts.js';
import { LOSSES } from './losses.js';
import { RATES } from './rates.js';
import type { LabHosts, LabScenario } from './scenario.js';
import { WINDOWS } from './windows.js';

const SCENARIOS: readonly LabScenario[] = [...RATES, ...LOSSES, ...WINDOWS, ...HOSTS];
/** The machine that runs this is shared: so many may come out otherwise. */
const MISSES_MAX = 2;

const whyNot =
  (await whyNoNamespaces()) ??
  (
    await Promise.all(
      ['nft', 'tc', 'taskset', 'openssl', 'ethtool'].map(async (program) => ((await installed(program)) ? [] : [`${program} is missing`])),
    )
  )
    .flat()
    .at(0);

describe('the first finding of a check', { skip: whyNot ?? false }, () => {
  const misses: string[] = [];
  for (const scenario of SCENARIOS) {
    test(scenario.name, async (t) => {
      const findings = await findingsIn(scenario);
      const [first] = findings;
      const right = scenario.first.length === 0 ? first === undefined : first !== undefined && scenario.first.includes(first.id);
      const said = findings
        .map(({ id, confidence, evidence }) => `${id} (${confidence}): ${evidence.map(({ text }) => text).join('; ')}`)
        .join('\n    ');
      t.diagnostic(`${right ? 'right' : 'WRONG'}: ${said || 'no finding'}`);
      if (!right) misses.push(`${scenario.name}: wanted ${scenario.first.join(' or ') || 'none'}, got\n    ${said || 'none'}`);
      // A sound path that is called broken is never a matter of luck.
      if (scenario.first.length === 0) assert.equal(first, undefined, said);
    });
  }
  after(() => assert.ok(misses.length <= MISSES_MAX, `${misses.length} of ${SCENARIOS.length} are wrong:\n  ${misses.join('\n  ')}`));
});

async function findingsIn(scenario: LabScenario): Promise<readonly Finding[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-lab-'));
  try {
    return await withRoutedPaths({ count: scenario.paths ?? 1, site: scenario.site ?? 'same' }, async (routed) => {
      const start = async (place: Place, argv: readonly string[], ready?: string): Promise<void> => {
        const program = new Program(place.inside(argv));
        routed.programs.push(program);
        if (ready !== undefined) await program.until((output) => output.includes(ready));
      };
      const [path] = routed.paths;
      assert.ok(path);
      const lab: LabHosts = {
        ...routed,
        path,
        folder,
        startFar: (argv, ready) => start(routed.far, argv, ready),
        startNear: (argv, ready) => start(routed.near, argv, ready),
      };
      const key = join(folder, 'key');
      await writeFile(key, 'a key for the laboratory alone, 32 bytes or more', { mode: 0o600 });
      const paths = routed.paths
        .map(({ farAddress }, i) => `    ${scenario.site === 'other' ? 'wan' : 'lan'}${i === 0 ? '' : i + 1}: ${farAddress}`)
        .join('\n');
      const config = join(folder, 'tautline.yaml');
      await writeFile(config, `key-file: ${key}\ndiscover: no\nhistory:\n  enabled: no\npeers:\n  beta:\n   paths:\n${paths}\n`);
      const serve = await startServe(['--bind', '0.0.0.0', '--port', String(PORT), '--key-file', key], (argv) =>
        routed.far.inside([...(scenario.serveWith ?? []), ...argv]),
      );
      routed.programs.push(serve);
      await scenario.setUp(lab);
      const depth = scenario.depth === 'default' ? [] : ['--quick'];
      const { document } = await check([scenario.target?.(lab) ?? 'beta', ...depth, '--config', config], (argv) =>
        routed.near.inside([...(scenario.checkWith?.(lab) ?? []), ...argv]),
      );
      return document.findings ?? [];
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
