import type { Endpoint } from '../base/index.js';
import type { Outcome } from '../results/index.js';
import type { CommonOptions, ProbeRequest } from './probe.js';

export type Remote = { readonly outcome: 'ok'; readonly remote: Endpoint } | { readonly outcome: Exclude<Outcome, 'ok'>; readonly reason: string };

/** The address to measure: the target's name resolved as the system's programs do, and its port or the default one. */
export async function remoteOf(request: Pick<ProbeRequest<CommonOptions>, 'target' | 'options' | 'ports' | 'signal'>, defaultPort: number): Promise<Remote> {
  const { target, options, ports, signal } = request;
  const found = await ports.names.lookup(target.host, { timeoutMs: options.timeoutMs, signal, ...(options.family === undefined ? {} : { family: options.family }) });
  if (signal.aborted) return { outcome: 'unchecked', reason: 'interrupted before anything was measured' };
  if (found.outcome !== 'ok') {
    return { outcome: found.outcome === 'timeout' ? 'timeout' : 'lost', reason: `${target.host} could not be resolved: ${found.reason}` };
  }
  const address = found.addresses.find(({ family }) => options.family === undefined || family === options.family);
  if (!address) {
    const wanted = options.family === undefined ? '' : `IPv${options.family} `;
    return { outcome: 'lost', reason: `${target.host} has no ${wanted}address` };
  }
  return { outcome: 'ok', remote: { ...address, port: target.port ?? defaultPort } };
}
