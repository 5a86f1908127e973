import { formatEndpoint } from '../base/index.js';
import type { DatagramFlow, Endpoint, ExchangeLog, Ports } from '../base/index.js';
import { answersQuestion, decodeDnsMessage, DNS_ID_OFFSET, DNS_UDP_BYTES_MAX, encodeDnsQuery, frameDns, unframeDns } from '../wire/index.js';
import type { DnsMessage, DnsQuestion } from '../wire/index.js';

export type DnsAnswer = Extract<DnsMessage, { kind: 'answer' }>;

export interface DnsSample {
  readonly ms: number;
  readonly answer: DnsAnswer;
}

/** What came of a train of queries to one server. */
export interface DnsTrain {
  readonly sent: number;
  /** Valid answers by query; undefined where none came. */
  readonly samples: readonly (DnsSample | undefined)[];
  /** Datagrams that were no DNS message. */
  readonly garbled: number;
  /** Messages that answer something else: a wrong id or question. */
  readonly foreign: number;
  readonly log: ExchangeLog;
  readonly flow: Pick<DatagramFlow, 'stamps' | 'fallbacks'>;
}

export interface DnsTrainPlan {
  readonly ports: Pick<Ports, 'datagrams'>;
  readonly server: Endpoint;
  readonly question: DnsQuestion;
  readonly count: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Listens to the end although enough datagrams came: something else sends them too. */
  readonly patient: boolean;
}

/**
 * Sends queries from a port of their own, so that a late answer to an earlier train cannot pass for
 * one of this. A query's id is its number.
 * @throws TautlineError `io`, `permission`, `unsupported` when no socket could be opened
 */
export async function sendQueries(plan: DnsTrainPlan): Promise<DnsTrain> {
  const { ports, server, question, count, signal } = plan;
  const flow = await ports.datagrams.open({ protocol: 'udp', remote: server });
  try {
    const log = await flow.exchange({
      payload: encodeDnsQuery(0, question),
      count,
      intervalNs: Math.round(plan.intervalMs * 1e6),
      waitNs: Math.round(plan.timeoutMs * 1e6),
      sequence: { offset: DNS_ID_OFFSET, width: 2 },
      replyBytesMax: DNS_UDP_BYTES_MAX,
      signal,
      ...(plan.patient ? {} : { stopAfterReplies: count }),
    });
    return { ...readTrain(log, question), log, flow: { stamps: flow.stamps, fallbacks: flow.fallbacks } };
  } finally {
    await flow.close();
  }
}

/** Matches what came in with what was asked, by id and question; the first answer to a query counts. */
export function readTrain(log: ExchangeLog, question: DnsQuestion): Pick<DnsTrain, 'sent' | 'samples' | 'garbled' | 'foreign'> {
  const samples: (DnsSample | undefined)[] = Array.from({ length: log.sent }, () => undefined);
  let garbled = 0;
  let foreign = 0;
  for (let k = 0; k < log.received; k++) {
    const bytes = log.bytes.subarray(k * log.stride, k * log.stride + Math.min(log.stride, log.length[k] as number));
    const message = decodeDnsMessage(bytes);
    if (message.kind === 'garbled') {
      garbled++;
      continue;
    }
    const ms = ((log.arrivedNs[k] as number) - (log.sentNs[message.id] ?? Number.NaN)) / 1e6;
    // An answer cannot come before its question: then it answers an older one.
    if (!answersQuestion(message, question) || !(ms >= 0)) foreign++;
    else samples[message.id] ??= { ms, answer: message };
  }
  return { sent: log.sent, samples, garbled, foreign };
}

export type DnsOverTcp =
  | { readonly outcome: 'ok'; readonly ms: number; readonly answer: DnsAnswer }
  | { readonly outcome: 'failed'; readonly reason: string };

/** Asks once over TCP, connection included: what a resolver has to do after a truncated answer. */
export async function askOverTcp(
  ports: Pick<Ports, 'streams' | 'clock'>,
  server: Endpoint,
  options: { question: DnsQuestion; timeoutMs: number; signal: AbortSignal },
): Promise<DnsOverTcp> {
  const { question, timeoutMs, signal } = options;
  const startMs = ports.clock.nowMs();
  const made = await ports.streams.connect({ remote: server, timeoutMs, signal });
  if (made.outcome !== 'ok') return { outcome: 'failed', reason: made.reason };
  const { connection } = made;
  try {
    await connection.write(frameDns(encodeDnsQuery(TCP_ID, question)));
    let received = new Uint8Array(0);
    for (;;) {
      const leftMs = timeoutMs - (ports.clock.nowMs() - startMs);
      const bytes = leftMs > 0 ? await connection.read({ timeoutMs: leftMs, signal }) : undefined;
      if (bytes === undefined) return { outcome: 'failed', reason: `${formatEndpoint(server)} did not answer over TCP within ${timeoutMs} ms` };
      const joined = new Uint8Array(received.length + bytes.length);
      joined.set(received);
      joined.set(bytes, received.length);
      received = joined;
      const whole = unframeDns(received);
      if (whole === undefined) continue;
      const message = decodeDnsMessage(whole);
      if (message.kind !== 'answer' || message.id !== TCP_ID || !answersQuestion(message, question))
        return { outcome: 'failed', reason: `${formatEndpoint(server)} answered garbage over TCP` };
      return { outcome: 'ok', ms: ports.clock.nowMs() - startMs, answer: message };
    }
  } catch (error) {
    // The peer went away while the query was written.
    return {
      outcome: 'failed',
      reason: `${formatEndpoint(server)} closed the TCP connection (${error instanceof Error ? error.message : String(error)})`,
    };
  } finally {
    connection.close();
  }
}

const TCP_ID = 1;
