import type { Clock, DatagramFlow } from '../base/index.js';
import type { Outcome } from '../results/index.js';

/** The first wait for an answer; each further one is twice as long, up to the maximum. */
const WAIT_MS_FIRST = 200;
const WAIT_MS_MAX = 1000;
const ANSWER_BYTES_MAX = 2048;

export interface Question<T> {
  readonly flow: DatagramFlow;
  readonly clock: Clock;
  readonly payload: Uint8Array;
  /** Two bytes of padding into which the exchange may write its sequence number. */
  readonly paddingOffset: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** The answer, or undefined for a datagram that is not it. */
  readonly accept: (bytes: Uint8Array) => T | undefined;
}

export interface Answer<T> {
  readonly answer: T | undefined;
  readonly errors: Readonly<Record<string, number>>;
  readonly aborted: boolean;
  readonly elapsedMs: number;
}

/**
 * Asks until the answer comes, the time is up, or the network says that asking is useless. Datagrams
 * that are not the answer (late ones of before, strangers') do not end it.
 */
export async function ask<T>(question: Question<T>): Promise<Answer<T>> {
  const { flow, clock, signal } = question;
  const startMs = clock.nowMs();
  const errors: Record<string, number> = {};
  let waitMs = WAIT_MS_FIRST;
  let strays = false;
  for (;;) {
    const leftMs = question.timeoutMs - (clock.nowMs() - startMs);
    if (leftMs <= 0 || signal.aborted) return { answer: undefined, errors, aborted: signal.aborted, elapsedMs: clock.nowMs() - startMs };
    const log = await flow.exchange({
      payload: question.payload,
      count: 1,
      intervalNs: 1e6,
      waitNs: Math.round(Math.min(waitMs, leftMs) * 1e6),
      sequence: { offset: question.paddingOffset, width: 2 },
      // Where strays come in, one reply is no reason to stop listening.
      ...(strays ? {} : { stopAfterReplies: 1 }),
      replyBytesMax: ANSWER_BYTES_MAX,
      signal,
    });
    for (const [name, n] of Object.entries(log.errors)) errors[name] = (errors[name] ?? 0) + n;
    for (let k = 0; k < log.received; k++) {
      const answer = question.accept(log.bytes.subarray(k * log.stride, k * log.stride + Math.min(log.stride, log.length[k] as number)));
      if (answer !== undefined) return { answer, errors, aborted: false, elapsedMs: clock.nowMs() - startMs };
    }
    strays = strays || log.received > 0;
    if (failureOf(errors) !== undefined) return { answer: undefined, errors, aborted: signal.aborted, elapsedMs: clock.nowMs() - startMs };
    waitMs = Math.min(WAIT_MS_MAX, waitMs * 2);
  }
}

const FAILURES: Readonly<Record<string, { readonly outcome: Exclude<Outcome, 'ok'>; readonly why: string }>> = {
  ECONNREFUSED: { outcome: 'refused', why: 'nothing listens on that UDP port (an ICMP port unreachable came back)' },
  TTL_EXCEEDED: { outcome: 'lost', why: 'the time to live ran out on the way (ICMP time exceeded): routers send it round in a loop' },
  EHOSTUNREACH: { outcome: 'lost', why: 'the host is unreachable (EHOSTUNREACH): no route, or no such host on its network' },
  ENETUNREACH: { outcome: 'lost', why: 'the network is unreachable (ENETUNREACH): there is no route to it' },
  EHOSTDOWN: { outcome: 'lost', why: 'the host is down (EHOSTDOWN)' },
  ENETDOWN: { outcome: 'lost', why: 'the network interface is down (ENETDOWN)' },
  ENOPROTOOPT: { outcome: 'refused', why: 'the host does not speak that protocol' },
  EPERM: { outcome: 'refused', why: 'this host is not allowed to send there (EPERM): look at its firewall' },
  EACCES: { outcome: 'refused', why: 'sending there is prohibited (EACCES): a firewall says so, or it is a broadcast address' },
  EADDRNOTAVAIL: { outcome: 'lost', why: 'this host has no address to send from (EADDRNOTAVAIL)' },
  EMSGSIZE: { outcome: 'lost', why: 'the datagrams are bigger than the path takes (EMSGSIZE): choose a smaller --size' },
};

/** What the errors of a socket say, in an outcome and in words; undefined when they say nothing final. */
export function failureOf(errors: Readonly<Record<string, number>>): { readonly outcome: Exclude<Outcome, 'ok'>; readonly why: string } | undefined {
  for (const [name, failure] of Object.entries(FAILURES)) if ((errors[name] ?? 0) > 0) return failure;
  return undefined;
}
