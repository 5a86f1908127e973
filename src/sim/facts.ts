import type { HostFacts, HostIdentity, LinkFacts, NetworkInterface, ProcessorTimes, Route, RouteFacts, TcpSettings } from '../base/index.js';
import { encodeAddress } from '../wire/index.js';
import type { SimHost } from './host.js';
import { isLoopback } from './network.js';
import type { InterfaceSpec } from './scenario.js';

const LOOPBACK: InterfaceSpec = { name: 'lo', addresses: ['127.0.0.1/8', '::1/128'], mtu: 65536 };

/** What a host of the scenario is. */
export class SimFacts implements HostFacts {
  readonly #host: SimHost;

  constructor(host: SimHost) {
    this.#host = host;
  }

  async identity(): Promise<HostIdentity> {
    return {
      name: this.#host.name,
      os: 'simulated',
      kernel: '0',
      arch: 'simulated',
      cpus: 2,
      cpuModel: 'simulated',
      memoryBytes: 4 * 2 ** 30,
      node: '0.0.0',
      root: false,
      ...withoutUndefined(this.#host.spec.identity),
    };
  }

  async interfaces(): Promise<readonly NetworkInterface[]> {
    return this.#declared().map(({ name, addresses, mtu = 1500, mac, up = true, speedBps }): NetworkInterface => {
      return {
        name,
        addresses: addresses.map(describe),
        ...(mac === undefined ? {} : { mac }),
        mtu,
        up,
        loopback: name === 'lo',
        ...(speedBps === undefined ? {} : { speedBps }),
      };
    });
  }

  async defaultRoutes(): Promise<readonly Route[]> {
    const { gateway } = this.#host.spec;
    if (gateway === undefined) return [];
    const interfaceName = (await this.interfaces()).find(({ loopback }) => !loopback)?.name ?? 'eth0';
    return [{ gateway, family: gateway.includes(':') ? 6 : 4, interfaceName }];
  }

  async links(name?: string): Promise<readonly LinkFacts[]> {
    return this.#declared()
      .filter((one) => name === undefined || one.name === name)
      .map((one) => linkOf(one, this.#host.network.nowMs / 1000));
  }

  async routeTo(address: string): Promise<RouteFacts | undefined> {
    const local = isLoopback(address) || this.#host.spec.addresses.includes(address);
    if (local) return { interfaceName: 'lo', source: address, mtu: LOOPBACK.mtu ?? 0, local };
    const declared = longestMatch(this.#host.spec.routes ?? [], address);
    if (declared) {
      const { to: _, ...route } = declared;
      const mtu = route.mtu ?? this.#declared().find(({ name }) => name === route.interfaceName)?.mtu ?? 1500;
      return { ...withoutUndefined(route), interfaceName: route.interfaceName, mtu, local };
    }
    const route = this.#host.network.route(this.#host, address);
    if (route.kind === 'unreachable') return undefined;
    const { source } = route;
    const through = this.#declared().find(({ addresses }) => addresses.some((own) => own.split('/')[0] === source));
    const mtu = route.kind === 'path' ? this.#host.interfaceMtu(route) : (through?.mtu ?? 1500);
    const { gateway } = this.#host.spec;
    const direct = through?.addresses.some((own) => own.split('/')[0] === source && contains(own, address)) === true;
    return {
      interfaceName: through?.name ?? 'eth0',
      source,
      ...(gateway === undefined || direct || gateway.includes(':') !== address.includes(':') ? {} : { gateway }),
      mtu,
      local,
    };
  }

  async processors(): Promise<ProcessorTimes | undefined> {
    const { spec, clock } = this.#host;
    const count = spec.processors?.length ?? spec.identity?.cpus ?? 2;
    const sinceMs = this.#host.network.nowMs;
    return {
      atMs: clock.nowMs(),
      cpus: Array.from({ length: count }, (_, i) => {
        const { busy = 0, softirq = 0, steal = 0 } = spec.processors?.[i] ?? {};
        return { busyMs: busy * sinceMs, softirqMs: softirq * sinceMs, stealMs: steal * sinceMs, idleMs: Math.max(0, 1 - busy - steal) * sinceMs };
      }),
    };
  }

  async tcpSettings(): Promise<TcpSettings> {
    const { tcp, tcpSettings } = this.#host.spec;
    return {
      receiveBytes: [4096, 131_072, tcp?.receiveBufferBytes ?? 6_291_456],
      sendBytes: [4096, 16_384, tcp?.sendBufferBytes ?? 4_194_304],
      receiveBytesAsked: 4_194_304,
      sendBytesAsked: 4_194_304,
      congestion: tcp?.congestion ?? 'cubic',
      windowScaling: true,
      timestamps: true,
      sack: true,
      mtuProbing: 0,
      slowStartAfterIdle: true,
      ...withoutUndefined(tcpSettings),
    };
  }

  #declared(): InterfaceSpec[] {
    const { spec } = this.#host;
    return [LOOPBACK, ...(spec.interfaces ?? [{ name: 'eth0', addresses: spec.addresses.filter((address) => !isLoopback(address)) }])];
  }

  async resolvers(): Promise<readonly string[]> {
    return this.#host.spec.resolvers ?? [];
  }
}

function describe(text: string): NetworkInterface['addresses'][number] {
  const [address = '', prefix] = text.split('/');
  const family = address.includes(':') ? 6 : 4;
  const link = /^(169\.254\.|fe[89ab])/i.test(address);
  return {
    address,
    family,
    prefix: prefix === undefined ? (family === 4 ? 24 : 64) : Number(prefix),
    scope: isLoopback(address) ? 'host' : link ? 'link' : 'global',
  };
}

/** What is not declared is as on a healthy host; what nobody declared is not told. */
function linkOf(one: InterfaceSpec, seconds: number): LinkFacts {
  const { addresses: _, countersPerSecond = {}, counters = {}, qdiscs, features, supported, partner, queues, rings, coalescing, ...told } = one;
  const kind = one.kind ?? (one.name === 'lo' ? 'loopback' : 'ethernet');
  const up = one.up ?? true;
  const names = new Set([...USUAL_COUNTERS, ...Object.keys(counters), ...Object.keys(countersPerSecond)]);
  return {
    mtu: 1500,
    ...(up ? { carrier: true } : {}),
    ...(kind === 'ethernet' ? { duplex: 'full' as const, autonegotiation: true } : {}),
    ...withoutUndefined(told),
    name: one.name,
    kind,
    up,
    ...(queues ? { queues: { rx: queues.rx, tx: queues.tx, ...withoutUndefined(queues) } } : {}),
    ...(rings ? { rings: { rx: rings.rx, tx: rings.tx, ...withoutUndefined(rings) } } : {}),
    ...(coalescing ? { coalescing: withoutUndefined(coalescing) } : {}),
    ...modes('supported', supported),
    ...modes('partner', partner),
    ...(features
      ? { features: Object.fromEntries(Object.entries(features).map(([name, { on, changeable = true }]) => [name, { on, changeable }])) }
      : {}),
    counters: Object.fromEntries([...names].map((name) => [name, Math.floor((counters[name] ?? 0) + (countersPerSecond[name] ?? 0) * seconds)])),
    ...(qdiscs ? { qdiscs: qdiscs.map((queue) => ({ parent: 'root', handle: '1:', ...withoutUndefined(queue), kind: queue.kind })) } : {}),
  };
}

const USUAL_COUNTERS = ['rx_packets', 'tx_packets', 'rx_bytes', 'tx_bytes', 'rx_errors', 'tx_errors', 'rx_dropped', 'tx_dropped'];

function modes(which: 'supported' | 'partner', names: readonly string[] | undefined): Partial<LinkFacts> {
  if (!names) return {};
  const speeds = names.flatMap((name) => /^(\d+)base/.exec(name)?.[1] ?? []).map((mbps) => Number(mbps) * 1e6);
  return { [which]: names, ...(speeds.length === 0 ? {} : { [`${which}BpsMax`]: Math.max(...speeds) }) };
}

function longestMatch<R extends { readonly to: string }>(routes: readonly R[], address: string): R | undefined {
  const length = ({ to }: R): number => Number(to.split('/')[1] ?? 128);
  return routes.filter(({ to }) => contains(to, address)).sort((a, b) => length(b) - length(a))[0];
}

/** Whether `10.1.2.3` is in `10.1.0.0/16`; without a prefix length only the address itself is. */
function contains(prefix: string, address: string): boolean {
  const [network = '', length] = prefix.split('/');
  const family = address.includes(':') ? 6 : 4;
  if (network.includes(':') !== (family === 6)) return false;
  const bytes = (host: string): Uint8Array => encodeAddress({ host, port: 0, family }).subarray(3);
  const [a, b] = [bytes(network), bytes(address)];
  const bits = length === undefined ? 8 * a.length : Number(length);
  return a.every((byte, i) => {
    const mask = (0xff << Math.max(0, Math.min(8, 8 * (i + 1) - bits))) & 0xff;
    return (byte & mask) === ((b[i] ?? 0) & mask);
  });
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(object: T | undefined): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(object ?? {}).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>;
}
