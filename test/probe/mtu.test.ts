import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { TautlineError, parseTarget } from '../../src/base/index.js';
import type { Packets } from '../../src/base/index.js';
import { mtuProbe } from '../../src/probe/index.js';
import type { MtuOptions } from '../../src/probe/index.js';
import { MeasurementSchema } from '../../src/results/index.js';
import type { Measurement, MtuDetails } from '../../src/results/index.js';
import { UdpResponder, limitsOf } from '../../src/serve/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { DirectionSpec, HostSpec, Scenario } from '../../src/sim/index.js';
import { KIND } from '../../src/wire/index.js';
import type { DatagramResponder } from '../../src/wire/index.js';

type Path = DirectionSpec & { back?: DirectionSpec };

interface Case {
  readonly path: Path;
  /** Of both hosts. */
  readonly interfaceMtu?: number;
  readonly interfaceMtuThere?: number;
  readonly here?: Partial<HostSpec>;
  readonly there?: Partial<HostSpec>;
  readonly family?: 4 | 6;
  readonly events?: Scenario['events'];
  readonly seed?: number;
  readonly responder?: 'ours' | 'older' | 'none';
  readonly options?: Partial<MtuOptions>;
  readonly packets?: Packets;
  readonly target?: string;
  /** Virtual time after which it is interrupted. */
  readonly abortMs?: number;
}

function network(one: Case): SimNetwork {
  const six = one.family === 6;
  const host = (address: string, mtu: number | undefined, more: Partial<HostSpec> = {}): HostSpec => ({
    addresses: [address],
    interfaces: [{ name: 'eth0', addresses: [`${address}/${six ? 64 : 24}`], mtu: mtu ?? 1500 }],
    ...more,
  });
  const sim = new SimNetwork({
    seed: one.seed ?? 1,
    hosts: {
      here: host(six ? '2001:db8::1' : '10.0.0.1', one.interfaceMtu, one.here),
      there: host(six ? '2001:db8::2' : '10.0.0.2', one.interfaceMtuThere ?? one.interfaceMtu, one.there),
    },
    paths: [{ from: 'here', to: 'there', ...one.path }],
    ...(one.events ? { events: one.events } : {}),
  });
  if (one.responder !== 'none') {
    const ours = new UdpResponder({ secret: new Uint8Array(32).fill(7), limits: limitsOf({}) });
    sim.host('there').serveDatagrams(7227, one.responder === 'older' ? olderRelease(ours) : ours);
  }
  return sim;
}

/** One that has never heard of questions about sizes. */
function olderRelease(ours: UdpResponder): DatagramResponder {
  return {
    receive: (bytes, from, rxNs, nowNs) => (bytes[5] === KIND.mtuProbe ? undefined : ours.receive(bytes, from, rxNs, nowNs)),
    due: (nowNs) => ours.due(nowNs),
    unsent: (flood, missing) => ours.unsent(flood, missing),
    dropped: (total) => ours.dropped(total),
    counters: () => ours.counters(),
  };
}

interface Way {
  readonly measurement: Measurement;
  readonly bytes: number | undefined;
  readonly details: MtuDetails;
}

async function measured(one: Case): Promise<{ up: Way; down: Way; elapsedMs: number; sim: SimNetwork }> {
  const sim = network(one);
  const controller = new AbortController();
  if (one.abortMs !== undefined) sim.timeline.after(one.abortMs * 1e6, () => controller.abort());
  const measurements = await sim.run(() =>
    mtuProbe.run({
      target: parseTarget(one.target ?? (one.family === 6 ? '2001:db8::2' : '10.0.0.2')),
      path: 'default',
      options: { ...mtuProbe.defaults, ...one.options },
      ports: { ...sim.ports('here'), ...(one.packets ? { packets: one.packets } : {}) },
      seed: 1,
      signal: controller.signal,
      onProgress: () => {},
    }),
  );
  for (const measurement of measurements) v.parse(MeasurementSchema, JSON.parse(JSON.stringify(measurement)));
  const way = (metric: string): Way => {
    const measurement = measurements.find((candidate) => candidate.metric === metric);
    assert.ok(measurement, metric);
    return { measurement, bytes: measurement.summary?.median, details: (measurement.details ?? {}) as unknown as MtuDetails };
  };
  return { up: way('mtu.up'), down: way('mtu.down'), elapsedMs: sim.nowMs, sim };
}

function exactly(way: Way, bytes: number): void {
  assert.deepEqual(
    [way.measurement.outcome, way.bytes, way.details.verified, way.measurement.error?.value],
    ['ok', bytes, true, 0],
    JSON.stringify(way.measurement),
  );
}

describe('the path MTU with a responder', () => {
  test('is told for each direction, with the router that said so and the MSS that fits', async () => {
    const { up, down, elapsedMs } = await measured({ path: { delayMs: 5, mtu: 1400, back: { mtu: 1372 } } });
    exactly(up, 1400);
    exactly(down, 1372);
    assert.deepEqual(
      [up.details.method, up.details.blackHole, up.details.tooBigMtuBytes, up.details.mssBytes, up.details.failsBytes],
      ['responder', false, 1400, 1360, 1401],
    );
    assert.ok(up.details.tooBigFrom !== undefined);
    assert.deepEqual([up.details.interfaceName, up.details.interfaceMtuBytes, up.details.kernelMtuBytes], ['eth0', 1500, 1400]);
    assert.deepEqual([down.details.blackHole, down.details.tooBigMtuBytes, down.details.kernelMtuBytes], [false, 1372, 1372]);
    assert.equal(up.details.clamp, undefined, 'path MTU discovery works');
    assert.equal(up.measurement.reason, undefined);
    assert.ok(elapsedMs < 1500, `${elapsedMs} ms`);
  });

  test('is the interface’s where that is the smallest, and nothing is called a black hole', async () => {
    const { up, down } = await measured({ path: { delayMs: 1, mtu: 9000 }, interfaceMtu: 1500, interfaceMtuThere: 1400 });
    exactly(up, 1500);
    exactly(down, 1400);
    assert.deepEqual([up.details.ownInterface, down.details.ownInterface], [true, true]);
    assert.deepEqual([up.details.blackHole, down.details.blackHole, up.details.vanished], [false, false, 0]);
  });

  for (const [name, one, bytes] of [
    ['jumbo frames', { path: { delayMs: 0.1, mtu: 9000 }, interfaceMtu: 9000 }, 9000],
    ['jumbo frames through a switch that takes ordinary ones', { path: { delayMs: 0.1, mtu: 1500, tooBig: 'silent' }, interfaceMtu: 9000 }, 1500],
    ['the least that IPv6 allows', { path: { delayMs: 3, mtu: 1280 }, family: 6 }, 1280],
    ['IPv6 over PPPoE', { path: { delayMs: 3, mtu: 1492 }, family: 6 }, 1492],
    ['the least that IPv4 hosts must take', { path: { delayMs: 3, mtu: 576 } }, 576],
    ['5 % loss', { path: { delayMs: 10, mtu: 1437, loss: 0.05 }, seed: 5 }, 1437],
    ['bursts of losses', { path: { delayMs: 10, mtu: 1437, loss: { toBad: 0.01, toGood: 0.1 } }, seed: 6 }, 1437],
    ['a thin line with a small buffer', { path: { delayMs: 20, mtu: 1458, rateBps: 1e6, queueMs: 50 } }, 1458],
    [
      'jitter and reordering',
      { path: { delayMs: 20, mtu: 1458, jitter: { distribution: 'normal', ms: 5 }, keepsOrder: false, reorder: { ratio: 0.05, byMs: 8 } } },
      1458,
    ],
    ['duplicates', { path: { delayMs: 5, mtu: 1333, duplicate: 0.2 } }, 1333],
    ['half a second of delay', { path: { delayMs: 250, mtu: 1333 } }, 1333],
  ] as const satisfies readonly (readonly [string, Case, number])[]) {
    test(`is exact over ${name}`, async () => {
      const { up, down } = await measured(one);
      exactly(up, bytes);
      exactly(down, bytes);
    });
  }

  test('of a host to itself is the largest packet there is', async () => {
    const sim = new SimNetwork({ hosts: { here: { addresses: ['10.0.0.1'] } }, paths: [] });
    sim.host('here').serveDatagrams(7227, new UdpResponder({ secret: new Uint8Array(32), limits: limitsOf({}) }));
    const request = {
      target: parseTarget('127.0.0.1'),
      path: 'default',
      options: mtuProbe.defaults,
      ports: sim.ports('here'),
      seed: 1,
      signal: new AbortController().signal,
      onProgress: () => {},
    };
    const measurements = await sim.run(() => mtuProbe.run(request));
    assert.deepEqual(
      measurements.map(({ summary, error }) => [summary?.median, error?.value]),
      [
        [65_535, 0],
        [65_535, 0],
      ],
    );
  });

  test('a black hole on the way up is told with its direction, how many packets it took, and what helps', async () => {
    const { up, down } = await measured({ path: { delayMs: 5, mtu: 1400, tooBig: 'silent', back: { mtu: 1500, tooBig: 'told' } } });
    exactly(up, 1400);
    exactly(down, 1500);
    assert.deepEqual([up.details.blackHole, down.details.blackHole], [true, false]);
    assert.ok((up.details.vanished ?? 0) >= 6);
    assert.match(up.measurement.reason ?? '', /black hole on the way up: \d+ packets above 1400 bytes vanished/);
    const { clamp } = up.details;
    assert.deepEqual([clamp?.mssBytes, clamp?.command], [1360, 'ip route replace 10.0.0.2/32 dev eth0 mtu 1400 advmss 1360']);
    assert.ok(clamp?.others?.some(({ command }) => command.includes('tcp option maxseg size set 1360')));
    assert.ok(clamp?.others?.some(({ command }) => command.includes('tcp_mtu_probing')));
  });

  test('a black hole for IPv6 is clamped 60 bytes below, by a route of that family', async () => {
    const { up } = await measured({ family: 6, path: { delayMs: 5, mtu: 1400, tooBig: 'silent' } });
    assert.deepEqual(
      [up.details.clamp?.mssBytes, up.details.clamp?.command],
      [1340, 'ip -6 route replace 2001:db8::2/128 dev eth0 mtu 1400 advmss 1340'],
    );
  });

  test('a black hole on the way down shows in that the peer’s kernel was never told', async () => {
    const { up, down } = await measured({ path: { delayMs: 5, mtu: 1500, back: { mtu: 1420, tooBig: 'silent' } } });
    exactly(up, 1500);
    exactly(down, 1420);
    assert.deepEqual([up.details.blackHole, down.details.blackHole, down.details.kernelMtuBytes], [false, true, 1500]);
    assert.match(down.measurement.reason ?? '', /on the way down/);
    assert.equal(down.details.clamp?.mssBytes, 1380);
  });

  test('ICMP that is dropped on the way back makes a black hole of the way there', async () => {
    const { up } = await measured({ path: { delayMs: 5, mtu: 1400, back: { mtu: 1400, icmp: 'filtered' } } });
    exactly(up, 1400);
    assert.equal(up.details.blackHole, true);
  });

  test('loss alone is no black hole', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { up, down } = await measured({ path: { delayMs: 2, loss: 0.1, mtu: 1500 }, seed });
      exactly(up, 1500);
      exactly(down, 1500);
      assert.deepEqual([up.details.blackHole, down.details.blackHole], [false, false]);
    }
  });

  test('a router that names a wrong MTU is caught', async () => {
    const { up, down } = await measured({ path: { delayMs: 5, mtu: 1400, tooBig: 1450 } });
    exactly(up, 1400);
    exactly(down, 1400);
    assert.deepEqual([up.details.blackHole, up.details.tooBigMtuBytes], [false, 1450]);
    assert.match(up.measurement.reason ?? '', /names an MTU of 1450 bytes, but 1400 is what passes/);
    assert.match(down.measurement.reason ?? '', /names an MTU of 1450 bytes, but 1400 is what passes/);
    assert.equal(up.details.clamp?.mssBytes, 1360);
  });

  test('a path that changes in the middle is measured as it is then', async () => {
    for (const atMs of [20, 60, 90, 120]) {
      const { up } = await measured({ path: { delayMs: 5, mtu: 1500 }, events: [{ atMs, from: 'here', to: 'there', change: { mtu: 1412 } }] });
      // Unless all was said and done before.
      if (up.bytes === 1500 && up.details.ownInterface === true) continue;
      exactly(up, 1412);
    }
  });

  test('an interruption leaves what is known, and says how far it goes', async () => {
    for (const abortMs of [0, 5, 12, 30, 60, 80]) {
      const { up, down } = await measured({ path: { delayMs: 5, mtu: 1400 }, abortMs });
      for (const { measurement, bytes, details } of [up, down]) {
        if (details.verified === true) continue;
        assert.ok(measurement.outcome === 'unchecked' || measurement.partial === true, JSON.stringify(measurement));
        assert.ok(measurement.reason !== undefined);
        if (bytes === undefined) continue;
        assert.ok(bytes <= 1400 && bytes + (measurement.error?.value ?? 0) >= 1400, `${bytes} and ${measurement.error?.value} more`);
      }
    }
  });

  test('a responder of an older release tells the way up; the way down stays open, with the reason', async () => {
    const { up, down } = await measured({ path: { delayMs: 5, mtu: 1444 }, responder: 'older' });
    exactly(up, 1444);
    assert.equal(down.measurement.outcome, 'unsupported');
    assert.match(down.measurement.reason ?? '', /older release/);
  });

  test('a responder that dies in the middle is a loss with what had been found', async () => {
    const { up, down } = await measured({ path: { delayMs: 5, mtu: 1400 }, events: [{ atMs: 60, kill: 'there', how: 'host' }] });
    for (const { measurement } of [up, down]) assert.ok(measurement.partial === true || measurement.outcome === 'lost', JSON.stringify(measurement));
  });

  test('any two MTUs, any loss up to 10 % and any delay: exact in both directions', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 576, max: 9216 }),
        fc.integer({ min: 576, max: 9216 }),
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 1, max: 1e6 }),
        fc.constantFrom('told', 'silent'),
        async (mtu, backMtu, loss, delayMs, seed, tooBig) => {
          const path: Path = { delayMs, mtu, loss, tooBig, back: { mtu: backMtu, loss, tooBig } };
          const { up, down } = await measured({ path, seed, interfaceMtu: 9216, options: { method: 'responder', timeoutMs: 10_000 } });
          exactly(up, mtu);
          exactly(down, backMtu);
          assert.equal(up.details.blackHole, tooBig === 'silent' && mtu < 9216);
          assert.equal(down.details.blackHole, tooBig === 'silent' && backMtu < 9216);
        },
      ),
      { numRuns: 60, seed: 20_261_121 },
    ));
});

describe('the path MTU without a responder', () => {
  const none = { responder: 'none', options: { timeoutMs: 1000 } } as const;

  test('comes from pings, for the way there only', async () => {
    const { up, down } = await measured({ path: { delayMs: 5, mtu: 1400 }, ...none });
    exactly(up, 1400);
    assert.deepEqual([up.details.method, up.details.blackHole, up.details.tooBigMtuBytes], ['icmp', false, 1400]);
    assert.match(up.measurement.error?.from.join('\n') ?? '', /the way back is not known/);
    assert.equal(down.measurement.outcome, 'unsupported');
    assert.match(down.measurement.reason ?? '', /tautline serve/);
  });

  test('finds a black hole by pings', async () => {
    const { up } = await measured({ path: { delayMs: 5, mtu: 1400, tooBig: 'silent' }, ...none });
    exactly(up, 1400);
    assert.equal(up.details.blackHole, true);
  });

  test('is exact by pings at 5 % loss and over jumbo frames', async () => {
    const { up } = await measured({ path: { delayMs: 5, mtu: 8999, loss: 0.05 }, interfaceMtu: 9000, ...none });
    exactly(up, 8999);
  });

  test('comes from a closed port where pings are not allowed or not answered', async () => {
    for (const more of [{ here: { mayPing: false } }, { there: { icmp: 'silent' } }] as const) {
      const { up } = await measured({ path: { delayMs: 5, mtu: 1400 }, ...none, ...more });
      exactly(up, 1400);
      assert.equal(up.details.method, 'udp');
    }
  });

  test('is not known where nothing answers, and says what was tried', async () => {
    const { up, down } = await measured({ path: { delayMs: 5 }, there: { icmp: 'silent', closedPorts: 'drop' }, ...none });
    for (const { measurement } of [up, down]) {
      assert.equal(measurement.outcome, 'lost');
      assert.match(measurement.reason ?? '', /no responder.*icmp.*udp/s);
    }
  });

  test('a port that cannot send packets at all is unsupported, with its reason', async () => {
    const packets: Packets = { probe: () => Promise.reject(new TautlineError('unsupported', 'no such sockets here')) };
    const { up } = await measured({ path: { delayMs: 5 }, ...none, packets, options: { method: 'icmp' } });
    assert.match(up.measurement.reason ?? '', /no such sockets here/);
    assert.notEqual(up.measurement.outcome, 'ok');
  });

  test('where the method is given, only that one is tried', async () => {
    const { up } = await measured({ path: { delayMs: 5, mtu: 1400 }, options: { method: 'icmp' } });
    exactly(up, 1400);
    assert.equal(up.details.method, 'icmp');
    const refused = await measured({ path: { delayMs: 5 }, responder: 'none', options: { method: 'responder', timeoutMs: 500 } });
    assert.notEqual(refused.up.measurement.outcome, 'ok');
  });
});
