import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeAcknowledgement } from '../../src/host/netlink/ack.js';
import * as order from '../../src/host/netlink/ethtool-ioctl-set.js';
import { decodeKernelFeatureBlocks, encodeCommand } from '../../src/host/netlink/ethtool-ioctl.js';
import * as set from '../../src/host/netlink/ethtool-set.js';
import { decodeBitset } from '../../src/host/netlink/ethtool.js';
import { featuresByName, featuresToSet } from '../../src/host/netlink/features.js';
import type { KernelFeature } from '../../src/host/netlink/features.js';
import { Attributes, attribute, attributeText, attributeU32, join } from '../../src/host/netlink/message.js';
import { decodeQueue, encodeRemoveRootQueue, encodeRootQueue } from '../../src/host/netlink/queues.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const attributesOf = (message: Uint8Array): Attributes => new Attributes(message.subarray(4));
const u32 = (value: number): Uint8Array => attributeU32(0, value).subarray(4);

describe('orders to the ethtool family', () => {
  test('name the device, the command and every feature with its state', () => {
    const message = set.encodeFeaturesSet(7, { 'rx-gro': true, 'tx-scatter-gather': false });
    assert.equal(
      hex(message),
      [
        ...['0c010000', '0c000180', '08000100', '07000000'], // FEATURES_SET, version 1; header with the device's index
        ...['38000380', '34000380'], // wanted: bits
        ...['14000180', '0b000200', '72782d67726f0000', '04000300'], // rx-gro with a value
        ...['1c000180', '16000200', '74782d736361747465722d6761746865720000', '00'], // tx-scatter-gather without
      ].join(''),
    );
    const { on, mask } = decodeBitset(attributesOf(message).nested(3), () => undefined);
    assert.deepEqual([on, mask], [['rx-gro'], ['rx-gro', 'tx-scatter-gather']]);
  });

  test('say nothing of what is to stay', () => {
    const types = (message: Uint8Array): number[] => attributesOf(message).all.map(({ type }) => type);
    assert.deepEqual(types(set.encodeRingsSet(3, { rx: 4096 })), [1, 6]);
    assert.deepEqual(types(set.encodeChannelsSet(3, { tx: 2, combined: 0, rxMax: 8 })), [1, 7, 9]);
    assert.deepEqual(types(set.encodeCoalesceSet(3, { rxUsecs: 0, adaptiveRx: false })), [1, 2, 11]);
    const coalesce = attributesOf(set.encodeCoalesceSet(3, { rxUsecs: 0, txUsecs: 16, adaptiveRx: false, adaptiveTx: true }));
    assert.deepEqual([coalesce.u32(2), coalesce.u32(6), coalesce.u8(11), coalesce.u8(12)], [0, 16, 0, 1]);
  });

  test('queue counts are read as the driver has them, not summed', () => {
    const body = join(Uint8Array.of(18, 1, 0, 0), attributeU32(2, 8), attributeU32(5, 4), attributeU32(6, 1), attributeU32(9, 3));
    assert.deepEqual(set.decodeChannelCounts(body), { rx: 1, combined: 3, rxMax: 8, combinedMax: 4 });
    assert.deepEqual(set.decodeChannelCounts(new Uint8Array(0)), {});
  });
});

describe('orders by ioctl', () => {
  test('change of what was told only what is meant', () => {
    const told = encodeCommand(36, 0x10, 4096, 0, 0, 4096, 256, 0, 0, 512);
    const words = (bytes: Uint8Array): number[] => Array.from(new Uint32Array(bytes.slice().buffer));
    assert.deepEqual(words(order.encodeRingsOrder(told, { rx: 1024 })), [0x11, 4096, 0, 0, 4096, 1024, 0, 0, 512]);
    assert.deepEqual(words(order.encodeChannelsOrder(told, { tx: 3, combined: 0 })), [0x3d, 4096, 0, 0, 4096, 256, 3, 0, 0]);
    const times = encodeCommand(92, 0x0e, 50, 1, 2, 3, 60, 4, 5, 6, 7, 1, 1, 8);
    assert.deepEqual(
      words(order.encodeCoalescingOrder(times, { rxUsecs: 0, adaptiveRx: false })).slice(0, 13),
      [0x0f, 0, 1, 2, 3, 60, 4, 5, 6, 7, 0, 1, 8],
    );
    assert.deepEqual(order.decodeChannelNumbers(told), { rx: 256, rxMax: 4096, combined: 512, combinedMax: 4096 });
  });

  test('features are meant and switched at their places', () => {
    const bytes = order.encodeFeatureBlocksSet(2, [
      { bit: 31, on: true },
      { bit: 33, on: false },
    ]);
    assert.deepEqual(Array.from(new Uint32Array(bytes.buffer)), [0x3b, 2, 0x8000_0000, 0x8000_0000, 2, 0]);
  });

  test('features are read with their places', () => {
    const names = join(encodeCommand(12, 0x1b, 4, 2), new Uint8Array(64));
    names.set(new TextEncoder().encode('tx-a'), 12);
    names.set(new TextEncoder().encode('rx-b'), 44);
    // Blocks of available, requested, active, never changed: the first is neither on nor free.
    const blocks = encodeCommand(24, 0x3a, 1, 0b11, 0b10, 0b10, 0b01);
    assert.deepEqual(decodeKernelFeatureBlocks(names, blocks), [{ bit: 1, name: 'rx-b', on: true, changeable: true }]);
  });
});

describe('offloads by the names of ethtool as orders to the kernel', () => {
  const kernel: readonly KernelFeature[] = [
    { name: 'tx-tcp-segmentation', on: true, changeable: true },
    { name: 'tx-tcp6-segmentation', on: false, changeable: true },
    { name: 'tx-tcp-mangleid-segmentation', on: true, changeable: false },
    { name: 'rx-gro', on: true, changeable: true },
    { name: 'rx-checksum', on: true, changeable: false },
    { name: 'tx-nocache-copy', on: false, changeable: true },
  ];

  test("a name for several means those that can be changed, one for one the kernel's own", () => {
    assert.deepEqual(featuresToSet(kernel, { 'tcp-segmentation-offload': false, 'generic-receive-offload': false }), {
      set: { 'tx-tcp-segmentation': false, 'tx-tcp6-segmentation': false, 'rx-gro': false },
      unknown: [],
      fixed: [],
    });
  });

  test('all that was read, written back, is what there was: a member that is off is not switched on by its group', () => {
    const read = Object.fromEntries(Object.entries(featuresByName(kernel)).flatMap(([name, { on, changeable }]) => (changeable ? [[name, on]] : [])));
    assert.deepEqual(read, {
      'tcp-segmentation-offload': true,
      'generic-receive-offload': true,
      'tx-tcp-segmentation': true,
      'tx-tcp6-segmentation': false,
      'tx-nocache-copy': false,
    });
    const { set: written } = featuresToSet(kernel, read);
    assert.deepEqual(written, { 'tx-tcp-segmentation': true, 'tx-tcp6-segmentation': false, 'rx-gro': true, 'tx-nocache-copy': false });
  });

  test('what is unknown and what is fixed otherwise is told; what is fixed as wanted is no trouble', () => {
    assert.deepEqual(featuresToSet(kernel, { 'tx-telepathy': true, 'rx-checksumming': false, 'large-receive-offload': true }), {
      set: {},
      unknown: ['tx-telepathy'],
      fixed: ['rx-checksumming', 'large-receive-offload'],
    });
    assert.deepEqual(featuresToSet(kernel, { 'rx-checksumming': true, 'large-receive-offload': false }), { set: {}, unknown: [], fixed: [] });
  });
});

describe('root disciplines', () => {
  test('come with interface, root, handle and kind, and are removed whatever they are', () => {
    assert.deepEqual(decodeQueue(encodeRootQueue(5, 0x1_0000, 'fq_codel')), { index: 5, queue: { kind: 'fq_codel', parent: 'root', handle: '1:' } });
    assert.equal(hex(encodeRemoveRootQueue(5)), ['00000000', '05000000', '00000000', 'ffffffff', '00000000'].join(''));
  });
});

describe("the kernel's refusals", () => {
  const CAPPED = 0x100;
  const WITH_REASON = 0x200;
  const refusal = (flags: number, ...parts: Uint8Array[]): ReturnType<typeof decodeAcknowledgement> =>
    decodeAcknowledgement({ type: 2, flags, sequence: 1, body: join(...parts) });
  const question = join(u32(22), new Uint8Array(12));
  const reason = attributeText(1, 'Cannot delete qdisc with handle of zero');

  test('have a number, and where the kernel gives one its reason, with or without the question before it', () => {
    assert.deepEqual(refusal(0, u32(-1 >>> 0), question), { errno: 1 });
    assert.deepEqual(refusal(CAPPED | WITH_REASON, u32(-2 >>> 0), question, reason), { errno: 2, reason: 'Cannot delete qdisc with handle of zero' });
    // The question was 22 bytes, and takes 24 here.
    assert.deepEqual(refusal(WITH_REASON, u32(-2 >>> 0), question, new Uint8Array(8), attributeU32(2, 40), reason), {
      errno: 2,
      reason: 'Cannot delete qdisc with handle of zero',
    });
    assert.deepEqual(refusal(CAPPED, u32(0), question), { errno: 0 });
    assert.deepEqual(refusal(WITH_REASON | CAPPED, u32(-22 >>> 0), question, attribute(1, new Uint8Array(0))), { errno: 22 });
  });

  test('never throw, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 0, max: 0x3ff }), (body, flags) => {
        const { reason: words = '' } = decodeAcknowledgement({ type: 2, flags, sequence: 1, body });
        assert.ok(words.length <= 300);
      }),
      { numRuns: 500 },
    );
  });
});
