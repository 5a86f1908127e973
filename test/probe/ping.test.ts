import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { TautlineError, parseTarget } from '../../src/base/index.js';
import type { CommandResult, ExchangeLog, ExchangePlan, Ports } from '../../src/base/index.js';
import { pingProbe } from '../../src/probe/ping.js';
import type { PingOptions } from '../../src/probe/ping.js';
import { parsePing, pingCommand } from '../../src/probe/system-ping.js';
import { MeasurementSchema } from '../../src/results/index.js';
import type { Measurement } from '../../src/results/index.js';
import { encodeIcmpEcho } from '../../src/wire/index.js';

// Captured from iputils 20221126.
const IPUTILS = `PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.
64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.057 ms
64 bytes from 127.0.0.1: icmp_seq=2 ttl=64 time=0.033 ms
64 bytes from 127.0.0.1: icmp_seq=3 ttl=64 time=0.038 ms

--- 127.0.0.1 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time 408ms
rtt min/avg/max/mdev = 0.033/0.042/0.057/0.010 ms
`;
// Captured from busybox 1.35.
const BUSYBOX = `PING 127.0.0.1 (127.0.0.1): 56 data bytes
64 bytes from 127.0.0.1: seq=0 ttl=64 time=0.043 ms
64 bytes from 127.0.0.1: seq=1 ttl=64 time=0.053 ms
64 bytes from 127.0.0.1: seq=2 ttl=64 time=0.051 ms

--- 127.0.0.1 ping statistics ---
3 packets transmitted, 3 packets received, 0% packet loss
round-trip min/avg/max = 0.043/0.049/0.053 ms
`;
// Written after the format of macOS' ping (FreeBSD's ping.c).
const MACOS = `PING 10.0.0.9 (10.0.0.9): 56 data bytes
64 bytes from 10.0.0.9: icmp_seq=0 ttl=57 time=12.345 ms
Request timeout for icmp_seq 1
64 bytes from 10.0.0.9: icmp_seq=2 ttl=57 time=112.001 ms
92 bytes from 10.0.0.1: Destination Host Unreachable
Vr HL TOS  Len   ID Flg  off TTL Pro  cks      Src      Dst
 4  5  00 5400 0000   0 0000  3f  01 0000 10.0.0.2  10.0.0.9

--- 10.0.0.9 ping statistics ---
4 packets transmitted, 2 packets received, 50.0% packet loss
round-trip min/avg/max/stddev = 12.345/62.173/112.001/49.828 ms
`;
// Written after the format of iputils.
const TROUBLED = `PING 10.9.9.2 (10.9.9.2) 56(84) bytes of data.
64 bytes from 10.9.9.2: icmp_seq=1 ttl=64 time=9.87 ms
64 bytes from 10.9.9.2: icmp_seq=1 ttl=64 time=11.2 ms (DUP!)
From 10.9.9.1 icmp_seq=2 Destination Host Unreachable
64 bytes from 10.9.9.2: icmp_seq=3 ttl=64 time=123 ms

--- 10.9.9.2 ping statistics ---
4 packets transmitted, 2 received, +1 duplicates, +1 errors, 50% packet loss, time 3004ms
rtt min/avg/max/mdev = 9.870/66.435/123.000/56.565 ms, pipe 2
`;

test('the output of iputils is read line by line', () => {
  assert.deepEqual(parsePing(IPUTILS), {
    replies: [
      { sequence: 1, rttMs: 0.057, copy: false },
      { sequence: 2, rttMs: 0.033, copy: false },
      { sequence: 3, rttMs: 0.038, copy: false },
    ],
    transmitted: 3,
    received: 3,
    complaints: {},
    resolutionMs: 0.001,
  });
});

test('the output of busybox is read line by line', () => {
  const output = parsePing(BUSYBOX);
  assert.deepEqual(
    output.replies.map(({ sequence, rttMs }) => [sequence, rttMs]),
    [
      [0, 0.043],
      [1, 0.053],
      [2, 0.051],
    ],
  );
  assert.equal(output.received, 3);
});

test('the output of macOS is read line by line', () => {
  const output = parsePing(MACOS);
  assert.deepEqual(
    output.replies.map(({ sequence, rttMs }) => [sequence, rttMs]),
    [
      [0, 12.345],
      [2, 112.001],
    ],
  );
  assert.deepEqual(output.complaints, { 'Destination Host Unreachable': 1 });
  assert.deepEqual([output.transmitted, output.received], [4, 2]);
  const six = parsePing('16 bytes from ::1, icmp_seq=0 hlim=64 time=0.080 ms\n');
  assert.deepEqual(six.replies, [{ sequence: 0, rttMs: 0.08, copy: false }]);
});

test('copies, complaints and coarse times of a troubled path are told apart', () => {
  const output = parsePing(TROUBLED);
  assert.deepEqual(output.replies, [
    { sequence: 1, rttMs: 9.87, copy: false },
    { sequence: 1, rttMs: 11.2, copy: true },
    { sequence: 3, rttMs: 123, copy: false },
  ]);
  assert.deepEqual(output.complaints, { 'Destination Host Unreachable': 1 });
  assert.equal(output.resolutionMs, 1);
});

test("text that is not ping's reads as nothing", () => {
  assert.deepEqual(parsePing('ping: bad address\n\0\uFFFF64 bytes'), {
    replies: [],
    transmitted: undefined,
    received: undefined,
    complaints: {},
    resolutionMs: undefined,
  });
});

test('the command line fits the system', () => {
  const command = { host: '10.0.0.9', family: 4, count: 5, intervalMs: 200, timeoutMs: 1500, sizeBytes: 56 } as const;
  assert.deepEqual(pingCommand('Debian GNU/Linux 12', command), {
    program: 'ping',
    args: ['-4', '-n', '-c', '5', '-i', '0.2', '-s', '56', '-W', '2', '10.0.0.9'],
  });
  assert.deepEqual(pingCommand('darwin', command).args.slice(-3), ['-W', '1500', '10.0.0.9']);
  assert.equal(pingCommand('darwin', { ...command, host: '::1', family: 6 }).program, 'ping6');
});

// --- The probe -------------------------------------------------------------------------------

interface Fake {
  /** RTT of ping i, undefined = lost. */
  readonly rtt?: (i: number) => number | undefined;
  readonly errors?: Record<string, number>;
  readonly open?: TautlineError;
  readonly command?: CommandResult;
  readonly root?: boolean;
}

async function ping(
  fake: Fake,
  options: Partial<PingOptions> = {},
  signal = new AbortController().signal,
): Promise<{ measurements: Measurement[]; ran: string[][] }> {
  const ran: string[][] = [];
  let nowMs = 0;
  let sentBefore = 0;
  let pending: { atMs: number; bytes: Uint8Array }[] = [];
  const exchange = (plan: ExchangePlan): Promise<ExchangeLog> => {
    const startMs = nowMs;
    for (let i = 0; i < plan.count; i++) {
      const rttMs = (fake.rtt ?? (() => 1))(sentBefore + i);
      if (rttMs !== undefined)
        pending.push({
          atMs: startMs + (i * plan.intervalNs) / 1e6 + rttMs,
          bytes: encodeIcmpEcho({ family: 4, identifier: 5, sequence: i & 0xffff, payload: new Uint8Array(0), reply: true }),
        });
    }
    sentBefore += plan.count;
    nowMs += ((plan.count === 0 ? 0 : plan.count - 1) * plan.intervalNs + plan.waitNs) / 1e6;
    const taken = pending.filter(({ atMs }) => atMs <= nowMs).sort((a, b) => a.atMs - b.atMs);
    pending = pending.filter(({ atMs }) => atMs > nowMs);
    const due = Float64Array.from({ length: plan.count }, (_, i) => i * plan.intervalNs);
    const arrived = Float64Array.from(taken, ({ atMs }) => (atMs - startMs) * 1e6);
    const bytes = new Uint8Array(taken.length * 8);
    taken.forEach((reply, k) => bytes.set(reply.bytes, k * 8));
    return Promise.resolve({
      startNs: BigInt(Math.round(startMs * 1e6)),
      sent: plan.count,
      dueNs: due,
      sentNs: due,
      callNs: new Float64Array(plan.count),
      received: taken.length,
      arrivedNs: arrived,
      readNs: arrived,
      length: new Uint32Array(taken.length).fill(64),
      bytes,
      stride: 8,
      errors: plan.count > 0 ? (fake.errors ?? {}) : {},
      kernelDrops: 0,
      cpuMs: 0,
      elapsedMs: nowMs - startMs,
      aborted: false,
    });
  };
  const remote = { host: '10.9.9.2', port: 0, family: 4 };
  const ports = {
    clock: { nowMs: () => nowMs, wallMs: () => 1.8e12 },
    names: { lookup: () => Promise.resolve({ outcome: 'ok', addresses: [{ host: remote.host, family: 4 }], elapsedMs: 0 }) },
    datagrams: {
      open: () =>
        fake.open
          ? Promise.reject(fake.open)
          : Promise.resolve({ remote, local: remote, stamps: 'kernel', fallbacks: [], exchange, close: () => Promise.resolve() }),
    },
    commands: {
      run: (program: string, args: string[]) => {
        ran.push([program, ...args]);
        return Promise.resolve(fake.command ?? { outcome: 'missing' });
      },
    },
    facts: { identity: () => Promise.resolve({ os: 'linux', root: fake.root ?? false }) },
  };
  const measurements = await pingProbe.run({
    target: parseTarget('10.9.9.2:443'),
    path: 'default',
    options: { ...pingProbe.defaults, ...options },
    ports: ports as unknown as Ports,
    seed: 1,
    signal,
    onProgress: () => {},
  });
  for (const measurement of measurements) v.parse(MeasurementSchema, JSON.parse(JSON.stringify(measurement)));
  return { measurements, ran };
}

const DENIED = new TautlineError('permission', 'ping_group_range leaves this group out');

test('pings by a socket give rtt, jitter and loss', async () => {
  const { measurements } = await ping({ rtt: (i) => (i === 4 ? undefined : i % 2 === 0 ? 10 : 13) }, { count: 50, intervalMs: 20 });
  const [rtt, jitter] = measurements;
  assert.equal(rtt?.outcome, 'ok');
  assert.equal(rtt?.summary?.n, 49);
  assert.deepEqual(
    [rtt?.summary?.min, rtt?.summary?.max].map((ms) => Math.round((ms ?? 0) * 1e6) / 1e6),
    [10, 13],
  );
  assert.equal(rtt?.loss?.ratio, 1 / 50);
  assert.ok(Math.abs((jitter?.summary?.median ?? 0) - 3) < 1e-6);
});

test('more pings than ICMP has sequence numbers are told apart at the seam', async () => {
  const { measurements } = await ping({ rtt: (i) => (i === 65_536 ? undefined : 4.5) }, { count: 65_600, intervalMs: 1 });
  assert.deepEqual([measurements[0]?.loss?.sent, measurements[0]?.loss?.received], [65_600, 65_599]);
  assert.ok((measurements[0]?.summary?.max ?? 9) < 4.51);
});

test('nobody there, unreachable and prohibited have different reasons', async () => {
  const lost = () => undefined;
  const {
    measurements: [silent],
  } = await ping({ rtt: lost }, { count: 5, intervalMs: 1 });
  assert.equal(silent?.outcome, 'lost');
  assert.match(silent?.reason ?? '', /none of 5 pings was answered: the host is off/);
  assert.equal(silent?.loss?.ratio, 1);
  const {
    measurements: [unreachable],
  } = await ping({ rtt: lost, errors: { EHOSTUNREACH: 5 } }, { count: 5, intervalMs: 1 });
  assert.match(unreachable?.reason ?? '', /EHOSTUNREACH/);
  const {
    measurements: [looping],
  } = await ping({ rtt: lost, errors: { TTL_EXCEEDED: 5 } }, { count: 5, intervalMs: 1 });
  assert.match(looping?.reason ?? '', /time to live ran out/);
  const {
    measurements: [prohibited],
  } = await ping({ rtt: lost, errors: { EACCES: 5 } }, { count: 5, intervalMs: 1 });
  assert.equal(prohibited?.outcome, 'refused');
});

test("without the right to open ICMP sockets the system's ping measures, and the error says so", async () => {
  const {
    measurements: [rtt],
    ran,
  } = await ping({ open: DENIED, command: { outcome: 'exited', code: 0, stdout: IPUTILS, stderr: '' } }, { count: 10, intervalMs: 100 });
  assert.equal(rtt?.outcome, 'ok');
  assert.equal(rtt?.summary?.n, 3);
  assert.equal(rtt?.summary?.median, 0.038);
  assert.deepEqual(rtt?.error?.value, 0.001);
  assert.match(rtt?.error?.from.join('\n') ?? '', /system's ping.*ping_group_range[^]*rounded to 1.000 us[^]*every 200.0 ms instead of 100.0 ms/);
  // Half as often, so half as many: the run takes as long as asked.
  assert.deepEqual(ran, [['ping', '-4', '-n', '-c', '5', '-i', '0.2', '-s', '56', '-W', '2', '10.9.9.2']]);
});

test('the fallback counts losses and passes on what ping complained about', async () => {
  const {
    measurements: [rtt],
  } = await ping({ open: DENIED, command: { outcome: 'exited', code: 1, stdout: TROUBLED, stderr: '' } }, { count: 4, intervalMs: 200 });
  assert.equal(rtt?.outcome, 'ok');
  assert.deepEqual([rtt?.loss?.sent, rtt?.loss?.received], [4, 2]);
  assert.equal(rtt?.details?.['duplicates'], 1);
  const none =
    'PING 10.9.9.2 (10.9.9.2) 56(84) bytes of data.\nFrom 10.9.9.1 icmp_seq=1 Time to live exceeded\n\n--- 10.9.9.2 ping statistics ---\n2 packets transmitted, 0 received, +1 errors, 100% packet loss, time 1001ms\n';
  const {
    measurements: [exceeded],
  } = await ping({ open: DENIED, command: { outcome: 'exited', code: 1, stdout: none, stderr: '' } });
  assert.equal(exceeded?.outcome, 'lost');
  assert.match(exceeded?.reason ?? '', /none of 2 pings was answered: Time to live exceeded/);
  const {
    measurements: [failed],
  } = await ping({ open: DENIED, command: { outcome: 'exited', code: 2, stdout: '', stderr: 'ping: connect: Network is unreachable\n' } });
  assert.equal(failed?.outcome, 'lost');
  assert.match(failed?.reason ?? '', /Network is unreachable/);
});

test('with neither the right nor a ping program it is unsupported, and the reason says what to do', async () => {
  const {
    measurements: [rtt, ...more],
  } = await ping({ open: DENIED });
  assert.equal(rtt?.outcome, 'unsupported');
  assert.match(rtt?.reason ?? '', /ping_group_range=.*iputils-ping/);
  assert.equal(more.length, 0);
});

test('a failure to open that is not about rights is an outcome, without the fallback', async () => {
  const {
    measurements: [rtt],
    ran,
  } = await ping({ open: new TautlineError('io', 'no route to 10.9.9.2') });
  assert.equal(rtt?.outcome, 'lost');
  assert.match(rtt?.reason ?? '', /no route/);
  assert.deepEqual(ran, []);
});

test('impossible options are usage errors', async () => {
  const usage = (error: unknown): boolean => error instanceof TautlineError && error.code === 'usage';
  for (const options of [{ count: 0 }, { intervalMs: 0 }, { sizeBytes: -1 }, { sizeBytes: 70_000 }]) await assert.rejects(ping({}, options), usage);
});

test('aborted before it began, nothing is sent', async () => {
  const {
    measurements: [rtt],
    ran,
  } = await ping({ open: DENIED }, {}, AbortSignal.abort());
  assert.equal(rtt?.outcome, 'unchecked');
  assert.deepEqual(ran, []);
});
