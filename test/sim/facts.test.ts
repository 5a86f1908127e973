import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SimNetwork, parseScenario } from '../../src/sim/index.js';
import type { HostSpec } from '../../src/sim/index.js';

const network = (a: Partial<HostSpec> = {}): SimNetwork =>
  new SimNetwork(
    parseScenario({
      hosts: { a: { addresses: ['10.0.0.1'], ...a }, b: { addresses: ['10.0.0.2'] } },
      paths: [{ from: 'a', to: 'b', delayMs: 1, mtu: 1400 }],
    }),
  );

describe('what a simulated host tells of itself', () => {
  test('an interface about which nothing is said is a healthy full-duplex one of unknown speed', async () => {
    const [lo, eth0] = await network().ports('a').facts.links();
    assert.deepEqual([lo?.name, lo?.kind, lo?.mtu], ['lo', 'loopback', 65_536]);
    const { counters, ...rest } = eth0 ?? {};
    assert.deepEqual(rest, { name: 'eth0', kind: 'ethernet', up: true, carrier: true, mtu: 1500, duplex: 'full', autonegotiation: true });
    assert.deepEqual(
      Object.values(counters ?? {}).every((count) => count === 0),
      true,
    );
  });

  test('what is said is told, with the fastest of the modes', async () => {
    const facts = network({
      interfaces: [
        {
          name: 'enp3s0',
          addresses: ['10.0.0.1/24'],
          speedBps: 1e9,
          duplex: 'half',
          driver: 'ixgbe',
          supported: ['1000baseT/Full', '10000baseT/Full'],
          partner: ['1000baseT/Full'],
          queues: { rx: 1, tx: 1, rxMax: 8, txMax: 8 },
          features: { 'tcp-segmentation-offload': { on: false } },
          qdiscs: [{ kind: 'tbf', rateBps: 50e6 }],
        },
      ],
    }).ports('a').facts;
    const [link] = await facts.links('enp3s0');
    assert.equal(link?.supportedBpsMax, 10e9);
    assert.equal(link?.partnerBpsMax, 1e9);
    assert.equal(link?.duplex, 'half');
    assert.deepEqual(link?.queues, { rx: 1, tx: 1, rxMax: 8, txMax: 8 });
    assert.deepEqual(link?.features, { 'tcp-segmentation-offload': { on: false, changeable: true } });
    assert.deepEqual(link?.qdiscs, [{ kind: 'tbf', parent: 'root', handle: '1:', rateBps: 50e6 }]);
    assert.deepEqual(await facts.links('eth9'), []);
  });

  test('counters grow with virtual time', async () => {
    const net = network({
      interfaces: [{ name: 'eth0', addresses: ['10.0.0.1/24'], counters: { rx_crc_errors: 7 }, countersPerSecond: { rx_crc_errors: 100 } }],
    });
    const { facts, clock } = net.ports('a');
    const read = async (): Promise<number | undefined> => (await facts.links('eth0'))[0]?.counters?.['rx_crc_errors'];
    assert.equal(await read(), 7);
    await net.run(clock.sleep(2500));
    assert.equal(await read(), 257);
  });

  test('routes lead as the paths do, unless declared otherwise', async () => {
    const { facts } = network({ interfaces: [{ name: 'eth0', addresses: ['10.0.0.1/24'], mtu: 1400 }] }).ports('a');
    assert.deepEqual(await facts.routeTo('10.0.0.2'), { interfaceName: 'eth0', source: '10.0.0.1', mtu: 1400, local: false });
    assert.deepEqual(await facts.routeTo('127.0.0.1'), { interfaceName: 'lo', source: '127.0.0.1', mtu: 65_536, local: true });
    assert.equal((await facts.routeTo('10.0.0.1'))?.local, true);
    assert.equal(await facts.routeTo('192.0.2.1'), undefined);
    const declared = network({
      gateway: '10.0.0.254',
      interfaces: [
        { name: 'eth0', addresses: ['10.0.0.1/24'] },
        { name: 'tun0', addresses: ['10.8.0.2/24'], kind: 'tunnel', mtu: 1280 },
      ],
      routes: [
        { to: '10.0.0.0/8', interfaceName: 'tun0', gateway: '10.8.0.1' },
        { to: '10.0.0.0/24', interfaceName: 'eth0' },
      ],
    }).ports('a').facts;
    assert.deepEqual(await declared.routeTo('10.9.1.1'), { interfaceName: 'tun0', gateway: '10.8.0.1', mtu: 1280, local: false });
    assert.equal((await declared.routeTo('10.0.0.2'))?.interfaceName, 'eth0');
    assert.deepEqual(await declared.routeTo('192.0.2.1'), {
      interfaceName: 'eth0',
      source: '10.0.0.1',
      gateway: '10.0.0.254',
      mtu: 1500,
      local: false,
    });
  });

  test('processors are as busy as declared, and idle where nothing is', async () => {
    const net = network({ processors: [{ busy: 0.9, softirq: 0.5 }, { steal: 0.25 }] });
    const { facts, clock } = net.ports('a');
    await net.run(clock.sleep(1000));
    assert.deepEqual((await facts.processors())?.cpus, [
      { busyMs: 900, softirqMs: 500, stealMs: 0, idleMs: 1000 * (1 - 0.9) },
      { busyMs: 0, softirqMs: 0, stealMs: 250, idleMs: 750 },
    ]);
    assert.equal((await net.ports('b').facts.processors())?.cpus.length, 2);
  });

  test('TCP settings are those that its connections keep to, unless declared otherwise', async () => {
    const told = async (spec: Partial<HostSpec>): Promise<unknown> => {
      const { receiveBytes, congestion, windowScaling } = await network(spec).ports('a').facts.tcpSettings();
      return { receiveBytes, congestion, windowScaling };
    };
    assert.deepEqual(await told({}), { receiveBytes: [4096, 131_072, 6_291_456], congestion: 'cubic', windowScaling: true });
    assert.deepEqual(await told({ tcp: { congestion: 'reno', receiveBufferBytes: 65_536 } }), {
      receiveBytes: [4096, 131_072, 65_536],
      congestion: 'reno',
      windowScaling: true,
    });
    assert.equal(((await told({ tcpSettings: { windowScaling: false } })) as { windowScaling: boolean }).windowScaling, false);
  });
});
