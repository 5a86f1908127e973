import { lookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock, Names, Resolution } from '../base/index.js';

/**
 * Names as the system's programs resolve them (getaddrinfo). A lookup cannot be taken back: after a
 * timeout or an abort it goes on in the background and its result is dropped.
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
  const answer = await ask(host, options);
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
  if (answer.kind === 'aborted') return { outcome: 'failed', reason: `the lookup of '${host}' was interrupted`, elapsedMs: tookMs };
  return { ...explainLookup(host, answer.error, options.family), elapsedMs: tookMs };
}

type Answer =
  | { readonly kind: 'addresses'; readonly addresses: readonly LookupAddress[] }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'aborted' }
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
