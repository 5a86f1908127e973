import { TautlineError } from '../base/index.js';

export interface Limit {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: 'count' | 'ms' | 'bps' | 'bytes' | 'per second';
  /** What it bounds, for the help and the reference. */
  readonly help: string;
}

/**
 * Every limit of `tautline serve`, named, for UDP, TCP and HTTP. The defaults let one person measure
 * a fast path at full rate and keep a stranger from using up the host. A client is an IPv4 address or
 * an IPv6 /64, whatever its ports: one household or machine gets a /64, and could otherwise appear as
 * 2^64 clients.
 */
export const LIMITS = {
  // UDP sessions. One measurement holds one to three of them.
  udpSessionsMax: { default: 1024, min: 1, max: 65536, unit: 'count', help: 'UDP sessions at once, of all clients' },
  udpSessionsPerClientMax: { default: 64, min: 1, max: 65536, unit: 'count', help: 'UDP sessions at once of one client' },
  // Longer than the longest sensible --interval, short enough that abandoned sessions do not pile up.
  udpSessionIdleMs: {
    default: 60_000,
    min: 1_000,
    max: 3_600_000,
    unit: 'ms',
    help: 'a UDP session ends after this long without a datagram from its client',
  },
  udpSessionLingerMs: {
    default: 5_000,
    min: 100,
    max: 600_000,
    unit: 'ms',
    help: 'a UDP session whose client has finished is kept this long, in case the report was lost',
  },
  udpSessionMs: { default: 4 * 3_600_000, min: 1_000, max: 7 * 86_400_000, unit: 'ms', help: 'a UDP session ends after this long in any case' },
  // Two HMACs each; 5000 a second keep a core under a tenth busy.
  udpHandshakesPerSecondMax: { default: 5_000, min: 1, max: 1_000_000, unit: 'per second', help: 'handshake datagrams answered, of all clients' },
  echoPerSecondMax: { default: 20_000, min: 1, max: 10_000_000, unit: 'per second', help: 'echoes answered of one UDP session' },
  echoRateBpsMax: { default: 2e9, min: 1_000, max: 1e12, unit: 'bps', help: 'bits per second of echo answers, of all sessions' },
  // Floods towards a client that proved its address and asked for them.
  floodsMax: { default: 8, min: 0, max: 1024, unit: 'count', help: 'UDP floods sent at once, to all clients' },
  floodsPerClientMax: { default: 2, min: 0, max: 1024, unit: 'count', help: 'UDP floods sent at once to one client' },
  floodRateBpsMax: { default: 40e9, min: 1_000, max: 1e12, unit: 'bps', help: 'payload bits per second of one UDP flood' },
  floodMs: { default: 120_000, min: 100, max: 3_600_000, unit: 'ms', help: 'length of one UDP flood' },
  // Whoever takes a flood repeats the order twice a second: an address that has changed hands, or a client that was killed, must not be flooded on.
  floodSilenceMs: {
    default: 4_000,
    min: 1_000,
    max: 3_600_000,
    unit: 'ms',
    help: 'a UDP flood ends after this long without a sign that its client still takes it',
  },
  // TCP. A control connection carries one test at a time.
  connectionsMax: { default: 1024, min: 4, max: 65536, unit: 'count', help: 'TCP connections at once, of all clients, HTTP included' },
  connectionsPerClientMax: { default: 256, min: 4, max: 65536, unit: 'count', help: 'TCP connections at once of one client, HTTP included' },
  unprovenConnectionsMax: {
    default: 256,
    min: 1,
    max: 65536,
    unit: 'count',
    help: 'TCP connections that have not finished the handshake, of all clients',
  },
  unprovenConnectionsPerClientMax: {
    default: 64,
    min: 1,
    max: 65536,
    unit: 'count',
    help: 'TCP connections of one client that have not finished the handshake',
  },
  firstBytesMs: { default: 5_000, min: 100, max: 600_000, unit: 'ms', help: 'time for a TCP connection to say which protocol it speaks' },
  handshakeMs: { default: 10_000, min: 100, max: 600_000, unit: 'ms', help: 'time for a TCP connection to finish the handshake' },
  controlIdleMs: {
    default: 120_000,
    min: 1_000,
    max: 3_600_000,
    unit: 'ms',
    help: 'a control connection ends after this long without a frame and without a test',
  },
  aboutPerSecondMax: {
    default: 10,
    min: 1,
    max: 10_000,
    unit: 'per second',
    help: 'answers about this host (serve.about), to all clients',
  },
  testsMax: { default: 32, min: 1, max: 1024, unit: 'count', help: 'TCP tests at once, of all clients' },
  testsPerClientMax: { default: 8, min: 1, max: 1024, unit: 'count', help: 'TCP tests at once of one client' },
  streamsMax: { default: 64, min: 1, max: 1024, unit: 'count', help: 'streams of one TCP test and direction' },
  streamsTotalMax: { default: 512, min: 1, max: 65536, unit: 'count', help: 'TCP streams at once, of all clients' },
  testMs: { default: 600_000, min: 100, max: 86_400_000, unit: 'ms', help: 'length of one TCP test' },
  testBytesMax: { default: 1e13, min: 1, max: 1e18, unit: 'bytes', help: 'bytes of one TCP test' },
  streamRateBpsMax: { default: 1e12, min: 1_000, max: 1e12, unit: 'bps', help: 'bits per second of one TCP test; the default is no bound' },
  // HTTP, for http and responsiveness.
  httpRequestMs: { default: 60_000, min: 1_000, max: 3_600_000, unit: 'ms', help: 'length of one HTTP request or answer' },
  httpBytesMax: { default: 1e12, min: 1, max: 1e18, unit: 'bytes', help: 'bytes of one HTTP body, up or down' },
  httpIdleMs: { default: 30_000, min: 1_000, max: 3_600_000, unit: 'ms', help: 'an HTTP connection without a request ends after this long' },
  httpHeadMs: { default: 10_000, min: 100, max: 600_000, unit: 'ms', help: 'time for the head of an HTTP request to arrive' },
  httpHeadBytesMax: { default: 16_384, min: 1_024, max: 1_048_576, unit: 'bytes', help: 'bytes of the head of an HTTP request' },
  httpStallMs: { default: 15_000, min: 100, max: 600_000, unit: 'ms', help: 'an HTTP body that does not move for this long is ended' },
  httpRequestsMax: { default: 512, min: 1, max: 65536, unit: 'count', help: 'HTTP requests at once, of all clients' },
  httpRequestsPerClientMax: { default: 256, min: 1, max: 65536, unit: 'count', help: 'HTTP requests at once of one client' },
  httpRequestsPerConnectionMax: { default: 1_000_000, min: 1, max: 1e9, unit: 'count', help: 'HTTP requests over one connection' },
  httpStreamsMax: { default: 256, min: 1, max: 65536, unit: 'count', help: 'HTTP/2 streams at once on one connection' },
  // What a ticket opens: HTTP after a proof of the key on a control connection.
  ticketMs: { default: 600_000, min: 1_000, max: 86_400_000, unit: 'ms', help: 'how long an HTTP ticket is valid' },
  ticketsMax: { default: 1024, min: 1, max: 65536, unit: 'count', help: 'HTTP tickets valid at once' },
} as const satisfies Readonly<Record<string, Limit>>;

export type LimitName = keyof typeof LIMITS;
export type Limits = Readonly<Record<LimitName, number>>;

export const LIMIT_NAMES = Object.keys(LIMITS) as readonly LimitName[];
export const DEFAULT_LIMITS: Limits = limitsOf({});

/**
 * The limits in force: the defaults, and what was set instead.
 * @throws TautlineError `config` for an unknown name or a value out of range
 */
export function limitsOf(overrides: Readonly<Record<string, unknown>>): Limits {
  const limits = Object.fromEntries(Object.entries(LIMITS).map(([name, limit]) => [name, limit.default])) as Record<LimitName, number>;
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    const limit: Limit | undefined = Object.hasOwn(LIMITS, name) ? LIMITS[name as LimitName] : undefined;
    if (!limit) throw new TautlineError('config', `there is no limit called '${name}'`, { hint: `the limits are ${Object.keys(LIMITS).join(', ')}` });
    if (typeof value !== 'number' || !(value >= limit.min && value <= limit.max) || (limit.unit === 'count' && !Number.isInteger(value))) {
      throw new TautlineError('config', `limit ${name} cannot be ${String(value)}`, {
        hint: `it takes ${limit.unit === 'count' ? 'a whole number' : 'a number'} from ${limit.min} to ${limit.max} (${limit.unit}); the default is ${limit.default}`,
      });
    }
    limits[name as LimitName] = value;
  }
  return limits;
}
