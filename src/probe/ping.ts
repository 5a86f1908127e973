import { TautlineError, assert, formatMs, parseSizeBytes } from '../base/index.js';
import type { DatagramFlow, Endpoint } from '../base/index.js';
import { ipdv, lossOf, quantile, sortedSamples } from '../stats/index.js';
import type { Measurement, MeasurementError, Outcome } from '../results/index.js';
import { ICMP_HEADER_BYTES, ICMP_SEQUENCE_OFFSET, decodeIcmp, encodeIcmpEcho } from '../wire/index.js';
import { failureOf } from './ask.js';
import { candidatesOf } from './candidates.js';
import { formatDscp, parseDscp } from './dscp.js';
import { openFailure } from './echo-session.js';
import { makerOf, sampledMs } from './measuring.js';
import { overTimeOf } from './over-time.js';
import { trainError } from './own-error.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';
import { samplingOf } from './sampling.js';
import type { Sampling } from './sampling.js';
import { runSeries } from './series.js';
import type { SeriesLog } from './series.js';
import { parsePing, pingCommand } from './system-ping.js';

export interface PingOptions extends CommonOptions {
  /** Payload bytes after the ICMP header. */
  readonly sizeBytes: number;
  readonly dscp?: number;
}

const SAMPLING: Sampling = { count: 20, intervalMs: 100 };
const SIZE_BYTES_MAX = 65_507 - ICMP_HEADER_BYTES;
const SEQUENCES = 65_536;
/** The system's ping refuses shorter intervals to users without privileges. */
const SYSTEM_INTERVAL_MS_MIN = 200;

/** ICMP echo, by a socket that needs no privilege where the system offers one, else by the system's ping. */
export const pingProbe: Probe<PingOptions> = {
  name: 'ping',
  summary: 'round-trip time and loss to any host (ICMP echo)',
  flags: [
    {
      key: 'sizeBytes',
      flag: '--size <bytes>',
      help: `payload bytes of each ping, 0 to ${SIZE_BYTES_MAX} (default 56)`,
      parse: (text) => checkedSize(parseSizeBytes(text)),
    },
    { key: 'dscp', flag: '--dscp <n>', help: 'differentiated services code point: 0 to 63, or a name such as EF, AF41, CS1', parse: parseDscp },
  ],
  defaults: { timeoutMs: 2000, sizeBytes: 56 },
  expectedMs(options) {
    const { count, intervalMs } = samplingOf(options, SAMPLING);
    return count * intervalMs;
  },
  run: runPing,
};

/** @throws TautlineError `usage` */
function checkedSize(sizeBytes: number): number {
  if (Number.isInteger(sizeBytes) && sizeBytes >= 0 && sizeBytes <= SIZE_BYTES_MAX) return sizeBytes;
  throw new TautlineError('usage', `a ping cannot have ${sizeBytes} bytes`, { hint: `--size takes 0 to ${SIZE_BYTES_MAX}` });
}

/** What either way of pinging found. RTTs in order of sending, NaN where none came. */
interface PingRun {
  readonly rttMs: Float64Array;
  readonly sent: number;
  readonly received: number;
  readonly error: MeasurementError;
  readonly details: Record<string, unknown>;
  /** What the network or the system said about the missing answers. */
  readonly failure?: { readonly outcome: Exclude<Outcome, 'ok'>; readonly why: string };
  readonly aborted: boolean;
}

type Failure = { readonly outcome: Exclude<Outcome, 'ok'>; readonly reason: string };

async function runPing(request: ProbeRequest<PingOptions>): Promise<Measurement[]> {
  const { options } = request;
  const sampling = samplingOf(options, SAMPLING);
  checkedSize(options.sizeBytes);
  const make = makerOf('ping', request);
  // A ping has no port: one that was given belongs to another probe of the same target.
  const found = await candidatesOf(request, { host: request.target.host, port: 0 });
  if (found.outcome !== 'ok') return [make('rtt', found)];
  const { remote, run } = await pingFirst(request, found.remotes, sampling);
  if ('reason' in run) return [make('rtt', run)];
  const verdict = verdictOf(run, sampling);
  const { distribution: _, ...variation } = sampledMs('jitter', ipdv(run.rttMs).map(Math.abs), request);
  const { distribution, ...summary } = sampledMs('rtt', run.rttMs, request);
  const details = { remote: remote.host, sizeBytes: options.sizeBytes, ...run.details, ...distribution };
  const measurements = [make('rtt', { ...verdict, ...summary, loss: lossOf(run.sent, run.received), error: run.error, details })];
  if (variation.summary) measurements.push(make('jitter', { ...verdict, ...variation, error: { ...run.error, value: 2 * run.error.value } }));
  return measurements;
}

function verdictOf(run: PingRun, sampling: Sampling): { outcome: Outcome; reason?: string; partial?: true } {
  const said = run.failure ? `: ${run.failure.why}` : '';
  if (run.received === 0) {
    if (run.aborted && run.sent === 0) return { outcome: 'unchecked', reason: 'interrupted before anything was measured', partial: true };
    const none = run.sent === 0 ? 'no ping could be sent' : `none of ${run.sent} pings was answered`;
    const hint = run.failure ? '' : ': the host is off or somewhere else, or ICMP is dropped on the way';
    return { outcome: run.failure?.outcome ?? 'lost', reason: `${none}${said}${hint}`, ...(run.aborted ? { partial: true as const } : {}) };
  }
  if (run.aborted) return { outcome: 'ok', reason: `interrupted after ${run.sent} of ${sampling.count} pings`, partial: true };
  return { outcome: 'ok' };
}

/** Pings the first of the host's addresses to which this host has a route and a way to ping. */
async function pingFirst(
  request: ProbeRequest<PingOptions>,
  remotes: readonly Endpoint[],
  sampling: Sampling,
): Promise<{ remote: Endpoint; run: PingRun | Failure }> {
  let first: { remote: Endpoint; run: PingRun | Failure } | undefined;
  for (const remote of remotes) {
    const run = await pingEither(request, remote, sampling);
    const sent = !('reason' in run) && run.sent > 0;
    if (sent || request.signal.aborted) return { remote, run };
    first ??= { remote, run };
  }
  assert(first !== undefined, 'a resolved target has an address');
  return first;
}

async function pingEither(request: ProbeRequest<PingOptions>, remote: Endpoint, sampling: Sampling): Promise<PingRun | Failure> {
  if (request.signal.aborted) return { outcome: 'unchecked', reason: 'interrupted before anything was measured' };
  const { dscp } = request.options;
  let flow: DatagramFlow;
  try {
    flow = await request.ports.datagrams.open({ protocol: 'icmp', remote, ...(dscp === undefined ? {} : { dscp }) });
  } catch (error) {
    const fallBack = error instanceof TautlineError && (error.code === 'permission' || error.code === 'unsupported');
    return fallBack ? pingBySystem(request, remote, { sampling, why: error.message }) : openFailure(error, remote);
  }
  try {
    return await pingBySocket(request, flow, sampling);
  } finally {
    await flow.close();
  }
}

// --- By a socket -----------------------------------------------------------------------------

async function pingBySocket(request: ProbeRequest<PingOptions>, flow: DatagramFlow, sampling: Sampling): Promise<PingRun> {
  const { options, signal } = request;
  const { family } = flow.remote;
  const payload = Uint8Array.from({ length: options.sizeBytes }, (_, i) => i & 0xff);
  const message = encodeIcmpEcho({ family, identifier: 0, sequence: 0, payload });
  const rttMs = new Float64Array(sampling.count).fill(Number.NaN);
  const tally = { received: 0, duplicates: 0, reordered: 0, strays: 0, highest: -1 };
  const series = await runSeries(flow, {
    ...sampling,
    payload: () => message,
    sequenceOffset: ICMP_SEQUENCE_OFFSET,
    waitMs: options.timeoutMs,
    replyBytesMax: ICMP_HEADER_BYTES,
    signal,
    onProgress: (sent) => request.onProgress(`sending ${sampling.count} pings, one every ${formatMs(sampling.intervalMs)}`, sent / sampling.count),
    onReply: ({ bytes, arrivedMs, first }, log) => {
      const reply = decodeIcmp(bytes, family);
      const sequence = reply.kind === 'reply' ? wholeSequence(reply.sequence, { first, arrivedMs }, log) : undefined;
      if (sequence === undefined) {
        tally.strays++;
        return undefined;
      }
      if (!Number.isNaN(rttMs[sequence] as number)) {
        tally.duplicates++;
        return undefined;
      }
      if (sequence < tally.highest) tally.reordered++;
      else tally.highest = sequence;
      tally.received++;
      return (rttMs[sequence] = arrivedMs - (log.sentMs[sequence] as number));
    },
  });
  const failure = failureOf(series.errors);
  const { received, duplicates, reordered, strays } = tally;
  const latenessMs = series.latenessMs.subarray(0, series.tried);
  const late = sortedSamples(latenessMs);
  const also =
    options.dscp === undefined
      ? []
      : [`DSCP ${formatDscp(options.dscp)} was set on what was sent; whether it arrived unchanged cannot be known from here`];
  return {
    rttMs: rttMs.subarray(0, series.tried),
    sent: series.sent,
    received,
    error: trainError({
      flow,
      latenessMs,
      callMs: series.callMs.subarray(0, series.tried),
      intervalMs: sampling.intervalMs,
      kernelDrops: series.kernelDrops,
      cpuMs: series.cpuMs,
      elapsedMs: series.elapsedMs,
      also,
    }),
    details: {
      by: 'socket',
      intervalMs: sampling.intervalMs,
      duplicates,
      reordered,
      strays,
      unsent: series.tried - series.sent,
      stamps: flow.stamps,
      lateness: late.length === 0 ? {} : { unit: 'ms', median: quantile(late, 0.5), p99: quantile(late, 0.99), max: late[late.length - 1] },
      kernelDrops: series.kernelDrops,
      errors: series.errors,
      ...overTimeOf(rttMs.subarray(0, series.tried), series.sentMs.subarray(0, series.tried)),
    },
    ...(failure ? { failure } : {}),
    aborted: series.aborted,
  };
}

/** A reply carries 16 bits of its number: it answers the car under way, or the one before where that one had not got so far. */
function wholeSequence(low: number, at: { first: number; arrivedMs: number }, log: SeriesLog): number | undefined {
  for (const sequence of [at.first + low, at.first + low - SEQUENCES]) {
    if (sequence >= 0 && sequence < log.tried && (log.sentMs[sequence] as number) <= at.arrivedMs) return sequence;
  }
  return undefined;
}

// --- By the system's ping --------------------------------------------------------------------

async function pingBySystem(
  request: ProbeRequest<PingOptions>,
  remote: Endpoint,
  { sampling, why }: { sampling: Sampling; why: string },
): Promise<PingRun | Failure> {
  const { options, ports, signal } = request;
  const { os, root } = await ports.facts.identity();
  const intervalMs = Math.max(sampling.intervalMs, root ? 0 : SYSTEM_INTERVAL_MS_MIN);
  // A longer interval is not to make the whole much longer than was asked for.
  const count =
    intervalMs === sampling.intervalMs
      ? sampling.count
      : Math.max(Math.min(5, sampling.count), Math.round((sampling.count * sampling.intervalMs) / intervalMs));
  const asked = { host: remote.host, family: remote.family, count, intervalMs, timeoutMs: options.timeoutMs, sizeBytes: options.sizeBytes };
  const { program, args } = pingCommand(os, asked);
  request.onProgress(`running the system's ping ${count} times`, 0);
  const result = await ports.commands.run(program, args, { timeoutMs: count * intervalMs + options.timeoutMs + 2000, signal });
  if (result.outcome === 'missing') {
    return {
      outcome: 'unsupported',
      reason: `this host does not let programs send pings (${why}), and has no ${program} program: allow it with \`sysctl -w net.ipv4.ping_group_range="0 2147483647"\` or install iputils-ping`,
    };
  }
  const output = parsePing(result.stdout);
  const complaint = Object.keys(output.complaints)[0] ?? lastLine(result.stderr);
  if (output.transmitted === undefined && output.replies.length === 0) {
    if (signal.aborted) return { outcome: 'unchecked', reason: 'interrupted before anything was measured' };
    return {
      outcome: 'lost',
      reason: `the system's ping failed: ${complaint ?? `it ended ${result.outcome === 'exited' ? `with code ${result.code}` : 'by timeout'} without saying why`}`,
    };
  }
  const first = Math.min(...output.replies.map(({ sequence }) => sequence), 1);
  const transmitted = output.transmitted ?? 1 + Math.max(...output.replies.map(({ sequence }) => sequence - first));
  const rttMs = new Float64Array(Math.max(transmitted, 0)).fill(Number.NaN);
  for (const reply of output.replies) if (!reply.copy && reply.sequence - first < rttMs.length) rttMs[reply.sequence - first] = reply.rttMs;
  const from = [
    `measured by the system's ping, since this process may not open ICMP sockets (${why})`,
    `printed times are rounded to ${formatMs(output.resolutionMs ?? 0)}`,
  ];
  if (intervalMs !== sampling.intervalMs)
    from.push(`one ping every ${formatMs(intervalMs)} instead of ${formatMs(sampling.intervalMs)}: shorter intervals need root`);
  if (options.dscp !== undefined) from.push(`DSCP ${formatDscp(options.dscp)} was not set: that needs a socket of this process`);
  return {
    rttMs,
    sent: transmitted,
    received: rttMs.filter((rtt) => !Number.isNaN(rtt)).length,
    error: { value: output.resolutionMs ?? 0, unit: 'ms', from },
    details: { by: 'system', intervalMs, duplicates: output.replies.filter(({ copy }) => copy).length, complaints: output.complaints },
    ...(complaint === undefined ? {} : { failure: { outcome: 'lost' as const, why: complaint } }),
    aborted: signal.aborted,
  };
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1)?.trim() || undefined;
}
