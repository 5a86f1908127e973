import * as v from 'valibot';

/*
 * What a scenario may say of an interface beyond its addresses, of routes, processors and TCP settings:
 * what `HostFacts` then tells of them. Nothing of it changes how packets travel; that is what paths are for.
 */
const Amount = v.pipe(v.number(), v.finite(), v.minValue(0));
const Positive = v.pipe(v.number(), v.finite(), v.gtValue(0));
const Whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const Share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const Counts = v.strictObject({ rx: Whole, tx: Whole, rxMax: v.optional(Whole), txMax: v.optional(Whole) });

const QueueSchema = v.strictObject({
  kind: v.string(),
  /** Default `root`. */
  parent: v.optional(v.string()),
  /** Default `1:`. */
  handle: v.optional(v.string()),
  rateBps: v.optional(Positive),
  assuredBps: v.optional(Positive),
  flowRateBps: v.optional(Positive),
  delayMs: v.optional(Amount),
  lossRatio: v.optional(Share),
  burstBytes: v.optional(Whole),
  limitBytes: v.optional(Whole),
  limitPackets: v.optional(Whole),
  sentBytes: v.optional(Whole),
  drops: v.optional(Whole),
  overlimits: v.optional(Whole),
  backlogBytes: v.optional(Whole),
});

/** Keys of an interface. Default: Ethernet with a partner, full duplex, counters at zero. */
export const LINK_ENTRIES = {
  kind: v.optional(v.picklist(['ethernet', 'wireless', 'tunnel', 'bridge', 'virtual', 'loopback', 'other'])),
  type: v.optional(v.string()),
  master: v.optional(v.string()),
  carrier: v.optional(v.boolean()),
  driver: v.optional(v.string()),
  firmware: v.optional(v.string()),
  bus: v.optional(v.string()),
  duplex: v.optional(v.picklist(['full', 'half'])),
  autonegotiation: v.optional(v.boolean()),
  port: v.optional(v.string()),
  /** Link modes by the kernel's names, such as `10000baseT/Full`. */
  supported: v.optional(v.array(v.string())),
  advertised: v.optional(v.array(v.string())),
  partner: v.optional(v.array(v.string())),
  queues: v.optional(Counts),
  rings: v.optional(Counts),
  /** Default: none told. */
  features: v.optional(v.record(v.string(), v.strictObject({ on: v.boolean(), changeable: v.optional(v.boolean()) }))),
  coalescing: v.optional(
    v.strictObject({
      rxUsecs: v.optional(Whole),
      txUsecs: v.optional(Whole),
      adaptiveRx: v.optional(v.boolean()),
      adaptiveTx: v.optional(v.boolean()),
    }),
  ),
  /** At the start. */
  counters: v.optional(v.record(v.string(), Whole)),
  /** By how much they grow in a second of virtual time. */
  countersPerSecond: v.optional(v.record(v.string(), Amount)),
  qdiscs: v.optional(v.array(QueueSchema)),
  unread: v.optional(v.array(v.strictObject({ what: v.string(), why: v.string() }))),
} as const;

/** Routes that are not as the paths have them, by address or prefix; the longest prefix wins. */
export const RouteSchema = v.strictObject({
  to: v.string(),
  interfaceName: v.string(),
  source: v.optional(v.string()),
  gateway: v.optional(v.string()),
  mtu: v.optional(Whole),
  advmss: v.optional(Whole),
});

/** How busy one processor is all the time. Default 0. */
export const ProcessorSchema = v.strictObject({
  busy: v.optional(Share),
  /** Part of `busy`. */
  softirq: v.optional(Share),
  steal: v.optional(Share),
});

const Triple = v.tuple([Whole, Whole, Whole]);

/** What the host says of its TCP settings; what it does is under `tcp`. */
export const TcpSettingsSchema = v.strictObject({
  receiveBytes: v.optional(Triple),
  sendBytes: v.optional(Triple),
  receiveBytesAsked: v.optional(Whole),
  sendBytesAsked: v.optional(Whole),
  congestion: v.optional(v.string()),
  windowScaling: v.optional(v.boolean()),
  timestamps: v.optional(v.boolean()),
  sack: v.optional(v.boolean()),
  mtuProbing: v.optional(Whole),
  slowStartAfterIdle: v.optional(v.boolean()),
  windowShare: v.optional(v.pipe(v.number(), v.integer())),
});
