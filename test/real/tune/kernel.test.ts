import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import type { ChangeDocument, StatusDocument } from '../../../src/results/index.js';
import { TAUTLINE } from '../../lab/tautline.js';
import { lookWith } from '../qemu/look.js';
import { whyNoMachine, withMachine } from '../qemu/machine.js';
import type { Boot } from '../qemu/machine.js';

const skip = (await whyNoMachine()) ?? false;
const missing = ['systemd', 'systemd-udevd', 'systemd-networkd'].find((program) => !existsSync(`/lib/systemd/${program}`));
const noSystemd = skip || (missing === undefined ? false : `/lib/systemd/${missing} is missing (packages systemd and udev)`);
const LOOK = lookWith(TAUTLINE);
/** A machine that nobody else uses needs a fifth of it. */
const TIMEOUT_MS = 400_000;

const changeIn = (boot: Boot, name: string): ChangeDocument => JSON.parse(boot.file(name)) as ChangeDocument;
const statusIn = (boot: Boot, name: string): StatusDocument => JSON.parse(boot.file(name)) as StatusDocument;

function told(document: ChangeDocument): string {
  return `${document.verdict.sentence}\n${JSON.stringify(document.steps)}\n${JSON.stringify(document.notDone)}`;
}

describe('a change of a whole machine by the command line', { skip }, () => {
  let boot: Boot;

  before(async () => {
    boot = await withMachine((machine) =>
      machine.boot(
        `${LOOK}
        # As somebody left it: one queue, a short ring, and no processor that a queue belongs to.
        ethtool -L eth0 combined 1; ethtool -G eth0 rx 256
        profile card <<'END'
  transparent-hugepages: { enabled: madvise, defrag: never }
  queues: cpus
  rings: max
  queue-discipline: fq
  offloads: { tx: off, gro: off }
  irq-affinity: 1-2
  cpu-latency: 0
  net.core.default_qdisc: fq
  net.core.rmem_max: 7500000
  net.core.netdev_max_backlog: 5000
  net.core.busy_poll: 50
  vm.swappiness: 10
END
        profile queues <<'END'
  rps: all
  xps: all
  irq-affinity: 1-2
END
        look > before
        tune apply ./card.yaml --yes --json > card.json || true
        look > with-card
        for queue in /sys/class/net/eth0/queues/tx-*; do echo 0 > $queue/xps_cpus; done
        look > before-queues
        tune apply ./queues.yaml --yes --json > queues.json || true
        look > with-queues
        tune status --json > status.json || true
        tune rollback --json > undo-queues.json || true
        look > after-queues
        tune rollback --json > undo-card.json || true
        look > after
        find /etc/tautline /etc/sysctl.d /run/systemd/system /mnt/written/etc -name '*tautline*' > left 2> /dev/null || true

        # As long as the word that is there: no kernel is behind these files that takes a word for a whole value.
        profile processors <<'END'
  cpu-governor: powersave
  cpu-latency: 0
END
        cat > processors-job.sh <<'END'
        . ./functions
        governors() { cat /sys/devices/system/cpu/cpufreq/policy*/scaling_governor | tr '\\n' ' '; latency; }
        governors > governors
        tune apply ./processors.yaml --yes --json > processors.json || true
        governors >> governors
        tune status --json > processors-status.json || true
        tune rollback --json > undo-processors.json || true
        governors >> governors
END
        declare -f tune latency > functions; declare -p tautline >> functions
        with_processors bash -e processors-job.sh
        pgrep -af tautline-latency-hold >> left || true`,
        { timeoutMs: TIMEOUT_MS },
      ),
    );
    assert.equal(boot.code, 0, boot.stderr);
  });

  test('sets huge pages, queues, rings, disciplines, offloads and values of the whole kernel, and reads them back', (t) => {
    t.diagnostic(`${Math.round(boot.elapsedMs / 1000)} s`);
    const card = changeIn(boot, 'card.json');
    assert.equal(card.state, 'applied', told(card));
    const held = boot.file('with-card');
    assert.match(held, /transparent_hugepage\/enabled:always \[madvise\] never/);
    assert.match(held, /transparent_hugepage\/defrag:.*\[never\]/);
    assert.match(held, /Current hardware settings:\nRX:\s+1024/);
    assert.match(held, /Current hardware settings:\n(?:.*\n)+?Combined:\s+2\n/);
    assert.match(held, /qdisc mq \S+ root/);
    assert.equal(held.match(/qdisc fq /g)?.length, 2, held);
    for (const off of ['tx-checksumming', 'tcp-segmentation-offload', 'generic-receive-offload']) assert.match(held, new RegExp(`^${off}: off`, 'm'));
    for (const line of ['core/default_qdisc:fq', 'core/rmem_max:7500000', 'core/netdev_max_backlog:5000', 'core/busy_poll:50'])
      assert.ok(held.includes(`/proc/sys/net/${line}\n`), line);
  });

  test('leaves what a driver gives its queues anew until they are there', () => {
    const { notDone } = changeIn(boot, 'card.json');
    const left = notDone.find(({ setting }) => setting === 'irq-affinity');
    assert.equal(left?.reason, 'not-applicable');
    assert.match(left.why, /eth0 gets another number of queues first/);
    assert.ok(!notDone.some(({ setting }) => setting === 'queues'));
  });

  test('gives queues their processors, and interrupts theirs', () => {
    const queues = changeIn(boot, 'queues.json');
    assert.equal(queues.state, 'applied', told(queues));
    const held = boot.file('with-queues');
    for (const queue of [0, 1]) assert.match(held, new RegExp(`/queues/rx-${queue}/rps_cpus:7\n`));
    assert.match(held, /\/queues\/tx-0\/xps_cpus:5\n/);
    assert.match(held, /\/queues\/tx-1\/xps_cpus:2\n/);
    assert.deepEqual(
      [...held.matchAll(/smp_affinity_list:(\S+)/g)].map(([, cpu]) => cpu),
      ['1', '1', '2', '2'],
      told(queues),
    );
  });

  test('holds no bound on idle states where the kernel has none', () => {
    const { reason, why } = changeIn(boot, 'card.json').notDone.find(({ setting }) => setting === 'cpu-latency') ?? {};
    assert.equal(reason, 'no-effect');
    assert.match(why ?? '', /no driver for idle states here: the hypervisor decides/);
  });

  test('finds no drift in it, and puts everything back as it was', () => {
    const status = statusIn(boot, 'status.json');
    assert.deepEqual(status.drift, []);
    assert.equal(status.changes.length, 2);
    assert.equal(changeIn(boot, 'undo-queues.json').state, 'rolled-back');
    assertSame(boot.file('after-queues'), boot.file('before-queues'), 'after-queues');
    const undone = changeIn(boot, 'undo-card.json');
    assert.equal(undone.state, 'rolled-back', told(undone));
    assertSame(boot.file('after'), boot.file('before'), 'after');
    assert.equal(boot.file('left'), '');
  });

  test('sets the governor of every processor and holds their idle states off by the device, until it is undone', () => {
    const change = changeIn(boot, 'processors.json');
    assert.equal(change.state, 'applied', told(change));
    const governors = boot.file('governors').trim().split('\n');
    assert.deepEqual(governors, [
      'schedutil schedutil schedutil 2000000000',
      'powersave powersave powersave 0',
      'schedutil schedutil schedutil 2000000000',
    ]);
    assert.deepEqual(statusIn(boot, 'processors-status.json').drift, []);
    assert.equal(changeIn(boot, 'undo-processors.json').state, 'rolled-back');
  });
});

const KEPT = `
  profile kept <<'END'
  transparent-hugepages: { enabled: never, defrag: never }
  cpu-latency: 0
  queue-discipline: fq
  offloads: { gro: off }
  irq-affinity: 1-2
  net.core.rmem_max: 7500000
  net.ipv4.tcp_notsent_lowat: 131072
  vm.swappiness: 10
  file-limits: 65536:1048576
END
`;

describe('a change that is kept over boots, with systemd', { skip: noSystemd }, () => {
  test('holds after a boot, is undone without a trace, and a reset in its middle leaves the files to the byte', async (t) => {
    await withMachine(async (machine) => {
      const boot = (script: string, reset = false): Promise<Boot> =>
        machine.boot(`${LOOK}${KEPT}${script}`, { systemd: true, timeoutMs: TIMEOUT_MS, reset });

      const first = await boot(`
        systemctl is-system-running > running || true
        look > before; disk > disk-before
        with_processors "\${tautline[@]}" tune apply ./kept.yaml --yes --persist --json > apply.json 2>> said || true
        look > with; disk > disk-with
        systemctl is-enabled tautline-tune.service > enabled || true`);
      const applied = changeIn(first, 'apply.json');
      assert.equal(applied.state, 'applied', told(applied));
      assert.equal(first.file('enabled').trim(), 'enabled');

      const second = await boot(`
        systemctl show tautline-tune.service -p ActiveState -p Result > unit
        journalctl -b -u tautline-tune.service -u systemd-sysctl.service --no-pager > log 2>&1 || true
        look > with; tune status --json > status.json || true
        tune rollback --json > undo.json || true
        look > after; disk > disk-after`);
      assert.equal(second.file('unit'), 'Result=success\nActiveState=active\n', second.file('log'));
      const status = statusIn(second, 'status.json');
      assert.deepEqual(status.drift, [], second.file('log'));
      assertSame(comparable(second.file('with')), comparable(first.file('with')), 'with');
      const undone = changeIn(second, 'undo.json');
      assert.equal(undone.state, 'rolled-back', told(undone));
      assertSame(comparable(second.file('after')), comparable(first.file('before')), 'after');
      assertSame(second.file('disk-after'), first.file('disk-before'), 'disk-after');

      // Killed as it has done some of its steps, and then the machine is reset: what was not on the disk is lost.
      const third = await boot(
        `
        done_steps() { cat /var/lib/tautline/changes/*.jsonl | grep -c '"type":"done"'; }
        look > before; disk > disk-before; earlier=$(done_steps)
        unshare --mount --propagation private sh processors.sh "\${tautline[@]}" tune apply ./kept.yaml --yes --persist --json > apply.json 2>> said & victim=$!
        while kill -0 $victim && [ "$(done_steps)" -lt $(( earlier + 16 )) ]; do sleep 0.02; done
        kill -KILL $victim
        tail -n 1 $(ls -t /var/lib/tautline/changes/*.jsonl | head -n 1) > last; disk > disk-killed; sync -f last
        echo b > /proc/sysrq-trigger; sleep 100`,
        true,
      );
      assertSame(comparable(third.file('before')), comparable(first.file('before')), 'before');
      assert.notEqual(third.file('disk-killed'), third.file('disk-before'));

      const fourth = await boot(`
        tune status --json > status.json || true
        tune rollback --json > undo.json || true
        look > after; disk > disk-after
        find /etc /run/systemd /usr/local -name '*tautline*' > left; ls /etc/systemd/system/multi-user.target.wants >> left
        systemctl list-unit-files --no-pager 'tautline*' >> left || true`);
      const found = statusIn(fourth, 'status.json');
      assert.deepEqual(
        found.changes.map(({ state }) => state),
        ['applying'],
      );
      const recovered = changeIn(fourth, 'undo.json');
      assert.equal(recovered.state, 'rolled-back', told(recovered));
      assertSame(fourth.file('disk-after'), first.file('disk-before'), 'disk-after');
      assertSame(comparable(fourth.file('after')), comparable(first.file('before')), 'after');
      assert.doesNotMatch(fourth.file('left'), /tautline[^*]/);
      t.diagnostic(`${[first, second, third, fourth].map(({ elapsedMs }) => Math.round(elapsedMs / 1000)).join(', ')} s`);
    });
  });
});

/**
 * Without what every boot works out anew from the memory that is free, and without the numbers of queues: what was set has
 * one, and what a boot makes of the default has none.
 */
function comparable(look: string): string {
  return look
    .split('\n')
    .filter((line) => !/\/(?:tcp_mem|udp_mem)[:\s]|\/vm\/(?:min_free_kbytes|user_reserve_kbytes|admin_reserve_kbytes)/.test(line))
    .map((line) => line.replace(/^qdisc (\S+) \w+: /, 'qdisc $1 ').replace(/ parent \w*:/, ' parent :'))
    .join('\n');
}

/** Line by line: a difference is told alone. */
function assertSame(actual: string, expected: string, what: string): void {
  const [found, meant] = [actual.split('\n'), expected.split('\n')];
  assert.deepEqual(
    [
      ...found.filter((line) => !meant.includes(line)).map((line) => `+ ${line}`),
      ...meant.filter((line) => !found.includes(line)).map((line) => `- ${line}`),
    ],
    [],
    what,
  );
  assert.equal(actual, expected, what);
}
