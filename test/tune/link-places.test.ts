import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import { simTuneHost } from '../../src/sim/index.js';
import type { SimTuneHost, TuneHostSpec } from '../../src/sim/index.js';
import { commandsOf, labelOf, placeHolds, readPlace, reachOf, showState, writePlace } from '../../src/tune/index.js';
import type { PlaceKind, PlaceOf, PlaceStates } from '../../src/tune/index.js';

const DEFAULT_QDISC = '/proc/sys/net/core/default_qdisc';

function host(links: TuneHostSpec['links'] = {}): SimTuneHost {
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
          coalescing: { rxUsecs: 3, txUsecs: 8, adaptiveRx: true, adaptiveTx: false },
          features: {
            'tx-checksumming': { on: true },
            'tx-checksum-ipv4': { on: true },
            'tx-checksum-sctp': { on: false },
            'scatter-gather': { on: true },
            'tx-scatter-gather': { on: true },
            'tcp-segmentation-offload': { on: true },
            'tx-tcp-segmentation': { on: true },
            'tx-tcp6-segmentation': { on: false },
            'generic-segmentation-offload': { on: true },
            'generic-receive-offload': { on: true },
            'large-receive-offload': { on: false, changeable: false },
          },
        },
        { name: 'one0', addresses: [] },
        { name: 'wg0', addresses: [], kind: 'tunnel' },
      ],
    },
    links: { eth0: { channels: { combined: 4, combinedMax: 8 } }, ...links },
    values: { [DEFAULT_QDISC]: { text: 'fq_codel', accepts: ['fq', 'fq_codel', 'pfifo_fast'] } },
  });
}

const at = <K extends 'offloads' | 'coalescing' | 'rings' | 'channels' | 'root-queue'>(kind: K, name = 'eth0') =>
  ({ kind, interface: name }) as unknown as PlaceOf<K>;

async function read<K extends PlaceKind>(box: SimTuneHost, ref: PlaceOf<K>): Promise<PlaceStates[K]> {
  const found = (await readPlace(box.ports, ref)) as PlaceStates[K] | undefined;
  assert.ok(found !== undefined, `nothing at ${labelOf(ref)}`);
  return found;
}

const unsupported = (error: unknown): boolean => error instanceof TautlineError && error.code === 'unsupported' && error.message !== '';

describe('places of an interface', () => {
  const changes: readonly (readonly [PlaceOf<PlaceKind>, PlaceStates[PlaceKind]])[] = [
    [at('offloads'), { 'scatter-gather': false }],
    [at('offloads'), { 'tx-checksumming': false, 'generic-receive-offload': false }],
    [at('coalescing'), { adaptiveRx: false, rxUsecs: 0, txUsecs: 0 }],
    [at('coalescing'), { adaptiveTx: true }],
    [at('rings'), { rx: 4096 }],
    [at('channels'), { combined: 2 }],
    [at('root-queue'), { queue: 'fq', byKernel: false }],
    [at('root-queue', 'one0'), { queue: 'fq', byKernel: false }],
    [at('root-queue', 'wg0'), { queue: 'fq', byKernel: false }],
  ];

  for (const [ref, desired] of changes) {
    test(`${labelOf(ref)}: ${showState(ref, desired)} is written, holds, and is undone to what there was`, async () => {
      const box = host();
      const before = box.snapshot();
      const original = await read(box, ref);
      assert.ok(!placeHolds(ref, original, desired), 'it is not so already');
      await writePlace(box.ports, ref, desired);
      assert.ok(placeHolds(ref, await read(box, ref), desired));
      const applied = box.snapshot();
      assert.notEqual(applied, before);
      await writePlace(box.ports, ref, desired);
      assert.equal(box.snapshot(), applied, 'twice is once');
      await writePlace(box.ports, ref, original);
      assert.ok(placeHolds(ref, await read(box, ref), original));
      assert.equal(box.snapshot(), before);
      await writePlace(box.ports, ref, original);
      assert.equal(box.snapshot(), before);
    });
  }

  test('are not there where the interface, or what the driver tells, is missing', async () => {
    const box = host();
    for (const kind of ['offloads', 'coalescing', 'rings', 'channels', 'root-queue'] as const) {
      assert.equal(await readPlace(box.ports, at(kind, 'eth9')), undefined, kind);
      await assert.rejects(writePlace(box.ports, at(kind, 'eth9'), { queue: 'fq', byKernel: true } as never), unsupported, kind);
    }
    for (const kind of ['offloads', 'coalescing', 'rings', 'channels'] as const) {
      assert.equal(await readPlace(box.ports, at(kind, 'wg0')), undefined, kind);
    }
  });

  test('belong to their network namespace', () => {
    for (const [ref] of changes) assert.equal(reachOf(ref), 'network');
  });
});

describe('offloads', () => {
  test('are read with every one that can be changed, so that what is dragged along is known', async () => {
    const state = await read(host(), at('offloads'));
    assert.equal('large-receive-offload' in state, false);
    assert.equal(Object.keys(state).length, 10);
  });

  test('one that the driver refuses for want of another is told', async () => {
    const box = host();
    await writePlace(box.ports, at('offloads'), { 'scatter-gather': false });
    await assert.rejects(
      writePlace(box.ports, at('offloads'), { 'tcp-segmentation-offload': true }),
      (error) => unsupported(error) && /eth0 did not switch tso on/.test((error as Error).message),
    );
  });

  test('are shown by the names that people use, and many of them by what differs', async () => {
    const ref = at('offloads');
    assert.equal(showState(ref, { 'generic-receive-offload': false, 'tcp-segmentation-offload': false }), 'gro off, tso off');
    const all = await read(host(), ref);
    assert.equal(showState(ref, { ...all, 'scatter-gather': false, 'tx-scatter-gather': false }, all), 'sg off, tx-scatter-gather off');
    assert.equal(showState(ref, all, { 'scatter-gather': false }), 'sg on', 'beside a wish only what it names');
    assert.equal(showState(ref, all), '8 of 10 on');
  });

  test('are given to ethtool by names that it takes, a common name only where its members are not named', async () => {
    assert.deepEqual(
      commandsOf(at('offloads'), { 'generic-receive-offload': false, 'tcp-segmentation-offload': true, 'rx-udp-gro-forwarding': true }),
      ['ethtool -K eth0 gro off tso on rx-udp-gro-forwarding on'],
    );
    const [line = ''] = commandsOf(at('offloads'), await read(host(), at('offloads')));
    assert.ok(line.includes(' tx-tcp6-segmentation off') && !line.includes(' tso '), line);
  });
});

describe('interrupt coalescing', () => {
  test('times that the driver adapts itself do not count, and are not set while it does', async () => {
    const box = host();
    const ref = at('coalescing');
    assert.ok(placeHolds(ref, { adaptiveRx: true, rxUsecs: 77, txUsecs: 8 }, { adaptiveRx: true, rxUsecs: 3, txUsecs: 8 }));
    assert.ok(!placeHolds(ref, { adaptiveRx: true, rxUsecs: 77, txUsecs: 9 }, { adaptiveRx: true, rxUsecs: 3, txUsecs: 8 }));
    assert.ok(!placeHolds(ref, { adaptiveRx: false, rxUsecs: 77 }, { adaptiveRx: false, rxUsecs: 3 }));
    await writePlace(box.ports, ref, { adaptiveRx: true, rxUsecs: 50 });
    assert.equal((await read(box, ref)).rxUsecs, 3);
  });

  test('is shown and commanded in the words of ethtool', () => {
    assert.equal(showState(at('coalescing'), { adaptiveRx: false, rxUsecs: 0 }), 'adaptive-rx off, rx-usecs 0');
    assert.deepEqual(commandsOf(at('coalescing'), { adaptiveRx: false, rxUsecs: 0 }), ['ethtool -C eth0 adaptive-rx off rx-usecs 0']);
  });
});

describe('rings and queues', () => {
  test('are shown and commanded by counts; beyond what the driver has they are refused', async () => {
    const box = host();
    assert.equal(showState(at('rings'), { rx: 4096, tx: 512 }), 'rx 4096, tx 512');
    assert.deepEqual(commandsOf(at('rings'), { rx: 4096 }), ['ethtool -G eth0 rx 4096']);
    assert.deepEqual(commandsOf(at('channels'), { combined: 2, rx: 1 }), ['ethtool -L eth0 rx 1 combined 2']);
    assert.deepEqual(await read(box, at('channels')), { combined: 4 }, 'what it may have most is not part of what it has');
    await assert.rejects(writePlace(box.ports, at('rings'), { rx: 8192 }), unsupported);
    await assert.rejects(writePlace(box.ports, at('channels'), { combined: 9 }), unsupported);
  });
});

describe('the queue discipline', () => {
  test('tells whether somebody set it', async () => {
    const box = host();
    assert.deepEqual(await read(box, at('root-queue')), { queue: 'mq', byKernel: true, leaf: 'fq_codel' });
    assert.deepEqual(await read(box, at('root-queue', 'one0')), { queue: 'fq_codel', byKernel: true });
    assert.deepEqual(await read(box, at('root-queue', 'wg0')), { queue: 'noqueue', byKernel: true });
    await writePlace(box.ports, at('root-queue', 'one0'), { queue: 'fq_codel', byKernel: false });
    assert.deepEqual(await read(box, at('root-queue', 'one0')), { queue: 'fq_codel', byKernel: false });
    assert.equal(showState(at('root-queue'), { queue: 'mq', byKernel: true, leaf: 'fq' }), "mq of fq, the kernel's own");
  });

  test("comes back as the kernel's former own even where the default is another by now, which stays", async () => {
    for (const name of ['eth0', 'one0']) {
      const box = host();
      const original = await read(box, at('root-queue', name));
      await box.ports.control.writeValue(DEFAULT_QDISC, 'fq\n');
      await writePlace(box.ports, at('root-queue', name), { queue: 'fq', byKernel: false });
      await writePlace(box.ports, at('root-queue', name), original);
      assert.deepEqual(await read(box, at('root-queue', name)), original);
      assert.equal(await box.ports.control.readValue(DEFAULT_QDISC), 'fq');
    }
  });

  test('of an interface that was down is whatever the kernel gives it when it is up', () => {
    const [was, own, ours] = [
      { queue: 'noop', byKernel: true },
      { queue: 'fq_codel', byKernel: true },
      { queue: 'fq', byKernel: false },
    ];
    assert.ok(placeHolds(at('root-queue'), own, was));
    assert.ok(!placeHolds(at('root-queue'), ours, was));
    assert.ok(!placeHolds(at('root-queue'), ours, own));
  });

  test('is commanded so that a shell may do it twice', () => {
    assert.deepEqual(commandsOf(at('root-queue'), { queue: 'fq', byKernel: false }), ['tc qdisc replace dev eth0 root fq']);
    assert.deepEqual(commandsOf(at('root-queue'), { queue: 'mq', byKernel: false }), [
      'tc qdisc del dev eth0 root 2> /dev/null || :',
      'tc qdisc add dev eth0 root handle 1: mq',
    ]);
    assert.deepEqual(commandsOf(at('root-queue'), { queue: 'fq', byKernel: true }), ['tc qdisc del dev eth0 root 2> /dev/null || :']);
    assert.deepEqual(commandsOf(at('rings', 'a b'), { rx: 1 }), ["ethtool -G 'a b' rx 1"]);
  });
});
