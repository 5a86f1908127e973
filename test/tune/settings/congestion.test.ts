import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CARD, changing, leftFor, planOne } from './tuned-host.js';

const CC = 'net.ipv4.tcp_congestion_control';
const CUBIC = { [CC]: 'cubic', 'net.ipv4.tcp_available_congestion_control': 'reno cubic' };
const DISK = '/lib/modules/6.18.44';

describe('congestion control', () => {
  test('is chosen from what the kernel has, and says what BBR costs without fq', async () => {
    const step = changing(await planOne(CC, 'bbr', { sysctls: { [CC]: 'cubic' } }));
    assert.equal(step.proposed, 'bbr');
    assert.match(step.notes?.join() ?? '', /paces itself by a timer.*more CPU/);
    const paced = { ...CARD, qdiscs: [{ kind: 'fq', parent: 'root', handle: '8001:' }] };
    assert.doesNotMatch(changing(await planOne(CC, 'bbr', { sysctls: { [CC]: 'cubic' }, interfaces: [paced] })).notes?.join() ?? '', /pace/);
    leftFor(await planOne(CC, 'bbr'), 'already');
  });

  test('whose module lies on the disk is loaded by the kernel itself, and that is said', async () => {
    const files = { [`${DISK}/modules.builtin`]: 'kernel/net/ipv4/tcp_cubic.ko\n', [`${DISK}/modules.dep`]: 'kernel/net/ipv4/tcp_bbr.ko.xz:\n' };
    assert.match(changing(await planOne(CC, 'bbr', { sysctls: CUBIC, files })).notes?.join() ?? '', /loads its module tcp_bbr/);
  });

  test('that is missing is told with what to do: load it, ask the host, or take a newer kernel', async () => {
    assert.match(leftFor(await planOne(CC, 'bbr', { sysctls: CUBIC }), 'absent'), /modprobe tcp_bbr.*4\.9/);
    const container = { sysctls: CUBIC, environment: 'container' } as const;
    assert.match(leftFor(await planOne(CC, 'bbr', container), 'absent'), /modprobe tcp_bbr' on the host/);
    assert.match(leftFor(await planOne(CC, 'bbr', { sysctls: CUBIC, kernel: '4.4.0-1' }), 'absent'), /came with Linux 4\.9.*reno, cubic/);
    const lists = { [`${DISK}/modules.builtin`]: '', [`${DISK}/modules.dep`]: 'kernel/net/ipv4/tcp_vegas.ko:\n' };
    assert.match(leftFor(await planOne(CC, 'bbr', { sysctls: CUBIC, files: lists }), 'absent'), /has no module tcp_bbr/);
  });

  test('that is not for everybody is not chosen in another network namespace', async () => {
    const child = { 'net.core.netdev_max_backlog': undefined };
    const offered = {
      [CC]: 'cubic',
      'net.ipv4.tcp_available_congestion_control': 'reno cubic dctcp',
      'net.ipv4.tcp_allowed_congestion_control': 'reno cubic',
    };
    assert.match(leftFor(await planOne(CC, 'dctcp', { sysctls: { ...offered, ...child } }), 'not-applicable'), /reno, cubic are allowed/);
    assert.equal(changing(await planOne(CC, 'dctcp', { sysctls: offered })).proposed, 'dctcp');
    assert.equal(changing(await planOne(CC, 'bbr', { sysctls: { [CC]: 'cubic', ...child } })).proposed, 'bbr');
  });
});

describe('the queue discipline of new interfaces', () => {
  const ID = 'net.core.default_qdisc';
  const symbols = (name: string) => ({ files: { '/proc/kallsyms': `0000000000000000 T tcp_sendmsg\n0000000000000000 t ${name}\t[sch]\n` } });

  test('is set where the kernel has it, by any of the signs for that', async () => {
    assert.match(changing(await planOne(ID, 'fq', symbols('fq_enqueue'))).notes?.join() ?? '', /that are up keep/);
    const lists = { files: { [`${DISK}/modules.builtin`]: '', [`${DISK}/modules.dep`]: 'kernel/net/sched/sch_fq.ko.zst: \n' } };
    assert.match(changing(await planOne(ID, 'fq', lists)).notes?.join() ?? '', /loads its module sch_fq/);
    assert.equal(changing(await planOne(ID, 'fq', { values: { '/sys/module/sch_fq/refcnt': '1' } })).proposed, 'fq');
  });

  test('is not set where the kernel has none of it', async () => {
    assert.match(leftFor(await planOne(ID, 'fq', symbols('fq_codel_enqueue')), 'absent'), /no queue discipline fq /);
    const container = { ...symbols('pfifo_fast_enqueue'), environment: 'container' } as const;
    assert.match(leftFor(await planOne(ID, 'fq', container), 'absent'), /on the host/);
  });

  test('is said to be uncertain where nothing tells', async () => {
    assert.match(changing(await planOne(ID, 'cake')).notes?.join() ?? '', /only seen when it is set/);
    leftFor(await planOne(ID, 'pfifo_fast'), 'already');
  });
});
