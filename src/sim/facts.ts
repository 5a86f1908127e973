import type { HostFacts, HostIdentity, LinkFacts, NetworkInterface, ProcessorTimes, Route, RouteFacts, TcpSettings } from '../base/index.js';
import type { SimHost } from './host.js';
import { isLoopback } from './network.js';

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
    const { spec } = this.#host;
    const declared = spec.interfaces ?? [{ name: 'eth0', addresses: spec.addresses.filter((address) => !isLoopback(address)) }];
    const loopback = { name: 'lo', addresses: ['127.0.0.1/8', '::1/128'], mtu: 65536 };
    return [loopback, ...declared].map((one): NetworkInterface => {
      const { name, addresses, mtu = 1500, mac, up = true, speedBps } = { mac: undefined, up: undefined, speedBps: undefined, ...one };
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

  async links(): Promise<readonly LinkFacts[]> {
    return [];
  }

  async routeTo(): Promise<RouteFacts | undefined> {
    return undefined;
  }

  async processors(): Promise<ProcessorTimes | undefined> {
    return undefined;
  }

  async tcpSettings(): Promise<TcpSettings> {
    return {};
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

function withoutUndefined(identity: SimHost['spec']['identity']): Partial<HostIdentity> {
  return Object.fromEntries(Object.entries(identity ?? {}).filter(([, value]) => value !== undefined));
}
