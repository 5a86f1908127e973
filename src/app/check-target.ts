import type { Ports } from '../base/index.js';
import type { Measurement, Subject } from '../results/index.js';
import { discoverTarget } from './discover.js';
import type { DiscoverOptions, TargetFindings } from './discover.js';
import type { NamedTarget } from './targets.js';

/** Looks at each target and says what it is; targets are looked at side by side. */
export async function lookAt(
  ports: Ports,
  targets: readonly NamedTarget[],
  options: Omit<DiscoverOptions, 'key'> & { keys: readonly (Uint8Array | undefined)[] },
): Promise<TargetFindings[]> {
  return Promise.all(
    targets.map((named, i) => {
      const key = options.keys[i];
      return discoverTarget(ports, named, {
        ...(options.family === undefined ? {} : { family: options.family }),
        signal: options.signal,
        ...(key ? { key } : {}),
      });
    }),
  );
}

/** The head of a target's entry in the document. */
export function targetSubject(found: TargetFindings): Omit<Subject, 'measurements'> {
  const { named, address, serve, tcp } = found;
  const name = named.peer === undefined ? named.target.text : named.peer.paths.length > 1 ? `${named.peer.name}/${named.path}` : named.peer.name;
  return {
    name,
    role: 'target',
    ...(address ? { address: address.host } : {}),
    facts: {
      ...(serve.answers === 'yes' ? { 'tautline serve': `answers on port ${serve.port}` } : {}),
      ...(serve.answers === 'refused' ? { 'tautline serve': `refused: ${serve.reason ?? 'no reason given'}` } : {}),
      ...(serve.answers === 'no' && tcp.answers ? { 'open port': String(tcp.port) } : {}),
      ...(serve.answers === 'no' && tcp.answers && named.target.port === undefined
        ? { 'tautline serve': `none on port ${serve.port}: run 'tautline serve' there to measure throughput and loss` }
        : {}),
    },
  };
}

/** What stands in the document for a target whose name leads nowhere. */
export function unresolved(ports: Ports, found: TargetFindings, startedAt: string): Measurement[] {
  const { resolution, named } = found;
  if (resolution.outcome === 'ok') return [];
  return [
    {
      probe: 'dns',
      metric: 'lookup',
      target: named.target.host,
      path: named.path,
      outcome: resolution.outcome === 'timeout' ? 'timeout' : 'unchecked',
      startedAt,
      durationMs: resolution.elapsedMs,
      provenance: ports.provenance ?? 'measured',
      reason: resolution.reason,
    },
  ];
}
