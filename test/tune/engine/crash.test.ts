import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../src/base/index.js';
import type { SimTuneHost } from '../../../src/sim/tune-host.js';
import { resumeApply, standingChanges } from '../../../src/tune/index.js';
import { PLACE_KINDS } from '../../../src/tune/journal/place-schema.js';
import { FOLDER, MEANT, applyOn, freshHost, orKilled, rollBackOn, stateOf, stepsFor } from './bench.js';

const HOW = ['whole', 'half'] as const;
type How = (typeof HOW)[number];

/** What the host is before, applied, and after a boot without any of it; and how many writes there are to die at. */
const untouched = freshHost();
const BEFORE = stateOf(untouched);
const { APPLIED, applyWrites, rollBackWrites } = await measured();
const BOOTED = booted();

async function measured() {
  const host = freshHost();
  const report = await applyOn(host);
  assert.equal(report.state, 'applied', report.why);
  const applied = stateOf(host);
  const writes = host.process.writes.length;
  await rollBackOn(host);
  return { APPLIED: applied, applyWrites: writes, rollBackWrites: host.process.writes.length - writes };
}

function booted(): string {
  const host = freshHost();
  host.powerCut();
  return stateOf(host);
}

/** Every write to die at, after it and in the middle of it. */
function deaths(writes: number): { n: number; how: How }[] {
  return Array.from({ length: writes }, (_, i) => i + 1).flatMap((n) => HOW.map((how) => ({ n, how })));
}

/** Dies at the n-th write of an apply and is started again. */
async function killedApply(n: number, how: How): Promise<SimTuneHost> {
  const host = freshHost();
  host.dieAfter(n, how);
  assert.equal(await orKilled(() => applyOn(host)), undefined, `no kill at write ${n}`);
  host.revive();
  return host;
}

async function assertRolledBack(host: SimTuneHost, told: string): Promise<void> {
  const report = await rollBackOn(host);
  assert.ok(['rolled-back', 'nothing-to-do'].includes(report.state), `${told}: ${report.state} ${JSON.stringify(report.steps)}`);
  assertSame(stateOf(host), BEFORE, told);
  assert.deepEqual(await standingChanges(host.ports, FOLDER), [], told);
  assert.deepEqual(strays(host), [], told);
}

/** What lies in the journals' folder that is no journal. */
function strays(host: SimTuneHost): string[] {
  return (host.machine.tree.names(`${FOLDER}/changes`) ?? []).filter((name) => !name.endsWith('.jsonl'));
}

function assertSame(found: string, wanted: string, told: string): void {
  if (found === wanted) return;
  assert.deepEqual(JSON.parse(found), JSON.parse(wanted), told);
}

describe('a change whose process is killed', () => {
  test('touches every kind of place that a Linux host of the simulator has, at each of which a process can die', () => {
    const kinds = new Set(MEANT.map(([{ kind }]) => kind));
    const elsewhere = ['tailscale-pref', 'macos-sysctl', 'macos-media', 'macos-address'];
    assert.deepEqual([...kinds].sort(), PLACE_KINDS.filter((kind) => !elsewhere.includes(kind)).toSorted());
    assert.ok(applyWrites > 3 * MEANT.length && rollBackWrites > 3 * MEANT.length, `${applyWrites} and ${rollBackWrites} writes`);
    assert.notEqual(APPLIED, BEFORE);
  });

  test('at any write of apply is rolled back to the byte by the next call', async () => {
    for (const { n, how } of deaths(applyWrites)) await assertRolledBack(await killedApply(n, how), `killed at write ${n} (${how})`);
  });

  test('at any write of apply is finished when told so, as if nothing had happened, and can be rolled back then', async () => {
    for (const { n, how } of deaths(applyWrites)) {
      const told = `killed at write ${n} (${how})`;
      const host = await killedApply(n, how);
      const [standing] = await standingChanges(host.ports, FOLDER);
      const again = standing === undefined ? await applyOn(host) : await resumeApply(host.ports, { folder: FOLDER, change: standing.id });
      assert.equal(again.state, 'applied', `${told}: ${again.why}`);
      assertSame(stateOf(host), APPLIED, told);
      await assertRolledBack(host, told);
    }
  });

  test('at any write of a roll-back has it finished by the next call', async () => {
    for (const { n, how } of deaths(rollBackWrites)) {
      const host = freshHost();
      await applyOn(host);
      host.dieAfter(n, how);
      await orKilled(() => rollBackOn(host));
      host.revive();
      await assertRolledBack(host, `roll-back killed at write ${n} (${how})`);
    }
  });

  test('in a roll-back that was interrupted has it finished before anything else is applied', async () => {
    for (const { n, how } of deaths(rollBackWrites)) {
      const host = freshHost();
      await applyOn(host);
      host.dieAfter(n, how);
      await orKilled(() => rollBackOn(host));
      host.revive();
      const [standing] = await standingChanges(host.ports, FOLDER);
      // Killed before its first word was on the disk, the roll-back was never begun.
      if (standing?.damaged === undefined && standing?.state === 'applied') continue;
      const steps = (await stepsFor(freshHost().ports)).slice(0, 1);
      const report = await applyOn(host, { steps });
      assert.equal(report.state, 'applied', `roll-back killed at write ${n} (${how}): ${report.why}`);
      await assertRolledBack(host, `applied after a roll-back that was killed at write ${n} (${how})`);
    }
  });

  test('again while it recovers, and again, still ends where it began', async () => {
    const random = seededRandom(20261121);
    for (let i = 0; i < 80; i++) {
      const host = await killedApply(1 + random.below(applyWrites), HOW[random.below(2)] as How);
      const kills: string[] = [];
      for (let kill = 0; kill < 3; kill++) {
        const n = 1 + random.below(applyWrites);
        const how = HOW[random.below(2)] as How;
        const resume = random.below(2) === 0;
        kills.push(`${resume ? 'resume' : 'roll back'}, killed at ${n} (${how})`);
        host.dieAfter(n, how);
        await orKilled(async () => (resume ? await resumeIfAny(host) : await rollBackOn(host)));
        host.revive();
      }
      await assertRolledBack(host, `seed ${random.seed}, round ${i}: ${kills.join('; ')}`);
    }
  });
});

async function resumeIfAny(host: SimTuneHost): Promise<void> {
  const [standing] = await standingChanges(host.ports, FOLDER);
  if (standing) await resumeApply(host.ports, { folder: FOLDER, change: standing.id });
}

describe('a host that loses its current', () => {
  test('at any write of apply has its files as they were after a roll-back, and no kernel value of ours', async () => {
    for (const { n, how } of deaths(applyWrites)) {
      const host = freshHost();
      host.dieAfter(n, how);
      await orKilled(() => applyOn(host));
      host.powerCut();
      const report = await rollBackOn(host);
      assert.ok(['rolled-back', 'nothing-to-do'].includes(report.state), report.why);
      assertSame(stateOf(host), BOOTED, `power cut at write ${n} (${how})`);
    }
  });

  test('at any write of a roll-back has it finished by the next call', async () => {
    for (const { n, how } of deaths(rollBackWrites)) {
      const host = freshHost();
      await applyOn(host);
      host.dieAfter(n, how);
      await orKilled(() => rollBackOn(host));
      host.powerCut();
      await rollBackOn(host);
      assertSame(stateOf(host), BOOTED, `power cut at write ${n} (${how})`);
    }
  });

  test('at any write of apply can have the change finished, which sets again what the boot forgot', async () => {
    for (const { n, how } of deaths(applyWrites)) {
      const host = freshHost();
      host.dieAfter(n, how);
      await orKilled(() => applyOn(host));
      host.powerCut();
      const [standing] = await standingChanges(host.ports, FOLDER);
      if (standing === undefined || standing.damaged !== undefined || standing.state !== 'applying') continue;
      const report = await resumeApply(host.ports, { folder: FOLDER, change: standing.id });
      assert.equal(report.state, 'applied', `power cut at write ${n} (${how}): ${report.why}`);
      assertSame(stateOf(host), APPLIED, `power cut at write ${n} (${how})`);
      await rollBackOn(host);
      assertSame(stateOf(host), BOOTED, `power cut at write ${n} (${how})`);
    }
  });
});
