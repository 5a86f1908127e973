import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import { parseTarget } from '../../src/base/index.js';
import { parseNetcheck } from '../../src/probe/tailscale-netcheck.js';
import { tailscaleProbe } from '../../src/probe/tailscale.js';
import type { TailscaleOptions } from '../../src/probe/tailscale.js';
import { MeasurementSchema } from '../../src/results/index.js';
import type { Measurement, TailscaleDetails } from '../../src/results/index.js';
import type { HostSpec, Scenario, SimNetwork } from '../../src/sim/index.js';
import { SOCKET, daemon, recorded, tailnet } from './tailscale-recordings.js';

interface Setting {
  readonly target?: string;
  readonly options?: Partial<TailscaleOptions>;
  readonly abortAtMs?: number;
}

async function measure(network: SimNetwork, { target = 'beta', options = {}, abortAtMs }: Setting = {}): Promise<Measurement[]> {
  const controller = new AbortController();
  if (abortAtMs !== undefined) network.timeline.after(abortAtMs * 1e6, () => controller.abort());
  const measurements = await network.run(() =>
    tailscaleProbe.run({
      target: parseTarget(target),
      path: 'tailscale',
      options: { ...tailscaleProbe.defaults, ...options },
      ports: network.ports('alpha'),
      seed: 1,
      signal: controller.signal,
      onProgress: () => {},
    }),
  );
  for (const measurement of measurements) v.parse(MeasurementSchema, measurement);
  return measurements;
}

const RUNNING = recorded('status-running.json');
const netcheck = (name: string) => ({ program: 'tailscale', args: ['netcheck', '--format=json'], stdout: recorded(name), takesMs: 3000 });
const running = (rest: Partial<HostSpec> = {}): Partial<HostSpec> => ({
  services: [daemon({ status: RUNNING, derpmap: recorded('derpmap.json') })],
  commands: [netcheck('netcheck-easy-nat.json')],
  ...rest,
});
const detailsOf = (measurement: Measurement | undefined): TailscaleDetails => measurement?.details as unknown as TailscaleDetails;
const TUNNEL = '100.64.0.2';
const UNDERLAY = '192.0.2.20';

/** The status, with fields of beta changed by how much time has passed. */
function changing(network: SimNetwork, change: (atMs: number) => Record<string, unknown>): SimNetwork {
  network.host('alpha').listenOnSocket(SOCKET, {
    permitted: true,
    http: {
      responder: {
        clientOf: (address) => address,
        uploadReceipt: () => new Uint8Array(),
        answer() {
          const status = JSON.parse(RUNNING) as { Peer: Record<string, { HostName: string }> };
          for (const peer of Object.values(status.Peer)) if (peer.HostName === 'beta') Object.assign(peer, change(network.nowMs));
          return { status: 200, headers: {}, body: { kind: 'bytes', bytes: new TextEncoder().encode(JSON.stringify(status)) } };
        },
      },
    },
  });
  return network;
}

/** One way for the tunnel and one for what is outside of it. */
const ways = (tunnel: Partial<Scenario['paths'][number]>, outside: Partial<Scenario['paths'][number]> = {}): Scenario['paths'] => [
  { from: 'alpha', to: TUNNEL, delayMs: 5, mtu: 1280, ...tunnel },
  { from: 'alpha', to: UNDERLAY, delayMs: 4, ...outside },
];

describe('a peer that is reached directly', () => {
  test('round trips, full-size packets, endpoint, age of the handshake, MTU and netcheck are told', async () => {
    const [rtt, large, ...rest] = await measure(tailnet(running()));
    assert.deepEqual(
      [rtt?.metric, rtt?.outcome, rtt?.reason, large?.metric, large?.outcome, rest.length],
      ['tailscale', 'ok', undefined, 'tailscale.large', 'ok', 0],
    );
    assert.ok(Math.abs((rtt?.summary?.median ?? 0) - 10) < 0.1, `${rtt?.summary?.median} ms`);
    assert.deepEqual([rtt?.summary?.n, large?.summary?.n, large?.details?.['sizeBytes']], [20, 5, 1280]);
    const details = detailsOf(rtt);
    const { peer } = details;
    assert.deepEqual(
      [details.source, details.state, details.self?.name, details.mtu, details.directButBroken],
      ['socket', 'Running', 'alpha', 1280, false],
    );
    assert.deepEqual(
      [peer?.name, peer?.connection, peer?.endpoint, peer?.relay, peer?.online],
      ['beta', 'direct', '192.0.2.20:41641', undefined, true],
    );
    assert.ok((peer?.handshakeAgeMs ?? 0) > 59_000 && (peer?.handshakeAgeMs ?? 0) < 70_000, `${peer?.handshakeAgeMs}`);
    assert.deepEqual(details.netcheck, {
      udp: true,
      ipv6: false,
      mappingVaries: false,
      portMapping: 'NAT-PMP',
      nearestRelay: 'fra',
      relayLatencyMs: { fra: 9.712345, lhr: 21.873112, tok: 233.481223 },
      globalAddress: '203.0.113.7:41641',
    });
    assert.deepEqual(details.packets, [
      { to: 'peer', bytes: 84, sent: 20, received: 20 },
      { to: 'peer', bytes: 1280, sent: 5, received: 5 },
    ]);
  });

  test('is found by its name, its DNS name, its address, or a name of the hosts file, and only by these', async () => {
    const options = { skipNetcheck: true, count: 1 };
    for (const target of ['beta', 'BETA', 'beta.tail1234.ts.net', 'beta.tail1234.ts.net.', '100.64.0.2', 'server'])
      assert.equal((await measure(tailnet(running({ hosts: { server: ['100.64.0.2'] } })), { target, options }))[0]?.outcome, 'ok', target);
    const [unknown] = await measure(tailnet(running()), { target: 'omega', options });
    assert.equal(unknown?.outcome, 'unchecked');
    assert.match(unknown?.reason ?? '', /knows no peer 'omega' \(peers: beta, delta, epsilon, eta, gamma and 1 more\)/);
  });

  test('this host itself has no round trip, but its state and netcheck are told', async () => {
    for (const target of ['alpha', 'local', '100.64.0.1']) {
      const [own] = await measure(tailnet(running()), { target });
      assert.equal(own?.outcome, 'unchecked');
      assert.match(own?.reason ?? '', /this host itself: name a peer/);
      assert.equal(detailsOf(own).netcheck?.udp, true);
    }
  });

  test('a client without an interface says so instead of losing pings', async () => {
    const status = JSON.stringify({ ...(JSON.parse(RUNNING) as object), TUN: false });
    const [rtt] = await measure(tailnet({ services: [daemon({ status })] }));
    assert.equal(rtt?.outcome, 'unsupported');
    assert.match(rtt?.reason ?? '', /userspace networking.*tailscale ping/);
  });
});

describe('a connection that is called direct and is broken', () => {
  test('nothing comes back, the endpoint answers outside of it', async () => {
    const network = changing(tailnet({}, ways({ blackhole: true })), () => ({ LastHandshake: '2025-12-31T23:00:00Z' }));
    const [rtt, ...rest] = await measure(network, { options: { count: 5 } });
    assert.deepEqual([rtt?.outcome, detailsOf(rtt).directButBroken, rest.length], ['lost', true, 0]);
    assert.match(rtt?.reason ?? '', /calls the connection direct, but nothing comes back through it \(the last handshake was 3.* ago\)/);
    assert.match(rtt?.reason ?? '', /endpoint 192\.0\.2\.20:41641 answers pings outside the tunnel/);
    assert.deepEqual(detailsOf(rtt).packets?.at(-1), { to: 'endpoint', bytes: 84, sent: 3, received: 3 });
  });

  test('nothing comes back, and the endpoint is silent too', async () => {
    const network = changing(tailnet({}, ways({ blackhole: true }, { blackhole: true })), () => ({}));
    const [rtt] = await measure(network, { options: { count: 5 } });
    assert.equal(detailsOf(rtt).directButBroken, true);
    assert.match(rtt?.reason ?? '', /does not answer pings outside the tunnel either/);
  });

  test('full-size packets vanish while small ones pass', async () => {
    const network = changing(tailnet({}, ways({ mtu: 1200, tooBig: 'silent' })), () => ({}));
    const [rtt, large] = await measure(network);
    assert.deepEqual([rtt?.outcome, large?.outcome, detailsOf(rtt).directButBroken], ['ok', 'lost', true]);
    assert.match(
      rtt?.reason ?? '',
      /packets of 1280 bytes vanish while small ones pass: .* datagrams of 1340 bytes; .*tautline measure mtu 192\.0\.2\.20/,
    );
    assert.match(large?.reason ?? '', /none of 5 packets of 1280 bytes was answered/);
  });

  test('is not said when bytes come back: then something drops the pings', async () => {
    const silent = (): SimNetwork => tailnet({}, ways({ icmp: 'filtered' }));
    for (const change of [
      // WireGuard answers data after 10 s at the latest.
      (atMs: number) => ({ RxBytes: atMs > 10_000 ? 184_352 : 184_320 }),
      (atMs: number) => ({ LastHandshake: atMs > 5000 ? '2026-01-01T00:00:05Z' : '2025-12-31T23:00:00Z' }),
    ]) {
      const [rtt] = await measure(changing(silent(), change), { options: { count: 5 } });
      assert.deepEqual([rtt?.outcome, detailsOf(rtt).directButBroken], ['lost', false]);
      assert.match(rtt?.reason ?? '', /tunnel itself is alive .* drop pings/);
    }
  });

  test('is not said of a peer that is off', async () => {
    const network = changing(tailnet({}, ways({ blackhole: true })), () => ({ Online: false, LastSeen: '2025-12-31T12:00:00Z' }));
    const [rtt] = await measure(network, { options: { count: 5 } });
    assert.deepEqual([rtt?.outcome, detailsOf(rtt).directButBroken], ['lost', undefined]);
    assert.match(rtt?.reason ?? '', /says that beta is offline, last seen 12 hours ago/);
  });

  test('is said of what the connection became, not of what it was', async () => {
    const network = changing(tailnet({}, ways({})), (atMs) => (atMs < 1000 ? { CurAddr: '', Relay: 'fra' } : {}));
    assert.equal(detailsOf((await measure(network))[0]).peer?.connection, 'direct');
    const back = changing(tailnet({}, ways({})), (atMs) => (atMs < 1000 ? {} : { CurAddr: '', Relay: 'fra' }));
    const [rtt] = await measure(back);
    assert.deepEqual([detailsOf(rtt).peer?.connection, detailsOf(rtt).peer?.relay, detailsOf(rtt).directButBroken], ['relayed', 'fra', undefined]);
    assert.match(rtt?.reason ?? '', /relayed by DERP region fra, not direct/);
  });
});

describe('a client that cannot be used', () => {
  const state = (BackendState: string): Partial<HostSpec> => ({ services: [daemon({ status: JSON.stringify({ BackendState }) })] });
  const cases: [string, Partial<HostSpec>, string, RegExp][] = [
    [
      'logged out',
      { services: [daemon({ status: recorded('status-needs-login.json') })] },
      'unchecked',
      /logged out: log in with `sudo tailscale up` \(it says: You are logged out/,
    ],
    ['stopped', { services: [daemon({ status: recorded('status-stopped.json') })] }, 'unchecked', /stopped: start it with/],
    ['not approved', state('NeedsMachineAuth'), 'unchecked', /administrator of the tailnet has to approve/],
    ["another user's", state('InUseOtherUser'), 'unchecked', /used by another user/],
    ['starting', state('Starting'), 'unchecked', /still starting/],
    ['in a state of the future', state('Hibernating'), 'unchecked', /not known here, 'Hibernating'/],
    ['not installed', {}, 'unsupported', /not installed here/],
    ['hung', { services: [{ ...daemon({}), routes: { '/localapi/v0/status': { serverMs: 3600e3 } } }] }, 'timeout', /tailscaled hangs/],
  ];
  for (const [what, spec, outcome, reason] of cases) {
    test(`${what}: ${outcome}, and what to do`, async () => {
      const network = tailnet(spec);
      const [rtt, ...rest] = await measure(network);
      assert.deepEqual([rtt?.outcome, rest.length], [outcome, 0]);
      assert.match(rtt?.reason ?? '', reason);
      assert.equal(rtt?.loss, undefined, 'nothing was sent');
    });
  }
});

describe('the run', () => {
  test('without the program there is no netcheck, and the rest stands', async () => {
    const [rtt] = await measure(tailnet(running({ commands: [] })));
    assert.deepEqual([rtt?.outcome, detailsOf(rtt).netcheck], ['ok', undefined]);
    assert.match(detailsOf(rtt).netcheckMissing ?? '', /no program `tailscale`/);
  });

  test('a netcheck that hangs or fails is told, and bounded', async () => {
    const hung = await measure(tailnet(running({ commands: [{ ...netcheck('netcheck-easy-nat.json'), takesMs: 3600e3 }] })));
    assert.match(detailsOf(hung[0]).netcheckMissing ?? '', /did not end within 15 s/);
    const broken = await measure(tailnet(running({ commands: [{ program: 'tailscale', code: 1, stderr: 'netcheck: no DERP map' }] })));
    assert.match(detailsOf(broken[0]).netcheckMissing ?? '', /without a report \(netcheck: no DERP map\)/);
  });

  test('a netcheck that nobody wants is not run', async () => {
    const network = tailnet(running());
    await measure(network, { options: { skipNetcheck: true, count: 1 } });
    assert.deepEqual(network.host('alpha').commands.ran, []);
  });

  test('an abort gives what there is, as partial', async () => {
    const [early] = await measure(tailnet(running()), { abortAtMs: 0 });
    assert.deepEqual([early?.outcome, early?.partial], ['unchecked', true]);
    const [late] = await measure(tailnet(running()), { abortAtMs: 500 });
    assert.deepEqual([late?.outcome, late?.partial, (late?.summary?.n ?? 0) > 2, detailsOf(late).peer?.name], ['ok', true, true, 'beta']);
  });

  test('an address of the wanted family is used', async () => {
    const [rtt] = await measure(tailnet(running()), { options: { family: 4, count: 2, skipNetcheck: true } });
    assert.equal(rtt?.details?.['remote'], '100.64.0.2');
    const status = JSON.parse(RUNNING) as { Peer: Record<string, { TailscaleIPs: string[] }> };
    for (const peer of Object.values(status.Peer)) peer.TailscaleIPs = peer.TailscaleIPs.slice(0, 1);
    const [six] = await measure(tailnet({ services: [daemon({ status: JSON.stringify(status) })] }), { options: { family: 6, skipNetcheck: true } });
    assert.match(six?.reason ?? '', /names no IPv6 address for beta/);
  });
});

describe("the client's netcheck", () => {
  test('a NAT that maps every destination anew is told from one that does not', () => {
    assert.equal(parseNetcheck(recorded('netcheck-easy-nat.json'))?.mappingVaries, false);
    assert.deepEqual(parseNetcheck(recorded('netcheck-hard-nat.json')), {
      udp: true,
      ipv6: false,
      mappingVaries: true,
      portMapping: 'none',
      nearestRelay: 'DERP 4',
      relayLatencyMs: { 'DERP 4': 9.712345, 'DERP 8': 21.873112, 'DERP 7': 233.481223 },
      globalAddress: '203.0.113.7:1024',
    });
  });

  test('what was not looked at is missing, not false', () => {
    assert.deepEqual(parseNetcheck(recorded('netcheck-no-udp.json')), {
      udp: false,
      ipv6: false,
      nearestRelay: 'DERP 4',
      relayLatencyMs: { 'DERP 4': 31.712345 },
    });
  });

  test('what is no report is not read', () => {
    for (const text of ['', '{}', '[1]', 'Report:\n\t* UDP: true', '{"UDP":"yes"}']) assert.equal(parseNetcheck(text), undefined, text);
  });
});
