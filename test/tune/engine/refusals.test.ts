import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError } from '../../../src/base/index.js';
import type { HostPlace } from '../../../src/base/index.js';
import type { SimTuneHost } from '../../../src/sim/tune-host.js';
import { applyChange, confirmChange, resumeApply, rollBack, standingChanges } from '../../../src/tune/index.js';
import type { TunePorts } from '../../../src/tune/index.js';
import { FOLDER, MEANT, SPEC, applyOn, freshHost, rollBackOn, stateOf, stepsFor } from './bench.js';

/** Every call that writes. */
const CALLS: Readonly<Record<string, (ports: TunePorts, change?: string) => Promise<unknown>>> = {
  apply: async (ports) =>
    await applyChange(ports, { folder: FOLDER, profile: 'bulk', persist: false, steps: (await stepsFor(freshHost().ports)).slice(0, 1) }),
  confirm: (ports, change) => confirmChange(ports, { folder: FOLDER, ...(change === undefined ? {} : { change }) }),
  rollback: (ports, change) => rollBack(ports, { folder: FOLDER, force: false, reason: 'asked', ...(change === undefined ? {} : { change }) }),
  continue: (ports, change) => resumeApply(ports, { folder: FOLDER, ...(change === undefined ? {} : { change }) }),
};

async function refused(work: () => Promise<unknown>, code: string, message: RegExp): Promise<TautlineError> {
  let thrown: unknown;
  await assert.rejects(work, (error) => {
    thrown = error;
    return true;
  });
  assert.ok(thrown instanceof TautlineError, String(thrown));
  assert.match(thrown.message, message);
  assert.equal(thrown.code, code, thrown.message);
  return thrown;
}

function journalOf(host: SimTuneHost): { path: string; text: string } {
  const [found] = host.machine.tree.all().filter(([path]) => path.endsWith('.jsonl'));
  assert.ok(found?.[1].kind === 'file');
  return { path: found[0], text: new TextDecoder().decode(found[1].bytes) };
}

function rewrite(host: SimTuneHost, path: string, text: string): void {
  const node = host.machine.tree.at(path);
  assert.ok(node?.kind === 'file');
  host.machine.tree.put(path, { ...node, bytes: new TextEncoder().encode(text) });
}

describe('a journal that was damaged by hand', () => {
  const damages: Readonly<Record<string, (lines: string[]) => string>> = {
    'an edited original': (lines) => lines.join('\n').replace('6291456', '1'),
    'an edited last line': (lines) => lines.join('\n').replace('"type":"applied"', '"type":"appliet"'),
    'a line less': (lines) => lines.toSpliced(2, 1).join('\n'),
    'two lines exchanged': (lines) => [...lines.slice(0, 1), lines[2], lines[1], ...lines.slice(3)].join('\n'),
    'a line twice': (lines) => [...lines.slice(0, 2), ...lines.slice(1)].join('\n'),
    'no first line': (lines) => lines.slice(1).join('\n'),
    'something else altogether': () => 'not a journal\n',
    'a schema of a later release': (lines) => lines.join('\n').replace('tautline.journal/1', 'tautline.journal/7'),
  };
  for (const [what, change] of Object.entries(damages)) {
    test(`by ${what} is refused by every call that writes, which says what is wrong and changes nothing`, async () => {
      const host = freshHost();
      const { change: id = '' } = await applyOn(host);
      const { path, text } = journalOf(host);
      rewrite(host, path, change(text.split('\n')));
      const before = host.snapshot();
      for (const [name, call] of Object.entries(CALLS)) {
        for (const named of name === 'apply' ? [undefined] : [undefined, id]) {
          const error = await refused(() => call(host.ports, named), 'io', /the journal \/var\/lib\/tautline\/changes\/\S+ is damaged: line \d+ /);
          assert.match(error.hint ?? '', /put it back by hand, then move the file elsewhere/);
          assert.equal(host.snapshot(), before, name);
        }
      }
      const [standing] = await standingChanges(host.ports, FOLDER);
      assert.match(standing?.damaged ?? '', /is damaged: line \d+/);
    });
  }

  test('by being copied or renamed is refused', async () => {
    const host = freshHost();
    await applyOn(host);
    const { path, text } = journalOf(host);
    host.machine.tree.put(path.replace('2026', '2025'), host.machine.tree.at(path) as never);
    await refused(() => rollBackOn(host), 'io', /line 1 begins the change \S+: the file was renamed or copied/);
    assert.ok(text.length > 0);
  });

  test('does not keep another change from being rolled back that is named', async () => {
    const host = freshHost();
    const before = stateOf(host);
    const first = await applyOn(host);
    const { path, text } = journalOf(host);
    await rollBackOn(host);
    const second = await applyOn(host);
    rewrite(host, path, text.replace('6291456', '1'));
    await refused(() => rollBackOn(host), 'io', /damaged/);
    assert.equal((await rollBackOn(host, { change: second.change ?? '' })).state, 'rolled-back');
    assert.equal(stateOf(host), before);
    assert.notEqual(first.change, second.change);
  });
});

describe('a disk that is full', () => {
  test('when the originals are to be written keeps everything from being changed, and nothing is left', async () => {
    const probe = freshHost();
    await applyOn(probe);
    const beginBytes = new TextEncoder().encode(journalOf(probe).text.split('\n')[0]).length;
    for (let room = 0; room <= beginBytes; room += Math.ceil(beginBytes / 40)) {
      const host = freshHost();
      const before = host.snapshot();
      host.capacityBytes = host.usedBytes + room;
      await refused(() => applyOn(host), 'io', /the disk is full/);
      assert.equal(host.snapshot(), before, `${room} bytes of room`);
    }
  });

  test('at any later time has everything put back, as far as the files have room, and the rest as soon as they have', async () => {
    const before = stateOf(freshHost());
    const probe = freshHost();
    await applyOn(probe);
    const most = probe.usedBytes;
    const start = freshHost().usedBytes;
    const states = new Map<string, number>();
    for (let room = 0; start + room < most; room += 331) {
      const host = freshHost();
      host.capacityBytes = start + room;
      const report = await applyOn(host).catch((error: unknown) => {
        assert.ok(error instanceof TautlineError && error.code === 'io', String(error));
        return undefined;
      });
      // What the kernel holds needs no disk.
      assert.equal(kernelOf(stateOf(host)), kernelOf(before), `${room} bytes of room: ${report?.state}`);
      if (report === undefined || report.state === 'rolled-back') assert.equal(stateOf(host), before, `${room} bytes of room`);
      if (report === undefined) continue;
      assert.match(report.why ?? '', /the disk is full/);
      states.set(report.state, (states.get(report.state) ?? 0) + 1);
      host.capacityBytes = Number.POSITIVE_INFINITY;
      await rollBackOn(host);
      assert.deepEqual(await standingChanges(host.ports, FOLDER), []);
      assert.equal(stateOf(host), before, `${room} bytes of room, and then enough`);
    }
    assert.ok((states.get('rolling-back') ?? 0) > 5, JSON.stringify([...states]));
  });
});

function kernelOf(state: string): string {
  const { files: _, ...rest } = JSON.parse(state) as Record<string, unknown>;
  return JSON.stringify(rest);
}

describe('a host that cannot be changed as planned', () => {
  test('is not, while another process changes it, whose number is told', async () => {
    const host = freshHost();
    await applyOn(host);
    const other = host.startProcess();
    await other.control.lock(`${FOLDER}/lock`);
    const before = host.snapshot();
    for (const call of Object.values(CALLS))
      await refused(() => call(host.ports), 'io', new RegExp(`process ${other.process.pid} is changing this host already`));
    assert.equal(host.snapshot(), before);
    assert.equal((await standingChanges(host.ports, FOLDER)).length, 1);
    other.process.kill();
    assert.equal((await rollBackOn(host)).state, 'rolled-back');
  });

  test('is not, when a place holds something else than when it was planned, or is gone', async () => {
    const host = freshHost();
    const steps = await stepsFor(host.ports);
    const fresh = host.snapshot();
    host.machine.values.set('/proc/sys/net/ipv4/tcp_congestion_control', 'reno');
    const before = host.snapshot();
    const error = await refused(
      () => applyOn(host, { steps }),
      'usage',
      /net\.ipv4\.tcp_congestion_control holds reno now, and held cubic when the plan was made/,
    );
    assert.match(error.hint ?? '', /plan again/);
    assert.equal(host.snapshot(), before);
    assert.notEqual(before, fresh);
    host.machine.values.vanish('/proc/sys/net/ipv4/tcp_rmem');
    await refused(() => applyOn(host, { steps }), 'usage', /net\.ipv4\.tcp_rmem is no longer here/);
  });

  test('is not, when /proc/sys is read-only or the user may not write it', async () => {
    const readOnly = freshHost({ ...SPEC, readOnlyBelow: ['/proc/sys'] });
    const before = readOnly.snapshot();
    await refused(() => applyOn(readOnly), 'permission', /net\.ipv4\.tcp_rmem may not be written here/);
    assert.equal(readOnly.snapshot(), before);
    const host = freshHost({ ...SPEC, folders: { ...SPEC.folders, '/home/user': 0o777 }, user: { ownerId: 1000, groupId: 1000 } });
    const steps = await stepsFor(
      host.ports,
      MEANT.filter(([{ kind }]) => kind === 'kernel-value'),
    );
    const unchanged = host.snapshot();
    await refused(() => applyOn(host, { steps }), 'permission', /\/var/);
    await refused(() => applyOn(host, { steps, folder: '/home/user/tautline' }), 'permission', /net\.ipv4\.tcp_rmem may not be written here/);
    assert.equal(host.snapshot(), unchanged);
  });

  test('is not, with a file that has other names, which replacing it would part', async () => {
    const host = freshHost();
    host.machine.tree.put('/etc/docker/second-name.json', host.machine.tree.at('/etc/docker/daemon.json') as never);
    const before = host.snapshot();
    await refused(() => applyOn(host), 'usage', /2 names \(hard links\)/);
    assert.equal(host.snapshot(), before);
  });

  test('is not, in another network namespace or on another machine', async () => {
    const host = freshHost();
    await applyOn(host);
    const here = await host.control.place();
    const before = host.snapshot();
    await refused(
      () => rollBack(at(host, { ...here, network: '4026532999' }), { folder: FOLDER, force: true, reason: 'asked' }),
      'usage',
      /another network namespace \(4026531840, this is 4026532999\)/,
    );
    await refused(
      () => rollBack(at(host, { ...here, machine: 'other' }), { folder: FOLDER, force: true, reason: 'asked' }),
      'usage',
      /another machine \(host\)/,
    );
    assert.equal(host.snapshot(), before);
    assert.equal((await rollBackOn(host)).state, 'rolled-back');
  });
});

function at(host: SimTuneHost, place: HostPlace): TunePorts {
  const control = new Proxy(host.control, {
    get(target, name) {
      if (name === 'place') return () => Promise.resolve(place);
      const found: unknown = Reflect.get(target, name, target);
      return typeof found === 'function' ? (found.bind(target) as unknown) : found;
    },
  });
  return { ...host.ports, control };
}
