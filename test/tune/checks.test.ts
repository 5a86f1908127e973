import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFiles } from '../../src/host/index.js';
import { listProfiles } from '../../src/app/tune/profiles.js';
import { numbers, simTuneHost, wholeNumber } from '../../src/sim/index.js';
import type { SimTuneHost, TuneHostSpec } from '../../src/sim/index.js';
import { SETTINGS, checkHost, createView, inheritProfile, resembles } from '../../src/tune/index.js';
import type { HostView, Profile, TuneCheck, WantedSetting } from '../../src/tune/index.js';

const IPV4 = '/proc/sys/net/ipv4';
const GOVERNOR = '/sys/devices/system/cpu/cpufreq/policy0/scaling_governor';
const LIMITS = (soft: number, hard: number): string =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                 ${hard}               files`;

const VALUES: NonNullable<TuneHostSpec['values']> = {
  [`${IPV4}/tcp_congestion_control`]: { text: 'cubic', accepts: ['cubic', 'bbr', 'reno'] },
  [`${IPV4}/tcp_available_congestion_control`]: { text: 'reno cubic bbr', readOnly: true },
  [`${IPV4}/tcp_low_latency`]: '0',
  [`${IPV4}/tcp_fastopen`]: '1',
  [`${IPV4}/tcp_sack`]: '1',
  [`${IPV4}/tcp_mtu_probing`]: { text: '0', accepts: wholeNumber({ min: 0, max: 2 }) },
  [`${IPV4}/tcp_slow_start_after_idle`]: '1',
  [`${IPV4}/tcp_rmem`]: { text: '4096\t131072\t33554432', accepts: numbers(3, wholeNumber({ min: 1 })) },
  [`${IPV4}/tcp_wmem`]: { text: '4096\t16384\t4194304', accepts: numbers(3, wholeNumber({ min: 1 })) },
  '/proc/sys/net/core/rmem_default': '212992',
  '/proc/sys/net/core/rmem_max': { text: '212992', accepts: wholeNumber({ min: 2304 }) },
  '/proc/sys/net/core/wmem_max': { text: '212992', accepts: wholeNumber({ min: 4608 }) },
  '/proc/sys/vm/swappiness': { text: '60', accepts: wholeNumber({ min: 0, max: 200 }) },
  '/sys/kernel/mm/transparent_hugepage/enabled': { text: 'madvise', choice: ['always', 'madvise', 'never'] },
  '/proc/self/limits': LIMITS(1024, 524288),
  '/proc/cpuinfo': 'processor\t: 0\nflags\t\t: fpu vme\n',
  '/proc/1/comm': 'systemd',
};

interface Given {
  readonly values?: TuneHostSpec['values'];
  readonly files?: TuneHostSpec['files'];
  readonly identity?: NonNullable<TuneHostSpec['host']['identity']>;
  readonly offloads?: boolean;
  readonly queue?: string;
}

function host({ values = {}, files = {}, identity = {}, offloads = true, queue = 'fq_codel' }: Given = {}): SimTuneHost {
  return simTuneHost({
    name: 'box',
    host: {
      addresses: ['192.0.2.1'],
      gateway: '192.0.2.254',
      identity: { os: 'Debian GNU/Linux 12 (bookworm)', kernel: '6.1.0-28-amd64', ...identity },
      resolvers: ['9.9.9.9'],
      interfaces: [
        {
          name: 'eth0',
          addresses: ['192.0.2.1/24'],
          qdiscs: [{ kind: queue, parent: 'root', handle: '0:' }],
          features: {
            'generic-receive-offload': { on: offloads },
            'generic-segmentation-offload': { on: true },
            'tcp-segmentation-offload': { on: true },
          },
        },
      ],
    },
    values: { ...VALUES, ...values },
    files: { '/etc/resolv.conf': 'nameserver 9.9.9.9\n', ...files },
  });
}

const viewOf = (box: SimTuneHost): Promise<HostView> => box.network.run(() => createView(box.ports, { homeFolder: '/home/me' }));

async function check(given: Given, id: string): Promise<TuneCheck> {
  const box = host(given);
  const view = await viewOf(box);
  const found = (await box.network.run(() => checkHost(view))).find((each) => each.id === id);
  assert.ok(found, `there is a check ${id}`);
  return found;
}

describe('what a host is looked at for', () => {
  test('every check that guides make is there, each once, and says something', async () => {
    const box = host();
    const view = await viewOf(box);
    const checks = await box.network.run(() => checkHost(view));
    assert.deepEqual(
      checks.map(({ id, state, found }) => [id, state, found]),
      [
        ['bbr', 'off', 'cubic'],
        ['tcp-low-latency', 'no-effect', '0'],
        ['tcp-fastopen', 'info', '1'],
        ['tcp-sack', 'good', '1'],
        ['cpu-governor', 'absent', 'no governor'],
        ['transparent-hugepages', 'info', 'madvise'],
        ['file-limits', 'info', '1024, at most 524288'],
        ['offloads', 'good', 'gro on, gso on, tso on'],
        ['queue-discipline', 'good', 'fq_codel'],
        ['resolver', 'info', '9.9.9.9'],
        ['buffers', 'good', 'TCP receive up to 33.55 MB, TCP send up to 4.194 MB, receive asked for up to 213.0 kB, send asked for up to 213.0 kB'],
        ['tcp-settings', 'good', 'congestion control cubic, window scaling on, timestamps on, SACK on, MTU probing 0, slow start after idle on'],
      ],
    );
    for (const { note, title } of checks) assert.ok(note.length > 10 && title !== '');
  });

  test('BBR is good where it is; a kernel that has not loaded it is said to have it not loaded', async () => {
    assert.equal((await check({ values: { [`${IPV4}/tcp_congestion_control`]: 'bbr' } }, 'bbr')).state, 'good');
    assert.doesNotMatch((await check({}, 'bbr')).note, /not loaded/);
    assert.match((await check({ values: { [`${IPV4}/tcp_available_congestion_control`]: 'reno cubic' } }, 'bbr')).note, /not loaded/);
  });

  test('tcp_low_latency is never good on a kernel that does not look at it, whatever the file says', async () => {
    const set = { [`${IPV4}/tcp_low_latency`]: '1' };
    const found = await check({ values: set }, 'tcp-low-latency');
    assert.deepEqual([found.state, found.found], ['no-effect', '1']);
    assert.match(found.note, /its value proves nothing/);
    assert.equal((await check({ values: set, identity: { kernel: '4.9.0-13-amd64' } }, 'tcp-low-latency')).state, 'good');
  });

  test('Fast Open says for whom, and that programs must ask', async () => {
    assert.match((await check({}, 'tcp-fastopen')).note, /^it is allowed to clients; nothing changes for programs that do not ask/);
    assert.match((await check({ values: { [`${IPV4}/tcp_fastopen`]: '3' } }, 'tcp-fastopen')).note, /clients and servers/);
    assert.match((await check({ values: { [`${IPV4}/tcp_fastopen`]: '0' } }, 'tcp-fastopen')).note, /to nobody/);
  });

  test('the governor: all of them performance, some, and none on a guest', async () => {
    assert.equal((await check({ values: { [GOVERNOR]: 'performance' } }, 'cpu-governor')).state, 'good');
    const mixed = await check({ values: { [GOVERNOR]: 'performance', [GOVERNOR.replace('policy0', 'policy1')]: 'powersave' } }, 'cpu-governor');
    assert.deepEqual([mixed.state, mixed.found], ['off', 'performance, powersave']);
    const guest = await check({ values: { '/proc/cpuinfo': 'flags\t\t: fpu hypervisor\n' } }, 'cpu-governor');
    assert.match(guest.note, /not for a guest to decide/);
    assert.match((await check({}, 'cpu-governor')).note, /firmware decides/);
  });

  test('huge pages: off is good for latency, on is no fault', async () => {
    const never = { '/sys/kernel/mm/transparent_hugepage/enabled': { text: 'never', choice: ['always', 'madvise', 'never'] } };
    assert.deepEqual(
      [(await check({ values: never }, 'transparent-hugepages')).state, (await check({}, 'transparent-hugepages')).state],
      ['good', 'info'],
    );
  });

  test('offloads that a guide turned off are what is wrong, not those that are on', async () => {
    const off = await check({ offloads: false }, 'offloads');
    assert.deepEqual([off.state, off.found], ['off', 'gro off, gso on, tso on']);
    assert.match(off.note, /turn them on/);
  });

  test('open files of a login: enough, enough to ask for, and too few', async () => {
    const state = async (soft: number, hard: number): Promise<string> =>
      (await check({ values: { '/proc/self/limits': LIMITS(soft, hard) } }, 'file-limits')).state;
    assert.deepEqual([await state(65536, 65536), await state(1024, 524288), await state(1024, 4096)], ['good', 'info', 'off']);
  });

  test("small buffers are named with what they cost and with the guide's profile that sets them", async () => {
    const small = {
      '/proc/sys/net/core/rmem_default': '16384',
      [`${IPV4}/tcp_rmem`]: { text: '4096\t16384\t65536', accepts: numbers(3, wholeNumber({ min: 1 })) },
    };
    const found = await check({ values: small }, 'buffers');
    assert.equal(found.state, 'off');
    assert.equal(
      found.note,
      "the smaller bounds a connection to 26.21 Mbit/s at 20 ms of round trip, 5.243 Mbit/s at 100 ms; 16384 bytes are what the low-latency guide's moderate profile sets",
    );
  });

  test('a resolver on the host is good, a plain first-in-first-out queue is told', async () => {
    assert.equal((await check({ files: { '/etc/resolv.conf': 'nameserver 127.0.0.53\n' } }, 'resolver')).state, 'good');
    const fifo = await check({ queue: 'pfifo_fast' }, 'queue-discipline');
    assert.deepEqual([fifo.state, fifo.found], ['info', 'pfifo_fast']);
  });

  test('a kernel value that is not there is absent, and no fault', async () => {
    const box = host();
    const view = await viewOf(box);
    const bare = { ...view, ports: { ...view.ports, control: { ...view.ports.control, readValue: () => Promise.resolve(undefined) } } };
    const checks = await box.network.run(() => checkHost(bare));
    assert.deepEqual(
      checks.filter(({ state }) => state === 'absent').map(({ id }) => id),
      ['bbr', 'tcp-low-latency', 'tcp-fastopen', 'tcp-sack', 'cpu-governor', 'transparent-hugepages'],
    );
  });

  test('a Mac is looked at for what it has', async () => {
    const box = host({ identity: { os: 'macOS', kernel: '24.6.0' } });
    const view = await viewOf(box);
    assert.equal(view.platform, 'macos');
    assert.deepEqual(
      (await box.network.run(() => checkHost(view))).map(({ id }) => id),
      ['resolver', 'buffers', 'tcp-settings'],
    );
  });
});

describe('which profile a host looks like', () => {
  const profile = (name: string, wanted: Readonly<Record<string, unknown>>): Profile =>
    inheritProfile([
      {
        name,
        title: name,
        about: '',
        risk: 'low',
        settings: Object.fromEntries(Object.entries(wanted).map(([id, value]): [string, WantedSetting] => [id, { value, at: `${name}.yaml:1` }])),
      },
    ]);

  const small = profile('small', { 'net.ipv4.tcp_sack': 1, 'net.ipv4.tcp_rmem': '4096 131072 16777216' });
  const large = profile('large', {
    'net.ipv4.tcp_sack': 1,
    'net.ipv4.tcp_rmem': '4096 131072 16777216',
    'vm.swappiness': 10,
    'net.core.rmem_max': 7_500_000,
  });
  const none = profile('none', { 'net.ipv4.tcp_low_latency': 1, 'net.ipv4.tcp_delack_min': 1 });

  async function counted(given: Given, profiles: readonly Profile[]): Promise<unknown[]> {
    const box = host(given);
    const view = await viewOf(box);
    return (await box.network.run(() => resembles(view, profiles, SETTINGS))).map(({ profile: name, holding, of }) => [name, holding, of]);
  }

  test('counts what is there or better against what would change; what does nothing here does not count', async () => {
    assert.deepEqual(await counted({}, [large, small, none]), [
      ['small', 2, 2],
      ['large', 2, 4],
    ]);
  });

  test('of two that hold alike the one that says more comes first', async () => {
    const values = { '/proc/sys/vm/swappiness': '10', '/proc/sys/net/core/rmem_max': '7500000' };
    assert.deepEqual(await counted({ values }, [small, large]), [
      ['large', 4, 4],
      ['small', 2, 2],
    ]);
  });

  test('what somebody else decides otherwise does not hold', async () => {
    assert.deepEqual(await counted({ files: { '/etc/sysctl.d/a.conf': 'vm.swappiness = 60\n' } }, [large]), [['large', 2, 4]]);
  });

  test('the profiles that come along can all be compared with a host', async () => {
    const all = (await listProfiles(createFiles(), { folders: [], settings: SETTINGS })).flatMap((each) => ('problem' in each ? [] : [each]));
    const found = await counted({}, all);
    assert.equal(found.length, 7);
  });
});

describe('looking at a host', () => {
  test('uplinks are the interfaces with a default route; interfaces that were asked for are kept', async () => {
    const box = host();
    const view = await viewOf(box);
    assert.deepEqual([view.uplinks, view.interfaces, view.platform, view.environment.kind], [['eth0'], undefined, 'linux', 'metal']);
    const asked = await box.network.run(() => createView(box.ports, { homeFolder: '/home/me', interfaces: ['eth1'] }));
    assert.deepEqual(asked.interfaces, ['eth1']);
    assert.equal((await box.network.run(() => createView(box.ports, { homeFolder: '/home/me', interfaces: [] }))).interfaces, undefined);
  });

  test('an uplink without a gateway is found by asking where the kernel would send', async () => {
    const box = host();
    const facts = {
      ...box.ports.facts,
      identity: () => box.ports.facts.identity(),
      links: () => box.ports.facts.links(),
      defaultRoutes: () => Promise.resolve([]),
      routeTo: (address: string) => Promise.resolve(address.includes(':') ? undefined : { interfaceName: 'ppp0', local: false }),
    };
    const view = await box.network.run(() => createView({ ...box.ports, facts }, { homeFolder: '/home/me' }));
    assert.deepEqual(view.uplinks, ['ppp0']);
    const lost = { ...facts, routeTo: () => Promise.resolve(undefined) };
    assert.deepEqual((await box.network.run(() => createView({ ...box.ports, facts: lost }, { homeFolder: '/home/me' }))).uplinks, []);
  });

  test('starts no program, and changes nothing', async () => {
    const box = host({ files: { '/etc/sysctl.d/a.conf': 'vm.swappiness = 1\n' } });
    const before = box.snapshot();
    let started = 0;
    const ports = {
      ...box.ports,
      commands: {
        run: () => {
          started++;
          return Promise.resolve({ outcome: 'missing' as const });
        },
      },
    };
    const view = await box.network.run(() => createView(ports, { homeFolder: '/home/me' }));
    assert.equal(started, 0);
    assert.equal(view.managedBy('vm.swappiness')?.who, '/etc/sysctl.d/a.conf:1');
    assert.equal(box.snapshot(), before);
  });
});
