import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import { simTuneHost } from '../../src/sim/index.js';
import type { SimTuneHost, TuneHostSpec } from '../../src/sim/index.js';
import { planPersistence, readPlace, announceUnits, writePlace } from '../../src/tune/index.js';
import type { JournalStep, Persisted, PersistRequest } from '../../src/tune/index.js';
import { parseSysctlFile } from '../../src/tune/others/sysctl-files.js';
import { bootScript, blocksIn } from '../../src/tune/persist/boot-script.js';
import { unitText } from '../../src/tune/persist/boot-hooks.js';
import { sysctlOrder, sysctlText, sysctlValues } from '../../src/tune/persist/sysctl-file.js';

function host(
  files: TuneHostSpec['files'] = {},
  folders: readonly string[] = ['/etc/sysctl.d', '/etc/systemd/system/multi-user.target.wants'],
): SimTuneHost {
  return simTuneHost({
    name: 'box',
    host: { addresses: ['192.0.2.1'] },
    files: { '/etc/hostname': 'box\n', ...files },
    folders: Object.fromEntries(folders.map((folder) => [folder, 0o755])),
  });
}

interface Where {
  readonly init?: 'systemd' | 'launchd' | 'other';
  readonly platform?: 'linux' | 'macos';
}

const plan = (box: SimTuneHost, planned: PersistRequest['planned'], { init = 'systemd', platform = 'linux' }: Where = {}, profile = 'voice') =>
  planPersistence({ ports: box.ports, platform, environment: { kind: 'vm', init, evidence: [] } }, { planned, profile });
const of = (id: string, persist: readonly Persisted[], instance?: string): PersistRequest['planned'][number] => ({
  setting: { id },
  step: { persist, ...(instance === undefined ? {} : { instance }) },
});
const RMEM = of('net.core.rmem_max', [{ by: 'sysctl', key: 'net.core.rmem_max', value: '7500000' }]);
const NOTSENT = of('net.ipv4.tcp_notsent_lowat', [{ by: 'sysctl', key: 'net.ipv4.tcp_notsent_lowat', value: '131072' }]);
const OFFLOADS = of('offloads', [{ by: 'boot', commands: ['ethtool -K eth0 gro on'], interface: 'eth0' }], 'eth0');
const CLAMP = of('mss-clamp', [{ by: 'boot', commands: ["nft 'table inet x { }'"] }]);
const ITSELF = of('file-limits', [{ by: 'itself' }]);

const pathsOf = (steps: readonly JournalStep[]): string[] => steps.map(({ place }) => ('path' in place ? place.path : place.kind));

async function apply(box: SimTuneHost, steps: readonly JournalStep[]): Promise<void> {
  for (const step of steps) await writePlace(box.ports, step.place, step.desired);
}

async function undo(box: SimTuneHost, steps: readonly JournalStep[]): Promise<void> {
  for (const step of steps.toReversed()) await writePlace(box.ports, step.place, step.original);
}

const text = (box: SimTuneHost, path: string): Promise<string | undefined> => box.ports.files.readText(path);

describe('what outlives a boot', () => {
  test('is in files of our own, which a roll-back takes away to the byte, with the folders that were made for them', async () => {
    for (const [where, folders] of [
      [{}, ['/etc/sysctl.d', '/etc/systemd/system/multi-user.target.wants']],
      [{}, []],
      [{ init: 'other' }, ['/etc/network/if-up.d']],
      [{ init: 'other' }, ['/etc/local.d']],
      [{ init: 'launchd', platform: 'macos' }, ['/Library/LaunchDaemons']],
    ] as const) {
      const box = host({}, folders);
      const before = box.snapshot();
      const { steps, notes } = await plan(box, [RMEM, OFFLOADS, CLAMP, ITSELF], where);
      assert.deepEqual(notes, []);
      assert.equal(box.snapshot(), before, 'planning changes nothing');
      await apply(box, steps);
      for (const { place, desired } of steps)
        assert.deepEqual(
          { ...((await readPlace(box.ports, place)) as object), modifiedNs: 0, accessedNs: 0 },
          { ...(desired as object), modifiedNs: 0, accessedNs: 0 },
        );
      assert.deepEqual((await plan(box, [RMEM, OFFLOADS, CLAMP, ITSELF], where)).steps, [], 'twice is once');
      await undo(box, steps);
      assert.equal(box.snapshot(), before);
    }
  });

  test('of settings that keep themselves there is nothing to write', async () => {
    assert.deepEqual(await plan(host(), [ITSELF]), { steps: [], notes: [] });
    assert.deepEqual(await plan(host(), [ITSELF], { platform: 'macos' }), { steps: [], notes: [] });
  });

  test('kernel values are in one sorted file of sysctl.d, everything else in a script that systemd runs', async () => {
    const box = host();
    const { steps } = await plan(box, [NOTSENT, RMEM, OFFLOADS]);
    assert.deepEqual(pathsOf(steps), [
      '/etc/sysctl.d/90-tautline.conf',
      '/etc/tautline',
      '/etc/tautline/boot.sh',
      '/etc/systemd/system/tautline-tune.service',
      '/etc/systemd/system/multi-user.target.wants/tautline-tune.service',
    ]);
    await apply(box, steps);
    assert.match(
      (await text(box, '/etc/sysctl.d/90-tautline.conf')) ?? '',
      /\n\nnet\.core\.rmem_max = 7500000\nnet\.ipv4\.tcp_notsent_lowat = 131072\n$/,
    );
    assert.match((await text(box, '/etc/tautline/boot.sh')) ?? '', /\n\[ -e \/sys\/class\/net\/eth0 \]\nethtool -K eth0 gro on\n/);
    const unit = (await text(box, '/etc/systemd/system/tautline-tune.service')) ?? '';
    assert.match(unit, /^After=.* sys-subsystem-net-devices-eth0\.device$/m);
    assert.match(unit, /^Wants=sys-subsystem-net-devices-eth0\.device$/m);
  });

  test('a later change keeps what an earlier one has written, and goes without it', async () => {
    const box = host();
    const first = await plan(box, [RMEM, OFFLOADS], {}, 'moderate');
    await apply(box, first.steps);
    const between = box.snapshot();
    const again = of('offloads', [{ by: 'boot', commands: ['ethtool -K eth0 gro off'], interface: 'eth0' }], 'eth0');
    const second = await plan(box, [NOTSENT, again, CLAMP]);
    await apply(box, second.steps);
    const sysctl = (await text(box, '/etc/sysctl.d/90-tautline.conf')) ?? '';
    assert.deepEqual(sysctlValues(sysctl), { 'net.core.rmem_max': '7500000', 'net.ipv4.tcp_notsent_lowat': '131072' });
    assert.match(sysctl, /^# Profile: moderate, voice$/m);
    const script = (await text(box, '/etc/tautline/boot.sh')) ?? '';
    assert.deepEqual(
      blocksIn(script).map(({ title }) => title),
      ['offloads (eth0)', 'mss-clamp'],
    );
    assert.ok(script.includes('gro off') && !script.includes('gro on'));
    await undo(box, second.steps);
    assert.equal(box.snapshot(), between);
  });

  test('a file of that name that somebody else wrote is not touched', async () => {
    for (const path of ['/etc/sysctl.d/90-tautline.conf', '/etc/tautline/boot.sh', '/etc/systemd/system/tautline-tune.service']) {
      await assert.rejects(plan(host({ [path]: '# mine\n' }), [RMEM, OFFLOADS]), (error) => {
        assert.ok(
          error instanceof TautlineError && error.code === 'usage' && error.message.includes(path) && error.hint?.includes('nothing was changed'),
        );
        return true;
      });
    }
  });

  test('where nothing runs a hook at boot it is told what will be lost', async () => {
    const { steps, notes } = await plan(host({}, ['/etc/sysctl.d']), [RMEM, OFFLOADS], { init: 'other' });
    assert.deepEqual(pathsOf(steps), ['/etc/sysctl.d/90-tautline.conf']);
    assert.match(notes.join(), /offloads \(eth0\) last until the next one/);
  });

  test('ifupdown runs the script for the interfaces that it tunes, or at boot where it tunes none', async () => {
    for (const [steps, names] of [
      [[OFFLOADS, CLAMP], 'eth0'],
      [[CLAMP], 'lo'],
    ] as const) {
      const box = host({}, ['/etc/network/if-up.d']);
      await apply(box, (await plan(box, steps, { init: 'other' })).steps);
      assert.match(
        (await text(box, '/etc/network/if-up.d/tautline')) ?? '',
        new RegExp(`^ {2}${names}\\) exec /bin/sh /etc/tautline/boot\\.sh ;;$`, 'm'),
      );
    }
  });
});

describe('the name of the sysctl file', () => {
  const WANTED = { 'net.core.rmem_max': '7500000' };
  const order = (files: Readonly<Record<string, string>>, init = 'systemd'): ReturnType<typeof sysctlOrder> =>
    sysctlOrder(
      WANTED,
      Object.entries(files).flatMap(([file, content]) => parseSysctlFile(content, file)),
      init,
    );

  test('is early, unless a later file sets the same key to something else', () => {
    assert.equal(order({}).name, '90-tautline.conf');
    assert.equal(order({ '/etc/sysctl.d/60-x.conf': 'net.core.rmem_max = 1' }).name, '90-tautline.conf');
    assert.equal(order({ '/etc/sysctl.d/99-x.conf': 'net.core.wmem_max = 1' }).name, '90-tautline.conf');
    assert.equal(order({ '/etc/sysctl.d/99-x.conf': 'net.core.rmem_max =  7500000' }).name, '90-tautline.conf');
    assert.equal(order({ '/usr/lib/sysctl.d/99-x.conf': 'net/core/rmem_max = 1' }).name, '99-zz-tautline.conf');
  });

  test('is later than /etc/sysctl.conf by the name of its link, where systemd reads it; others read that file last, and then it is set after', () => {
    const conf = { '/etc/sysctl.conf': 'net.core.rmem_max = 212992' };
    const systemd = order(conf);
    assert.deepEqual([systemd.name, systemd.late], ['99-zz-tautline.conf', []]);
    assert.match(systemd.notes.join(), /\/etc\/sysctl\.conf:1 sets net\.core\.rmem_max to 212992.*sysctl --system/);
    const procps = order(conf, 'other');
    assert.deepEqual(procps.late, ['net.core.rmem_max']);
    assert.match(procps.notes.join(), /set once more/);
  });

  test('cannot be later than every name: what is not is set after all are read', async () => {
    const { late } = order({ '/etc/sysctl.d/zz-last.conf': 'net.core.rmem_max = 1' });
    assert.deepEqual(late, ['net.core.rmem_max']);
    const box = host({ '/etc/sysctl.d/zz-last.conf': 'net.core.rmem_max = 1\n' });
    const { steps, notes } = await plan(box, [RMEM]);
    assert.ok(pathsOf(steps).includes('/etc/sysctl.d/99-zz-tautline.conf') && pathsOf(steps).includes('/etc/tautline/boot.sh'));
    assert.match(notes.join(), /zz-last\.conf:1/);
    await apply(box, steps);
    assert.match((await text(box, '/etc/tautline/boot.sh')) ?? '', /^sysctl -q -w net\.core\.rmem_max=7500000$/m);
  });

  test('changes with the file in one change, and changes back', async () => {
    const box = host();
    await apply(box, (await plan(box, [RMEM])).steps);
    await box.ports.control.writeEntry('/etc/sysctl.d/99-admin.conf', {
      kind: 'file',
      bytesBase64: btoa('net.core.rmem_max = 1\n'),
      links: 1,
      mode: 0o644,
      ownerId: 0,
      groupId: 0,
    });
    const before = box.snapshot();
    const { steps } = await plan(box, [NOTSENT]);
    await apply(box, steps);
    assert.equal(await text(box, '/etc/sysctl.d/90-tautline.conf'), undefined);
    assert.deepEqual(Object.keys(sysctlValues((await text(box, '/etc/sysctl.d/99-zz-tautline.conf')) ?? '')), [
      'net.core.rmem_max',
      'net.ipv4.tcp_notsent_lowat',
    ]);
    await undo(box, steps);
    assert.equal(box.snapshot(), before);
  });

  test('a value that is more than a line is no sysctl', () => {
    assert.throws(() => sysctlText({ 'net.core.x': '1\nkernel.core_pattern = |/bin/sh' }, ['p']));
    assert.throws(() => sysctlText({ 'net.core.x = 1\nkernel.core_pattern': 'x' }, ['p']));
  });
});

describe('the script that runs at boot', () => {
  test('gives its blocks back as they were', () => {
    const script = bootScript(
      [
        { title: 'a (eth0)', commands: ["cat > /x <<'END'\nline\nEND", 'b'], interface: 'eth0' },
        { title: 'c', commands: ['d'] },
      ],
      ['p'],
    );
    assert.equal(bootScript(blocksIn(script), ['p']), script);
    assert.deepEqual(blocksIn(''), []);
    assert.throws(() => bootScript([{ title: 'a\nreboot', commands: [] }], ['p']));
  });

  test('is ordered after interfaces whatever their names', () => {
    assert.match(
      unitText(['wl-an0', 'eth0.100', '.x', 'a%b']),
      /net-devices-wl\\x2dan0\.device sys-subsystem-net-devices-eth0\.100\.device sys-subsystem-net-devices-\\x2ex\.device sys-subsystem-net-devices-a\\x25b\.device$/m,
    );
  });
});

describe('the service manager', () => {
  const unit = { kind: 'entry', path: '/etc/systemd/system/tautline-tune.service' } as const;

  function told(files: TuneHostSpec['files']): { ports: Parameters<typeof announceUnits>[0]; calls: string[] } {
    const calls: string[] = [];
    const { files: disk } = host(files).ports;
    const run = (program: string, args: readonly string[]) => {
      calls.push([program, ...args].join(' '));
      return Promise.resolve({ outcome: 'missing' } as const);
    };
    return { ports: { files: disk, commands: { run } }, calls };
  }

  test('is told of a unit that came, and stops one that went, only where it runs', async () => {
    const booted = { '/run/systemd/system/x': '' };
    const running = told({ [unit.path]: 'x', ...booted });
    assert.deepEqual(await announceUnits(running.ports, [unit], 'apply'), []);
    assert.deepEqual(running.calls, ['systemctl daemon-reload']);
    const gone = told(booted);
    await announceUnits(gone.ports, [unit], 'undo');
    assert.deepEqual(gone.calls, ['systemctl stop tautline-tune.service', 'systemctl daemon-reload']);
    const former = told({ [unit.path]: 'x', ...booted });
    await announceUnits(former.ports, [unit], 'undo');
    assert.deepEqual(former.calls, ['systemctl daemon-reload'], 'an earlier change still needs it');
    const without = told({ [unit.path]: 'x' });
    await announceUnits(without.ports, [unit], 'apply');
    const other = told(booted);
    await announceUnits(other.ports, [{ kind: 'entry', path: '/etc/hostname' }], 'apply');
    assert.deepEqual([without.calls, other.calls], [[], []]);
  });
});
