import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { definePeer } from '../../src/paths/index.js';
import type { HostSpec, Scenario } from '../../src/sim/index.js';
import { runCheck } from './sim-check.js';

const KEY = 'a key for the simulated network alone, 32 bytes';
const json = (value: unknown): { body: string } => ({ body: JSON.stringify(value) });
const ID = 'a'.repeat(64);

/** A card of 10 Gbit/s on a port of 1 Gbit/s. */
const card = (address: string): NonNullable<HostSpec['interfaces']>[number] => ({
  name: 'eth0',
  addresses: [`${address}/24`],
  kind: 'ethernet',
  driver: 'ixgbe',
  speedBps: 1e9,
  duplex: 'full',
  autonegotiation: true,
  supported: ['1000baseT/Full', '10000baseT/Full'],
  advertised: ['1000baseT/Full', '10000baseT/Full'],
  partner: ['1000baseT/Full'],
});

const network = { Id: ID, Name: 'app_default', Driver: 'bridge', Scope: 'local', IPAM: { Config: [{ Subnet: '172.20.0.0/16' }] }, Options: {} };
const engine = (permitted = true): NonNullable<HostSpec['services']>[number] => ({
  kind: 'web',
  socketPath: '/var/run/docker.sock',
  permitted,
  routes: {
    '/_ping': { body: 'OK' },
    '/version': json({ Version: '27.1.0', ApiVersion: '1.46', Components: [{ Name: 'Engine', Version: '27.1.0' }] }),
    '/containers/json': json([
      { Id: ID, Names: ['/app'], Image: 'image', State: 'running', Ports: [], NetworkSettings: { Networks: { app_default: {} } } },
    ]),
    [`/containers/${ID}/json`]: json({ Id: ID, State: {}, NetworkSettings: { Networks: { app_default: {} } } }),
    '/networks': json([network]),
    [`/networks/${ID}`]: json(network),
  },
});

function scenario(laptop: Partial<HostSpec> = {}, path: Partial<Scenario['paths'][number]> = {}): Scenario {
  return {
    seed: 1,
    hosts: {
      laptop: { addresses: ['10.1.0.9'], interfaces: [card('10.1.0.9')], files: { '/key': KEY }, ...laptop },
      server: { addresses: ['10.1.0.2'], interfaces: [card('10.1.0.2')] },
    },
    paths: [{ from: 'laptop', to: '10.1.0.2', delayMs: 0.1, rateBps: 1e9, queueMs: 5, framingBytes: 38, ...path }],
  };
}

const asked = { target: '10.1.0.2', keyFile: '/key', serveKey: KEY } as const;

describe('a check hands what it measured to everything that follows from it', () => {
  test('the links of both ends to the ceilings, the finding, and the advice with its prices', async () => {
    const { document } = await runCheck(scenario(), asked);
    const [subject] = document.subjects;
    assert.ok(
      subject?.limits?.some(({ id, bps }) => id === 'link-rate' && Math.round(bps / 1e5) === 9415),
      JSON.stringify(subject?.limits),
    );
    assert.ok(subject?.ends?.far?.link?.speedBps === 1e9, 'the far end told about itself');
    assert.equal(document.findings?.[0]?.id, 'link-below-capability');
    assert.deepEqual([document.advice?.fromBps, document.advice?.toBps], [1e9, 10e9]);
    assert.ok((document.advice?.options.length ?? 0) > 1);
    assert.match(document.advice?.pricesAsOf ?? '', /^\d{4}-\d\d-\d\d$/);
  });

  test('this host, and how it sends to the peer, to the environment that is kept with the run', async () => {
    const { document } = await runCheck(scenario(), asked);
    assert.deepEqual(
      document.environment?.routes?.map(({ to, through }) => [to, through]),
      [['10.1.0.2', 'eth0']],
    );
  });

  test("the path's MTU to the containers beside it", async () => {
    const narrow = await runCheck(scenario({ services: [engine()] }, { mtu: 1400 }), asked);
    assert.ok(
      narrow.document.findings?.some(({ id, evidence }) => id === 'container-mtu' && evidence.some(({ text }) => text.includes('1400'))),
      JSON.stringify(narrow.document.findings),
    );
    const wide = await runCheck(scenario({ services: [engine()] }), asked);
    assert.ok(wide.document.subjects.some(({ role }) => role === 'containers'));
    assert.ok(!wide.document.findings?.some(({ id }) => id === 'container-mtu'));
  });

  test('what it could not look at to the reader, and the rest stands', async () => {
    const client = { program: 'tailscale', code: 1, stderr: 'failed to connect to local tailscaled; it does not appear to be running' };
    const spec = scenario({ services: [engine(false)], commands: [client] });
    const peers = [definePeer('beta', { paths: { lan: '10.1.0.2' }, keyFile: '/key' })];
    const { document } = await runCheck(spec, { ...asked, target: 'beta', peers, discover: { homeFolder: '/home/me' } });
    const unchecked = document.unchecked?.map(({ what, why }) => `${what}: ${why}`) ?? [];
    for (const expected of [/^containers on this host: .*may not open/, /^tailscale: .*daemon does not run/])
      assert.ok(
        unchecked.some((each) => expected.test(each)),
        unchecked.join('\n'),
      );
    assert.ok(document.subjects[0]?.measurements.some(({ metric, outcome }) => metric === 'throughput.up' && outcome === 'ok'));
  });

  test('a path in a tunnel to the probe that asks its client', async () => {
    const [path] = definePeer('beta', { paths: { vpn: '10.1.0.2' } }).paths;
    assert.ok(path);
    const peers = [{ name: 'beta', paths: [{ ...path, kind: 'tailscale' as const }], defaultPath: 'vpn', keyFile: '/key' }];
    const { document } = await runCheck(scenario(), { ...asked, target: 'beta', peers });
    const tunnel = document.subjects[0]?.measurements.find(({ probe }) => probe === 'tailscale');
    assert.ok(tunnel && tunnel.outcome !== 'ok' && (tunnel.reason ?? '') !== '', 'there is no client here, and that is told');
  });
});
