import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Measurement } from '../src/results/index.js';
import { mustRun, run } from '../test/lab/processes.js';
import { PORT, TAUTLINE, measure, metric } from '../test/lab/tautline.js';
import { measureKnownDelay } from '../test/real/uml/served-path.js';
import { readIperf3, readIrtt, readSockperf } from './anchors.js';
import type { Arena } from './arena.js';
import type { Figures, Participant } from './rounds.js';

export const IPERF3_PORT = 7301;
export const SOCKPERF_PORT = 7302;
export const IRTT_PORT = 7303;

/** Echo payload of all three: 64 bytes, the least that our protocol has. */
const ECHO_BYTES = 64;

/** Without a warm-up that does not count, as iperf3 by default. */
export function tautlineTcp(arena: Arena, streams: number, seconds: number, extra: readonly string[] = []): Participant {
  const args = ['throughput', '--streams', String(streams), '--duration', `${seconds}s`, '--omit', '0s', '--direction', 'up', ...extra];
  return ours(arena, ['tautline', ...extra].join(' '), args, (measurements) => ({
    bps: detail(metric(measurements, 'throughput.up'), 'goodputBps'),
  }));
}

export function iperf3Tcp(arena: Arena, streams: number, seconds: number, extra: readonly string[] = []): Participant {
  return {
    name: ['iperf3', ...extra].join(' '),
    run: async () => ({ bps: readIperf3(await iperf3(arena, ['-P', String(streams), '-t', String(seconds), ...extra])).receivedBps }),
  };
}

export function tautlineUdp(arena: Arena, sizeBytes: number, seconds: number): Participant {
  const args = ['throughput', '--udp', '--size', String(sizeBytes), '--duration', `${seconds}s`, '--direction', 'up'];
  return ours(arena, 'tautline', args, (measurements) => {
    const found = metric(measurements, 'udp.up');
    return {
      bps: detail(found, 'goodputBps'),
      sentPps: detail(found, 'sentBps') / (8 * sizeBytes),
      receivedPps: detail(found, 'packetsPerSecond'),
    };
  });
}

export function iperf3Udp(arena: Arena, sizeBytes: number, seconds: number): Participant {
  return {
    name: 'iperf3 -u -b 0',
    run: async () => {
      const {
        receivedBps,
        sentPps = Number.NaN,
        receivedPps = Number.NaN,
      } = readIperf3(await iperf3(arena, ['-u', '-b', '0', '-l', String(sizeBytes), '-t', String(seconds)]));
      return { bps: receivedBps, sentPps, receivedPps };
    },
  };
}

export function tautlineEcho(arena: Arena, perSecond: number, seconds: number): Participant {
  const args = ['echo', '--count', String(perSecond * seconds), '--interval', `${1000 / perSecond}ms`, '--size', String(ECHO_BYTES)];
  return ours(arena, 'tautline', args, (measurements) => {
    const { summary, details = {} } = metric(measurements, 'rtt');
    const held = details['withHoldingTime'] as Measurement['summary'];
    const lateness = details['lateness'] as { readonly p99: number };
    return {
      medianMs: summary?.median ?? Number.NaN,
      p99Ms: summary?.p99 ?? Number.NaN,
      heldMedianMs: held?.median ?? Number.NaN,
      heldP99Ms: held?.p99 ?? Number.NaN,
      latenessP99Ms: lateness.p99,
      cpuShare: Number(details['cpuMs']) / Number(details['elapsedMs']),
    };
  });
}

export function sockperfEcho(arena: Arena, perSecond: number, seconds: number): Participant {
  const args = [
    '-i',
    arena.address,
    '-p',
    String(SOCKPERF_PORT),
    '--mps',
    String(perSecond),
    '--reply-every=1',
    '--full-rtt',
    '-m',
    String(ECHO_BYTES),
  ];
  return {
    name: 'sockperf',
    run: async () => {
      const { stdout, stderr } = await run(arena.near(['sockperf', 'under-load', ...args, '-t', String(seconds)]));
      const { medianMs, p99Ms } = readSockperf(stdout + stderr);
      return { medianMs, p99Ms };
    },
  };
}

export function irttEcho(arena: Arena, perSecond: number, seconds: number): Participant {
  return {
    name: 'irtt',
    run: async () => {
      const file = join(tmpdir(), `tautline-bench-irtt-${process.pid}.json`);
      try {
        await mustRun(
          arena.near([
            'irtt',
            'client',
            '-Q',
            '-i',
            `${1e6 / perSecond}us`,
            '-d',
            `${seconds}s`,
            '-l',
            String(ECHO_BYTES),
            '-o',
            file,
            `${arena.address}:${IRTT_PORT}`,
          ]),
        );
        const { medianMs, p99Ms, timerErrorMeanMs, timerErrorMaxMs } = readIrtt(await readFile(file, 'utf8'));
        return { medianMs, p99Ms, timerErrorMeanMs, timerErrorMaxMs };
      } finally {
        await rm(file, { force: true });
      }
    },
  };
}

/** Wall time of a program that does nothing else; the median of a few runs, because one run is short. */
export function wallTime(name: string, argv: readonly string[]): Participant {
  return {
    name,
    run: async () => {
      const times: number[] = [];
      for (let i = 0; i < 5; i++) {
        const { code, elapsedMs } = await run(argv);
        if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}`);
        times.push(elapsedMs);
      }
      return { ms: times.sort((a, b) => a - b)[2] ?? Number.NaN };
    },
  };
}

/** A network of its own, so that a check without a target asks no gateway and no resolver. */
const ALONE: readonly string[] = ['unshare', '--net', '--map-root-user', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];

/** The most memory that a whole `tautline check` held at once, by the kernel's own account. */
export function checkMemory(): Participant {
  return {
    name: 'tautline',
    run: async () => {
      const { stderr } = await run([...ALONE, '/usr/bin/time', '-f', 'peak %M', ...TAUTLINE, 'check', '--quick', '--quiet', '--json'], {
        timeoutMs: 60_000,
      });
      const peak = /^peak (\d+)$/m.exec(stderr)?.[1];
      if (peak === undefined) throw new Error(`no peak in: ${stderr}`);
      return { MiB: Number(peak) / 1024 };
    },
  };
}

/** How far a delay that netem sets, in a kernel of its own, is missed. */
export function knownDelay(delayMs: number): Participant {
  return { name: 'tautline', run: async () => ({ errorMs: Math.abs((await measureKnownDelay(delayMs)).foundMs - delayMs) }) };
}

function ours(arena: Arena, name: string, args: readonly string[], figures: (measurements: readonly Measurement[]) => Figures): Participant {
  const [probe = '', ...options] = args;
  return {
    name,
    run: async () => {
      const { document } = await measure(
        [probe, `${arena.address}:${PORT}`, ...options, ...(arena.keyFile === undefined ? [] : ['--key-file', arena.keyFile])],
        arena.near,
      );
      const failed = document.measurements.find(({ outcome }) => outcome !== 'ok');
      if (failed) throw new Error(`${failed.metric} was ${failed.outcome}: ${failed.reason}`);
      return figures(document.measurements);
    },
  };
}

function detail(measurement: Measurement, name: string): number {
  const value: unknown = (measurement.details ?? {})[name];
  if (typeof value !== 'number') throw new Error(`${measurement.metric} has no '${name}' in its details`);
  return value;
}

function iperf3(arena: Arena, args: readonly string[]): Promise<string> {
  return mustRun(arena.near(['iperf3', '-c', arena.address, '-p', String(IPERF3_PORT), '-J', ...args]));
}
