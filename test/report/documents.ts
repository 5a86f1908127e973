import type { CheckDocument, MeasureDocument, Measurement, Rating } from '../../src/results/index.js';

/** Documents for the reports' tests: a check with everything in it, single probes, and one from a hostile peer. */

const HOST = {
  name: 'atlas',
  os: 'Linux',
  kernel: '6.1.0-28-amd64',
  arch: 'x64',
  cpus: 2,
  cpuModel: 'Intel(R) Xeon(R) @ 2.20GHz',
  memoryBytes: 8_345_000_000,
  node: '20.20.2',
  root: false,
};
const STARTED_AT = '2026-11-21T07:40:12.345Z';
const RATED: Readonly<Record<Rating['band'], Rating>> = {
  excellent: { band: 'excellent', stars: 5 },
  good: { band: 'good', stars: 4 },
  fair: { band: 'fair', stars: 3 },
  poor: { band: 'poor', stars: 2 },
};

export function measurement(fields: Partial<Measurement> & Pick<Measurement, 'probe' | 'metric'>): Measurement {
  return { target: '10.7.0.2:7227', path: 'default', outcome: 'ok', startedAt: STARTED_AT, durationMs: 2000, provenance: 'measured', ...fields };
}

/** A summary around a median: figures only have to be plausible and in order. */
export function around(unit: 'ms' | 'bps' | 'rpm' | 'ratio', median: number, n: number, spread = 0.1): NonNullable<Measurement['summary']> {
  const at = (share: number): number => Number((median * (1 + spread * share)).toPrecision(9));
  return {
    unit,
    n,
    min: at(-0.9),
    median,
    mean: at(0.02),
    p95: at(2),
    p99: at(4),
    max: at(6),
    stddev: Number((median * spread).toPrecision(9)),
    ...(n >= 6 ? { ci95: [at(-0.2), at(0.25)] as [number, number] } : {}),
  };
}

const kernelStamps = { value: 0.0042, unit: 'ms', from: ['kernel receive stamps of 1 us', 'send lateness p99 31 us'] } satisfies Measurement['error'];

export const CHECK: CheckDocument = {
  schema: 'tautline.check/1',
  tool: { name: 'tautline', version: '0.1.0' },
  host: HOST,
  startedAt: STARTED_AT,
  durationMs: 14_213.4,
  target: '10.7.0.2',
  depth: 'default',
  subjects: [
    {
      name: '10.7.0.2',
      role: 'target',
      address: '10.7.0.2:7227',
      facts: { interface: 'eth0', mtu: '1500', answers: 'tautline serve' },
      measurements: [
        measurement({
          probe: 'ping',
          metric: 'rtt',
          target: '10.7.0.2',
          summary: around('ms', 0.512, 100),
          loss: { sent: 100, received: 100, ratio: 0, ci95: [0, 0.037] },
          error: { value: 0.006, unit: 'ms', from: ['kernel receive stamps of 1 us'] },
          rating: RATED.excellent,
        }),
        measurement({
          probe: 'echo',
          metric: 'rtt',
          summary: around('ms', 0.4203, 400),
          loss: { sent: 400, received: 399, ratio: 0.0025, ci95: [0.0004, 0.014] },
          error: kernelStamps,
          rating: RATED.good,
        }),
        measurement({
          probe: 'echo',
          metric: 'jitter',
          summary: around('ms', 0.0381, 398),
          error: { ...kernelStamps, value: 0.0084 },
          rating: RATED.excellent,
        }),
        measurement({ probe: 'tcp', metric: 'connect', summary: around('ms', 0.602, 15), rating: RATED.excellent }),
        measurement({ probe: 'http', metric: 'http.ttfb', summary: around('ms', 1.9, 5), rating: RATED.excellent }),
        measurement({
          probe: 'tls',
          metric: 'tls',
          outcome: 'unsupported',
          reason: 'the port answers, but not in TLS; name an https:// URL to measure TLS',
        }),
        measurement({
          probe: 'throughput',
          metric: 'throughput.down',
          summary: around('bps', 938_400_000, 30, 0.004),
          ceiling: { value: 941_500_000, unit: 'bps', why: 'TCP over 1 Gbit/s Ethernet at MTU 1500 with timestamps' },
          rating: RATED.excellent,
        }),
        measurement({
          probe: 'throughput',
          metric: 'rtt.idle',
          summary: around('ms', 0.43, 60),
          loss: { sent: 60, received: 60, ratio: 0, ci95: [0, 0.06] },
        }),
        measurement({
          probe: 'throughput',
          metric: 'rtt.loaded.down',
          summary: around('ms', 35.21, 300),
          loss: { sent: 300, received: 297, ratio: 0.01, ci95: [0.0034, 0.029] },
          rating: RATED.fair,
        }),
        measurement({
          probe: 'throughput',
          metric: 'throughput.up',
          summary: around('bps', 1_204_000_000, 30, 0.01),
          ceiling: { value: 941_500_000, unit: 'bps', why: 'TCP over 1 Gbit/s Ethernet at MTU 1500 with timestamps' },
        }),
        measurement({ probe: 'throughput', metric: 'rtt.idle', summary: around('ms', 0.43, 60) }),
        measurement({ probe: 'throughput', metric: 'rtt.loaded.up', summary: around('ms', 2.4, 300), rating: RATED.excellent }),
        measurement({
          probe: 'responsiveness',
          metric: 'responsiveness',
          outcome: 'timeout',
          partial: true,
          reason: 'the server stopped answering after 3.1 s; run `tautline measure responsiveness 10.7.0.2:7227` to see whether it does so again',
        }),
      ],
    },
    { name: 'eth0', role: 'interface', address: '10.7.0.9', facts: { state: 'up', addresses: '10.7.0.9/24', mtu: '1500' }, measurements: [] },
    {
      name: 'default gateway (IPv4)',
      role: 'gateway',
      address: '10.7.0.1',
      facts: { interface: 'eth0' },
      measurements: [
        measurement({
          probe: 'ping',
          metric: 'rtt',
          target: '10.7.0.1',
          outcome: 'lost',
          loss: { sent: 3, received: 0, ratio: 1, ci95: [0.44, 1] },
          error: kernelStamps,
          reason: 'no reply to 3 pings within 1 s each; many gateways drop pings, and this says nothing about the traffic that they forward',
        }),
      ],
    },
    {
      name: 'this host itself, loopback',
      role: 'self',
      address: '127.0.0.1:40211',
      facts: {},
      measurements: [
        measurement({
          probe: 'echo',
          metric: 'rtt',
          target: '127.0.0.1:40211',
          summary: around('ms', 0.0213, 1000),
          loss: { sent: 1000, received: 1000, ratio: 0, ci95: [0, 0.004] },
          error: { value: 0.001, unit: 'ms', from: ['kernel receive stamps of 1 us'] },
        }),
        measurement({ probe: 'throughput', metric: 'throughput.both', target: '127.0.0.1:40211', summary: around('bps', 38_420_000_000, 8, 0.05) }),
      ],
    },
  ],
  verdict: {
    outcome: 'inconclusive',
    band: 'fair',
    sentence:
      'A figure is above what is possible, so this settles nothing: the path to 10.7.0.2 is fair, with round trip 420.3 us (median of 400), 0.250 % of 400 lost, 938.4 Mbit/s down; worst is round trip under download, 34.78 ms above idle (fair); the gateway 10.7.0.1 gave no answer.',
  },
};

export const MEASURE: MeasureDocument = {
  schema: 'tautline.measure/1',
  tool: { name: 'tautline', version: '0.1.0' },
  host: HOST,
  startedAt: STARTED_AT,
  durationMs: 5230,
  probe: 'throughput',
  target: '10.7.0.2:7227',
  measurements: [
    measurement({
      probe: 'throughput',
      metric: 'throughput.up',
      summary: around('bps', 184_200_000, 10, 0.03),
      rating: RATED.fair,
      error: { value: 1_200_000, unit: 'bps', from: ['edges of the first and last interval'] },
      details: {
        streams: 4,
        method: 'native',
        congestion: 'cubic',
        retransmits: 12,
        minRttMs: 0.4013,
        copied: false,
        intervals: [{ endMs: 500, bits: 9e7 }],
      },
    }),
    measurement({ probe: 'throughput', metric: 'rtt.idle', summary: around('ms', 0.41, 50), error: kernelStamps }),
    measurement({
      probe: 'throughput',
      metric: 'rtt.loaded.up',
      summary: around('ms', 121.4, 480),
      loss: { sent: 500, received: 480, ratio: 0.04, ci95: [0.026, 0.061] },
      error: kernelStamps,
      rating: RATED.poor,
    }),
  ],
};

export const FAILED: MeasureDocument = {
  ...MEASURE,
  interrupted: true,
  probe: 'echo',
  measurements: [
    measurement({
      probe: 'echo',
      metric: 'rtt',
      outcome: 'refused',
      reason: 'the server at 10.7.0.2:7227 does not accept this key; give both ends the same --key-file',
    }),
    measurement({
      probe: 'echo',
      metric: 'loss',
      partial: true,
      provenance: 'simulated',
      loss: { sent: 50, received: 48, ratio: 0.04, ci95: [0.011, 0.135] },
      rating: RATED.poor,
    }),
  ],
};

/** Everything that a peer could try: terminal escapes of both sets, bidirectional text, markup, formulas, wide and combining characters. */
export const HOSTILE: CheckDocument = {
  ...CHECK,
  target: '=cmd|calc',
  subjects: [
    {
      name: '\u001b[2J\u009b31mred',
      role: 'target',
      address: '=HYPERLINK("http://evil.example")',
      facts: { 'server | <b>': 'line\r\nbreak\u0007 \u202eesrever `code` **bold** @someone https://evil.example' },
      measurements: [
        measurement({
          probe: 'tcp',
          metric: 'connect',
          target: '東京サーバー',
          path: '+lan',
          summary: around('ms', 3.21, 10),
          rating: RATED.good,
          reason: '@SUM(A1) says "hi", twice',
        }),
        measurement({
          probe: 'dns',
          metric: 'dns',
          target: 'e\u0301t\u00e9.example',
          path: 'vpn\u0000',
          outcome: 'timeout',
          reason: '\u001b]0;title\u0007 <script>alert(1)</script> |x|\nsecond line',
        }),
        measurement({
          probe: 'http',
          metric: '名前の解決と接続',
          path: '+lan',
          summary: around('ms', 80, 5),
          error: { value: 1, unit: 'ms', from: ['\u009d0;x\u009c'] },
        }),
      ],
    },
  ],
  verdict: { outcome: 'fail', sentence: 'Text with \u001b[31mcolour\u001b[0m and | a bar.' },
};
