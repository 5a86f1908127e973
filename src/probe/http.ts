import { formatEndpoint } from '../base/index.js';
import type { Endpoint, HttpOutcome } from '../base/index.js';
import type { Measurement } from '../results/index.js';
import { attemptAll, verdictOf } from './attempts.js';
import type { Attempt, Attempts } from './attempts.js';
import { candidatesOf } from './candidates.js';
import { makerOf, ownTimeError, withSummary } from './measuring.js';
import type { Make } from './measuring.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';
import { samplingOf } from './sampling.js';
import type { Sampling } from './sampling.js';
import { urlOf } from './url.js';

export interface HttpOptions extends CommonOptions {
  /** Goes on although the certificate is not trusted. */
  readonly insecure?: boolean;
}

const SAMPLING: Sampling = { count: 10, intervalMs: 100 };

/** HTTP requests, each phase apart: over fresh connections, then over one that is kept open. */
export const httpProbe: Probe<HttpOptions> = {
  name: 'http',
  summary: 'HTTP: DNS, connect, TLS, first byte and total, over fresh and kept-alive connections',
  flags: [{ key: 'insecure', flag: '--insecure', help: 'go on although the certificate is not trusted', parse: () => true, boolean: true }],
  defaults: { timeoutMs: 10_000 },
  expectedMs(options) {
    const { count, intervalMs } = samplingOf(options, SAMPLING);
    return 2 * count * intervalMs;
  },
  run: runHttp,
};

type Answer = Extract<HttpOutcome, { outcome: 'ok' }>;

async function runHttp(request: ProbeRequest<HttpOptions>): Promise<Measurement[]> {
  const { options } = request;
  const sampling = samplingOf(options, SAMPLING);
  const make = makerOf('http', request);
  const place = urlOf(request.target);
  const found = await candidatesOf(request, place);
  if (found.outcome !== 'ok') return [make('http.total', found)];
  const context = { request, sampling, make, place, remotes: found.remotes, literal: found.literal };
  const fresh = await freshRequests(context);
  if (fresh.attempts.values.length === 0 || request.signal.aborted) return fresh.measurements;
  const kept = await keptRequests({ ...context, remotes: [fresh.attempts.remote] });
  return [...fresh.measurements, ...kept];
}

interface Context {
  readonly request: ProbeRequest<HttpOptions>;
  readonly sampling: Sampling;
  readonly make: Make;
  readonly place: { readonly url: string; readonly host: string; readonly port: number };
  readonly remotes: readonly Endpoint[];
  readonly literal: boolean;
}

interface Fresh {
  readonly attempts: Attempts<Answer & { readonly lookupMs: number | undefined }>;
  readonly measurements: Measurement[];
}

async function freshRequests(context: Context): Promise<Fresh> {
  const { request, sampling, make, place } = context;
  const { ports, options, signal, seed } = request;
  const attempt = async (remote: Endpoint): Promise<Attempt<Answer & { lookupMs: number | undefined }>> => {
    // Looked up every time, as a client without a cache would; the address stays the same.
    const looked = context.literal
      ? undefined
      : await ports.names.lookup(place.host, {
          timeoutMs: options.timeoutMs,
          signal,
          ...(options.family === undefined ? {} : { family: options.family }),
        });
    if (looked && looked.outcome !== 'ok') return { outcome: looked.outcome === 'timeout' ? 'timeout' : 'failed', reason: looked.reason };
    const client = ports.web.client();
    try {
      const outcome = await client.request({ ...requestOf(context, remote), signal });
      return outcome.outcome === 'ok' ? { outcome: 'ok', value: { ...outcome, lookupMs: looked?.elapsedMs } } : outcome;
    } finally {
      client.close();
    }
  };
  const attempts = await attemptAll({ remotes: context.remotes, sampling, request, doing: 'asking', attempt });
  const { values } = attempts;
  const verdict = verdictOf(attempts, 'request');
  const shared = { ...verdict, ...ownTimeError(values.map(({ ownMs }) => ownMs)) };
  if (values.length === 0) return { attempts, measurements: [make('http.total', shared)] };
  const reason = [verdict.reason, ...statusRemarks(values)].filter((remark) => remark !== undefined).join('; ');
  const details = {
    remote: formatEndpoint(attempts.remote),
    url: place.url,
    ...factsOf(values),
    count: sampling.count,
    ...(Object.keys(attempts.passedOver).length > 0 ? { passedOver: attempts.passedOver } : {}),
  };
  const phase = (metric: string, pick: (answer: (typeof values)[number]) => number | undefined, rest: Partial<Measurement> = {}): Measurement[] => {
    const samples = values.flatMap((answer) => pick(answer) ?? []);
    return samples.length === 0 ? [] : [make(metric, { ...shared, ...withSummary(samples, seed), ...rest })];
  };
  const measurements = [
    ...phase('http.dns', ({ lookupMs }) => lookupMs),
    ...phase('http.connect', ({ connectMs }) => connectMs),
    ...phase('http.tls', ({ tlsMs }) => tlsMs),
    ...phase('http.ttfb', ({ ttfbMs }) => ttfbMs),
    ...phase('http.total', ({ totalMs, lookupMs }) => totalMs + (lookupMs ?? 0), { ...(reason === '' ? {} : { reason }), details }),
  ];
  return { attempts, measurements };
}

async function keptRequests(context: Context): Promise<Measurement[]> {
  const { request, sampling, make } = context;
  const { ports, signal, seed } = request;
  const client = ports.web.client();
  try {
    // The connection is made by a request that does not count.
    const [remote] = context.remotes;
    const warmUp = remote && (await client.request({ ...requestOf(context, remote), signal }));
    if (warmUp?.outcome !== 'ok') {
      if (signal.aborted) return [];
      return [
        make('http.keepalive.ttfb', {
          outcome: 'unchecked',
          reason: `the connection to be kept open could not be made: ${warmUp?.reason ?? 'no address'}`,
        }),
      ];
    }
    const attempt = async (to: Endpoint): Promise<Attempt<Answer>> => {
      const outcome = await client.request({ ...requestOf(context, to), signal });
      return outcome.outcome === 'ok' ? { outcome: 'ok', value: outcome } : outcome;
    };
    const attempts = await attemptAll({ remotes: context.remotes, sampling, request, doing: 'asking again', attempt });
    const reused = attempts.values.filter((answer) => answer.reused);
    const verdict = verdictOf(attempts, 'request');
    if (reused.length === 0 && attempts.values.length > 0) {
      return [
        make('http.keepalive.ttfb', {
          outcome: 'unsupported',
          reason: 'the server closes the connection after each answer',
          ...(verdict.partial ? { partial: true } : {}),
        }),
      ];
    }
    const shared = { ...verdict, ...ownTimeError(reused.map(({ ownMs }) => ownMs)) };
    if (reused.length === 0) return [make('http.keepalive.ttfb', shared)];
    const details = { reused: reused.length, fresh: attempts.values.length - reused.length };
    return [
      make('http.keepalive.ttfb', {
        ...shared,
        ...withSummary(
          reused.map(({ ttfbMs }) => ttfbMs),
          seed,
        ),
        details,
      }),
      make('http.keepalive.total', {
        ...shared,
        ...withSummary(
          reused.map(({ totalMs }) => totalMs),
          seed,
        ),
        details,
      }),
    ];
  } finally {
    client.close();
  }
}

function requestOf({ request, place }: Context, remote: Endpoint) {
  const { options } = request;
  return { url: place.url, remote, method: 'GET' as const, timeoutMs: options.timeoutMs, ...(options.insecure === true ? { insecure: true } : {}) };
}

function factsOf(values: readonly Answer[]): Record<string, unknown> {
  const last = values.at(-1) as Answer;
  return {
    version: last.version,
    bytes: last.bytes,
    status: counted(values.map(({ status }) => String(status))),
    ...(last.tlsProtocol === undefined ? {} : { tls: last.tlsProtocol }),
    ...(last.cut === true ? { cut: true } : {}),
  };
}

/** What answers other than success mean for whoever reads the times. */
function statusRemarks(values: readonly Answer[]): string[] {
  const remarks: string[] = [];
  const of = (low: number): Answer[] => values.filter(({ status }) => status >= low && status < low + 100);
  const write = (answers: readonly Answer[]): string =>
    Object.entries(counted(answers.map(({ status }) => String(status))))
      .map(([status, count]) => `${count} x ${status}`)
      .join(', ');
  const [redirects, refusals, failures] = [of(300), of(400), of(500)];
  if (redirects.length > 0)
    remarks.push(`redirected (${write(redirects)}) to ${redirects[0]?.location ?? 'nowhere'}; not followed: measure that URL instead`);
  if (refusals.length > 0)
    remarks.push(`the server refused ${refusals.length} of ${values.length} requests (${write(refusals)}): check the path and what it needs`);
  if (failures.length > 0)
    remarks.push(`the server failed on ${failures.length} of ${values.length} requests (${write(failures)}): these are the times of its errors`);
  if (values.some(({ cut }) => cut === true)) remarks.push('the body was longer than is read here; the total is the time up to the cut');
  return remarks;
}

function counted(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
