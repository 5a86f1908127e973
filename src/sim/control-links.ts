import { TautlineError } from '../base/index.js';
import type { LinkChannels, LinkCoalescing, LinkFacts, QueueFacts } from '../base/index.js';
import type { InterfaceSpec } from './scenario.js';

/** What a driver does beyond what `InterfaceSpec` tells of it. */
export interface LinkRules {
  /** An offload can only be on while all of these are (netdev_fix_features); it comes back by itself when they do. Default: `USUAL_TIES`. */
  readonly needs?: Readonly<Record<string, readonly string[]>>;
  /** What the driver has no way to change. */
  readonly fixed?: readonly ('coalescing' | 'rings' | 'channels')[];
  /** As the driver counts its queues. Default: none told. */
  readonly channels?: LinkChannels;
  /** What the driver takes of coalescing. Default: what the interface tells of. */
  readonly takes?: readonly (keyof LinkCoalescing)[];
  /** Without a queue of its own: veth, bridges and tunnels. Default: by `kind`. */
  readonly noQueue?: boolean;
}

/** net/core/dev.c, netdev_fix_features. */
const USUAL_TIES: Readonly<Record<string, readonly string[]>> = {
  'tcp-segmentation-offload': ['scatter-gather', 'tx-checksumming'],
  'generic-segmentation-offload': ['scatter-gather'],
  'tx-udp-segmentation': ['tx-checksumming'],
  'rx-gro-hw': ['rx-checksumming'],
  'rx-gro-list': ['generic-receive-offload'],
  'large-receive-offload': ['rx-checksumming'],
};

/** Names of ethtool -k that stand for several features beside them. */
const GROUPS: readonly (readonly [string, RegExp])[] = [
  ['tx-checksumming', /^tx-checksum-/],
  ['scatter-gather', /^tx-scatter-gather/],
  ['tcp-segmentation-offload', /^tx-tcp.*-segmentation$/],
];

/** An interface as its driver and the queueing layer have it. A boot forgets what was set. */
export class SimLink {
  readonly spec: InterfaceSpec;
  readonly #rules: LinkRules;
  /** What was asked of each offload; what is on follows from that and from what it needs. */
  #wanted: Record<string, boolean> = {};
  #coalescing: LinkCoalescing = {};
  #rings: { rx?: number; tx?: number } = {};
  #channels: LinkChannels = {};
  #root: { kind: string; byKernel: boolean } = { kind: 'noqueue', byKernel: true };
  #otherQueues: readonly QueueFacts[] = [];
  /** What `mq` gave each queue when it was made: the default of that time (net/sched/sch_mq.c, mq_init). */
  #leaf: string | undefined;
  #handles = 0x8000;

  constructor(spec: InterfaceSpec, rules: LinkRules, defaultQueue: string) {
    this.spec = spec;
    this.#rules = rules;
    this.boot(defaultQueue);
    const root = spec.qdiscs?.find(({ parent }) => parent === undefined || parent === 'root');
    if (!root) return;
    this.#root = { kind: root.kind, byKernel: root.handle === '0:' };
    this.#leaf = undefined;
    this.#otherQueues = (spec.qdiscs ?? []).filter((queue) => queue !== root).map((queue) => withParent(queue));
  }

  boot(defaultQueue: string): void {
    const { features = {}, coalescing, rings } = this.spec;
    this.#wanted = Object.fromEntries(Object.entries(features).map(([name, { on }]) => [name, on]));
    this.#coalescing = defined(coalescing ?? {});
    this.#rings = rings ? { rx: rings.rx, tx: rings.tx } : {};
    this.#channels = this.#rules.channels ?? {};
    this.#otherQueues = [];
    this.#setByKernel(defaultQueue);
  }

  /** Tries it on a copy. @throws TautlineError as the work does */
  rehearse(work: (link: SimLink) => void): void {
    const copy = new SimLink(this.spec, this.#rules, '');
    copy.#wanted = { ...this.#wanted };
    copy.#channels = this.#channels;
    work(copy);
  }

  setFeatures(features: Readonly<Record<string, boolean>>): void {
    const known = this.spec.features ?? {};
    for (const [name, on] of Object.entries(features)) {
      const feature = known[name];
      if (!feature) throw refused(this.spec.name, `has no offload '${name}'`);
      if (feature.changeable === false && this.#isOn(name) !== on) throw refused(this.spec.name, `does not let '${name}' be changed`);
    }
    for (const [name, on] of Object.entries(features)) {
      this.#wanted[name] = on;
      for (const member of this.#members(name)) if (!(member in features) && known[member]?.changeable !== false) this.#wanted[member] = on;
    }
  }

  setCoalescing(values: LinkCoalescing): void {
    const takes: readonly string[] = this.#rules.takes ?? Object.keys(this.spec.coalescing ?? {});
    const foreign = Object.keys(values).find((key) => !takes.includes(key));
    if (this.#fixed('coalescing') || foreign !== undefined)
      throw refused(this.spec.name, `cannot set coalescing${foreign === undefined ? '' : ` (${foreign})`}`);
    this.#coalescing = { ...this.#coalescing, ...defined(values) };
  }

  setRings(values: { readonly rx?: number; readonly tx?: number }): void {
    const { rings } = this.spec;
    if (!rings || this.#fixed('rings')) throw refused(this.spec.name, 'has no rings that can be set');
    for (const way of ['rx', 'tx'] as const) {
      const count = values[way];
      if (count !== undefined && (count < 1 || count > (rings[`${way}Max`] ?? rings[way])))
        throw refused(this.spec.name, `takes no ${way} ring of ${count} (EINVAL)`);
    }
    this.#rings = { ...this.#rings, ...defined(values) };
  }

  setChannels(values: LinkChannels): void {
    if (!this.#rules.channels || this.#fixed('channels')) throw refused(this.spec.name, 'has no queue counts that can be set');
    for (const way of ['rx', 'tx', 'combined'] as const) {
      const count = values[way];
      if (count !== undefined && count > (this.#channels[`${way}Max`] ?? 0)) throw refused(this.spec.name, `has no ${count} ${way} queues (EINVAL)`);
    }
    const { rx, tx, combined } = values;
    this.#channels = { ...this.#channels, ...defined({ rx, tx, combined }) };
  }

  channels(): LinkChannels | undefined {
    return this.#rules.channels ? this.#channels : undefined;
  }

  setRootQueue(kind: string | undefined, defaultQueue: string): void {
    if (kind === undefined) return this.#setByKernel(defaultQueue);
    this.#root = { kind, byKernel: false };
    this.#leaf = kind === 'mq' ? defaultQueue : undefined;
    this.#handles++;
    this.#otherQueues = [];
  }

  /** How many queues there are in a direction, as /sys/class/net/NAME/queues shows them. */
  queueCount(way: 'rx' | 'tx'): number {
    const { combined = 0 } = this.#channels;
    if (this.#rules.channels) return combined + (this.#channels[way] ?? 0);
    return this.spec.queues?.[way] ?? 1;
  }

  /** What differs from the declaration, over what else is known of the interface. */
  facts(known: LinkFacts): LinkFacts {
    const { features, queues, rings, coalescing } = this.spec;
    return {
      ...known,
      ...(features
        ? {
            features: Object.fromEntries(
              Object.entries(features).map(([name, { changeable = true }]) => [name, { on: this.#isOn(name), changeable }]),
            ),
          }
        : {}),
      ...(queues ? { queues: { ...defined(queues), rx: this.queueCount('rx'), tx: this.queueCount('tx') } } : {}),
      ...(rings ? { rings: { ...defined(rings), rx: this.#rings.rx ?? rings.rx, tx: this.#rings.tx ?? rings.tx } } : {}),
      ...(coalescing ? { coalescing: this.#coalescing } : {}),
      qdiscs: this.#qdiscs(),
    };
  }

  /** Everything that can be set, for comparing. */
  state(): unknown {
    const features = Object.fromEntries(Object.keys(this.spec.features ?? {}).map((name) => [name, this.#isOn(name)]));
    return {
      features,
      coalescing: this.#coalescing,
      rings: this.#rings,
      channels: this.#channels,
      root: this.#root,
      leaf: this.#leaf,
      queues: this.#otherQueues,
    };
  }

  #qdiscs(): QueueFacts[] {
    const handle = this.#root.byKernel ? '0:' : `${this.#handles.toString(16)}:`;
    return [{ kind: this.#root.kind, parent: 'root', handle }, ...this.#leaves(handle), ...this.#otherQueues];
  }

  /** Below `mq`: of all queues that the card could have, those in use are shown (mq_change_real_num_tx). */
  #leaves(handle: string): QueueFacts[] {
    const kind = this.#leaf;
    if (kind === undefined) return [];
    const major = handle === '0:' ? ':' : handle;
    return Array.from({ length: this.queueCount('tx') }, (_, i) => ({ kind, parent: `${major}${(i + 1).toString(16)}`, handle: '0:' }));
  }

  /** What the kernel puts there when nobody has: mq with the default below it where there are several queues (net/sched/sch_generic.c). */
  #setByKernel(defaultQueue: string): void {
    const { kind, name } = this.spec;
    const noQueue = this.#rules.noQueue ?? (name === 'lo' || (kind !== undefined && kind !== 'ethernet' && kind !== 'wireless'));
    const count = this.queueCount('tx');
    this.#root = { kind: noQueue ? 'noqueue' : count > 1 ? 'mq' : defaultQueue, byKernel: true };
    this.#leaf = !noQueue && count > 1 ? defaultQueue : undefined;
    this.#otherQueues = [];
  }

  #isOn(name: string): boolean {
    const members = this.#members(name);
    const wanted = members.length > 0 ? members.some((member) => this.#isOn(member)) : this.#wanted[name] === true;
    return wanted && this.#needs(name).every((other) => this.spec.features?.[other] === undefined || this.#isOn(other));
  }

  /** Members need what their group needs. */
  #needs(name: string): readonly string[] {
    const ties = this.#rules.needs ?? USUAL_TIES;
    const group = GROUPS.find(([, of]) => of.test(name))?.[0];
    return [...(ties[name] ?? []), ...(group === undefined ? [] : (ties[group] ?? []))];
  }

  #members(name: string): string[] {
    const group = GROUPS.find(([own]) => own === name);
    return group ? Object.keys(this.spec.features ?? {}).filter((other) => group[1].test(other)) : [];
  }

  #fixed(what: 'coalescing' | 'rings' | 'channels'): boolean {
    return this.#rules.fixed?.includes(what) === true;
  }
}

type SpecQueue = NonNullable<InterfaceSpec['qdiscs']>[number];

function withParent(queue: SpecQueue): QueueFacts {
  return { parent: 'root', handle: '1:', ...defined(queue), kind: queue.kind };
}

function refused(name: string, what: string): TautlineError {
  return new TautlineError('unsupported', `${name} ${what}`, { hint: 'the driver decides what can be set' });
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function defined<T extends object>(object: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>;
}
