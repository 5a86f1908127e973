import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import type { Entry } from '../../src/base/index.js';
import { SimKilled, numbers, processorMask, simTuneHost, tailscaled, wholeNumber } from '../../src/sim/index.js';
import type { SimTuneHost, TuneHostSpec } from '../../src/sim/index.js';

const RMEM = '/proc/sys/net/ipv4/tcp_rmem';
const THP = '/sys/kernel/mm/transparent_hugepage/enabled';
const QDISC = '/proc/sys/net/core/default_qdisc';

function host(extra: Partial<TuneHostSpec> = {}): SimTuneHost {
  return simTuneHost({
    name: 'box',
    host: {
      addresses: ['192.0.2.1'],
      interfaces: [
        {
          name: 'eth0',
          addresses: ['192.0.2.1/24'],
          queues: { rx: 4, tx: 4, rxMax: 8, txMax: 8 },
          rings: { rx: 512, tx: 512, rxMax: 4096, txMax: 4096 },
          coalescing: { rxUsecs: 3, txUsecs: 0 },
          features: {
            'tx-checksumming': { on: true },
            'tx-checksum-ipv4': { on: true },
            'scatter-gather': { on: true },
            'tcp-segmentation-offload': { on: true },
            'generic-segmentation-offload': { on: true },
            'generic-receive-offload': { on: true },
            'large-receive-offload': { on: false, changeable: false },
          },
        },
      ],
    },
    links: { eth0: { channels: { combined: 4, combinedMax: 8 } } },
    values: {
      [RMEM]: { text: '4096\t131072\t6291456', accepts: numbers(3, wholeNumber({ min: 1 })) },
      [THP]: { text: 'madvise', choice: ['always', 'madvise', 'never'] },
      [QDISC]: { text: 'fq_codel', accepts: ['fq', 'fq_codel', 'pfifo_fast'] },
      '/proc/sys/net/core/busy_poll': { text: '0', accepts: wholeNumber({ min: 0, max: 1000, beyond: 'clamp' }) },
      '/proc/irq/24/smp_affinity': { text: 'f', accepts: processorMask(4, 'refuse') },
      '/proc/sys/net/ipv4/tcp_available_congestion_control': { text: 'reno cubic bbr', readOnly: true },
      '/sys/class/net/eth0/queues/rx-0/rps_cpus': '0',
      '/sys/class/net/eth0/queues/rx-5/rps_cpus': '0',
    },
    files: { '/etc/hostname': 'box\n', '/home/u/.ssh/config': { text: 'Host a\n', mode: 0o600, ownerId: 1000 } },
    folders: { '/var/lib': 0o755, '/run': 0o755, '/etc/sysctl.d': 0o755 },
    devices: ['/dev/cpu_dma_latency'],
    ...extra,
  });
}

const drop: Entry = { kind: 'file', bytesBase64: btoa('net.core.x = 1\n'), links: 1, mode: 0o644, ownerId: 0, groupId: 0 };
const code = (wanted: string) => (error: unknown) => error instanceof TautlineError && error.code === wanted;

describe('a simulated host that is changed', () => {
  test('shows one truth through files and control', async () => {
    const { control, files } = host().ports;
    await control.writeValue(RMEM, '4096 131072 16777216\n');
    assert.equal(await files.readText(RMEM), '4096\t131072\t16777216\n');
    assert.equal(await control.readValue(THP), 'always [madvise] never');
    await control.writeValue(THP, 'never\n');
    assert.equal(await files.readText(THP), 'always madvise [never]\n');
    await files.makeFolder('/var/lib/tautline');
    await control.append('/var/lib/tautline/a', 'one\n');
    await control.append('/var/lib/tautline/a', 'two\n');
    assert.equal(await files.readText('/var/lib/tautline/a'), 'one\ntwo\n');
    assert.deepEqual(await files.list('/proc/sys/net/ipv4'), ['tcp_available_congestion_control', 'tcp_rmem']);
  });

  test('refuses, clamps and prints values as kernels do', async () => {
    const { control } = host().ports;
    await assert.rejects(control.writeValue(THP, 'sometimes'), code('unsupported'));
    await assert.rejects(control.writeValue(RMEM, '4096 -1 2'), code('unsupported'));
    await assert.rejects(control.writeValue('/proc/sys/net/ipv4/tcp_delack_min', '1'), code('unsupported'));
    await assert.rejects(control.writeValue('/proc/sys/net/ipv4/tcp_available_congestion_control', 'x'), code('permission'));
    await assert.rejects(control.writeValue('/proc/irq/24/smp_affinity', '10'), code('unsupported'));
    await control.writeValue('/proc/irq/24/smp_affinity', '00000002');
    assert.equal(await control.readValue('/proc/irq/24/smp_affinity'), '2');
    await control.writeValue('/proc/sys/net/core/busy_poll', '5000');
    assert.equal(await control.readValue('/proc/sys/net/core/busy_poll'), '1000');
  });

  test('drags along offloads that need what is switched off, and brings them back', async () => {
    const { control, facts } = host().ports;
    const on = async (name: string): Promise<boolean | undefined> => (await facts.links('eth0'))[0]?.features?.[name]?.on;
    await control.setFeatures('eth0', { 'scatter-gather': false });
    assert.equal(await on('tcp-segmentation-offload'), false);
    assert.equal(await on('generic-segmentation-offload'), false);
    assert.equal(await on('generic-receive-offload'), true);
    await control.setFeatures('eth0', { 'scatter-gather': true });
    assert.equal(await on('tcp-segmentation-offload'), true);
    await control.setFeatures('eth0', { 'tx-checksumming': false });
    assert.equal(await on('tx-checksum-ipv4'), false);
    assert.equal(await on('tcp-segmentation-offload'), false);
    await assert.rejects(control.setFeatures('eth0', { 'large-receive-offload': true }), code('unsupported'));
    await assert.rejects(control.setFeatures('eth9', { 'scatter-gather': true }), code('unsupported'));
  });

  test('knows maxima of rings and queues, and queues come and go with their files', async () => {
    const { control, facts } = host().ports;
    await assert.rejects(control.setRings('eth0', { rx: 8192 }), code('unsupported'));
    await control.setRings('eth0', { rx: 4096 });
    assert.deepEqual((await facts.links('eth0'))[0]?.rings, { rx: 4096, tx: 512, rxMax: 4096, txMax: 4096 });
    assert.equal(await control.readValue('/sys/class/net/eth0/queues/rx-5/rps_cpus'), undefined);
    await control.setChannels('eth0', { combined: 8 });
    assert.equal(await control.readValue('/sys/class/net/eth0/queues/rx-5/rps_cpus'), '0');
    assert.deepEqual(await control.readChannels('eth0'), { combined: 8, combinedMax: 8 });
    await assert.rejects(control.setChannels('eth0', { combined: 9 }), code('unsupported'));
  });

  test('puts the default discipline of the moment back where ours is taken away', async () => {
    const { control, facts } = host().ports;
    const kinds = async (): Promise<unknown> => (await facts.links('eth0'))[0]?.qdiscs?.map(({ kind, handle }) => `${kind} ${handle}`);
    const before = await kinds();
    assert.deepEqual(before, ['mq 0:', ...Array.from({ length: 4 }, () => 'fq_codel 0:')]);
    await control.setRootQueue('eth0', 'fq');
    assert.deepEqual(await kinds(), ['fq 8001:']);
    await control.setRootQueue('eth0', undefined);
    assert.deepEqual(await kinds(), before);
    await assert.rejects(control.setRootQueue('eth0', 'cake'), code('unsupported'));
  });

  test('a process that was killed changes nothing more, and the write at which it died is there whole', async () => {
    const box = host();
    box.dieAfter(2);
    await box.control.writeValue(RMEM, '1 2 3');
    await assert.rejects(box.control.writeEntry('/etc/sysctl.d/90-x.conf', drop), SimKilled);
    await assert.rejects(box.control.readValue(RMEM), SimKilled);
    await assert.rejects(box.ports.files.readText('/etc/hostname'), SimKilled);
    await assert.rejects(box.ports.commands.run('nft', [], { timeoutMs: 1 }), SimKilled);
    box.revive();
    assert.equal(await box.ports.files.readText('/etc/sysctl.d/90-x.conf'), 'net.core.x = 1\n');
    assert.equal(box.process.writes.length, 2);
  });

  test('a write that was killed half way leaves its traces, and the next one of the same path takes them away', async () => {
    const box = host();
    const before = box.snapshot();
    box.dieAfter(1, 'half');
    await assert.rejects(box.control.writeEntry('/etc/sysctl.d/90-x.conf', drop), SimKilled);
    box.revive();
    assert.notEqual(box.snapshot(), before);
    assert.equal(await box.ports.files.readText('/etc/sysctl.d/90-x.conf'), undefined);
    await box.control.removeEntry('/etc/sysctl.d/90-x.conf');
    assert.equal(box.snapshot(), before);
    await box.ports.files.makeFolder('/var/lib/tautline');
    box.dieAfter(1, 'half');
    await assert.rejects(box.control.append('/var/lib/tautline/j', '0123456789'), SimKilled);
    box.revive();
    assert.equal(await box.ports.files.readText('/var/lib/tautline/j'), '01234');
  });

  test('a power cut forgets the kernel and what was not synced, and a lock dies with its holder', async () => {
    const box = host();
    const boot = (await box.control.place()).boot;
    await box.ports.files.makeFolder('/var/lib/tautline');
    const lock = await box.control.lock('/var/lib/tautline/lock');
    assert.ok('release' in lock);
    const other = box.startProcess();
    assert.deepEqual(await other.control.lock('/var/lib/tautline/lock'), { heldBy: box.process.pid });
    await box.control.writeValue(RMEM, '1 2 3');
    await box.control.setRings('eth0', { rx: 1024 });
    const pid = await box.control.holdLatency(10);
    assert.ok(await box.control.isAlive(pid));
    await box.control.writeEntry('/etc/sysctl.d/90-x.conf', drop);
    await box.control.writeEntry('/run/x', drop);
    await box.ports.files.remove('/etc/hostname');
    box.powerCut();
    const place = await box.control.place();
    assert.notEqual(place.boot, boot);
    assert.equal(await box.control.readValue(RMEM), '4096\t131072\t6291456');
    assert.equal((await box.ports.facts.links('eth0'))[0]?.rings?.rx, 512);
    assert.equal(await box.control.heldLatency(), undefined);
    assert.equal(await box.ports.files.readText('/etc/sysctl.d/90-x.conf'), 'net.core.x = 1\n');
    assert.equal(await box.ports.files.readText('/etc/hostname'), 'box\n', 'what was not synced comes back');
    assert.equal(await box.control.readEntry('/run/x'), undefined);
    assert.equal(await box.control.readEntry('/var/lib/tautline'), undefined);
    await box.ports.files.makeFolder('/var/lib/tautline');
    assert.ok('release' in (await box.control.lock('/var/lib/tautline/lock')));
  });

  test('a full disk takes nothing, and neither do others than root', async () => {
    const full = host();
    full.capacityBytes = full.usedBytes + 5;
    const before = full.snapshot();
    await assert.rejects(full.control.append('/var/lib/j', '0123456789'), code('io'));
    await assert.rejects(full.control.writeEntry('/etc/sysctl.d/90-x.conf', drop), code('io'));
    assert.equal(full.snapshot(), before);
    const plain = host({ user: { ownerId: 1000, groupId: 1000 } });
    await assert.rejects(plain.control.writeValue(RMEM, '1 2 3'), code('permission'));
    await assert.rejects(plain.control.writeEntry('/etc/sysctl.d/90-x.conf', drop), code('permission'));
    await assert.rejects(plain.control.setRings('eth0', { rx: 1024 }), code('permission'));
    assert.equal(await plain.control.mayWrite(RMEM), false);
    assert.equal(await plain.control.mayWrite('/home/u/.ssh/config'), true);
    await plain.control.writeEntry('/home/u/.ssh/config', { ...drop, ownerId: 1000, groupId: 1000 });
    assert.equal(plain.snapshot() === host().snapshot(), false);
  });

  test('a container whose /proc/sys is read-only says so', async () => {
    const { control } = host({ readOnlyBelow: ['/proc/sys'] }).ports;
    await assert.rejects(control.writeValue(RMEM, '1 2 3'), (error) => code('permission')(error) && /read-only/.test(String(error)));
    assert.equal(await control.mayWrite(RMEM), false);
    assert.equal(await control.mayWrite(THP), true);
  });

  test('links lead where they lead, and a file with two names is told', async () => {
    const box = host({ symlinks: { '/etc/resolv.conf': '../run/stub', '/loop': '/loop' } });
    const { control } = box;
    assert.equal(await control.realPath('/etc/resolv.conf'), '/run/stub');
    assert.deepEqual(await control.readEntry('/etc/resolv.conf'), { kind: 'link', target: '../run/stub', ownerId: 0, groupId: 0 });
    await assert.rejects(control.realPath('/loop/x'), code('io'));
    const node = box.machine.tree.at('/etc/hostname');
    assert.ok(node);
    box.machine.tree.put('/etc/other-name', node);
    const found = await control.readEntry('/etc/hostname');
    assert.equal(found?.kind === 'file' && found.links, 2);
  });

  test('tables of nftables and preferences of a client are kept and told', async () => {
    const box = host({ services: { '/run/tailscale.sock': tailscaled({ RouteAll: false, AdvertiseRoutes: null }) } });
    const before = box.snapshot();
    const nft = (...args: string[]) => box.ports.commands.run('nft', args, { timeoutMs: 1000 });
    const missing = await nft('--stateless', 'list', 'table', 'inet', 'tautline');
    assert.ok(missing.outcome === 'exited' && missing.code === 1 && missing.stderr.includes('No such file or directory'));
    await nft(
      'add table inet tautline; delete table inet tautline; table inet tautline { chain a { type filter hook forward priority mangle; policy accept; tcp flags syn tcp option maxseg size set 1240; } }',
    );
    const listed = await nft('--stateless', 'list', 'table', 'inet', 'tautline');
    assert.equal(
      listed.outcome === 'exited' && listed.stdout,
      'table inet tautline {\n\tchain a {\n\t\ttype filter hook forward priority mangle; policy accept;\n\t\ttcp flags syn tcp option maxseg size set 1240\n\t}\n}\n',
    );
    await nft('add table inet tautline; delete table inet tautline');
    const client = box.ports.web.client();
    const request = { url: 'http://local/localapi/v0/prefs', socketPath: '/run/tailscale.sock', timeoutMs: 1000, keepBytesMax: 1000 };
    const set = (value: boolean) => client.request({ ...request, method: 'PATCH', body: JSON.stringify({ RouteAll: value, RouteAllSet: true }) });
    await set(true);
    assert.notEqual(box.snapshot(), before);
    box.reboot();
    const told = await client.request({ ...request, method: 'GET' });
    assert.equal(told.outcome === 'ok' && (JSON.parse(new TextDecoder().decode(told.body)) as { RouteAll: boolean }).RouteAll, true);
    await set(false);
    assert.equal(box.snapshot(), before);
  });
});
