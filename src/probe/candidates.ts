import type { Endpoint } from '../base/index.js';
import type { Outcome } from '../results/index.js';
import type { CommonOptions, ProbeRequest } from './probe.js';

export type Candidates =
  | { readonly outcome: 'ok'; readonly remotes: readonly Endpoint[]; readonly elapsedMs: number; readonly literal: boolean }
  | { readonly outcome: Exclude<Outcome, 'ok'>; readonly reason: string };

/**
 * All addresses of a target, in the system's order of preference. A name such as localhost has one of
 * IPv6 and one of IPv4, and a server may listen on only one of them.
 */
export async function candidatesOf(
  request: Pick<ProbeRequest<CommonOptions>, 'ports' | 'signal'> & { readonly options: Pick<CommonOptions, 'timeoutMs' | 'family'> },
  place: { readonly host: string; readonly port: number },
): Promise<Candidates> {
  const { options, ports, signal } = request;
  const found = await ports.names.lookup(place.host, {
    timeoutMs: options.timeoutMs,
    signal,
    ...(options.family === undefined ? {} : { family: options.family }),
  });
  if (signal.aborted) return { outcome: 'unchecked', reason: 'interrupted before anything was measured' };
  // Without an address no path was tried, and none is to be called bad.
  if (found.outcome !== 'ok') return { outcome: found.outcome === 'timeout' ? 'timeout' : 'unchecked', reason: found.reason };
  const remotes = found.addresses.map((address) => ({ ...address, port: place.port }));
  if (remotes.length === 0) return { outcome: 'unchecked', reason: `'${place.host}' has no address` };
  return { outcome: 'ok', remotes, elapsedMs: found.elapsedMs, literal: remotes.length === 1 && remotes[0]?.host === place.host };
}
