import { TautlineError, formatEndpoint, formatMs, parseTarget } from '../base/index.js';
import type { Endpoint } from '../base/index.js';
import { lossOf } from '../stats/index.js';
import type { Measurement, Outcome } from '../results/index.js';
import { DNS_PORT, DNS_TYPES, isDnsName } from '../wire/index.js';
import type { DnsQuestion, DnsType } from '../wire/index.js';
import { failureOf } from './ask.js';
import { candidatesOf } from './candidates.js';
import { askOverTcp, sendQueries } from './dns-query.js';
import type { DnsAnswer, DnsSample, DnsTrain } from './dns-query.js';
import { makerOf, withSummary } from './measuring.js';
import type { Make } from './measuring.js';
import { trainError } from './own-error.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';
import { samplingOf } from './sampling.js';
import type { Sampling } from './sampling.js';

export interface DnsOptions extends CommonOptions {
  readonly type: DnsType;
  /** What to resolve, where the target is the server to ask. */
  readonly name?: string;
  /** The server to ask instead of those in use: an address or name, perhaps with a port. */
  readonly server?: string;
  /** How often the first query is sent again when no answer comes. */
  readonly retries: number;
}

const SAMPLING: Sampling = { count: 10, intervalMs: 50 };
/** Reserved by RFC 2606 and served since, so every working resolver knows it. */
const NAME_DEFAULT = 'example.com';
const RETRIES_MAX = 10;
/** The first answer took so much longer than any later one that the resolver had to ask others. */
const COLD_FACTOR = 2;

/** Queries to each resolver in use, or to one server, timed by datagram; and the system's own lookup. */
export const dnsProbe: Probe<DnsOptions> = {
  name: 'dns',
  summary: "DNS: time to answer of each resolver in use or of one server, first and repeated, and the system's own lookup",
  flags: [
    { key: 'type', flag: '--type <type>', help: `what to ask for: ${DNS_TYPES.join(', ')}`, parse: parseType },
    {
      key: 'name',
      flag: '--name <name>',
      help: `what to resolve, where the target is the server to ask (default: ${NAME_DEFAULT})`,
      parse: parseName,
    },
    { key: 'server', flag: '--server <host>', help: 'the server to ask instead of the resolvers in use', parse: parseServer },
    { key: 'retries', flag: '--retries <n>', help: 'how often the first query is repeated when no answer comes', parse: parseRetries },
  ],
  defaults: { timeoutMs: 2000, type: 'A', retries: 1 },
  expectedMs(options) {
    const { count, intervalMs } = samplingOf(options, SAMPLING);
    return 2 * count * intervalMs;
  },
  run: runDns,
};

function parseType(text: string): DnsType {
  const type = DNS_TYPES.find((known) => known === text.toUpperCase());
  if (type) return type;
  throw new TautlineError('usage', `'${text}' is not a record type that can be asked for`, { hint: `known are ${DNS_TYPES.join(', ')}` });
}

function parseName(text: string): string {
  if (isDnsName(text)) return text;
  throw new TautlineError('usage', `'${text}' is not a DNS name`, {
    hint: 'labels have 1 to 63 bytes, the whole name at most 253: write for example example.com',
  });
}

function parseServer(text: string): string {
  parseTarget(text);
  return text;
}

function parseRetries(text: string): number {
  if (/^\d+$/.test(text) && Number(text) <= RETRIES_MAX) return Number(text);
  throw new TautlineError('usage', `'${text}' is not a number of retries from 0 to ${RETRIES_MAX}`, { hint: 'write for example 2' });
}

async function runDns(request: ProbeRequest<DnsOptions>): Promise<Measurement[]> {
  const { options, signal } = request;
  const sampling = samplingOf(options, SAMPLING);
  const make = makerOf('dns', request);
  const asked = await whatToAsk(request);
  if (asked.outcome !== 'ok') return [make('dns', asked)];
  const { question, servers } = asked;
  const measurements: Measurement[] = [];
  if (servers.length === 0) {
    measurements.push(
      make('dns', { outcome: 'unchecked', reason: 'this host has no resolver configured, as far as can be read: name one with --server' }),
    );
  }
  for (const [i, server] of servers.entries()) {
    if (signal.aborted && measurements.length > 0) break;
    request.onProgress(`asking ${formatEndpoint(server)} for ${question.name} ${question.type}`, i / (servers.length + 1));
    measurements.push(await measureServer({ request, make, sampling, question, server }));
  }
  if (asked.resolvable && !signal.aborted) measurements.push(await measureSystem({ request, make, sampling, question }));
  return measurements;
}

type Asked =
  | {
      readonly outcome: 'ok';
      readonly question: DnsQuestion;
      readonly servers: readonly Endpoint[];
      /** Whether the system's lookup answers the same question. */ readonly resolvable: boolean;
    }
  | { readonly outcome: Exclude<Outcome, 'ok'>; readonly reason: string };

/**
 * A target that is an address, or has a port, is the server to ask; any other is the name to resolve.
 * @throws TautlineError `usage`
 */
async function whatToAsk(request: ProbeRequest<DnsOptions>): Promise<Asked> {
  const { target, options, ports } = request;
  const isServer = isLiteral(target.host) || (target.port !== undefined && target.url === undefined);
  const name = parseName(options.name ?? (isServer ? NAME_DEFAULT : target.host));
  const question = { name, type: options.type };
  const resolvable = (options.type === 'A' || options.type === 'AAAA') && (!isServer || options.name !== undefined) && options.server === undefined;
  const place = options.server !== undefined ? parseTarget(options.server) : isServer ? target : undefined;
  if (place === undefined) {
    const addresses = await ports.facts.resolvers();
    const servers = [...new Set(addresses)].map((host) => ({ host, port: DNS_PORT, family: host.includes(':') ? (6 as const) : (4 as const) }));
    return {
      outcome: 'ok',
      question,
      servers: servers.filter(({ family }) => options.family === undefined || options.family === family),
      resolvable,
    };
  }
  const found = await candidatesOf(request, { host: place.host, port: place.port ?? DNS_PORT });
  if (found.outcome !== 'ok') return found;
  return { outcome: 'ok', question, servers: found.remotes.slice(0, 1), resolvable: resolvable && !isServer };
}

function isLiteral(host: string): boolean {
  return host.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}

interface ServerContext {
  readonly request: ProbeRequest<DnsOptions>;
  readonly make: Make;
  readonly sampling: Sampling;
  readonly question: DnsQuestion;
  readonly server: Endpoint;
}

async function measureServer(context: ServerContext): Promise<Measurement> {
  const { make, server, question } = context;
  const place = formatEndpoint(server);
  const target = `${question.name} ${question.type} @${place}`;
  try {
    return { ...(await measureAnswers(context)), target };
  } catch (error) {
    // The socket could not be opened: no IPv6 on this host, no permission.
    if (!(error instanceof TautlineError) || error.code === 'usage') throw error;
    return make('dns', {
      target,
      outcome: 'lost',
      reason: `${place} could not be asked: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`,
    });
  }
}

async function measureAnswers(context: ServerContext): Promise<Measurement> {
  const { request, make, sampling, question, server } = context;
  const { ports, options, signal, seed } = request;
  const plan = { ports, server, question, intervalMs: sampling.intervalMs, timeoutMs: options.timeoutMs, signal };
  const trains: DnsTrain[] = [];
  let first: DnsSample | undefined;
  for (let attempt = 0; attempt <= options.retries && first === undefined && !signal.aborted; attempt++) {
    const train = await sendQueries({ ...plan, count: 1, patient: trains.some(hasStrays) });
    trains.push(train);
    first = train.samples[0];
    if (failureOf(train.log.errors)) break;
  }
  if (first !== undefined && sampling.count > 1 && !signal.aborted) {
    trains.push(await sendQueries({ ...plan, count: sampling.count - 1, patient: trains.some(hasStrays) }));
  }
  const sent = trains.reduce((sum, train) => sum + train.sent, 0);
  const answered = trains.flatMap((train) => train.samples.filter((sample) => sample !== undefined));
  const last = trains.at(-1);
  if (first === undefined || last === undefined)
    return make('dns', {
      ...silence(context, trains, sent),
      ...(last ? { details: detailsOf(context, { trains, first: undefined, repeated: [] }) } : {}),
    });
  const repeated = trains.length > 1 && answered.length > 1 ? answered.slice(1) : [];
  const tcp =
    first.answer.truncated && !signal.aborted ? await askOverTcp(ports, server, { question, timeoutMs: options.timeoutMs, signal }) : undefined;
  const reasons = [
    signal.aborted ? `interrupted after ${answered.length} answers` : undefined,
    rcodeRemark(tcp?.outcome === 'ok' ? tcp.answer : first.answer, question),
    tcp?.outcome === 'ok' ? `the answer did not fit into a datagram; asked again over TCP it took ${formatMs(tcp.ms)}` : undefined,
    tcp?.outcome === 'failed' ? `the answer did not fit into a datagram, and could not be had over TCP: ${tcp.reason}` : undefined,
  ].filter((reason) => reason !== undefined);
  return make('dns', {
    outcome: 'ok',
    ...(reasons.length > 0 ? { reason: reasons.join('; ') } : {}),
    ...(signal.aborted ? { partial: true } : {}),
    ...withSummary(
      (repeated.length > 0 ? repeated : answered).map(({ ms }) => ms),
      seed,
    ),
    loss: lossOf(sent, answered.length),
    error: errorOf(last, sampling),
    details: { ...detailsOf(context, { trains, first, repeated }), ...(tcp?.outcome === 'ok' ? { overTcpMs: tcp.ms } : {}) },
  });
}

function hasStrays(train: DnsTrain): boolean {
  return train.garbled + train.foreign > 0;
}

function errorOf({ log, flow }: DnsTrain, sampling: Sampling): NonNullable<Measurement['error']> {
  const latenessMs = Float64Array.from(log.sentNs, (sentNs, i) => (sentNs - (log.dueNs[i] ?? sentNs)) / 1e6);
  return trainError({
    flow,
    latenessMs,
    callMs: log.callNs.map((ns) => ns / 1e6),
    intervalMs: sampling.intervalMs,
    kernelDrops: log.kernelDrops,
    cpuMs: log.cpuMs,
    elapsedMs: log.elapsedMs,
  });
}

/** Why no answer came, in the order in which the causes exclude each other. */
function silence({ server, request }: ServerContext, trains: readonly DnsTrain[], sent: number): Pick<Measurement, 'outcome'> & Partial<Measurement> {
  const place = formatEndpoint(server);
  if (request.signal.aborted) return { outcome: 'unchecked', reason: 'interrupted before an answer came', partial: true };
  const loss = lossOf(sent, 0);
  const failure = trains.map((train) => failureOf(train.log.errors)).find((found) => found !== undefined);
  if (failure) return { outcome: failure.outcome, reason: `${place} does not answer DNS: ${failure.why}`, loss };
  const garbled = trains.reduce((sum, train) => sum + train.garbled, 0);
  const foreign = trains.reduce((sum, train) => sum + train.foreign, 0);
  if (garbled > 0)
    return {
      outcome: 'lost',
      reason: `${place} answers, but not with DNS messages (${garbled} garbled): check that a DNS server listens there`,
      loss,
    };
  if (foreign > 0)
    return {
      outcome: 'lost',
      reason: `${place} sent ${foreign} answers to other questions than those asked (wrong id or name): something on the path may answer in its place`,
      loss,
    };
  return {
    outcome: 'timeout',
    reason: `${place} did not answer ${sent} ${sent === 1 ? 'query' : 'queries'} within ${request.options.timeoutMs} ms each: it is down, or a firewall drops DNS`,
    loss,
  };
}

function detailsOf(
  context: ServerContext,
  found: { trains: readonly DnsTrain[]; first: DnsSample | undefined; repeated: readonly DnsSample[] },
): Record<string, unknown> {
  const { question, server, sampling, request } = context;
  const { trains, first, repeated } = found;
  const slowest = Math.max(...repeated.map(({ ms }) => ms));
  const answers = first?.answer.answers ?? [];
  return {
    server: formatEndpoint(server),
    name: question.name,
    type: question.type,
    ...(first === undefined
      ? {}
      : {
          rcode: first.answer.rcode,
          firstMs: first.ms,
          ttlSeconds: answers[0]?.ttlSeconds ?? 0,
          answers: answers.map(({ type, text }) => `${type} ${text}`),
        }),
    ...(first !== undefined && repeated.length > 0
      ? { cache: first.ms > COLD_FACTOR * slowest ? 'the first query filled it' : 'nothing to tell from the first answer' }
      : {}),
    repeated: repeated.length,
    count: sampling.count,
    garbled: trains.reduce((sum, train) => sum + train.garbled, 0),
    foreign: trains.reduce((sum, train) => sum + train.foreign, 0),
    retried: Math.max(0, trains.filter((train) => train.sent === 1 && train.samples[0] === undefined).length - (first === undefined ? 1 : 0)),
    retries: request.options.retries,
    truncated: first?.answer.truncated ?? false,
  };
}

/** An answer is an answer: its time counts. What it says is reported. */
function rcodeRemark(answer: DnsAnswer, question: DnsQuestion): string | undefined {
  switch (answer.rcode) {
    case 'NOERROR':
      return answer.answers.length === 0 && !answer.truncated ? `${question.name} exists, but has no ${question.type} record` : undefined;
    case 'NXDOMAIN':
      return `there is no name ${question.name} (NXDOMAIN)`;
    case 'SERVFAIL':
      return `the server failed to resolve ${question.name} (SERVFAIL): what it asks upstream does not answer, or DNSSEC does not verify`;
    case 'REFUSED':
      return 'the server refuses to answer this host (REFUSED): it serves other clients or other names';
    default:
      return `the server answered ${answer.rcode}`;
  }
}

/** What programs on this host see: getaddrinfo with its hosts file, caches and search list. */
async function measureSystem({ request, make, sampling, question }: Omit<ServerContext, 'server'>): Promise<Measurement> {
  const { ports, options, signal, seed } = request;
  const family = question.type === 'AAAA' ? (6 as const) : (4 as const);
  const startMs = ports.clock.nowMs();
  const times: number[] = [];
  let remark: string | undefined;
  let failure: { outcome: 'timeout' | 'lost'; reason: string } | undefined;
  let sent = 0;
  for (let i = 0; i < sampling.count && failure === undefined; i++) {
    const waitMs = startMs + i * sampling.intervalMs - ports.clock.nowMs();
    if (waitMs > 0) await ports.clock.sleep(waitMs, signal);
    if (signal.aborted) break;
    const found = await ports.names.lookup(question.name, { family, timeoutMs: options.timeoutMs, signal });
    if (signal.aborted) break;
    sent++;
    if (found.outcome === 'ok' || found.outcome === 'unknown') times.push(found.elapsedMs);
    if (found.outcome === 'unknown') remark = found.reason;
    if (found.outcome === 'timeout' || found.outcome === 'failed')
      failure = { outcome: found.outcome === 'timeout' ? 'timeout' : 'lost', reason: found.reason };
  }
  if (times.length === 0) {
    const unmeasured = failure ?? { outcome: 'unchecked' as const, reason: 'interrupted before anything was measured', partial: true as const };
    return make('dns.system', { ...unmeasured, ...(sent > 0 ? { loss: lossOf(sent, 0) } : {}) });
  }
  const reason = failure?.reason ?? remark ?? (signal.aborted ? `interrupted after ${times.length} of ${sampling.count} lookups` : undefined);
  return make('dns.system', {
    outcome: 'ok',
    ...(reason === undefined ? {} : { reason }),
    ...(signal.aborted || failure ? { partial: true } : {}),
    ...withSummary(times, seed),
    loss: lossOf(sent, times.length),
    details: { name: question.name, family: `IPv${family}`, firstMs: times[0] },
  });
}
