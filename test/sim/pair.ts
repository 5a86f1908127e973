import type { DatagramFlow, Endpoint, ExchangeLog, ExchangePlan } from '../../src/base/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { DirectionSpec, HostSpec, Scenario } from '../../src/sim/index.js';

export const ECHO: Endpoint = { host: '10.0.0.2', port: 7, family: 4 };
/** An IP and a UDP header. */
export const HEADERS_BYTES = 28;

/** Hosts `a` and `b` with one path between them; `b` echoes datagrams on port 7, at once, and nothing leaves late. */
export function pair(
  path: DirectionSpec & { back?: DirectionSpec },
  options: { seed?: number; a?: Partial<HostSpec>; b?: Partial<HostSpec>; events?: Scenario['events'] } = {},
): SimNetwork {
  const timing = { sendLatenessUs: 0, readDelayUs: 0, answerUs: 0, datagramUs: 0.001 };
  return new SimNetwork({
    seed: options.seed ?? 1,
    hosts: {
      a: { addresses: ['10.0.0.1'], timing, ...options.a },
      b: { addresses: ['10.0.0.2'], timing, services: [{ kind: 'udp-echo', port: 7 }], ...options.b },
    },
    paths: [{ from: 'a', to: 'b', ...path }],
    ...(options.events ? { events: options.events } : {}),
  });
}

/** Round-trip times in ms by sequence number; NaN for what did not come back. */
export function rttsMs(log: ExchangeLog, offset = 0): number[] {
  const rtts = Array.from({ length: log.sent }, () => Number.NaN);
  for (let k = log.received - 1; k >= 0; k--)
    rtts[sequenceOf(log, k, offset)] = ((log.arrivedNs[k] ?? Number.NaN) - (log.sentNs[sequenceOf(log, k, offset)] ?? Number.NaN)) / 1e6;
  return rtts;
}

export function sequenceOf(log: ExchangeLog, reply: number, offset = 0): number {
  return new DataView(log.bytes.buffer).getUint32(reply * log.stride + offset);
}

export function exchange(network: SimNetwork, plan: Partial<ExchangePlan>, remote = ECHO): Promise<ExchangeLog> {
  return network.run(async () => {
    const flow = await network.ports('a').datagrams.open({ protocol: 'udp', remote });
    return exchangeOn(flow, plan);
  });
}

export function exchangeOn(flow: DatagramFlow, plan: Partial<ExchangePlan>): Promise<ExchangeLog> {
  return flow.exchange({
    payload: new Uint8Array(64),
    count: 1000,
    intervalNs: 1e6,
    waitNs: 5e9,
    sequence: { offset: 0, width: 4 },
    ...plan,
  });
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
}
