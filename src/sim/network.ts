import { TautlineError } from '../base/index.js';
import type { Endpoint, Ports } from '../base/index.js';
import { SimHost } from './host.js';
import { SimPath } from './path.js';
import type { DirectionSpec, EventSpec, PathSpec, Scenario } from './scenario.js';
import { Timeline } from './timeline.js';
import type { RunOptions } from './timeline.js';

const STARTED_AT_DEFAULT = '2026-01-01T00:00:00Z';
/** A host to itself, when the scenario does not say otherwise. */
const LOOPBACK: DirectionSpec = { delayMs: 0.005, mtu: 65536, rateBps: 40e9, queueMs: 5 };

/** How packets get from one host to an address. `void`: they leave and nothing comes back. */
export type Route =
  | { readonly kind: 'path'; readonly source: string; readonly forward: SimPath; readonly back: SimPath; readonly target: SimHost }
  | { readonly kind: 'void'; readonly source: string }
  | { readonly kind: 'unreachable' };

/** Hosts joined by paths, in virtual time. See `index.ts` for an example. */
export class SimNetwork {
  readonly seed: number;
  readonly timeline = new Timeline();
  readonly scenario: Scenario;
  readonly #hosts = new Map<string, SimHost>();
  readonly #byAddress = new Map<string, SimHost>();
  readonly #paths = new Map<string, SimPath>();

  /** @throws TautlineError `config` when the scenario contradicts itself */
  constructor(scenario: Scenario, options: { seed?: number } = {}) {
    this.scenario = scenario;
    this.seed = options.seed ?? scenario.seed ?? 1;
    const startedAtMs = Date.parse(scenario.startedAt ?? STARTED_AT_DEFAULT);
    for (const [name, spec] of Object.entries(scenario.hosts)) {
      const host = new SimHost(this, { name, spec, startedAtMs });
      this.#hosts.set(name, host);
      for (const address of spec.addresses) {
        if (this.#byAddress.has(address)) throw contradiction(`two hosts have the address ${address}`);
        this.#byAddress.set(address, host);
      }
    }
    for (const spec of scenario.paths) this.#addPath(spec);
    for (const host of this.#hosts.values()) host.startServices();
    for (const event of scenario.events ?? []) this.#schedule(event);
  }

  /** Virtual milliseconds since the start. */
  get nowMs(): number {
    return this.timeline.nowNs / 1e6;
  }

  /** @throws TautlineError `usage` when the scenario has no such host */
  host(name: string): SimHost {
    const host = this.#hosts.get(name);
    if (!host) throw new TautlineError('usage', `the scenario has no host '${name}'`, { hint: `it has ${[...this.#hosts.keys()].join(', ')}` });
    return host;
  }

  /** The ports as programs on this host see them. */
  ports(host: string): Ports {
    return this.host(host).ports;
  }

  /** One direction between two hosts or addresses as the scenario names them, with its counters. @throws TautlineError `usage` */
  path(from: string, to: string): SimPath {
    const path = this.#paths.get(key(from, to));
    if (!path) throw new TautlineError('usage', `the scenario has no path from '${from}' to '${to}'`);
    return path;
  }

  /**
   * Lets virtual time pass until `work` settles, and hands over what it settled with.
   * @throws Error when nothing is left to happen that could settle it, or after a day of virtual time (`limitMs`)
   */
  run<T>(work: Promise<T> | (() => Promise<T>), options: RunOptions = {}): Promise<T> {
    return this.timeline.run(work, options);
  }

  /** Ends a host's programs (`process`: its ports close, peers are told) or the host as a whole (`host`: it falls silent). */
  kill(host: string, how: 'process' | 'host' = 'process'): void {
    this.host(host).die(how);
  }

  hostAt(address: string): SimHost | undefined {
    return this.#byAddress.get(address);
  }

  /** Hosts that answer for a name by multicast. */
  announcing(name: string): SimHost[] {
    return [...this.#hosts.values()].filter((host) => host.spec.mdns?.toLowerCase() === name && host.dead !== 'host');
  }

  route(from: SimHost, to: string, source?: string): Route {
    const family = to.includes(':') ? 6 : 4;
    const own = from.spec.addresses.filter((address) => address.includes(':') === (family === 6));
    const target = isLoopback(to) ? from : this.#byAddress.get(to);
    if (target === from) {
      const path = this.#paths.get(key(from.name, from.name)) ?? this.#addDirection(from.name, from.name, LOOPBACK);
      return { kind: 'path', source: source ?? to, forward: path, back: path, target };
    }
    const sources = source === undefined ? own : [source];
    if (sources.length === 0) return { kind: 'unreachable' };
    if (target) {
      // An entry for exactly this source address is more specific than one for the host.
      const chosen = sources.find((address) => this.#between([address], [to, target.name])) ?? sources[0] ?? '';
      const forward = this.#between([chosen, from.name], [to, target.name]);
      const back = this.#between([to, target.name], [chosen, from.name]);
      if (forward && back) return { kind: 'path', source: chosen, forward, back, target };
    }
    return from.spec.gateway === undefined ? { kind: 'unreachable' } : { kind: 'void', source: sources[0] ?? '' };
  }

  #between(froms: readonly string[], tos: readonly string[]): SimPath | undefined {
    for (const from of froms) {
      for (const to of tos) {
        const path = this.#paths.get(key(from, to));
        if (path) return path;
      }
    }
    return undefined;
  }

  #addPath(spec: PathSpec): void {
    const { from, to, back, oneWay, ...direction } = spec;
    for (const end of [from, to]) {
      if (!this.#hosts.has(end) && !this.#byAddress.has(end)) throw contradiction(`a path names '${end}', which is no host and no address`);
    }
    this.#addDirection(from, to, direction);
    if (!oneWay && from !== to) this.#addDirection(to, from, { ...direction, ...back });
  }

  #addDirection(from: string, to: string, spec: DirectionSpec): SimPath {
    const name = key(from, to);
    if (this.#paths.has(name)) throw contradiction(`two paths lead from '${from}' to '${to}'`);
    const path = new SimPath(this.timeline, name, this.seed, spec);
    this.#paths.set(name, path);
    return path;
  }

  #schedule(event: EventSpec): void {
    if ('kill' in event) {
      const host = this.host(event.kill);
      this.timeline.at(event.atMs * 1e6, () => host.die(event.how ?? 'process'));
    } else {
      const path = this.path(event.from, event.to);
      this.timeline.at(event.atMs * 1e6, () => path.change(event.change));
    }
  }
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && a.host === b.host;
}

function key(from: string, to: string): string {
  return `${from} > ${to}`;
}

function contradiction(message: string): TautlineError {
  return new TautlineError('config', `not a scenario: ${message}`);
}
