import { TAUTLINE, PORT } from '../test/lab/tautline.js';
import { startServer } from './arena.js';
import type { Arena } from './arena.js';
import {
  IPERF3_PORT,
  IRTT_PORT,
  SOCKPERF_PORT,
  checkMemory,
  iperf3Tcp,
  iperf3Udp,
  irttEcho,
  knownDelay,
  sockperfEcho,
  tautlineEcho,
  tautlineTcp,
  tautlineUdp,
  wallTime,
} from './participants.js';
import type { Contest } from './rounds.js';
import type { Row } from './rows.js';

const ECHOES_PER_SECOND = 1000;

/** Starts the servers of everybody who competes in an arena. @returns what stops them */
export async function startServers(arena: Arena): Promise<() => Promise<void>> {
  const servers = [
    await startServer(
      arena,
      [...TAUTLINE, 'serve', '--bind', arena.address, '--port', String(PORT), ...(arena.keyFile === undefined ? [] : ['--key-file', arena.keyFile])],
      { protocol: 'udp', port: PORT },
    ),
    await startServer(arena, ['iperf3', '-s', '-p', String(IPERF3_PORT), '-B', arena.address], { protocol: 'tcp', port: IPERF3_PORT }),
    await startServer(arena, ['sockperf', 'server', '-i', arena.address, '-p', String(SOCKPERF_PORT)], {
      protocol: 'udp',
      port: SOCKPERF_PORT,
    }),
    // Its shortest interval is 10 ms unless the server allows less.
    await startServer(arena, ['irtt', 'server', '-b', `${arena.address}:${IRTT_PORT}`, '-i', '100us'], {
      protocol: 'udp',
      port: IRTT_PORT,
    }),
  ];
  return async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
}

/** What is compared in an arena. */
export function contestsIn(arena: Arena, seconds: number): Contest[] {
  const tcp = [1, 2, 4].map((streams) => ({
    name: `tcp-${streams}-${arena.name}`,
    participants: [
      tautlineTcp(arena, streams, seconds),
      ...(streams === 1 ? [tautlineTcp(arena, 1, seconds, ['--copy'])] : []),
      iperf3Tcp(arena, streams, seconds),
      ...(streams === 1 ? [iperf3Tcp(arena, 1, seconds, ['-l', '1M'])] : []),
    ],
  }));
  const udp = [1400, 64].map((size) => ({
    name: `udp-${size}-${arena.name}`,
    participants: [tautlineUdp(arena, size, seconds), iperf3Udp(arena, size, seconds)],
  }));
  const echo = {
    name: `echo-${arena.name}`,
    participants: [
      tautlineEcho(arena, ECHOES_PER_SECOND, seconds),
      sockperfEcho(arena, ECHOES_PER_SECOND, seconds),
      irttEcho(arena, ECHOES_PER_SECOND, seconds),
    ],
  };
  return [...tcp, ...udp, echo];
}

const KNOWN_DELAYS_MS = [10, 50];

/** A path with a known delay, in a kernel that has netem. */
export function contestsInUml(): Contest[] {
  return KNOWN_DELAYS_MS.map((delayMs) => ({ name: `delay-${delayMs}-uml`, participants: [knownDelay(delayMs)] }));
}

export function rowsInUml(): Row[] {
  return KNOWN_DELAYS_MS.map((delayMs) => ({
    contest: `delay-${delayMs}-uml`,
    figure: `RTT over a path with a delay of ${delayMs} ms: error`,
    where: 'netem',
    unit: 'ms',
    ours: 'errorMs',
    goal: { of: 'value', atMost: 0.05 + 0.005 * delayMs },
  }));
}

/** What is compared without a network. */
export function contestsHere(): Contest[] {
  return [
    { name: 'start-up', participants: [wallTime('tautline', [...TAUTLINE, '--version']), wallTime('node', [process.execPath, '-e', '0'])] },
    { name: 'memory', participants: [checkMemory()] },
  ];
}

export function rowsIn(where: Arena['name']): Row[] {
  const iperf3 = { participant: 'iperf3', label: 'iperf3' };
  const sockperf = { participant: 'sockperf', label: 'sockperf under-load' };
  const irtt = { participant: 'irtt', label: 'irtt' };
  const tcp = [1, 2, 4].map((streams): Row => ({
    contest: `tcp-${streams}-${where}`,
    figure: `TCP throughput, ${streams} stream${streams === 1 ? '' : 's'}`,
    where,
    unit: 'bps',
    ours: 'bps',
    anchor: iperf3,
    goal: { of: 'ratio', atLeast: where === 'loopback' ? 1.3 : 1 },
  }));
  const echo = { contest: `echo-${where}`, where, unit: 'ms' } as const;
  return [
    ...tcp,
    {
      contest: `tcp-1-${where}`,
      figure: 'TCP throughput, 1 stream',
      where,
      unit: 'bps',
      ours: 'bps',
      anchor: { participant: 'iperf3 -l 1M', label: 'iperf3 -l 1M' },
      goal: { of: 'ratio', atLeast: 1 },
    },
    {
      contest: `tcp-1-${where}`,
      figure: 'TCP throughput, 1 stream, copied by the receiver (--copy)',
      where,
      unit: 'bps',
      ours: 'bps',
      participant: 'tautline --copy',
      anchor: iperf3,
    },
    {
      contest: `udp-1400-${where}`,
      figure: 'UDP goodput, 1400 B, flat out',
      where,
      unit: 'bps',
      ours: 'bps',
      anchor: { participant: 'iperf3 -u -b 0', label: 'iperf3 -u -b 0' },
      goal: { of: 'ratio', atLeast: 1.5 },
    },
    {
      contest: `udp-64-${where}`,
      figure: 'UDP packets sent, 64 B',
      where,
      unit: 'pps',
      ours: 'sentPps',
      anchor: { participant: 'iperf3 -u -b 0', label: 'iperf3 -u -b 0 -l 64' },
      goal: { of: 'ratio', atLeast: 3 },
    },
    {
      contest: `udp-64-${where}`,
      figure: 'UDP packets received, 64 B',
      where,
      unit: 'pps',
      ours: 'receivedPps',
      anchor: { participant: 'iperf3 -u -b 0', label: 'iperf3 -u -b 0 -l 64' },
    },
    { ...echo, figure: 'echo RTT, median', ours: 'medianMs', anchor: sockperf, goal: { of: 'ratio', atMost: 0.6 } },
    { ...echo, figure: 'echo RTT, median', ours: 'medianMs', anchor: irtt, goal: { of: 'ratio', atMost: 0.35 } },
    { ...echo, figure: 'echo RTT, p99', ours: 'p99Ms', anchor: sockperf, goal: { of: 'ratio', atMost: 0.8 } },
    { ...echo, figure: 'echo RTT, p99', ours: 'p99Ms', anchor: irtt, goal: { of: 'ratio', atMost: 0.8 } },
    {
      ...echo,
      figure: "echo RTT with the server's holding time, median",
      ours: 'heldMedianMs',
      anchor: { ...sockperf, figure: 'medianMs' },
    },
    { ...echo, figure: "echo RTT with the server's holding time, p99", ours: 'heldP99Ms', anchor: { ...sockperf, figure: 'p99Ms' } },
    {
      ...echo,
      figure: "send lateness at 1000 packets/s: p99, beside irtt's mean timer error",
      ours: 'latenessP99Ms',
      anchor: { ...irtt, figure: 'timerErrorMeanMs' },
      goal: { of: 'value', atMost: 0.05 },
    },
    {
      ...echo,
      unit: 'share',
      figure: 'share of one core for sending and receiving 1000 packets/s',
      ours: 'cpuShare',
      goal: { of: 'value', atMost: 0.05 },
    },
  ];
}

export function rowsHere(): Row[] {
  return [
    {
      contest: 'start-up',
      figure: '`tautline --version`, wall time',
      where: 'here',
      unit: 'ms',
      ours: 'ms',
      anchor: { participant: 'node', label: '`node -e 0`' },
      goal: { of: 'ratio', atMost: 2.5 },
    },
    {
      contest: 'memory',
      figure: '`tautline check --quick`, peak RSS',
      where: 'here',
      unit: 'MiB',
      ours: 'MiB',
      goal: { of: 'value', atMost: 150 },
    },
  ];
}
