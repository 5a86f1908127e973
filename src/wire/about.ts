import type { HostAbout, LinkFacts, QueueFacts, RouteFacts, TcpSettings } from '../base/index.js';
import type { Fields } from './fields.js';

/*
 * What a host says of itself to a peer, cut to what bounds a path and to a bounded size, and read again as
 * strictly as everything else from a peer. What a newer peer adds is dropped.
 */

const TEXT_MAX = 128;
const LONG_TEXT_MAX = 256;
const MODES_MAX = 64;
const QUEUES_MAX = 32;
const SUBNETS_MAX = 64;
const COUNTERS_MAX = 48;
const UNREAD_MAX = 16;
const FEATURES_MAX = 32;
const BPS_MAX = 1e15;
const COUNT_MAX = 1e19;

/** The offloads that decide how fast bulk data goes; the others stay at home. */
const FEATURES = [
  ...['rx-checksumming', 'tx-checksumming', 'scatter-gather', 'tcp-segmentation-offload', 'tx-tcp-segmentation', 'tx-tcp6-segmentation'],
  ...['generic-segmentation-offload', 'generic-receive-offload', 'large-receive-offload', 'tx-udp-segmentation'],
  ...['rx-udp-gro-forwarding', 'rx-gro-list', 'receive-hashing', 'ntuple-filters'],
];

/** Cuts what a frame cannot carry, and what is nobody else's business (the hardware address, where the card sits). */
export function trimAbout(about: HostAbout): HostAbout {
  const { link, route, containerSubnets } = about;
  return {
    ...about,
    name: short(about.name),
    os: short(about.os),
    kernel: short(about.kernel),
    ...(link ? { link: trimLink(link) } : {}),
    ...(route ? { route: { ...route, interfaceName: plainName(route.interfaceName) } } : {}),
    ...(containerSubnets ? { containerSubnets: containerSubnets.slice(0, SUBNETS_MAX) } : {}),
  };
}

function trimLink({ mac: _mac, bus: _bus, features, counters, ...link }: LinkFacts): LinkFacts {
  const cut = <T>(list: readonly T[] | undefined, max: number): readonly T[] | undefined => list?.slice(0, max);
  const lists = {
    supported: cut(link.supported, MODES_MAX),
    advertised: cut(link.advertised, MODES_MAX),
    partner: cut(link.partner, MODES_MAX),
    qdiscs: cut(link.qdiscs, QUEUES_MAX),
    unread: cut(link.unread, UNREAD_MAX)?.map(({ what, why }) => ({ what: short(what), why: why.slice(0, LONG_TEXT_MAX) })),
  };
  return {
    ...link,
    name: plainName(link.name),
    ...present(lists),
    ...(features ? { features: Object.fromEntries(FEATURES.flatMap((name) => (features[name] ? [[name, features[name]]] : []))) } : {}),
    ...(counters
      ? {
          counters: Object.fromEntries(
            Object.entries(counters)
              .filter(([, count]) => count > 0)
              .slice(0, COUNTERS_MAX),
          ),
        }
      : {}),
  };
}

function short(text: string): string {
  return text.slice(0, TEXT_MAX);
}

/** What stands in commands that are offered for pasting, so that a peer's name for its card must be nothing but a name. */
const INTERFACE_NAME = /^[A-Za-z0-9_][\w.:@+-]{0,63}$/;

/** An interface's name; the kernel takes nearly any bytes for one (dev_valid_name, net/core/dev.c), a frame does not. */
function plainName(name: string): string {
  return INTERFACE_NAME.test(name) ? name : `_${name.replace(/[^\w.:@+-]/g, '_')}`.slice(0, 64);
}

// --- Reading ---------------------------------------------------------------------------------

export function readAbout(f: Fields): HostAbout {
  return {
    name: f.string('name', TEXT_MAX),
    os: f.string('os', TEXT_MAX),
    kernel: f.string('kernel', TEXT_MAX),
    cpus: f.whole('cpus', 0, 65_536),
    ...present({
      observed: text(f, 'observed'),
      link: f.optional('link', () => readLink(f.object('link'))),
      route: f.optional('route', () => readRoute(f.object('route'))),
      tcp: f.optional('tcp', () => readTcpSettings(f.object('tcp'))),
      containerSubnets: f.optional('containerSubnets', () => f.list('containerSubnets', SUBNETS_MAX, shortText)),
    }),
  };
}

const KINDS = ['ethernet', 'wireless', 'tunnel', 'bridge', 'virtual', 'loopback', 'other'] as const;

function readLink(f: Fields): LinkFacts {
  const modes = (name: 'supported' | 'advertised' | 'partner'): readonly string[] | undefined =>
    f.optional(name, () => f.list(name, MODES_MAX, shortText));
  const bps = (name: string): number | undefined => optionalNumber(f, name, BPS_MAX);
  return {
    name: interfaceName(f, 'name'),
    kind: f.oneOf('kind', KINDS),
    up: f.flag('up'),
    ...present({
      carrier: flag(f, 'carrier'),
      mtu: optionalNumber(f, 'mtu', 2 ** 32),
      type: text(f, 'type'),
      master: text(f, 'master'),
      driver: text(f, 'driver'),
      firmware: text(f, 'firmware'),
      speedBps: bps('speedBps'),
      duplex: f.optional('duplex', () => f.oneOf('duplex', ['full', 'half'])),
      autonegotiation: flag(f, 'autonegotiation'),
      port: text(f, 'port'),
      supported: modes('supported'),
      advertised: modes('advertised'),
      partner: modes('partner'),
      supportedBpsMax: bps('supportedBpsMax'),
      partnerBpsMax: bps('partnerBpsMax'),
      queues: f.optional('queues', () => readCounts(f.object('queues'))),
      rings: f.optional('rings', () => readCounts(f.object('rings'))),
      features: f.optional('features', () => readFeatures(f)),
      coalescing: f.optional('coalescing', () => readCoalescing(f.object('coalescing'))),
      counters: f.optional('counters', () => f.record('counters', COUNTERS_MAX, (item) => (isCount(item) ? item : undefined))),
      qdiscs: f.optional('qdiscs', () => f.objects('qdiscs', QUEUES_MAX).map(readQueue)),
      unread: f.optional('unread', () =>
        f.objects('unread', UNREAD_MAX).map((one) => ({ what: one.string('what', TEXT_MAX), why: one.string('why', LONG_TEXT_MAX) })),
      ),
    }),
  };
}

function readCounts(f: Fields): NonNullable<LinkFacts['queues']> {
  const count = (name: string): number => f.whole(name, 0, 2 ** 32);
  return {
    rx: count('rx'),
    tx: count('tx'),
    ...present({ rxMax: f.optional('rxMax', () => count('rxMax')), txMax: f.optional('txMax', () => count('txMax')) }),
  };
}

function readFeatures(f: Fields): NonNullable<LinkFacts['features']> {
  return f.record('features', FEATURES_MAX, (item) => {
    const { on, changeable } = (typeof item === 'object' && item !== null ? item : {}) as { on?: unknown; changeable?: unknown };
    return typeof on === 'boolean' && typeof changeable === 'boolean' ? { on, changeable } : undefined;
  });
}

function readCoalescing(f: Fields): NonNullable<LinkFacts['coalescing']> {
  return present({
    rxUsecs: optionalNumber(f, 'rxUsecs', 2 ** 32),
    txUsecs: optionalNumber(f, 'txUsecs', 2 ** 32),
    adaptiveRx: flag(f, 'adaptiveRx'),
    adaptiveTx: flag(f, 'adaptiveTx'),
  });
}

const QUEUE_NUMBERS = [
  ...(['rateBps', 'assuredBps', 'flowRateBps', 'delayMs', 'lossRatio', 'burstBytes', 'limitBytes', 'limitPackets'] as const),
  ...(['sentBytes', 'drops', 'overlimits', 'backlogBytes'] as const),
];

function readQueue(f: Fields): QueueFacts {
  const numbers: Partial<Record<(typeof QUEUE_NUMBERS)[number], number>> = {};
  for (const name of QUEUE_NUMBERS) {
    const value = optionalNumber(f, name, COUNT_MAX);
    if (value !== undefined) numbers[name] = value;
  }
  return { kind: f.string('kind', TEXT_MAX), parent: f.string('parent', TEXT_MAX), handle: f.string('handle', TEXT_MAX), ...numbers };
}

function readRoute(f: Fields): RouteFacts {
  return {
    interfaceName: interfaceName(f, 'interfaceName'),
    local: f.flag('local'),
    ...present({
      source: text(f, 'source'),
      gateway: text(f, 'gateway'),
      mtu: optionalNumber(f, 'mtu', 2 ** 32),
      advmss: optionalNumber(f, 'advmss', 2 ** 32),
    }),
  };
}

function readTcpSettings(f: Fields): TcpSettings {
  const three = (name: string): readonly [number, number, number] | undefined =>
    f.optional(name, () => {
      const [least = 0, usual = 0, most = 0, ...more] = f.list(name, 3, (item) => (isCount(item) ? item : undefined));
      if (more.length > 0) f.fail(name);
      return [least, usual, most] as const;
    });
  return present({
    receiveBytes: three('receiveBytes'),
    sendBytes: three('sendBytes'),
    receiveBytesAsked: optionalNumber(f, 'receiveBytesAsked', COUNT_MAX),
    sendBytesAsked: optionalNumber(f, 'sendBytesAsked', COUNT_MAX),
    congestion: text(f, 'congestion'),
    windowScaling: flag(f, 'windowScaling'),
    timestamps: flag(f, 'timestamps'),
    sack: flag(f, 'sack'),
    mtuProbing: optionalNumber(f, 'mtuProbing', 255),
    slowStartAfterIdle: flag(f, 'slowStartAfterIdle'),
    windowShare: f.optional('windowShare', () => f.number('windowShare', -31, 31)),
  });
}

function interfaceName(f: Fields, field: string): string {
  const name = f.string(field, TEXT_MAX);
  if (!INTERFACE_NAME.test(name)) f.fail(field);
  return name;
}

function text(f: Fields, name: string): string | undefined {
  return f.optional(name, () => f.string(name, TEXT_MAX));
}

function flag(f: Fields, name: string): boolean | undefined {
  return f.optional(name, () => f.flag(name));
}

function optionalNumber(f: Fields, name: string, max: number): number | undefined {
  return f.optional(name, () => f.number(name, 0, max));
}

function shortText(item: unknown): string | undefined {
  return typeof item === 'string' && item.length <= TEXT_MAX ? item : undefined;
}

function isCount(item: unknown): item is number {
  return typeof item === 'number' && item >= 0 && item <= COUNT_MAX;
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function present<T extends object>(object: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>;
}
