import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PlaceRef } from '../../../src/tune/index.js';
import { confirmChange, findDrift, resumeApply, rollBack, standingChanges } from '../../../src/tune/index.js';
import { FOLDER, MEANT, applyOn, freshHost, orKilled, rollBackOn, stateOf, stepsFor } from './bench.js';

const CONGESTION = '/proc/sys/net/ipv4/tcp_congestion_control';
const SWAPPINESS: PlaceRef = { kind: 'kernel-value', path: '/proc/sys/vm/swappiness' };
const BEFORE = stateOf(freshHost());

const value = (path: string, to: string) => [{ kind: 'kernel-value', path }, to] as const;

describe('a change', () => {
  test('tells of every place what was there, what was meant and what is there', async () => {
    const host = freshHost();
    const seen: string[] = [];
    const report = await applyOn(host, { onStep: (done, of, label) => seen.push(`${done}/${of} ${label}`) });
    assert.equal(report.state, 'applied');
    assert.deepEqual(report.steps[0], {
      setting: 'kernel-value',
      place: 'net.ipv4.tcp_rmem',
      original: '4096 131072 6291456',
      desired: '4096 131072 16777216',
      found: '4096 131072 16777216',
      outcome: 'applied',
    });
    assert.equal(seen[0], `1/${MEANT.length} net.ipv4.tcp_rmem`);
    assert.equal(seen.length, MEANT.length);
  });

  test('of which the kernel makes something else is put back, and both values are told', async () => {
    const host = freshHost();
    const steps = await stepsFor(host.ports, [value(CONGESTION, 'bbr'), [SWAPPINESS, '500'], value('/proc/sys/net/core/rmem_max', '7500000')]);
    const report = await applyOn(host, { steps });
    assert.equal(report.state, 'rolled-back');
    assert.match(report.why ?? '', /^vm\.swappiness: 500 was written, and 200 is there$/);
    assert.deepEqual(
      report.steps.map(({ outcome }) => outcome),
      ['undone', 'failed', 'left-out'],
    );
    assert.equal(stateOf(host), BEFORE);
  });

  test('of which the kernel refuses a part is put back, and why is told', async () => {
    const host = freshHost();
    const report = await applyOn(host, {
      steps: await stepsFor(host.ports, [value('/proc/sys/net/core/rmem_max', '7500000'), value(CONGESTION, 'none')]),
    });
    assert.equal(report.state, 'rolled-back');
    assert.match(report.why ?? '', /the kernel refuses 'none'/);
    assert.equal(stateOf(host), BEFORE);
  });

  test('that is aborted after any step is put back', async () => {
    for (let after = 0; after <= MEANT.length; after++) {
      const host = freshHost();
      const abort = new AbortController();
      if (after === 0) abort.abort();
      const report = await applyOn(host, { signal: abort.signal, onStep: (done) => done === after && abort.abort() });
      assert.equal(report.state, 'rolled-back', `after ${after} steps`);
      assert.match(report.why ?? '', /interrupted/);
      assert.equal(stateOf(host), BEFORE);
    }
  });

  test('is not made when what is to guard it cannot be started', async () => {
    const host = freshHost();
    await assert.rejects(applyOn(host, { onBegun: () => Promise.reject(new RangeError('no guard')) }), RangeError);
    assert.equal(stateOf(host), BEFORE);
    assert.deepEqual(await standingChanges(host.ports, FOLDER), []);
  });

  test('puts back what was there last, and not what was there when it was planned', async () => {
    const host = freshHost();
    const steps = await stepsFor(host.ports);
    const path = '/etc/docker/daemon.json';
    const node = host.machine.tree.at(path);
    assert.ok(node?.kind === 'file');
    host.machine.tree.put(path, { ...node, modifiedNs: node.modifiedNs + 1_000_000_007n });
    const before = stateOf(host);
    await applyOn(host, { steps });
    await rollBackOn(host);
    assert.equal(stateOf(host), before);
  });

  test('of the same place by two settings is undone to what was there before both', async () => {
    const host = freshHost();
    const place = { kind: 'offloads', interface: 'eth0' } as const;
    const steps = await stepsFor(host.ports, [
      [place, { 'scatter-gather': false }],
      [place, { 'generic-receive-offload': false }],
    ]);
    assert.equal((await applyOn(host, { steps })).state, 'applied');
    assert.equal((await rollBackOn(host)).state, 'rolled-back');
    assert.equal(stateOf(host), BEFORE);
  });

  test('that was killed between making a folder and giving it its mode can be finished or put back', async () => {
    const probe = freshHost();
    await applyOn(probe);
    const at = probe.process.writes.indexOf('put /etc/tautline.d');
    assert.ok(at > 0);
    for (const finish of [true, false]) {
      const host = freshHost();
      host.dieAfter(at + 1, 'half');
      await orKilled(() => applyOn(host));
      host.machine.tree.put('/etc/tautline.d', { kind: 'folder', mode: 0o700, ownerId: 0, groupId: 0 });
      host.revive();
      if (finish) {
        assert.equal((await resumeApply(host.ports, { folder: FOLDER })).state, 'applied');
        assert.equal(stateOf(host), stateOf(probe));
      }
      assert.equal((await rollBackOn(host)).state, 'rolled-back');
      assert.equal(stateOf(host), BEFORE);
    }
  });

  test('keeps the record of the newest fifty that were rolled back', async () => {
    const host = freshHost();
    const steps = await stepsFor(host.ports, [value(CONGESTION, 'bbr')]);
    const made: string[] = [];
    for (let i = 0; i < 53; i++) {
      made.push((await applyOn(host, { steps })).change ?? '');
      await rollBackOn(host);
    }
    const kept = host.machine.tree.names(`${FOLDER}/changes`) ?? [];
    assert.deepEqual(
      kept,
      made.slice(3).map((id) => `${id}.jsonl`),
    );
  });
});

describe('what somebody else changed since', () => {
  test('is kept and shown with both values, unless it is forced', async () => {
    const host = freshHost();
    await applyOn(host);
    host.machine.values.set(CONGESTION, 'reno');
    const kept = await rollBackOn(host);
    assert.equal(kept.state, 'conflicted');
    const conflict = kept.steps.find(({ outcome }) => outcome === 'conflict');
    assert.match(conflict?.why ?? '', /somebody changed it since: it holds reno, and this change left bbr there; it is kept/);
    assert.equal(kept.steps.filter(({ outcome }) => outcome === 'undone').length, MEANT.length - 1);
    assert.equal(host.machine.values.text(CONGESTION), 'reno');
    const [standing] = await standingChanges(host.ports, FOLDER);
    assert.equal(standing?.damaged === undefined && standing?.state, 'conflicted');
    const again = await rollBackOn(host);
    assert.deepEqual([again.state, host.machine.values.text(CONGESTION)], ['conflicted', 'reno']);
    assert.equal((await rollBackOn(host, { force: true })).state, 'rolled-back');
    assert.equal(stateOf(host), BEFORE);
  });

  test('and set back by itself is no conflict', async () => {
    const host = freshHost();
    await applyOn(host);
    host.machine.values.set(CONGESTION, 'cubic');
    assert.equal((await rollBackOn(host)).state, 'rolled-back');
    assert.equal(stateOf(host), BEFORE);
  });

  test('by a later change is told with that change, which has to go first', async () => {
    const host = freshHost();
    const first = await applyOn(host, { steps: await stepsFor(host.ports, [value(CONGESTION, 'bbr')]) });
    const second = await applyOn(host, { profile: 'bulk', steps: await stepsFor(host.ports, [value(CONGESTION, 'cubic')]) });
    // What it holds is the first one's original, but only because the second one set it.
    const kept = await rollBackOn(host, { change: first.change ?? '' });
    assert.equal(kept.state, 'conflicted');
    assert.match(kept.steps[0]?.why ?? '', new RegExp(`the later change ${second.change} \\(bulk\\) set it too: .*; roll that one back first`));
    assert.equal((await rollBackOn(host)).change, second.change);
    assert.equal((await rollBackOn(host)).state, 'rolled-back');
    assert.equal(stateOf(host), BEFORE);
  });

  test('with the place gone, there is nothing to put back', async () => {
    const host = freshHost();
    await applyOn(host, { steps: await stepsFor(host.ports, [value(CONGESTION, 'bbr')]) });
    host.machine.values.vanish(CONGESTION);
    const report = await rollBackOn(host);
    assert.deepEqual([report.state, report.steps[0]?.outcome], ['rolled-back', 'gone']);
  });

  test('in a folder that was made keeps the folder, until it is forced to be left', async () => {
    const host = freshHost();
    await applyOn(host);
    host.machine.tree.put('/etc/tautline.d/mine', {
      kind: 'file',
      bytes: new Uint8Array(),
      mode: 0o600,
      ownerId: 0,
      groupId: 0,
      modifiedNs: 0n,
      accessedNs: 0n,
    });
    const kept = await rollBackOn(host);
    assert.match(
      kept.steps.find(({ outcome }) => outcome === 'conflict')?.why ?? '',
      /the folder stays: it holds something that this change did not put there/,
    );
    assert.equal((await rollBackOn(host, { force: true })).state, 'rolled-back');
    assert.ok(host.machine.tree.at('/etc/tautline.d/mine'));
  });

  test('is drift of the change that stands, the newest at each place', async () => {
    const host = freshHost();
    await applyOn(host);
    await applyOn(host, { steps: await stepsFor(host.ports, [value('/proc/sys/net/core/rmem_max', '7500000')]) });
    assert.deepEqual(await findDrift(host.ports, await standingChanges(host.ports, FOLDER)), []);
    host.machine.values.set(CONGESTION, 'reno');
    const [drift, ...others] = await findDrift(host.ports, await standingChanges(host.ports, FOLDER));
    assert.deepEqual([drift?.applied, drift?.found, others.length], ['bbr', 'reno', 0]);
  });
});

describe('a boot', () => {
  test('that forgot a change, and what was set before it too, leaves nothing to put back', async () => {
    const host = freshHost();
    host.machine.values.set(CONGESTION, 'reno');
    await applyOn(host, { steps: await stepsFor(host.ports, [value(CONGESTION, 'bbr')]) });
    host.reboot();
    const report = await rollBackOn(host);
    assert.deepEqual([report.state, report.steps[0]?.outcome], ['rolled-back', 'undone']);
    assert.match(report.steps[0]?.why ?? '', /a boot since forgot it: it holds cubic/);
    assert.equal(host.machine.values.text(CONGESTION), 'cubic');
  });

  test('that set the change again, as one does that outlives boots, has it put back', async () => {
    const host = freshHost();
    await applyOn(host);
    host.reboot();
    host.machine.values.set(CONGESTION, 'bbr');
    assert.equal((await rollBackOn(host)).state, 'rolled-back');
    assert.equal(host.machine.values.text(CONGESTION), 'cubic');
  });
});

describe('a change that must be confirmed', () => {
  const withPutOff = async (host: ReturnType<typeof freshHost>) =>
    (await stepsFor(host.ports)).map((step) => (step.place.kind === 'entry' ? { ...step, onConfirm: true as const } : step));

  test('has what outlives a boot put off until then', async () => {
    const host = freshHost();
    const steps = await withPutOff(host);
    const report = await applyOn(host, { steps, confirmWithinMs: 60_000 });
    assert.equal(report.state, 'awaiting-confirmation');
    assert.equal(report.confirmBefore, new Date(host.ports.clock.wallMs() + 60_000).toISOString());
    for (const [i, { outcome }] of report.steps.entries()) assert.equal(outcome, steps[i]?.onConfirm ? 'waiting' : 'applied');
    const confirmed = await confirmChange(host.ports, { folder: FOLDER });
    assert.equal(confirmed.state, 'applied');
    assert.ok(confirmed.steps.every(({ outcome }) => outcome === 'applied'));
    const late = await rollBack(host.ports, { folder: FOLDER, change: report.change ?? '', force: false, reason: 'unconfirmed' });
    assert.deepEqual([late.state, late.why], ['applied', 'it was confirmed']);
    assert.equal((await rollBackOn(host)).state, 'rolled-back');
    assert.equal(stateOf(host), BEFORE);
  });

  test('and was not is put back by the guard, or by whoever comes after its time', async () => {
    for (const call of ['guard', 'confirm', 'apply', 'rollback'] as const) {
      const host = freshHost();
      const { change = '' } = await applyOn(host, { confirmWithinMs: 60_000 });
      if (call !== 'guard') await host.run(() => host.ports.clock.sleep(60_001));
      if (call === 'guard') await rollBack(host.ports, { folder: FOLDER, change, force: false, reason: 'unconfirmed' });
      if (call === 'confirm')
        await assert.rejects(confirmChange(host.ports, { folder: FOLDER }), /was not confirmed before .*, and was rolled back$/);
      if (call === 'rollback') assert.equal((await rollBackOn(host)).change, change);
      if (call === 'apply') {
        await applyOn(host, { steps: await stepsFor(freshHost().ports, [value(CONGESTION, 'bbr')]) });
        await rollBackOn(host);
      }
      assert.equal(stateOf(host), BEFORE, call);
      await assert.rejects(confirmChange(host.ports, { folder: FOLDER, change }), /and was rolled back/);
    }
  });

  test('lets nothing be built on it until then', async () => {
    const host = freshHost();
    await applyOn(host, { confirmWithinMs: 60_000 });
    await assert.rejects(applyOn(host), /awaits its confirmation/);
  });

  test('and is killed at any write of the confirmation can be finished or put back', async () => {
    const probe = freshHost();
    await applyOn(probe, { steps: await withPutOff(probe), confirmWithinMs: 60_000 });
    const before = probe.process.writes.length;
    await confirmChange(probe.ports, { folder: FOLDER });
    const wanted = stateOf(probe);
    const writes = probe.process.writes.length - before;
    for (let n = 1; n <= writes; n++) {
      for (const how of ['whole', 'half'] as const) {
        const host = freshHost();
        const { change = '' } = await applyOn(host, { steps: await withPutOff(host), confirmWithinMs: 60_000 });
        host.dieAfter(n, how);
        await orKilled(() => confirmChange(host.ports, { folder: FOLDER }));
        host.revive();
        const [standing] = await standingChanges(host.ports, FOLDER);
        const state = standing?.damaged === undefined ? standing?.state : 'damaged';
        if (state === 'applying') await resumeApply(host.ports, { folder: FOLDER, change });
        if (state === 'awaiting-confirmation') await confirmChange(host.ports, { folder: FOLDER });
        assert.equal(stateOf(host), wanted, `killed at write ${n} (${how}), ${state}`);
        await rollBackOn(host);
        assert.equal(stateOf(host), BEFORE, `killed at write ${n} (${how})`);
      }
    }
  });
});
