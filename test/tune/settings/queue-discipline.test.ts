import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CARD, changing, leftFor, plan, planOne } from './tuned-host.js';
import type { Card, Given } from './tuned-host.js';

const HAS_FQ = { '/sys/module/sch_fq/refcnt': '0' };
const below = (count: number, kind: string, handle = '0:') => Array.from({ length: count }, (_, i) => ({ kind, parent: `:${i + 1}`, handle }));

describe('the queue discipline of interfaces that are up', () => {
  test('is replaced at the root where the kernel put its default, and again at every boot', async () => {
    const step = changing(await planOne('queue-discipline', 'fq', { values: HAS_FQ }));
    assert.equal(step.instance, 'eth0');
    assert.deepEqual(step.changes, [
      {
        place: { kind: 'root-queue', interface: 'eth0' },
        original: { queue: 'fq_codel', byKernel: true },
        desired: { queue: 'fq', byKernel: false },
      },
    ]);
    assert.deepEqual(step.persist, [{ by: 'boot', commands: ['tc qdisc replace dev eth0 root fq'], interface: 'eth0' }]);
  });

  test('of a card with several queues is changed below mq: the default first, then mq anew', async () => {
    const card = { ...CARD, qdiscs: [{ kind: 'mq', parent: 'root', handle: '0:' }, ...below(4, 'pfifo_fast')] };
    const step = changing(await planOne('queue-discipline', 'fq', { values: HAS_FQ, interfaces: [card] }));
    assert.equal(step.now, 'mq pfifo_fast');
    assert.equal(step.proposed, 'mq fq');
    assert.deepEqual(step.changes, [
      { place: { kind: 'kernel-value', path: '/proc/sys/net/core/default_qdisc' }, original: 'pfifo_fast', desired: 'fq' },
      {
        place: { kind: 'root-queue', interface: 'eth0' },
        original: { queue: 'mq', byKernel: true, leaf: 'pfifo_fast' },
        desired: { queue: 'mq', byKernel: false, leaf: 'fq' },
      },
    ]);
    assert.deepEqual(step.persist, [{ by: 'sysctl', key: 'net.core.default_qdisc', value: 'fq' }]);
    const done = { ...CARD, qdiscs: [{ kind: 'mq', parent: 'root', handle: '0:' }, ...below(4, 'fq')] };
    leftFor(await planOne('queue-discipline', 'fq', { interfaces: [done] }), 'already');
  });

  test('of a card with several queues is out of reach where the default is', async () => {
    const card = { ...CARD, qdiscs: [{ kind: 'mq', parent: 'root', handle: '0:' }, ...below(2, 'pfifo_fast')] };
    const given = { values: HAS_FQ, interfaces: [card], sysctls: { 'net.core.default_qdisc': undefined } };
    assert.match(leftFor(await planOne('queue-discipline', 'fq', given), 'not-applicable'), /first network namespace/);
  });

  test('that somebody configured is theirs, at the root as below it', async () => {
    const shaped = { ...CARD, qdiscs: [{ kind: 'htb', parent: 'root', handle: '1:' }] };
    assert.match(leftFor(await planOne('queue-discipline', 'fq', { interfaces: [shaped] }), 'managed'), /htb.*handle [0-9a-f]+:/);
    const mixed = { ...CARD, qdiscs: [{ kind: 'mq', parent: 'root', handle: '0:' }, ...below(2, 'cake', '8003:')] };
    leftFor(await planOne('queue-discipline', 'fq', { interfaces: [mixed] }), 'managed');
    const same = { ...CARD, qdiscs: [{ kind: 'fq', parent: 'root', handle: '8001:' }] };
    leftFor(await planOne('queue-discipline', 'fq', { interfaces: [same] }), 'already');
  });

  test('of what the kernel made up is left alone, unless it was named', async () => {
    const made: Card = {
      name: 'eth0',
      addresses: ['172.17.0.2/16'],
      kind: 'virtual',
      type: 'veth',
      qdiscs: [{ kind: 'noqueue', parent: 'root', handle: '0:' }],
    };
    const container: Given = { interfaces: [made], environment: 'container', values: HAS_FQ };
    assert.match(leftFor(await planOne('queue-discipline', 'fq', container), 'virtual-device'), /veth.*host's card/);
    assert.equal(changing(await planOne('queue-discipline', 'fq', { ...container, named: ['eth0'] })).now, 'noqueue');
    for (const [kind, type] of [
      ['tunnel', 'wireguard'],
      ['bridge', 'bridge'],
      ['ethernet', 'vlan'],
    ] as const) {
      leftFor(await planOne('queue-discipline', 'fq', { interfaces: [{ ...made, kind, type }], values: HAS_FQ }), 'virtual-device');
    }
    leftFor(
      await planOne('queue-discipline', 'fq', { interfaces: [{ ...made, kind: 'bridge', type: 'bridge' }], named: ['eth0'] }),
      'virtual-device',
    );
  });

  test('of a bond is that of its ports', async () => {
    const port = (name: string) => ({ ...CARD, name, addresses: [], master: 'bond0' });
    const bond = { name: 'bond0', addresses: ['192.0.2.1/24'], type: 'bond', qdiscs: [{ kind: 'noqueue', parent: 'root', handle: '0:' }] };
    const steps = await plan('queue-discipline', 'fq', { interfaces: [bond, port('eth0'), port('eth1')], values: HAS_FQ });
    assert.deepEqual(
      steps.map((step) => [step.instance, step.verdict]),
      [
        ['eth0', 'change'],
        ['eth1', 'change'],
      ],
    );
  });

  test('that the kernel does not have is not set, and interfaces that are not there are told', async () => {
    leftFor(await planOne('queue-discipline', 'cake', { files: { '/proc/kallsyms': 'ffff t fq_enqueue\n' } }), 'absent');
    assert.match(leftFor(await planOne('queue-discipline', 'fq', { named: ['eth7'] }), 'absent'), /no interface eth7/);
  });

  test('quotes names of interfaces in commands for the boot', async () => {
    const odd = { ...CARD, name: "e;'$(x)" };
    const step = changing(await planOne('queue-discipline', 'fq', { interfaces: [odd], named: [odd.name], values: HAS_FQ }));
    assert.deepEqual(step.persist, [{ by: 'boot', commands: [`tc qdisc replace dev 'e;'\\''$(x)' root fq`], interface: odd.name }]);
  });
});
