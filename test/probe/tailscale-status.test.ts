import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseTailscaleStatus, readTailscaleStatus } from '../../src/probe/tailscale-status.js';
import type { TailscaleStatus } from '../../src/probe/tailscale-status.js';
import type { HostSpec } from '../../src/sim/index.js';
import { daemon, recorded, tailnet } from './tailscale-recordings.js';

const FROM = { source: 'socket', place: 'here' } as const;

function read(spec: Partial<HostSpec>, signal = new AbortController().signal): Promise<TailscaleStatus> {
  const network = tailnet(spec);
  return network.run(() => readTailscaleStatus(network.ports('alpha'), { timeoutMs: 2000, signal }));
}

function parse(name: string): TailscaleStatus {
  const status = parseTailscaleStatus(JSON.parse(recorded(name)), FROM);
  assert.ok(status);
  return status;
}

test('peers are told apart by how their packets go', () => {
  const { peers, self, state, version, userspace } = parse('status-running.json');
  assert.deepEqual(
    peers.map(({ dnsName, connection, online }) => [dnsName.split('.')[0], connection, online]),
    [
      ['beta', 'direct', true],
      ['delta', 'idle', true],
      ['epsilon', 'idle', false],
      ['eta', 'idle', true],
      ['gamma', 'relayed', true],
      ['zeta', 'relayed', true],
    ],
  );
  assert.deepEqual(
    [state, version, userspace, self?.name, self?.addresses[0]],
    ['Running', '1.103.0-tde9ec7ee2-gde9ec7ee2', false, 'alpha', '100.64.0.1'],
  );
  const by = (name: string) => peers.find((peer) => peer.dnsName.startsWith(`${name}.`));
  assert.equal(by('beta')?.endpoint, '192.0.2.20:41641');
  assert.equal(by('beta')?.handshakeAtMs, Date.UTC(2025, 11, 31, 23, 59, 0, 123));
  assert.equal(by('beta')?.lastSeenMs, undefined, 'the year 1 means never');
  assert.equal(by('epsilon')?.lastSeenMs, Date.UTC(2025, 11, 24, 8));
  assert.equal(by('gamma')?.relay, 'fra');
  assert.equal(by('zeta')?.peerRelay, '100.64.0.9:7777:vni:42');
  assert.equal(by('eta')?.exitNode, true);
  assert.equal(by('delta')?.name, "Delta's MacBook Pro");
});

test('a client of 2021, which tells less, is understood', () => {
  const { peers, userspace, health } = parse('status-1.8.json');
  const [beta] = peers;
  assert.deepEqual([beta?.connection, beta?.online, beta?.active, userspace, health], ['direct', true, undefined, undefined, []]);
});

test('a logged-out client and a stopped one say so, and have no peers or stale ones', () => {
  const out = parse('status-needs-login.json');
  assert.deepEqual([out.state, out.peers, out.self?.online], ['NeedsLogin', [], false]);
  assert.match(out.health[0] ?? '', /logged out/);
  assert.deepEqual([parse('status-stopped.json').state, parse('status-stopped.json').peers.length], ['Stopped', 1]);
});

test('the socket is asked first', async () => {
  const status = await read({ services: [daemon({ status: recorded('status-running.json') })] });
  assert.deepEqual([status.outcome, status.source, status.peers.length], ['ok', 'socket', 6]);
});

test('where the socket may not be opened, the program answers in its place', async () => {
  const commands = [{ program: 'tailscale', args: ['status', '--json'], stdout: recorded('status-running.json') }];
  const status = await read({ services: [daemon({}, { permitted: false })], commands });
  assert.deepEqual([status.outcome, status.source, status.place], ['ok', 'command', 'tailscale']);
});

test("the program inside macOS' app is found where none is in the PATH", async () => {
  const program = '/Applications/Tailscale.app/Contents/MacOS/Tailscale';
  const status = await read({ commands: [{ program, args: ['status', '--json'], stdout: recorded('status-running.json') }] });
  assert.deepEqual([status.outcome, status.place], ['ok', program]);
});

test('every way of getting no answer has its own outcome and advice', async () => {
  const down = { program: 'tailscale', code: 1, stderr: recorded('daemon-down.stderr.txt') };
  const cases: [string, Partial<HostSpec>, string, RegExp][] = [
    ['not installed', {}, 'unsupported', /not installed here/],
    ['daemon down', { commands: [down] }, 'refused', /daemon does not run .*systemctl start tailscaled/],
    ['denied, no program', { services: [daemon({}, { permitted: false })] }, 'unchecked', /may not open .*run as root, or .*--operator/],
    [
      '403',
      { services: [{ ...daemon({}), routes: { '/localapi/v0/status': { status: 403, body: 'status access denied' } } }] },
      'unchecked',
      /status access denied.*--operator/,
    ],
    [
      'hung socket',
      { services: [{ ...daemon({}), routes: { '/localapi/v0/status': { serverMs: 3600e3 } } }] },
      'timeout',
      /within 2000 ms: tailscaled hangs/,
    ],
    ['hung program', { commands: [{ program: 'tailscale', takesMs: 3600e3 }] }, 'timeout', /did not end within 2000 ms/],
    ['HTML', { services: [daemon({ status: '<html><body>Not here</body></html>' })] }, 'unsupported', /not in JSON \(<html>/],
    ['other JSON', { services: [daemon({ status: '{"ok":true}' })] }, 'lost', /not the status of a Tailscale client/],
    [
      'program that fails',
      { commands: [{ program: 'tailscale', code: 2, stderr: 'flag provided but not defined: -json' }] },
      'lost',
      /code 2 .*flag provided/,
    ],
  ];
  for (const [what, spec, outcome, reason] of cases) {
    const status = await read(spec);
    assert.equal(status.outcome, outcome, what);
    assert.match(status.reason ?? '', reason, what);
    assert.deepEqual(status.peers, [], what);
  }
});

test('a hung daemon is not asked a second time by its program', async () => {
  const network = tailnet({
    services: [{ ...daemon({}), routes: { '/localapi/v0/status': { serverMs: 3600e3 } } }],
    commands: [{ program: 'tailscale' }],
  });
  await network.run(() => readTailscaleStatus(network.ports('alpha'), { timeoutMs: 2000, signal: new AbortController().signal }));
  assert.deepEqual(network.host('alpha').commands.ran, []);
});

test('an abort ends the reading', async () => {
  const controller = new AbortController();
  controller.abort();
  const status = await read(
    { services: [daemon({ status: recorded('status-running.json') })], commands: [{ program: 'tailscale' }] },
    controller.signal,
  );
  assert.equal(status.outcome, 'unchecked');
});

test('whatever a client writes into the fields, reading it neither throws nor grows without bound', () => {
  const long = 'x'.repeat(100_000);
  const wire = JSON.parse(recorded('status-running.json')) as { Peer: Record<string, unknown> };
  const peers = Object.fromEntries(
    Array.from({ length: 6000 }, (_, i) => [`nodekey:${i}`, { HostName: long, DNSName: long, TailscaleIPs: Array(100).fill(long) }]),
  );
  const huge = parseTailscaleStatus({ ...wire, Peer: peers, Health: Array(1000).fill(long) }, FROM);
  assert.equal(huge?.peers.length, 5000);
  assert.ok((huge?.peers[0]?.name.length ?? 0) <= 256 && (huge?.peers[0]?.addresses.length ?? 0) <= 16 && (huge?.health.length ?? 0) <= 20);
  const anything = fc.record({
    BackendState: fc.constantFrom('Running', 'odd'),
    Peer: fc.dictionary(fc.string(), fc.object()),
    Self: fc.anything(),
    Health: fc.anything(),
    TUN: fc.anything(),
  });
  fc.assert(
    fc.property(anything, (input) => {
      assert.equal(parseTailscaleStatus(input, FROM)?.outcome, 'ok');
    }),
  );
  fc.assert(fc.property(fc.anything(), (input) => assert.doesNotThrow(() => parseTailscaleStatus(input, FROM))));
});
