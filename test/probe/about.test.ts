import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseTarget } from '../../src/base/index.js';
import type { ConnectOutcome, Endpoint } from '../../src/base/index.js';
import { askAbout, nearAbout } from '../../src/probe/about.js';
import { openControl } from '../../src/probe/control-client.js';
import { throughputProbe } from '../../src/probe/throughput.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { HostSpec } from '../../src/sim/index.js';
import { FrameChannel } from '../../src/wire/index.js';
import type { ControlFrame } from '../../src/wire/index.js';
import { serveOn } from '../app/sim-serve.js';
import { connectionPair } from '../serve/memory-connection.js';

const REMOTE: Endpoint = { host: '10.0.0.2', port: 7227, family: 4 };
const KEY = new TextEncoder().encode('a key of some length');
const FAR: Partial<HostSpec> = {
  identity: { os: 'Debian 12', kernel: '6.1.0', cpus: 8 },
  tcp: { receiveBufferBytes: 65_536 },
  interfaces: [
    { name: 'enp1s0', addresses: ['10.0.0.2/24'], speedBps: 100e6, driver: 'r8169', mac: '02:00:00:00:00:02', partner: ['100baseT/Full'] },
    { name: 'docker0', addresses: ['172.17.0.1/16'], kind: 'bridge' },
    { name: 'br-0a1b2c', addresses: ['172.18.3.1/20', 'fd00:5::1/64', 'fe80::1/64'], kind: 'bridge' },
    { name: 'br0', addresses: ['192.168.7.1/24'], kind: 'bridge' },
    { name: 'br-lan', addresses: ['192.168.8.1/24'] },
  ],
};

function world(options: { key?: Uint8Array; far?: Partial<HostSpec>; near?: Partial<HostSpec> } = {}): SimNetwork {
  const net = new SimNetwork({
    hosts: { a: { addresses: ['10.0.0.1'], ...options.near }, b: { addresses: ['10.0.0.2'], ...FAR, ...options.far } },
    paths: [{ from: 'a', to: 'b', delayMs: 1, rateBps: 100e6 }],
  });
  serveOn(net.host('b'), { port: 7227, ...(options.key ? { key: options.key } : {}) });
  return net;
}

const ask = (net: SimNetwork, key?: Uint8Array): ReturnType<typeof askAbout> =>
  net.run(askAbout({ ports: net.ports('a'), remotes: [REMOTE], timeoutMs: 1000, signal: new AbortController().signal, ...(key ? { key } : {}) }));

describe('asking the far end about itself', () => {
  test('it tells its link, route, TCP settings, container subnets, and how it sees us', async () => {
    const { outcome, about, remote } = await ask(world({ key: KEY }), KEY);
    assert.equal(outcome, 'ok');
    assert.deepEqual(remote, REMOTE);
    assert.deepEqual([about?.name, about?.os, about?.kernel, about?.cpus], ['b', 'Debian 12', '6.1.0', 8]);
    assert.deepEqual([about?.link?.name, about?.link?.speedBps, about?.link?.partnerBpsMax], ['enp1s0', 100e6, 100e6]);
    assert.equal(about?.link?.mac, undefined);
    assert.deepEqual(about?.route, { interfaceName: 'enp1s0', source: '10.0.0.2', mtu: 1500, local: false });
    assert.deepEqual(about?.tcp?.receiveBytes, [4096, 131_072, 65_536]);
    assert.deepEqual(about?.containerSubnets, ['172.17.0.0/16', '172.18.0.0/20', 'fd00:5::/64'], 'only of bridges that engines made');
    assert.equal(about?.observed, '10.0.0.1');
  });

  test('without the key nothing is told', async () => {
    const { outcome, about, reason } = await ask(world({ key: KEY }), new TextEncoder().encode('another key'));
    assert.deepEqual([outcome, about], ['refused', undefined]);
    assert.match(reason ?? '', /another key/);
  });

  test('where nobody serves, the reason is that of the connection', async () => {
    const net = new SimNetwork({ hosts: { a: { addresses: ['10.0.0.1'] }, b: { addresses: ['10.0.0.2'] } }, paths: [{ from: 'a', to: 'b' }] });
    const { outcome, reason } = await ask(net);
    assert.equal(outcome, 'refused');
    assert.match(reason ?? '', /tautline serve/);
  });

  test('the near end can be described in the same way', async () => {
    const net = world({ near: { identity: { cpus: 4 }, interfaces: [{ name: 'wlan0', addresses: ['10.0.0.1/24'], kind: 'wireless', mtu: 1400 }] } });
    const about = await net.run(nearAbout(net.ports('a').facts, '10.0.0.2'));
    assert.deepEqual(
      [about.name, about.cpus, about.link?.kind, about.route?.interfaceName, about.observed],
      ['a', 4, 'wireless', 'wlan0', undefined],
    );
    assert.deepEqual(about.containerSubnets, []);
  });
});

describe('a server that does not tell', () => {
  /** A control connection to a server that answers the handshake so, and then whatever comes with `later`. */
  async function against(welcome: object, later: (frame: ControlFrame) => ControlFrame | undefined) {
    const asked: ControlFrame[] = [];
    const connect = (): Promise<ConnectOutcome> => {
      const [end, far] = connectionPair();
      void (async (): Promise<void> => {
        const channel = new FrameChannel(far, { preface: true });
        for (;;) {
          const event = await channel.next();
          if (event.kind !== 'frame') return;
          const { frame } = event;
          if (frame.type === 'hello') await channel.send({ type: 'challenge', nonce: 'cd'.repeat(16), auth: false, software: 'tautline/0' });
          else if (frame.type === 'auth')
            await channel.send({ type: 'welcome', mac: '', ticket: '0a'.repeat(24), limits: { streamsMax: 1, durationMsMax: 1 }, ...welcome });
          else {
            asked.push(frame);
            const answer = later(frame);
            if (answer) await channel.send(answer);
          }
        }
      })();
      return Promise.resolve({ outcome: 'ok', connection: end, connectMs: 1 });
    };
    const net = new SimNetwork({ hosts: { a: { addresses: ['10.0.0.1'] } }, paths: [] });
    const ports = { ...net.ports('a'), streams: { connect, pump: () => Promise.reject(new Error('no pump')) } };
    const opened = await openControl({ ports, remote: REMOTE, timeoutMs: 1000, signal: new AbortController().signal });
    assert.ok(opened.outcome === 'ok');
    return { control: opened.control, asked };
  }

  test('an older one is not asked, since it would close the connection over it', async () => {
    const { control, asked } = await against({}, () => undefined);
    const answer = await control.about();
    assert.ok(answer.outcome === 'unsupported');
    assert.match(answer.reason, /update it there/);
    assert.deepEqual(asked, []);
    control.close();
  });

  test('one that is set not to is not asked either', async () => {
    const { control, asked } = await against({ about: false }, () => undefined);
    const answer = await control.about();
    assert.deepEqual([answer.outcome, asked.length], ['refused', 0]);
    assert.match(answer.outcome === 'ok' ? '' : answer.reason, /serve\.about/);
    control.close();
  });

  test('one that has answered too often says so, and the connection goes on', async () => {
    let turn = 0;
    const host = { name: 'b', os: 'o', kernel: 'k', cpus: 1 };
    const { control } = await against({ about: true }, () =>
      turn++ === 0 ? { type: 'refused', code: 'limit', message: 'too often', hint: 'later' } : { type: 'about', about: host },
    );
    const first = await control.about();
    assert.deepEqual([first.outcome, first.outcome === 'ok' ? '' : first.reason], ['refused', '10.0.0.2:7227: too often: later']);
    assert.deepEqual(await control.about(), { outcome: 'ok', about: host });
    control.close();
  });

  test('an answer out of turn is told as such', async () => {
    const { control } = await against({ about: true }, () => ({ type: 'started' }));
    const answer = await control.about();
    assert.equal(answer.outcome, 'unsupported');
    control.close();
  });
});

describe('how busy the hosts were', () => {
  test('throughput tells it of both ends', async () => {
    const net = world({ near: { processors: [{ busy: 0.3 }, {}] }, far: { processors: [{ busy: 0.1 }, { busy: 0.9, softirq: 0.8, steal: 0.1 }] } });
    const measurements = await net.run(
      throughputProbe.run({
        target: parseTarget('10.0.0.2:7227'),
        path: 'default',
        options: { ...throughputProbe.defaults, durationMs: 500 },
        ports: net.ports('a'),
        seed: 1,
        signal: new AbortController().signal,
        onProgress: () => {},
      }),
    );
    const rounded = (load: unknown): unknown =>
      Object.fromEntries(Object.entries(load as Record<string, number>).map(([key, share]) => [key, Math.round(share * 100)]));
    for (const [metric, near, far] of [
      ['throughput.up', 'sender', 'receiver'],
      ['throughput.down', 'receiver', 'sender'],
    ] as const) {
      const details = measurements.find((measurement) => measurement.metric === metric)?.details as Record<string, { host: unknown }>;
      assert.deepEqual(rounded(details[near]?.host), { busy: 15, busiestCpu: 30, softirq: 0, steal: 0 }, metric);
      assert.deepEqual(rounded(details[far]?.host), { busy: 50, busiestCpu: 90, softirq: 80, steal: 5 }, metric);
    }
  });
});
