import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import { parseTarget } from '../../src/base/index.js';
import { linkProbe } from '../../src/probe/link.js';
import { MeasurementSchema } from '../../src/results/index.js';
import type { LinkDetails, Measurement } from '../../src/results/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { HostSpec } from '../../src/sim/index.js';

type Interfaces = NonNullable<HostSpec['interfaces']>;
const GIGABIT: Interfaces[number] = {
  name: 'eth0',
  addresses: ['10.0.0.1/24'],
  speedBps: 1e9,
  driver: 'ixgbe',
  supported: ['1000baseT/Full', '10000baseT/Full'],
  partner: ['100baseT/Full', '1000baseT/Full'],
};

interface Run {
  readonly measurements: readonly Measurement[];
  readonly elapsedMs: number;
}

async function measure(target: string, host: Partial<HostSpec>, how: { durationMs?: number; abortAtMs?: number } = {}): Promise<Run> {
  const net = new SimNetwork({
    hosts: { a: { addresses: ['10.0.0.1'], hosts: { beta: ['10.0.0.2'] }, ...host }, b: { addresses: ['10.0.0.2'] } },
    paths: [{ from: 'a', to: 'b', delayMs: 1 }],
  });
  const ports = net.ports('a');
  const abort = new AbortController();
  if (how.abortAtMs !== undefined) void ports.clock.sleep(how.abortAtMs).then(() => abort.abort());
  const measurements = await net.run(
    linkProbe.run({
      target: parseTarget(target),
      path: 'default',
      options: { ...linkProbe.defaults, ...(how.durationMs === undefined ? {} : { durationMs: how.durationMs }) },
      ports,
      seed: 1,
      signal: abort.signal,
      onProgress: () => {},
    }),
  );
  for (const measurement of measurements) assert.ok(v.is(MeasurementSchema, JSON.parse(JSON.stringify(measurement))), JSON.stringify(measurement));
  return { measurements, elapsedMs: net.nowMs };
}

async function one(target: string, host: Partial<HostSpec>, how?: Parameters<typeof measure>[2]): Promise<Measurement & { link: LinkDetails }> {
  const { measurements } = await measure(target, host, how);
  assert.equal(measurements.length, 1);
  const [first] = measurements as [Measurement];
  return { ...first, link: first.details as unknown as LinkDetails };
}

describe('measuring an interface', () => {
  test('its negotiated speed, and what card and partner could do', async () => {
    const { metric, outcome, reason, summary, ceiling, link, provenance } = await one('eth0', { interfaces: [GIGABIT] });
    assert.deepEqual({ metric, outcome, reason, provenance }, { metric: 'link', outcome: 'ok', reason: undefined, provenance: 'simulated' });
    assert.deepEqual([summary?.unit, summary?.n, summary?.median], ['bps', 1, 1e9]);
    assert.deepEqual(ceiling, { value: 1e9, unit: 'bps', why: 'the fastest mode that the other end of the cable offers' });
    assert.equal(link.link.supportedBpsMax, 10e9);
    assert.match(link.inShort ?? '', /^eth0 \(ethernet, ixgbe\), full duplex, card up to 10.*partner up to 1/);
  });

  test('a slower speed than both could do is below its ceiling', async () => {
    const { ceiling, summary } = await one('eth0', { interfaces: [{ ...GIGABIT, speedBps: 100e6, duplex: 'half' }] });
    assert.deepEqual([summary?.median, ceiling?.value], [100e6, 1e9]);
  });

  test('a virtual interface has no speed, and that is no failure', async () => {
    const { outcome, reason, summary, ceiling } = await one('veth0', {
      interfaces: [{ name: 'veth0', addresses: ['10.0.0.1/24'], kind: 'virtual' }],
    });
    assert.deepEqual({ outcome, reason, summary, ceiling }, { outcome: 'ok', reason: undefined, summary: undefined, ceiling: undefined });
  });

  test('counters are watched, and only those that move are told, a second', async () => {
    const errors = { ...GIGABIT, counters: { rx_crc_errors: 1000, rx_dropped: 5 }, countersPerSecond: { rx_crc_errors: 40, rx_packets: 1000 } };
    const { link } = await one('eth0', { interfaces: [errors], processors: [{ busy: 0.8, softirq: 0.6 }, { softirq: 0.2 }] }, { durationMs: 2000 });
    assert.deepEqual(link.ratesPerSecond, { rx_packets: 1000, rx_crc_errors: 40 });
    assert.equal(link.watchedMs, 2000);
    assert.equal(link.link.counters?.['rx_dropped'], 5);
    assert.deepEqual([link.softirq?.busiest.toFixed(3), link.softirq?.mean.toFixed(3)], ['0.600', '0.400']);
    assert.match(link.inShort ?? '', /rx_crc_errors 40\/s/);
  });

  test('what may not be read is said', async () => {
    const { link } = await one('eth0', { interfaces: [{ ...GIGABIT, unread: [{ what: 'rings', why: 'the kernel tells it to root only' }] }] });
    assert.match(link.inShort ?? '', /rings unread: the kernel tells it to root only/);
  });

  test('one without a partner, or switched off, carries nothing and says why', async () => {
    const unplugged = await one('eth0', { interfaces: [{ ...GIGABIT, carrier: false }] });
    assert.equal(unplugged.outcome, 'lost');
    assert.match(unplugged.reason ?? '', /no cable/);
    const off = await one('eth0', { interfaces: [{ ...GIGABIT, up: false }] });
    assert.equal(off.outcome, 'lost');
    assert.match(off.reason ?? '', /switched off/);
  });

  test('a host means the interface of the route to it', async () => {
    const interfaces = [GIGABIT, { name: 'tun0', addresses: ['10.8.0.2/24'], kind: 'tunnel' as const }];
    const direct = await one('beta:7227', { interfaces });
    assert.deepEqual([direct.link.link.name, direct.target], ['eth0', 'beta:7227']);
    const tunnelled = await one('10.0.0.2', { interfaces, routes: [{ to: '10.0.0.2', interfaceName: 'tun0' }] });
    assert.equal(tunnelled.link.link.name, 'tun0');
  });

  test("'all' is every interface, each under its own name", async () => {
    const { measurements, elapsedMs } = await measure('all', {
      interfaces: [
        GIGABIT,
        { ...GIGABIT, name: 'eth1', addresses: [], carrier: false },
        { name: 'docker0', addresses: [], kind: 'bridge', carrier: false },
        { name: 'tun0', addresses: [], kind: 'tunnel', up: false },
      ],
    });
    assert.deepEqual(
      measurements.map(({ target, outcome }) => [target, outcome]),
      [
        ['lo', 'ok'],
        ['eth0', 'ok'],
        ['eth1', 'lost'],
        ['docker0', 'unchecked'],
        ['tun0', 'unchecked'],
      ],
    );
    assert.equal(elapsedMs, 1000, 'they are watched at the same time');
  });

  test('a name that is neither interface nor host, and an address without a route, are not blamed on the network', async () => {
    const unknown = await one('eth7', { interfaces: [GIGABIT] });
    assert.equal(unknown.outcome, 'unchecked');
    assert.match(unknown.reason ?? '', /'eth7' is no interface of this host .*link all/);
    const nowhere = await one('192.0.2.9', { interfaces: [GIGABIT] });
    assert.equal(nowhere.outcome, 'unchecked');
    assert.match(nowhere.reason ?? '', /no route to 192\.0\.2\.9/);
  });

  test('an interrupt ends the watching, and the rates are of the time until then', async () => {
    const moving = { ...GIGABIT, countersPerSecond: { rx_errors: 10 } };
    const { partial, reason, link, outcome } = await one('eth0', { interfaces: [moving] }, { durationMs: 60_000, abortAtMs: 500 });
    assert.deepEqual([outcome, partial, link.watchedMs, link.ratesPerSecond], ['ok', true, 500, { rx_errors: 10 }]);
    assert.match(reason ?? '', /interrupted after 500 of 60000 ms/);
  });
});
