import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HostFacts, HostIdentity, LinkFacts, RouteFacts, TcpSettings } from '../../src/base/index.js';
import { environmentChanges, environmentOf, fingerprintOf } from '../../src/store/index.js';

interface Machine {
  readonly kernel?: string;
  readonly links?: readonly LinkFacts[];
  readonly tcp?: TcpSettings;
  readonly route?: Partial<RouteFacts>;
}

const ETH0: LinkFacts = {
  name: 'eth0',
  kind: 'ethernet',
  up: true,
  mtu: 1500,
  driver: 'igc',
  speedBps: 1e9,
  features: { 'generic-receive-offload': { on: true, changeable: true }, 'tx-gso-list': { on: false, changeable: false } },
  counters: { rx_packets: 12 },
  qdiscs: [{ kind: 'fq_codel', parent: 'root', handle: '0:', sentBytes: 7 }],
};

function facts({ kernel = '6.1.0', links = [ETH0], tcp = { congestion: 'cubic' }, route = {} }: Machine = {}): HostFacts {
  const identity: HostIdentity = {
    name: 'alpha',
    os: 'Linux',
    kernel,
    arch: 'x64',
    cpus: 2,
    cpuModel: 'c',
    memoryBytes: 1,
    node: 'v20',
    root: false,
  };
  return {
    identity: async () => identity,
    interfaces: async () => [],
    defaultRoutes: async () => [],
    resolvers: async () => [],
    links: async () => links,
    routeTo: async () => ({ interfaceName: 'eth0', source: '10.0.0.1', gateway: '10.0.0.254', mtu: 1500, local: false, ...route }),
    processors: async () => undefined,
    tcpSettings: async () => tcp,
  };
}

const QUERY = { remotes: ['10.0.0.2'], tool: 'tautline 0.1.0' };

async function fingerprint(machine: Machine): Promise<string> {
  return (await environmentOf(facts(machine), QUERY)).fingerprint;
}

describe('the environment of a run', () => {
  test('it is the same for the same host, whatever counters, loads and addresses by DHCP say', async () => {
    const same = [
      {},
      { links: [{ ...ETH0, counters: { rx_packets: 99_999, rx_dropped: 3 } }] },
      { links: [{ ...ETH0, qdiscs: [{ kind: 'fq_codel', parent: 'root', handle: '0:', sentBytes: 1e9, backlogBytes: 3000, drops: 4 }] }] },
      { links: [{ ...ETH0 }, { ...ETH0, name: 'veth17', kind: 'virtual' as const }] },
      { route: { source: '10.0.0.77' } },
    ];
    const prints = await Promise.all(same.map(fingerprint));
    assert.equal(new Set(prints).size, 1);
    const adaptive = await Promise.all(
      [3, 250].map((rxUsecs) => fingerprint({ links: [{ ...ETH0, coalescing: { adaptiveRx: true, rxUsecs, adaptiveTx: true } }] })),
    );
    assert.equal(new Set(adaptive).size, 1, 'an adaptive interval follows the traffic');
  });

  const changes: readonly (readonly [what: string, machine: Machine, said: string])[] = [
    ['a new kernel', { kernel: '6.2.0' }, 'kernel Linux 6.1.0 x64 -> Linux 6.2.0 x64'],
    ['another MTU', { links: [{ ...ETH0, mtu: 9000 }] }, 'eth0 mtu 1500 -> 9000'],
    ['another speed', { links: [{ ...ETH0, speedBps: 100e6 }] }, 'eth0 speedBps 1000000000 -> 100000000'],
    ['another driver', { links: [{ ...ETH0, driver: 'e1000e' }] }, 'eth0 driver igc -> e1000e'],
    ['an offload that is off', { links: [{ ...ETH0, features: {} }] }, 'eth0 offloads generic-receive-offload -> '],
    [
      'a shaper',
      { links: [{ ...ETH0, qdiscs: [{ kind: 'tbf', parent: 'root', handle: '1:', rateBps: 50e6 }] }] },
      'eth0 qdiscs fq_codel at root -> tbf at root 50000000 bit/s',
    ],
    ['another congestion control', { tcp: { congestion: 'bbr' } }, 'tcp.congestion cubic -> bbr'],
    ['a setting that could be read now', { tcp: { congestion: 'cubic', sack: true } }, 'tcp.sack true (new)'],
    ['another gateway', { route: { gateway: '10.0.0.1' } }, 'route to 10.0.0.2 gateway 10.0.0.254 -> 10.0.0.1'],
  ];
  for (const [what, machine, said] of changes) {
    test(`${what} changes the fingerprint and is named`, async () => {
      const [before, after] = await Promise.all([environmentOf(facts(), QUERY), environmentOf(facts(machine), QUERY)]);
      assert.notEqual(before.fingerprint, after.fingerprint);
      assert.deepEqual(environmentChanges(before, after), [said]);
      assert.deepEqual(environmentChanges(before, before), []);
    });
  }

  test("a radio's rate, which changes by the second, is not in it", async () => {
    const prints = await Promise.all([300e6, 866e6].map((speedBps) => fingerprint({ links: [{ ...ETH0, kind: 'wireless', speedBps }] })));
    assert.equal(new Set(prints).size, 1);
  });

  test('the fingerprint depends on values and not on the order of keys', () => {
    const environment = { kernel: 'k', tool: 't', links: [{ name: 'a', mtu: 1 }], settings: { a: '1', b: '2' }, routes: [] };
    const turned = { routes: [], settings: { b: '2', a: '1' }, links: [{ mtu: 1, name: 'a' }], tool: 't', kernel: 'k' };
    assert.equal(fingerprintOf(environment), fingerprintOf(turned));
    assert.match(fingerprintOf(environment), /^[0-9a-f]{64}$/);
    assert.notEqual(fingerprintOf(environment), fingerprintOf({ ...environment, tool: 'u' }));
  });

  test('without a target it is what is plugged in and up', async () => {
    const links: LinkFacts[] = [ETH0, { ...ETH0, name: 'eth1', up: false }, { ...ETH0, name: 'docker0', kind: 'bridge' }];
    const environment = await environmentOf(facts({ links }), { remotes: [], tool: 't' });
    assert.deepEqual(
      environment.links.map(({ name }) => name),
      ['eth0'],
    );
  });
});
