import { DEFAULT_PORT, formatEndpoint } from '../base/index.js';
import type { Endpoint, TcpInfo } from '../base/index.js';
import { summarize } from '../stats/index.js';
import type { Measurement, MeasurementError } from '../results/index.js';
import { attemptAll, verdictOf } from './attempts.js';
import type { Attempt } from './attempts.js';
import { candidatesOf } from './candidates.js';
import { makerOf, sampledMs, summaryMs } from './measuring.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';
import { samplingOf } from './sampling.js';
import type { Sampling } from './sampling.js';

const SAMPLING: Sampling = { count: 10, intervalMs: 200 };

/** The time to open a TCP connection, each on a fresh one: one round trip and the listener's readiness. */
export const tcpProbe: Probe = {
  name: 'tcp',
  summary: 'time to open a TCP connection',
  flags: [],
  defaults: { timeoutMs: 3000 },
  expectedMs(options) {
    const { count, intervalMs } = samplingOf(options, SAMPLING);
    return count * intervalMs;
  },
  run: runTcp,
};

interface Sample {
  readonly connectMs: number;
  readonly info: TcpInfo | undefined;
}

async function runTcp(request: ProbeRequest<CommonOptions>): Promise<Measurement[]> {
  const { options, ports, signal, target, seed } = request;
  const sampling = samplingOf(options, SAMPLING);
  const make = makerOf('tcp', request);
  const found = await candidatesOf(request, { host: target.host, port: target.port ?? DEFAULT_PORT });
  if (found.outcome !== 'ok') return [make('connect', found)];
  /** A refusal is an answer too, and took its round trip. */
  const refusedMs: number[] = [];
  const attempt = async (remote: Endpoint): Promise<Attempt<Sample>> => {
    const made = await ports.streams.connect({ remote, timeoutMs: options.timeoutMs, signal });
    if (made.outcome === 'refused') refusedMs.push(made.connectMs);
    if (made.outcome !== 'ok') return made;
    const info = made.connection.tcpInfo();
    made.connection.close();
    return { outcome: 'ok', value: { connectMs: made.connectMs, info } };
  };
  const attempts = await attemptAll({ remotes: found.remotes, sampling, request, doing: 'connecting to', attempt });
  const verdict = verdictOf(attempts, 'connection');
  const connectMs = attempts.values.map((sample) => sample.connectMs);
  const kernelRtt = summaryMs(
    attempts.values.flatMap(({ info }) => (info ? [info.rttMs] : [])),
    seed,
  );
  const refused = summaryMs(refusedMs, seed);
  const { distribution, ...summary } = sampledMs('connect', connectMs, request);
  return [
    make('connect', {
      ...verdict,
      ...(target.port === undefined && verdict.outcome === 'refused'
        ? { reason: `${verdict.reason ?? ''}; the target had no port, so ${DEFAULT_PORT} was tried: write HOST:PORT for another` }
        : {}),
      ...summary,
      ...errorOf(attempts.values),
      details: {
        remote: formatEndpoint(attempts.remote),
        count: sampling.count,
        intervalMs: sampling.intervalMs,
        ...(kernelRtt ? { kernelRtt } : {}),
        ...distribution,
        ...(refused ? { refused } : {}),
        ...(Object.keys(attempts.passedOver).length > 0 ? { passedOver: attempts.passedOver } : {}),
      },
    }),
  ];
}

/**
 * The kernel times the handshake too, for its retransmission timer: what this process's time has more
 * is the error of measuring from outside the kernel.
 */
function errorOf(samples: readonly Sample[]): { error?: MeasurementError } {
  if (samples.length === 0) return {};
  const more = summarize(samples.flatMap(({ connectMs, info }) => (info && info.rttMs > 0 ? [Math.abs(connectMs - info.rttMs)] : [])));
  if (more)
    return {
      error: {
        value: more.median,
        unit: 'ms',
        from: ["timed by this process; the difference to the kernel's own round-trip time of the handshake (median)"],
      },
    };
  return {};
}
