import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cpuMask, parseCpuList, parseMask } from '../../../src/tune/settings/linux/processors.js';
import { parseInterrupts } from '../../../src/tune/settings/linux/irq-affinity.js';
import { CARD, changing, leftFor, planOne } from './tuned-host.js';

const QUEUES = '/sys/class/net/eth0/queues';

describe('packet steering', () => {
  const single = { values: { [`${QUEUES}/rx-0/rps_cpus`]: '0', [`${QUEUES}/tx-0/xps_cpus`]: '0' } };
  const two = { eth0: { channels: { combined: 2, combinedMax: 2 } } };
  const pair = {
    links: two,
    values: {
      [`${QUEUES}/rx-0/rps_cpus`]: '0',
      [`${QUEUES}/rx-1/rps_cpus`]: '0',
      [`${QUEUES}/tx-0/xps_cpus`]: '0',
      [`${QUEUES}/tx-1/xps_cpus`]: '0',
    },
  };

  test('gives a single queue all processors', async () => {
    const step = changing(await planOne('rps', 'all', single));
    assert.deepEqual(step.changes, [{ place: { kind: 'kernel-value', path: `${QUEUES}/rx-0/rps_cpus` }, original: '0', desired: 'f' }]);
    assert.deepEqual(step.persist, [{ by: 'boot', commands: [`printf '%s\\n' f > ${QUEUES}/rx-0/rps_cpus`], interface: 'eth0' }]);
    leftFor(await planOne('rps', 'all', { values: { [`${QUEUES}/rx-0/rps_cpus`]: '0000000f' } }), 'already');
    assert.equal(
      changing(await planOne('rps', '2-3', { values: { [`${QUEUES}/rx-0/rps_cpus`]: '1' } })).proposed,
      'd',
      'processors that are there stay',
    );
  });

  test('deals the processors out to the queues to send by', async () => {
    const step = changing(await planOne('xps', 'all', pair));
    assert.deepEqual(
      step.changes.map(({ desired }) => desired),
      ['5', 'a'],
    );
    const set = { ...pair, values: { ...pair.values, [`${QUEUES}/tx-0/xps_cpus`]: '3' } };
    assert.match(leftFor(await planOne('xps', 'all', set), 'already'), /the driver, or somebody/);
  });

  test('does nothing where each processor has a queue, or where there is one of either', async () => {
    assert.match(leftFor(await planOne('rps', 'all', { ...pair, cpus: 2 }), 'no-effect'), /2 queues for 2 processors/);
    assert.match(leftFor(await planOne('rps', 'all', { ...single, cpus: 1 }), 'no-effect'), /one processor/);
    assert.match(leftFor(await planOne('xps', 'all', single), 'no-effect'), /one queue/);
  });

  test('is missing from kernels that were built without, read-only in containers, and asks for processors that run', async () => {
    leftFor(await planOne('rps', 'all'), 'absent');
    const files = { '/proc/self/mounts': 'sysfs /sys sysfs ro,nosuid 0 0\n' };
    leftFor(await planOne('rps', 'all', { ...single, files, readOnlyBelow: ['/sys'] }), 'read-only');
    leftFor(await planOne('rps', '8-9', single), 'bad-value');
  });

  test('writes masks and lists as the kernel reads them', () => {
    assert.equal(cpuMask([0, 1, 2, 3]), 'f');
    assert.equal(cpuMask([0, 32, 95]), '80000000,00000001,00000001');
    assert.equal(cpuMask([]), '0');
    assert.equal(parseMask('00000000,0000000f'), 15n);
    assert.equal(parseMask('ff zz'), undefined);
    assert.deepEqual(parseCpuList('0-2,8'), [0, 1, 2, 8]);
    for (const wrong of ['', '3-1', '1-', 'a', '0-99999999']) assert.equal(parseCpuList(wrong), undefined, wrong);
  });
});

const INTERRUPTS = `            CPU0       CPU1       CPU2       CPU3
  0:         33          0          0          0  IR-IO-APIC    2-edge      timer
 24:          0          0          0          0  PCI-MSI-0000:3b:00.0 0-edge      eth0
 25:     901332          0          0          0  PCI-MSI-0000:3b:00.0 1-edge      eth0-TxRx-0
 26:     882331          0          0          0  PCI-MSI-0000:3b:00.0 2-edge      eth0-TxRx-1
 27:          0          0          0          0  PCI-MSI-0000:3b:00.0 3-edge      eth01-TxRx-0
NMI:          0          0          0          0   Non-maskable interrupts
`;
const affinity = (all: Record<number, string>) =>
  Object.fromEntries(Object.entries(all).map(([irq, text]) => [`/proc/irq/${irq}/smp_affinity_list`, text]));

describe('interrupts of a card', () => {
  const files = { '/proc/interrupts': INTERRUPTS };
  const values = affinity({ 24: '0-3', 25: '0-3', 26: '0-3', 27: '0-3' });

  test('go to a processor each, by their number now and by their name after a boot', async () => {
    const step = changing(await planOne('irq-affinity', 'spread', { files, values }));
    assert.deepEqual(
      step.changes.map(({ place, desired }) => [place.kind === 'kernel-value' && place.path, desired]),
      [
        ['/proc/irq/25/smp_affinity_list', '0'],
        ['/proc/irq/26/smp_affinity_list', '1'],
      ],
    );
    const [persisted] = step.persist;
    assert.match(persisted?.by === 'boot' ? (persisted.commands[1] ?? '') : '', /name=eth0-TxRx-1 .*echo 1 > "\/proc\/irq\/\$irq/);
    assert.match(step.notes?.join() ?? '', /EIO/);
  });

  test('of virtio cards are found by the name of the device', async () => {
    const table =
      ' 10: 1 0 PCI-MSIX-0000:00:03.0 0-edge virtio1-config\n 11: 1 0 PCI-MSIX-0000:00:03.0 1-edge virtio1-input.0\n 12: 1 0 PCI-MSIX-0000:00:03.0 2-edge virtio1-output.0\n 13: 1 0 PCI-MSIX virtio1-input.1\n 14: 1 0 PCI-MSIX virtio2-input.0\n';
    const step = changing(
      await planOne('irq-affinity', [2].join(), {
        files: { '/proc/interrupts': table },
        symlinks: { '/sys/class/net/eth0/device': '/sys/devices/pci0000:00/0000:00:03.0/virtio1' },
        values: affinity({ 11: '0-3', 12: '0-3' }),
        interfaces: [{ ...CARD, driver: 'virtio_net', bus: '0000:00:03.0' }],
      }),
    );
    assert.deepEqual(
      step.changes.map(({ place }) => place.kind === 'kernel-value' && place.path),
      ['/proc/irq/11/smp_affinity_list', '/proc/irq/12/smp_affinity_list'],
    );
  });

  test('are left to irqbalance where it runs, and to the kernel where it lets nobody move them', async () => {
    const balanced = { files: { ...files, '/run/irqbalance/irqbalance812.sock': '' }, values };
    assert.match(leftFor(await planOne('irq-affinity', 'spread', balanced), 'managed'), /irqbalance/);
    const fixed = { 25: { text: '0-3', mode: 0o444 }, 26: { text: '0-3', mode: 0o444 } };
    const own = Object.fromEntries(Object.entries(fixed).map(([irq, value]) => [`/proc/irq/${irq}/smp_affinity_list`, value]));
    assert.match(
      leftFor(await planOne('irq-affinity', 'spread', { files, values: own }), 'not-applicable'),
      /spreads eth0-TxRx-0, eth0-TxRx-1 itself/,
    );
  });

  test('that the kernel has spread itself are left, and so is a single queue', async () => {
    const effective = (first: string, second: string) => ({
      '/proc/irq/25/effective_affinity_list': first,
      '/proc/irq/26/effective_affinity_list': second,
    });
    assert.match(leftFor(await planOne('irq-affinity', 'spread', { files, values: { ...values, ...effective('2', '3') } }), 'already'), /the kernel/);
    assert.equal(changing(await planOne('irq-affinity', 'spread', { files, values: { ...values, ...effective('2', '2') } })).proposed, '0 1');
    assert.equal(changing(await planOne('irq-affinity', '0-1', { files, values: { ...values, ...effective('2', '3') } })).proposed, '0 1');
    const one = { '/proc/interrupts': ' 11: 1 0 PCI-MSIX 1-edge eth0-TxRx-0\n' };
    assert.match(leftFor(await planOne('irq-affinity', 'spread', { files: one, values: affinity({ 11: '0-3' }) }), 'no-effect'), /one queue/);
  });

  test('that are spread, or that there are none of, are left', async () => {
    leftFor(await planOne('irq-affinity', 'spread', { files, values: affinity({ 25: '0', 26: '1' }) }), 'already');
    leftFor(await planOne('irq-affinity', 'spread', { files: { '/proc/interrupts': ' 1: 0 timer\n' } }), 'absent');
    leftFor(await planOne('irq-affinity', 'spread', { cpus: 1, files, values }), 'no-effect');
    leftFor(await planOne('irq-affinity', 'spread'), 'unreadable');
  });

  test('are read from lines that have a number and a name', () => {
    assert.deepEqual(
      parseInterrupts(INTERRUPTS).map(({ number, name }) => `${number} ${name}`),
      ['0 timer', '24 eth0', '25 eth0-TxRx-0', '26 eth0-TxRx-1', '27 eth01-TxRx-0'],
    );
  });
});

const FREQ = '/sys/devices/system/cpu/cpufreq';
const policy = (number: number, now: string) => ({
  [`${FREQ}/policy${number}/scaling_governor`]: now,
  [`${FREQ}/policy${number}/scaling_available_governors`]: 'conservative ondemand performance schedutil',
});

describe('the frequency governor', () => {
  test('is set for every policy that has another', async () => {
    const step = changing(
      await planOne('cpu-governor', 'performance', { values: { ...policy(0, 'schedutil'), ...policy(1, 'performance'), ...policy(2, 'ondemand') } }),
    );
    assert.deepEqual(
      step.changes.map(({ original, desired }) => [original, desired]),
      [
        ['schedutil', 'performance'],
        ['ondemand', 'performance'],
      ],
    );
    assert.match(step.notes?.join() ?? '', /2 of 3/);
    leftFor(await planOne('cpu-governor', 'performance', { values: policy(0, 'performance') }), 'already');
  });

  test('is not there on virtual machines, in containers and without a driver, each with its reason', async () => {
    assert.match(leftFor(await planOne('cpu-governor', 'performance', { environment: 'vm' }), 'absent'), /hypervisor/);
    assert.match(leftFor(await planOne('cpu-governor', 'performance', { environment: 'container' }), 'absent'), /host of the container/);
    assert.match(leftFor(await planOne('cpu-governor', 'performance'), 'absent'), /firmware/);
    assert.match(leftFor(await planOne('cpu-governor', 'powersave', { values: policy(0, 'ondemand') }), 'absent'), /it has conservative/);
  });

  test('is left to a host that runs on a battery of its own, unless a profile is exact', async () => {
    const supply = (name: string, type: string, scope?: string) => ({
      [`/sys/class/power_supply/${name}/type`]: type,
      ...(scope === undefined ? {} : { [`/sys/class/power_supply/${name}/scope`]: scope }),
    });
    const laptop = { values: { ...policy(0, 'schedutil'), ...supply('AC', 'Mains'), ...supply('BAT0', 'Battery', 'System') } };
    assert.match(leftFor(await planOne('cpu-governor', 'performance', laptop), 'not-applicable'), /has a battery \(BAT0\)/);
    assert.equal(changing(await planOne('cpu-governor', 'performance', { ...laptop, exact: true })).proposed, 'performance');
    const mouse = { values: { ...policy(0, 'schedutil'), ...supply('AC', 'Mains'), ...supply('hidpp_battery_0', 'Battery', 'Device') } };
    assert.equal(changing(await planOne('cpu-governor', 'performance', mouse)).proposed, 'performance');
  });

  test('that another program sets is its own', async () => {
    const given = { values: policy(0, 'powersave'), files: { '/etc/default/cpufrequtils': 'GOVERNOR="powersave"\n' } };
    leftFor(await planOne('cpu-governor', 'performance', given), 'managed');
  });
});

const IDLE = '/sys/devices/system/cpu/cpu0/cpuidle';
const STATES = {
  '/sys/devices/system/cpu/cpuidle/current_driver': 'intel_idle',
  [`${IDLE}/state0/name`]: 'POLL',
  [`${IDLE}/state0/latency`]: '0',
  [`${IDLE}/state1/name`]: 'C1',
  [`${IDLE}/state1/latency`]: '2',
  [`${IDLE}/state2/name`]: 'C6',
  [`${IDLE}/state2/latency`]: '133',
};

describe('idle states', () => {
  const devices = ['/dev/cpu_dma_latency'];

  test('that take longer than wanted are kept away', async () => {
    const step = changing(await planOne('cpu-latency', 1, { values: STATES, devices }));
    assert.deepEqual(step.changes, [{ place: { kind: 'latency-hold' }, original: null, desired: 1 }]);
    assert.match(step.notes?.join() ?? '', /C6, takes 133 us/);
  });

  test('are not touched where there are none, where all are short, or where the device is missing', async () => {
    leftFor(await planOne('cpu-latency', 200, { values: STATES, devices }), 'no-effect');
    assert.match(leftFor(await planOne('cpu-latency', 1, { devices, environment: 'vm' }), 'no-effect'), /hypervisor/);
    leftFor(await planOne('cpu-latency', 1, { devices, values: { '/sys/devices/system/cpu/cpuidle/current_driver': 'none' } }), 'no-effect');
    leftFor(await planOne('cpu-latency', 1, { values: STATES }), 'absent');
  });
});

const THP = '/sys/kernel/mm/transparent_hugepage';
const pages = (enabled: string, defrag: string) => ({
  [`${THP}/enabled`]: { text: enabled, choice: ['always', 'madvise', 'never'] },
  [`${THP}/defrag`]: { text: defrag, choice: ['always', 'defer', 'defer+madvise', 'madvise', 'never'] },
});

describe('transparent huge pages', () => {
  test('are chosen among what the kernel offers', async () => {
    const step = changing(await planOne('transparent-hugepages', 'never', { values: pages('madvise', 'madvise') }));
    assert.deepEqual(step.changes, [
      { place: { kind: 'kernel-value', path: `${THP}/enabled`, choice: true }, original: 'madvise', desired: 'never' },
      { place: { kind: 'kernel-value', path: `${THP}/defrag`, choice: true }, original: 'madvise', desired: 'never' },
    ]);
    const partly = changing(await planOne('transparent-hugepages', { enabled: 'madvise', defrag: 'defer' }, { values: pages('madvise', 'always') }));
    assert.equal(partly.changes.length, 1);
    leftFor(await planOne('transparent-hugepages', 'never', { values: pages('never', 'never') }), 'already');
  });

  test('are missing from some kernels, and read-only in containers', async () => {
    leftFor(await planOne('transparent-hugepages', 'never'), 'absent');
    const files = { '/proc/self/mounts': 'sysfs /sys sysfs ro 0 0\n' };
    leftFor(await planOne('transparent-hugepages', 'never', { values: pages('always', 'madvise'), files, readOnlyBelow: ['/sys'] }), 'read-only');
  });
});
