import { formatRate } from '../base/index.js';
import type { Endpoint, NetworkInterface, Ports } from '../base/index.js';
import type { Measurement, Subject } from '../results/index.js';
import type { HostFindings } from './discover.js';

type SubjectHead = Omit<Subject, 'measurements'>;

/** An embedded responder on loopback, for this host's own ceiling. */
export interface SelfServe {
  readonly endpoint: Endpoint;
  close(): Promise<void>;
}

/** In the order in which `planHost` counts them. */
export function hostSubjects(found: HostFindings): SubjectHead[] {
  return [
    ...found.interfaces.map(interfaceSubject),
    ...found.gateways.map((route): SubjectHead => ({
      name: `default gateway (IPv${route.family})`,
      role: 'gateway',
      address: route.gateway,
      facts: { interface: route.interfaceName },
    })),
    ...found.resolvers.map((address): SubjectHead => ({ name: 'resolver', role: 'resolver', address, facts: {} })),
  ];
}

/** The label says what it is not: a network. */
export function selfSubject(): SubjectHead {
  return { name: 'this host itself, loopback', role: 'self', facts: { note: 'no network involved: the most that this host can do' } };
}

/** What stands there when not even the responder could be started, as on a host whose loopback is down. */
export function selfUnchecked(ports: Ports, error: unknown): Measurement {
  return {
    probe: 'echo',
    metric: 'rtt',
    target: 'this host itself',
    path: 'loopback',
    outcome: 'unchecked',
    startedAt: new Date(ports.clock.wallMs()).toISOString(),
    durationMs: 0,
    provenance: ports.provenance ?? 'measured',
    reason: `the responder could not be started: ${error instanceof Error ? error.message : String(error)}`,
  };
}

function interfaceSubject(item: NetworkInterface): SubjectHead {
  const global = item.addresses.find((address) => address.scope === 'global') ?? item.addresses[0];
  return {
    name: item.name,
    role: 'interface',
    ...(global ? { address: global.address } : {}),
    facts: {
      state: item.up ? 'up' : 'down',
      addresses: item.addresses.map((address) => `${address.address}/${address.prefix}`).join(', '),
      ...(item.mtu === undefined ? {} : { mtu: String(item.mtu) }),
      ...(item.speedBps === undefined ? {} : { speed: formatRate(item.speedBps) }),
    },
  };
}
