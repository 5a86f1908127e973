import * as v from 'valibot';
import { TautlineError } from '../base/index.js';
import { LINK_ENTRIES, ProcessorSchema, RouteSchema, TcpSettingsSchema } from './link-spec.js';

/*
 * A simulated network as plain data, so that a scenario can be a JSON file. Every quantity has its
 * unit in its name; what is left out takes the default that is written beside it.
 */

const Amount = v.pipe(v.number(), v.finite(), v.minValue(0));
const Positive = v.pipe(v.number(), v.finite(), v.gtValue(0));
const Whole = v.pipe(v.number(), v.integer(), v.minValue(0));
const Ratio = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535));
const Address = v.pipe(v.string(), v.regex(/^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$/, 'not an IP address'));

/** Extra delay: uniform in -ms..ms, or normal with a standard deviation of `ms`. */
const JitterSchema = v.strictObject({ distribution: v.picklist(['uniform', 'normal']), ms: Amount });
export type JitterSpec = v.InferOutput<typeof JitterSchema>;

/** A plain ratio, or Gilbert and Elliott's bursts: probabilities of changing state before each packet, losses within each. */
const LossSchema = v.union([Ratio, v.strictObject({ toBad: Ratio, toGood: Ratio, lossBad: v.optional(Ratio), lossGood: v.optional(Ratio) })]);
export type LossSpec = v.InferOutput<typeof LossSchema>;

const Mtu = v.pipe(v.number(), v.integer(), v.minValue(576), v.maxValue(65536));

/** A router on the way. */
const RouterSchema = v.strictObject({
  /** Its answers come from here. */
  address: Address,
  /** One way from the sender. Default: spread evenly over the direction's delay. */
  delayMs: v.optional(Amount),
  /** What it takes to write an error, which many routers do slowly. Default 0. */
  answerMs: v.optional(Amount),
  /** Share of packets lost on the link to it, so for it and all behind it. The direction's own `loss` is on the last link. Default 0. */
  loss: v.optional(Ratio),
  /** Whether it answers packets that die on it; `perSecond` after a `burst` (default 6). Default `always`. */
  answers: v.optional(v.union([v.picklist(['always', 'never']), v.strictObject({ perSecond: Positive, burst: v.optional(Positive) })])),
  /** Of its link onwards. Default: that of the direction. */
  mtu: v.optional(Mtu),
  /** As for a direction. */
  tooBig: v.optional(v.union([v.picklist(['told', 'silent']), Whole])),
  /** What it does with packets that live; `back`: it sends them to the router before it, and they go round. Default `all`. */
  forwards: v.optional(v.picklist(['all', 'nothing', 'unreachable', 'prohibited', 'back'])),
});
export type RouterSpec = v.InferOutput<typeof RouterSchema>;

/** What one direction does to packets. Packets are lost before they take room in the queue, as netem does it. */
const DirectionSchema = v.strictObject({
  /** Propagation. Default 0. */
  delayMs: v.optional(Amount),
  jitter: v.optional(JitterSchema),
  /** Whether a packet with more jitter holds up those behind it, as a queue does. Default true. */
  keepsOrder: v.optional(v.boolean()),
  loss: v.optional(LossSchema),
  duplicate: v.optional(Ratio),
  /** These packets take `byMs` longer and are overtaken. */
  reorder: v.optional(v.strictObject({ ratio: Ratio, byMs: Positive })),
  /** Bits per second of IP packets with their headers. Default: no limit for datagrams, 10 Gbit/s for TCP. */
  rateBps: v.optional(Positive),
  /** Room of the drop-tail queue before `rateBps`, in time at that rate. Default 100. */
  queueMs: v.optional(Amount),
  /** Bytes that every packet takes on the link beyond its IP packet (38 for Ethernet). Default 0. */
  framingBytes: v.optional(Whole),
  /** Default 1500. */
  mtu: v.optional(v.pipe(v.number(), v.integer(), v.minValue(576), v.maxValue(65536))),
  /**
   * What the sender is told of a packet that is too large and may not be fragmented: the MTU, nothing, or a wrong MTU.
   * Default `told`, unless ICMP does not come back at all.
   */
  tooBig: v.optional(v.union([v.picklist(['told', 'silent']), Whole])),
  /**
   * Routers on the way by address; several at one place are of equal cost, and a flow's hash chooses the same branch
   * wherever as many stand side by side. Instead of `hops`. Their loss is felt by datagrams, not by TCP.
   */
  routers: v.optional(v.pipe(v.array(v.union([RouterSchema, v.pipe(v.array(RouterSchema), v.minLength(1))])), v.maxLength(254))),
  /** Routers on the way without names; a smaller TTL dies on it. Default 0. */
  hops: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(254))),
  /** `filtered`: no ICMP comes through in this direction, neither echoes nor errors. Default `passes`. */
  icmp: v.optional(v.picklist(['passes', 'filtered'])),
  /** Swallows everything. Default false. */
  blackhole: v.optional(v.boolean()),
});
export type DirectionSpec = v.InferOutput<typeof DirectionSchema>;

/**
 * `from` and `to` are host names or addresses; an address wins over its host's name. The way back is
 * the same as the way there but for what `back` says. `oneWay` leaves the way back to another entry.
 */
const PathSchema = v.strictObject({
  from: v.string(),
  to: v.string(),
  ...DirectionSchema.entries,
  back: v.optional(DirectionSchema),
  oneWay: v.optional(v.boolean()),
});
export type PathSpec = v.InferOutput<typeof PathSchema>;

const WebRouteSchema = v.strictObject({
  status: v.optional(v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(599))),
  /** Body length; `endless` goes on until the client has had enough. Default 0. */
  bytes: v.optional(v.union([Whole, v.literal('endless')])),
  /** The body itself, instead of that many bytes. */
  body: v.optional(v.string()),
  /**
   * The body is a JSON object that a PATCH changes, as the Tailscale client's preferences: each member that has a
   * companion `<name>Set: true` is taken over. `refused`: nobody may.
   */
  patches: v.optional(v.picklist(['accepted', 'refused'])),
  /** The server's own time before it answers. Default 0. */
  serverMs: v.optional(Amount),
});
export type WebRoute = v.InferOutput<typeof WebRouteSchema>;

const TlsSchema = v.strictObject({
  protocol: v.optional(v.picklist(['TLSv1.2', 'TLSv1.3'])),
  cipher: v.optional(v.string()),
  /** Set: the chain or name is not trusted, and why. */
  authorizationError: v.optional(v.string()),
  subject: v.optional(v.string()),
  issuer: v.optional(v.string()),
  validTo: v.optional(v.string()),
  /** The server's own time for the handshake. Default 0. */
  serverMs: v.optional(Amount),
  /** Bytes of the server's flight, certificates included. Default 4000. */
  flightBytes: v.optional(Whole),
});
export type TlsSpec = v.InferOutput<typeof TlsSchema>;

const ServiceSchema = v.variant('kind', [
  /** Sends every datagram back. */
  v.strictObject({ kind: v.literal('udp-echo'), port: Port }),
  /** Answers A and AAAA from the scenario's `names`. `garbled` answers with bytes that are no DNS message. */
  v.strictObject({
    kind: v.literal('dns'),
    port: v.optional(Port),
    answerMs: v.optional(Amount),
    answers: v.optional(v.picklist(['truly', 'servfail', 'garbled', 'never'])),
  }),
  v.strictObject({ kind: v.literal('tcp-echo'), port: Port }),
  /** Accepts and reads until the peer ends. */
  v.strictObject({ kind: v.literal('tcp-discard'), port: Port }),
  /** Drops what comes, so that a connection attempt runs into its timeout. */
  v.strictObject({ kind: v.literal('silent'), protocol: v.picklist(['tcp', 'udp']), port: Port }),
  v.strictObject({
    kind: v.literal('web'),
    /** One of both: a TCP port, or a Unix socket that only programs of the same host reach. */
    port: v.optional(Port),
    socketPath: v.optional(v.pipe(v.string(), v.minLength(1))),
    /** Whether programs may open the Unix socket. Default true. */
    permitted: v.optional(v.boolean()),
    /** Default `h1`. */
    protocol: v.optional(v.picklist(['h1', 'h2'])),
    tls: v.optional(TlsSchema),
    /** By path without query; anything else is a 404. */
    routes: v.record(v.string(), WebRouteSchema),
    /** Close after every answer. Default false. */
    closes: v.optional(v.boolean()),
  }),
]);
export type ServiceSpec = v.InferOutput<typeof ServiceSchema>;
export type WebServiceSpec = Extract<ServiceSpec, { kind: 'web' }>;
export type DnsServiceSpec = Extract<ServiceSpec, { kind: 'dns' }>;

const InterfaceSchema = v.strictObject({
  name: v.string(),
  /** With prefix length: `10.0.0.1/24`. */
  addresses: v.array(v.string()),
  mac: v.optional(v.string()),
  mtu: v.optional(Whole),
  up: v.optional(v.boolean()),
  speedBps: v.optional(Positive),
  ...LINK_ENTRIES,
});
export type InterfaceSpec = v.InferOutput<typeof InterfaceSchema>;

const HostSchema = v.strictObject({
  addresses: v.array(Address),
  /** Default: one interface `eth0` with all the addresses, beside `lo`. */
  interfaces: v.optional(v.array(InterfaceSchema)),
  /** With a gateway, addresses that nobody has swallow packets; without, they are unreachable at once. */
  gateway: v.optional(Address),
  /** Default: as the paths lead. */
  routes: v.optional(v.array(RouteSchema)),
  /** One entry a processor. Default: `identity.cpus`, all idle. */
  processors: v.optional(v.array(ProcessorSchema)),
  /** Default: what `tcp` does. */
  tcpSettings: v.optional(TcpSettingsSchema),
  resolvers: v.optional(v.array(Address)),
  /** The hosts file: names that need no resolver. */
  hosts: v.optional(v.record(v.string(), v.array(Address))),
  /** The name below `.local` that it answers for to neighbours (mDNS). */
  mdns: v.optional(v.pipe(v.string(), v.regex(/^[^.]+\.local$/, 'not a name below .local'))),
  identity: v.optional(
    v.partial(
      v.strictObject({
        os: v.string(),
        kernel: v.string(),
        arch: v.string(),
        cpus: Whole,
        cpuModel: v.string(),
        memoryBytes: Whole,
        node: v.string(),
        root: v.boolean(),
      }),
    ),
  ),
  /** Whether it answers pings. Default `answers`. */
  icmp: v.optional(v.picklist(['answers', 'silent'])),
  /** What a port without a service does. Default `refuse`. */
  closedPorts: v.optional(v.picklist(['refuse', 'drop'])),
  /** Whether programs may send pings. Default true. */
  mayPing: v.optional(v.boolean()),
  /** How far its wall clock is off, and how much faster its clocks run. Default 0. */
  clock: v.optional(v.strictObject({ offsetMs: v.optional(v.pipe(v.number(), v.finite())), driftPpm: v.optional(v.pipe(v.number(), v.finite())) })),
  /** What its programs and kernel take; exponential with these means where they are delays. */
  timing: v.optional(
    v.strictObject({
      /** A paced datagram leaves later than due. Default 5. */
      sendLatenessUs: v.optional(Amount),
      /** From arrival until the program has read. Default 10. */
      readDelayUs: v.optional(Amount),
      /** A responder's time between arrival and answer. Default 10. */
      answerUs: v.optional(Amount),
      /** Handing one datagram to the kernel: bounds floods. Default 2. */
      datagramUs: v.optional(Positive),
    }),
  ),
  tcp: v.optional(
    v.strictObject({
      /** Default `cubic`. */
      congestion: v.optional(v.picklist(['cubic', 'reno'])),
      /** What the receiver takes before its program reads. Default 6,291,456 (Linux' tcp_rmem). */
      receiveBufferBytes: v.optional(Positive),
      /** Default 4,194,304. */
      sendBufferBytes: v.optional(Positive),
    }),
  ),
  services: v.optional(v.array(ServiceSchema)),
  files: v.optional(v.record(v.string(), v.string())),
  /** Programs by name, tried in this order; `args` are the first arguments that must match. */
  commands: v.optional(
    v.array(
      v.strictObject({
        program: v.string(),
        args: v.optional(v.array(v.string())),
        code: v.optional(v.pipe(v.number(), v.integer())),
        stdout: v.optional(v.string()),
        stderr: v.optional(v.string()),
        takesMs: v.optional(Amount),
      }),
    ),
  ),
});
export type HostSpec = v.InferOutput<typeof HostSchema>;
export type CommandSpec = NonNullable<HostSpec['commands']>[number];

/** What happens on its own at a time. */
const EventSchema = v.union([
  /** `process`: its ports close and say so. `host`: it falls silent. */
  v.strictObject({ atMs: Amount, kill: v.string(), how: v.optional(v.picklist(['process', 'host'])) }),
  /** A direction of a path changes; what is not named stays. */
  v.strictObject({ atMs: Amount, from: v.string(), to: v.string(), change: DirectionSchema }),
]);
export type EventSpec = v.InferOutput<typeof EventSchema>;

export const ScenarioSchema = v.strictObject({
  name: v.optional(v.string()),
  /** Default 1. */
  seed: v.optional(v.pipe(v.number(), v.integer())),
  /** Wall clock at the start. Default 2026-01-01T00:00:00Z. */
  startedAt: v.optional(v.pipe(v.string(), v.isoTimestamp())),
  hosts: v.record(v.string(), HostSchema),
  paths: v.array(PathSchema),
  /** What the simulated resolvers know. */
  names: v.optional(v.record(v.string(), v.array(Address))),
  events: v.optional(v.array(EventSchema)),
});
export type Scenario = v.InferOutput<typeof ScenarioSchema>;

/**
 * Checks a scenario that came from outside, for example a parsed JSON file.
 * @throws TautlineError `config`, naming the place that is wrong
 */
export function parseScenario(input: unknown): Scenario {
  const result = v.safeParse(ScenarioSchema, input);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const place = v.getDotPath(issue);
  throw new TautlineError('config', `not a scenario: ${place ? `${place}: ` : ''}${issue.message}`, {
    hint: 'a scenario has hosts {name: {addresses}} and paths [{from, to, delayMs, loss, rateBps, queueMs ...}]',
  });
}
