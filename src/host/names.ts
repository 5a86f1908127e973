import { lookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock, Names, Resolution } from '../base/index.js';
import { isDnsName, isMdnsName } from '../wire/index.js';
import { askMdns } from './mdns.js';
import type { MdnsAnswer } from './mdns.js';

/**
 * The system gets this long for a name below `.local` before it is asked by multicast too: a system without mDNS
 * asks resolvers, which know none of these, and some let it wait.
 */
const SYSTEM_FIRST_MS = 300;
/** A neighbour that is there answers within 0.12 s (RFC 6762, section 6). */
const MDNS_MS_MAX = 1000;

/**
 * Names as the system's programs resolve them (getaddrinfo); those below `.local` that it does not know are asked
 * by multicast (RFC 6762). A lookup cannot be taken back: after a timeout or an abort it goes on in the background
 * and its result is dropped.
 */
export function createNames(clock: Clock): Names {
  return { lookup: (host, options) => resolve(clock, host, options) };
}

type LookupOptions = Parameters<Names['lookup']>[1];

async function resolve(clock: Clock, host: string, options: LookupOptions): Promise<Resolution> {
  const startMs = clock.nowMs();
  const elapsedMs = (): number => clock.nowMs() - startMs;
  const literal = isIP(host);
  if (literal !== 0) {
    const family = literal === 4 ? 4 : 6;
    if (options.family !== undefined && options.family !== family) {
      return {
        outcome: 'unknown',
        reason: `${host} is an IPv${family} address, but only IPv${options.family} was asked for`,
        elapsedMs: elapsedMs(),
      };
    }
    return { outcome: 'ok', addresses: [{ host, family }], elapsedMs: elapsedMs() };
  }
  const answer = isMdnsName(host) && isDnsName(host) ? await askAlsoByMulticast(host, options) : await ask(host, options);
  const tookMs = elapsedMs();
  if (answer.kind === 'addresses') {
    const addresses = distinct(answer.addresses);
    if (addresses.length > 0) return { outcome: 'ok', addresses, elapsedMs: tookMs };
    return { outcome: 'unknown', reason: `'${host}' has no address`, elapsedMs: tookMs };
  }
  if (answer.kind === 'timeout') {
    return {
      outcome: 'timeout',
      reason: `no answer to the lookup of '${host}' within ${options.timeoutMs} ms: check that the resolver can be reached`,
      elapsedMs: tookMs,
    };
  }
  if (answer.kind === 'silent') {
    const reason = `'${host}' is not known: neither the system nor any host on ${answer.asked.join(', ')} answers for it (mDNS); check the spelling, and that the host is up and announces itself (avahi, Bonjour)`;
    return { outcome: 'unknown', reason, elapsedMs: tookMs };
  }
  if (answer.kind === 'aborted') return { outcome: 'failed', reason: `the lookup of '${host}' was interrupted`, elapsedMs: tookMs };
  return { ...explainLookup(host, answer.error, options.family), elapsedMs: tookMs };
}

/** The system and, once that is of no use, the neighbours: the first addresses count. */
async function askAlsoByMulticast(host: string, options: LookupOptions): Promise<Answer> {
  const system = ask(host, options);
  const stop = new AbortController();
  const early = await Promise.race([system, pause(SYSTEM_FIRST_MS, stop.signal)]);
  stop.abort();
  if (early?.kind === 'addresses' && early.addresses.length > 0) return early;
  if (early?.kind === 'aborted' || early?.kind === 'timeout') return early;
  const end = new AbortController();
  const forward = (): void => end.abort();
  options.signal?.addEventListener('abort', forward, { once: true });
  if (options.signal?.aborted === true) end.abort();
  const leftMs = Math.max(0, Math.min(MDNS_MS_MAX, options.timeoutMs - (early ? 0 : SYSTEM_FIRST_MS)));
  const neighbours = askMdns(host, { ...(options.family === undefined ? {} : { family: options.family }), timeoutMs: leftMs, signal: end.signal });
  const useful = system.then<Answer | MdnsAnswer>((answer) => (answer.kind === 'addresses' && answer.addresses.length > 0 ? answer : neighbours));
  const first = await Promise.race([neighbours, useful]);
  end.abort();
  options.signal?.removeEventListener('abort', forward);
  if (options.signal?.aborted === true) return { kind: 'aborted' };
  if ('kind' in first) return first;
  if (first.addresses.length > 0)
    return { kind: 'addresses', addresses: first.addresses.map((each) => ({ address: each.host, family: each.family })) };
  const answer = early ?? (await system);
  return answer.kind === 'error' && first.asked.length > 0 ? { kind: 'silent', asked: first.asked } : answer;
}

function pause(ms: number, signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      resolve(undefined);
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

type Answer =
  | { readonly kind: 'addresses'; readonly addresses: readonly LookupAddress[] }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'aborted' }
  /** Neither the system nor anybody on these interfaces' networks knows it. */
  | { readonly kind: 'silent'; readonly asked: readonly string[] }
  | { readonly kind: 'error'; readonly error: NodeJS.ErrnoException };

function ask(host: string, options: LookupOptions): Promise<Answer> {
  return new Promise((settle) => {
    const done = (answer: Answer): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
      settle(answer);
    };
    const onAbort = (): void => done({ kind: 'aborted' });
    const timer = setTimeout(() => done({ kind: 'timeout' }), options.timeoutMs);
    if (options.signal?.aborted) return onAbort();
    options.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      lookup(host, { all: true, family: options.family ?? 0 }, (error, addresses) => {
        done(error ? { kind: 'error', error } : { kind: 'addresses', addresses });
      });
    } catch (error) {
      // Node refuses some names (a NUL inside) before it asks anybody.
      done({ kind: 'error', error: error as NodeJS.ErrnoException });
    }
  });
}

function distinct(addresses: readonly LookupAddress[]): { host: string; family: 4 | 6 }[] {
  const seen = new Set<string>();
  const kept: { host: string; family: 4 | 6 }[] = [];
  for (const { address, family } of addresses) {
    if (seen.has(address)) continue;
    seen.add(address);
    kept.push({ host: address, family: family === 6 ? 6 : 4 });
  }
  return kept;
}

/** getaddrinfo's errors in words, with what to do: the name does not exist, or nobody could be asked. */
export function explainLookup(
  host: string,
  error: { readonly code?: string | undefined; readonly message: string },
  family?: 4 | 6,
): { outcome: 'unknown' | 'failed'; reason: string } {
  switch (error.code) {
    case 'ENOTFOUND':
      return {
        outcome: 'unknown',
        reason:
          family === undefined
            ? `'${host}' is not known: check the spelling, or use the address`
            : `'${host}' has no IPv${family} address: check the spelling, or leave the choice of IPv4 or IPv6 open`,
      };
    case 'EAI_AGAIN':
      return {
        outcome: 'failed',
        reason: `'${host}' could not be looked up: no resolver answered; check the network and the resolver's address, or use the target's address`,
      };
    case 'EAI_FAIL':
      return { outcome: 'failed', reason: `'${host}' could not be looked up: the resolver failed; ask another one, or use the target's address` };
    default:
      return { outcome: 'failed', reason: `'${host}' could not be looked up (${error.code ?? error.message})` };
  }
}
