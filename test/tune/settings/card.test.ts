import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CARD, changing, leftFor, planOne, settingOf } from './tuned-host.js';
import type { Card } from './tuned-host.js';

/** What a small virtual server has. */
const VIRTIO: Card = {
  name: 'eth0',
  addresses: ['192.0.2.1/24'],
  driver: 'virtio_net',
  qdiscs: [{ kind: 'fq_codel', parent: 'root', handle: '0:' }],
};
const boot = (...commands: string[]) => [{ by: 'boot', commands, interface: 'eth0' }];

describe('offloads', () => {
  test('that somebody turned off are turned on again', async () => {
    const card = { ...CARD, features: { ...CARD.features, 'generic-receive-offload': { on: false } } };
    const step = changing(await planOne('offloads', { gro: 'on', tso: true }, { interfaces: [card] }));
    assert.equal(step.now, 'gro off');
    assert.equal(step.proposed, 'gro on');
    assert.equal(step.effect, undefined);
    const [change] = step.changes;
    assert.equal(change?.place.kind, 'offloads');
    assert.deepEqual(change?.desired, { 'generic-receive-offload': true });
    assert.deepEqual(Object.keys(change?.original as object).length, 8, 'everything that can be changed is kept for the roll-back');
    assert.deepEqual(step.persist, boot('ethtool -K eth0 gro on'));
  });

  test('are turned off only as a risk, with what it costs', async () => {
    const step = changing(await planOne('offloads', 'gro off sg off', {}));
    assert.equal(step.effect, 'risky');
    assert.match(step.notes?.join('\n') ?? '', /900 MB\/s became 400/);
    assert.match(step.notes?.join('\n') ?? '', /goes off with them/);
  });

  test('that are so already, or that the driver keeps as they are, are left', async () => {
    leftFor(await planOne('offloads', { gro: true, lro: false }), 'already');
    assert.match(leftFor(await planOne('offloads', { lro: true }), 'absent'), /does not let lro/);
    leftFor(await planOne('offloads', { gro: true }, { interfaces: [VIRTIO] }), 'unreadable');
  });

  test('that a driver turns off itself stay off, unless a profile is exact, and others beside it come on', async () => {
    const off = { on: false };
    const card = { ...CARD, driver: 'e1000e', features: { ...CARD.features, 'tcp-segmentation-offload': off, 'tx-tcp-segmentation': off } };
    assert.match(leftFor(await planOne('offloads', { tso: true }, { interfaces: [card] }), 'not-applicable'), /tso stays off: the driver e1000e/);
    const both = { ...card, features: { ...card.features, 'generic-receive-offload': off } };
    const step = changing(await planOne('offloads', { gro: true, tso: true }, { interfaces: [both] }));
    assert.equal(step.proposed, 'gro on');
    assert.match(step.notes?.join() ?? '', /tso stays off/);
    assert.equal(changing(await planOne('offloads', { tso: true }, { interfaces: [card], exact: true })).proposed, 'tso on');
    leftFor(await planOne('offloads', { tso: true }, { interfaces: [{ ...CARD, driver: 'e1000e' }] }), 'already');
  });

  test('that merge packets stay off on a host that forwards them', async () => {
    const card = { ...CARD, features: { ...CARD.features, 'large-receive-offload': { on: false } } };
    const router = { interfaces: [card], sysctls: { 'net.ipv4.ip_forward': '1' } };
    assert.match(leftFor(await planOne('offloads', { lro: true }, router), 'not-applicable'), /forwards/);
    assert.equal(changing(await planOne('offloads', { lro: true }, { interfaces: [card] })).proposed, 'lro on');
  });

  test('take no names and values that they do not know', () => {
    for (const wrong of [{ grow: true }, { gro: 'maybe' }, 'gro', 7, {}, null])
      assert.ok('problem' in settingOf('offloads').parse(wrong), JSON.stringify(wrong));
  });
});

describe('interrupt coalescing', () => {
  const wanted = { 'adaptive-rx': 'off', 'rx-usecs': 0, 'tx-usecs': 0 };

  test('is set as far as it differs', async () => {
    const step = changing(await planOne('coalescing', wanted));
    assert.equal(step.now, 'rx-usecs 3');
    assert.deepEqual(step.changes[0]?.desired, { rxUsecs: 0 });
    assert.deepEqual(step.changes[0]?.original, { rxUsecs: 3, txUsecs: 0, adaptiveRx: false });
    leftFor(await planOne('coalescing', wanted, { interfaces: [{ ...CARD, coalescing: { rxUsecs: 0, txUsecs: 0, adaptiveRx: false } }] }), 'already');
  });

  test('names the time too where the driver adapts it, whatever it is just now', async () => {
    const step = changing(
      await planOne('coalescing', wanted, { interfaces: [{ ...CARD, coalescing: { rxUsecs: 0, txUsecs: 0, adaptiveRx: true } }] }),
    );
    assert.deepEqual(step.changes[0]?.desired, { adaptiveRx: false, rxUsecs: 0 });
  });

  test('is missing from most virtual cards, and that is said', async () => {
    assert.match(leftFor(await planOne('coalescing', wanted, { interfaces: [VIRTIO], environment: 'vm' }), 'absent'), /virtio_net.*hypervisor/);
    const partly = changing(await planOne('coalescing', wanted, { interfaces: [{ ...CARD, coalescing: { rxUsecs: 20 } }] }));
    assert.match(partly.notes?.join() ?? '', /no adaptive-rx, tx-usecs/);
  });
});

describe('rings', () => {
  test('grow to what the driver lets them', async () => {
    const step = changing(await planOne('rings', 'max'));
    assert.deepEqual(step.changes, [
      { place: { kind: 'rings', interface: 'eth0' }, original: { rx: 512, tx: 512 }, desired: { rx: 4096, tx: 4096 } },
    ]);
    assert.match(step.notes?.join() ?? '', /link is gone/);
    assert.deepEqual(step.persist, boot('ethtool -G eth0 rx 4096 tx 4096'));
    assert.match(changing(await planOne('rings', { rx: 8192 })).notes?.join() ?? '', /up to 4096/);
  });

  test('never shrink, are left where they are at their longest, and are missing from some drivers', async () => {
    leftFor(await planOne('rings', { rx: 256 }), 'would-lower');
    assert.equal(changing(await planOne('rings', { rx: 256 }, { exact: true })).proposed, 'rx 256');
    const full = { ...CARD, rings: { rx: 256, tx: 256, rxMax: 256, txMax: 256 } };
    leftFor(await planOne('rings', 'max', { interfaces: [full] }), 'already');
    assert.match(leftFor(await planOne('rings', { rx: 1024 }, { interfaces: [full] }), 'already'), /as long as the driver/);
    leftFor(await planOne('rings', 'max', { interfaces: [VIRTIO] }), 'absent');
  });
});

describe('queues of a card', () => {
  const links = { eth0: { channels: { combined: 1, combinedMax: 8 } } };

  test('become as many as there are processors, as far as the card has them', async () => {
    const step = changing(await planOne('queues', 'cpus', { links }));
    assert.deepEqual(step.changes, [{ place: { kind: 'channels', interface: 'eth0' }, original: { combined: 1 }, desired: { combined: 4 } }]);
    assert.deepEqual(step.persist, boot('ethtool -L eth0 combined 4'));
    const many = changing(await planOne('queues', 'cpus', { links, cpus: 16 }));
    assert.equal(many.proposed, 'combined 8');
    assert.match(many.notes?.join() ?? '', /8 at most/);
  });

  test('are counted each way where the driver counts them so', async () => {
    const each = { eth0: { channels: { rx: 1, tx: 2, rxMax: 4, txMax: 4 } } };
    assert.deepEqual(changing(await planOne('queues', 2, { links: each })).changes[0]?.desired, { rx: 2 });
  });

  test('never become fewer, and are missing from some drivers', async () => {
    leftFor(await planOne('queues', 'cpus', { links: { eth0: { channels: { combined: 8, combinedMax: 8 } } } }), 'would-lower');
    leftFor(await planOne('queues', 'cpus', { links: { eth0: { channels: { combined: 4, combinedMax: 8 } } } }), 'already');
    assert.match(leftFor(await planOne('queues', 'cpus', { links: { eth0: { channels: { combined: 1, combinedMax: 1 } } } }), 'already'), /no more/);
    leftFor(await planOne('queues', 'cpus'), 'absent');
  });
});
