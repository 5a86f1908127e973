import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { changing, leftFor, planOne } from './tuned-host.js';

const RMEM = 'net.ipv4.tcp_rmem';
const RMEM_PATH = '/proc/sys/net/ipv4/tcp_rmem';

describe('a sysctl', () => {
  test('is changed at its place, from what is there, and outlives a boot by its key', async () => {
    const step = changing(await planOne('net.core.rmem_max', 7_500_000));
    assert.equal(step.now, '4194304');
    assert.equal(step.proposed, '7500000');
    assert.deepEqual(step.changes, [
      { place: { kind: 'kernel-value', path: '/proc/sys/net/core/rmem_max' }, original: '4194304', desired: '7500000' },
    ]);
    assert.deepEqual(step.persist, [{ by: 'sysctl', key: 'net.core.rmem_max', value: '7500000' }]);
    assert.equal(step.effect, undefined);
  });

  test('is left alone where it is so already, whatever white space the kernel prints', async () => {
    leftFor(await planOne(RMEM, [4096, 131_072, 33_554_432]), 'already');
    leftFor(await planOne('net.ipv4.tcp_sack', true), 'already');
  });

  test('is never lowered: of sizes each number is kept that is larger', async () => {
    leftFor(await planOne(RMEM, '4096 87380 16777216'), 'would-lower');
    const step = changing(await planOne(RMEM, '4096 87380 67108864'));
    assert.equal(step.proposed, '4096 131072 67108864');
    assert.match(step.notes?.join() ?? '', /4096 87380 67108864/);
  });

  test('is never raised where lower is better, and lowered where it is higher', async () => {
    assert.match(leftFor(await planOne('vm.swappiness', 10, { sysctls: { 'vm.swappiness': '1' } }), 'would-lower'), /lower is better/);
    assert.equal(changing(await planOne('vm.swappiness', 10)).proposed, '10');
    leftFor(await planOne('net.ipv4.tcp_notsent_lowat', 131_072, { sysctls: { 'net.ipv4.tcp_notsent_lowat': '16384' } }), 'would-lower');
    assert.equal(changing(await planOne('net.ipv4.tcp_notsent_lowat', 131_072)).now, '4294967295');
    assert.equal(changing(await planOne('vm.stat_interval', 10)).proposed, '10');
  });

  test('is left as it is where swap is compressed memory, and lower would be worse', async () => {
    const swaps = (device: string) => ({ values: { '/proc/swaps': `Filename Type Size Used Priority\n${device} partition 4194300 0 100` } });
    assert.match(leftFor(await planOne('vm.swappiness', 10, swaps('/dev/zram0')), 'not-applicable'), /zram/);
    assert.equal(changing(await planOne('vm.swappiness', 10, swaps('/dev/sda2'))).proposed, '10');
  });

  test('keeps bits that are set, and the wider of two ranges', async () => {
    assert.equal(changing(await planOne('net.ipv4.tcp_fastopen', 2)).proposed, '3');
    leftFor(await planOne('net.ipv4.tcp_fastopen', 1, { sysctls: { 'net.ipv4.tcp_fastopen': '3' } }), 'would-lower');
    assert.equal(changing(await planOne('net.ipv4.ip_local_port_range', '15000 60000')).proposed, '15000 60999');
  });

  test('compares numbers beyond 2^53 exactly', async () => {
    leftFor(await planOne('fs.file-max', '9223372036854775806', { sysctls: { 'fs.file-max': '9223372036854775807' } }), 'would-lower');
    assert.equal(changing(await planOne('fs.file-max', '9223372036854775807')).proposed, '9223372036854775807');
  });

  test('is lowered by a profile that is exact, as a risk, with the rates that the buffer allows', async () => {
    const step = changing(await planOne(RMEM, '4096 16384 16384', { exact: true }));
    assert.equal(step.proposed, '4096 16384 16384');
    assert.equal(step.effect, 'risky');
    const notes = step.notes?.join('\n') ?? '';
    assert.match(notes, /131\.1 Mbit\/s at 1\.000 ms/);
    assert.match(notes, /6\.554 Mbit\/s at 20\.00 ms/);
    assert.match(notes, /1\.311 Mbit\/s at 100\.0 ms/);
  });

  test('small buffers of guides are never set by a profile that is not exact', async () => {
    for (const bytes of [4096, 16_384, 65_536]) {
      leftFor(await planOne(RMEM, [4096, Math.min(bytes, 16_384), bytes]), 'would-lower');
      leftFor(await planOne('net.core.rmem_max', bytes), 'would-lower');
      leftFor(await planOne('net.core.wmem_default', bytes), 'would-lower');
    }
  });

  test('that does nothing is not set, and says so, whether it is there or not', async () => {
    assert.match(leftFor(await planOne('net.ipv4.tcp_low_latency', 1), 'no-effect'), /4\.14.*e7942d0633c4/);
    leftFor(await planOne('net.ipv4.tcp_low_latency', 1, { sysctls: { 'net.ipv4.tcp_low_latency': '1' } }), 'no-effect');
    leftFor(await planOne('net.ipv4.tcp_low_latency', 1, { sysctls: { 'net.ipv4.tcp_low_latency': undefined } }), 'no-effect');
    assert.equal(changing(await planOne('net.ipv4.tcp_low_latency', 1, { kernel: '4.9.0-13-amd64' })).proposed, '1');
    assert.match(leftFor(await planOne('net.ipv4.tcp_fin_timeout', 15), 'no-effect'), /TIME-WAIT/);
  });

  test('that is not there is told apart: never in mainline, removed, too new, of the whole kernel, not built in', async () => {
    assert.match(leftFor(await planOne('net.ipv4.tcp_delack_min', 5), 'absent'), /mainline/);
    assert.match(leftFor(await planOne('net.ipv4.tcp_tw_recycle', 1), 'no-effect'), /4\.12/);
    const old = { kernel: '4.4.0', sysctls: { 'net.core.netdev_budget_usecs': undefined } };
    assert.match(leftFor(await planOne('net.core.netdev_budget_usecs', 8000, old), 'absent'), /4\.12/);
    const child = { sysctls: { 'net.core.busy_poll': undefined, 'net.core.netdev_max_backlog': undefined } };
    assert.match(leftFor(await planOne('net.core.busy_poll', 50, child), 'absent'), /first network namespace/);
    assert.match(leftFor(await planOne('net.core.busy_poll', 50, { sysctls: { 'net.core.busy_poll': undefined } }), 'absent'), /built without/);
  });

  test('that somebody else sets to another value stays theirs, and the line is named', async () => {
    const files = { '/etc/sysctl.d/99-local.conf': '# ours\n\nnet.core.rmem_max = 5000000\n' };
    const given = { files, sysctls: { 'net.core.rmem_max': '5000000' } };
    assert.match(leftFor(await planOne('net.core.rmem_max', 7_500_000, given), 'managed'), /\/etc\/sysctl\.d\/99-local\.conf:3.*5000000/);
    const same = { files: { '/etc/sysctl.d/99-local.conf': 'net.core.rmem_max=7500000\n' } };
    assert.equal(changing(await planOne('net.core.rmem_max', 7_500_000, same)).proposed, '7500000');
  });

  test('on a read-only /proc/sys is not tried, by root or anybody', async () => {
    const mounts = 'proc /proc proc rw,nosuid 0 0\nproc /proc/sys proc ro,nosuid,nodev 0 0\n';
    const given = { readOnlyBelow: ['/proc/sys'], environment: 'container', files: { '/proc/self/mounts': mounts } } as const;
    assert.match(leftFor(await planOne(RMEM, '4096 131072 67108864', given), 'read-only'), /\/proc\/sys is mounted read-only.*docker run --sysctl/);
    leftFor(await planOne(RMEM, '4096 131072 67108864', { ...given, root: false }), 'read-only');
  });

  test('of the whole kernel is read-only in another network namespace', async () => {
    const given = { values: { '/proc/sys/net/core/rmem_max': { text: '4194304', mode: 0o444 } } };
    assert.match(leftFor(await planOne('net.core.rmem_max', 7_500_000, given), 'read-only'), /other network namespaces/);
  });

  test('is still proposed to somebody who is not root', async () => {
    const given = { root: false, files: { '/proc/self/mounts': 'proc /proc proc rw 0 0\n' } };
    assert.deepEqual(changing(await planOne(RMEM, '4096 131072 67108864', given)).changes[0]?.place, { kind: 'kernel-value', path: RMEM_PATH });
  });

  test('that the kernel works out itself is left alone, unless the profile is exact', async () => {
    assert.match(leftFor(await planOne('net.ipv4.udp_mem', '65536 131072 1262144'), 'not-applicable'), /pages/);
    assert.equal(changing(await planOne('net.ipv4.udp_mem', '65536 131072 262144', { exact: true })).effect, 'risky');
  });
});
