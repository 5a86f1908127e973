import { DEFAULT_PORT, TautlineError, formatEndpoint, parseDurationMs } from '../base/index.js';
import type { Endpoint } from '../base/index.js';
import type { Measurement, MtuDetails } from '../results/index.js';
import { candidatesOf } from './candidates.js';
import { openFirstSession } from './echo-session.js';
import type { EchoSession } from './echo-session.js';
import { makerOf } from './measuring.js';
import type { Make } from './measuring.js';
import type { SizeChannel } from './mtu-channel.js';
import { DownChannel } from './mtu-down.js';
import { mtuFigures } from './mtu-figures.js';
import type { MtuContext, MtuFigures } from './mtu-figures.js';
import { PacketsChannel } from './mtu-packets.js';
import { searchMtu } from './mtu-search.js';
import type { MtuFinding } from './mtu-search.js';
import { UpChannel } from './mtu-up.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';

export interface MtuOptions extends CommonOptions {
  /** `auto`: a responder where there is one, else ICMP, else UDP. */
  readonly method: 'auto' | MtuDetails['method'];
  /** It ends after this in any case, with bounds. */
  readonly durationMs: number;
}

type Request = ProbeRequest<MtuOptions>;
type Direction = 'up' | 'down';

const METHODS = ['auto', 'responder', 'icmp', 'udp'] as const;
/**
 * What paths often have: loopback's and jumbo frames, FDDI, Ethernet, PPPoE, 6in4 or GRE, WireGuard, tunnels in
 * tunnels, the least of IPv6, the least that IPv4 hosts must put together.
 */
const LIKELY_BYTES = [65_535, 16_384, 9216, 9000, 4352, 1500, 1492, 1480, 1472, 1460, 1450, 1440, 1420, 1400, 1380, 1360, 1280, 576];
/** A port that hardly anybody listens on (traceroute's first). */
const CLOSED_PORT = 33_434;
/** Finding out that there is no responder is not to take long where another way follows. */
const HANDSHAKE_MS_MAX = 2500;
/** Where one session was opened another can be: what does not answer is lost. */
const HANDSHAKE_MS_AGAIN = 6000;
const TCP_MS_MAX = 1000;
const FINISH_MS = 300;

/** The largest packet that a path carries whole, in each direction, and whether it says so to senders of larger ones. */
export const mtuProbe: Probe<MtuOptions> = {
  name: 'mtu',
  summary: 'path MTU to the byte in both directions, and black holes (a tautline serve, else ICMP or UDP)',
  flags: [
    {
      key: 'method',
      flag: '--method <how>',
      help: 'responder, icmp, udp, or auto: the first of these that works (default auto)',
      parse: parseMethod,
    },
    { key: 'durationMs', flag: '--duration <time>', help: 'end after this in any case, with bounds (default 60s)', parse: parseBound },
  ],
  defaults: { timeoutMs: 2000, durationMs: 60_000, method: 'auto' },
  expectedMs: () => 1500,
  run: runMtu,
};

function parseMethod(text: string): MtuOptions['method'] {
  const method = METHODS.find((name) => name === text);
  if (method) return method;
  throw new TautlineError('usage', `there is no method '${text}'`, { hint: `the methods are ${METHODS.join(', ')}` });
}

function parseBound(text: string): number {
  const ms = parseDurationMs(text);
  if (ms > 0) return ms;
  throw new TautlineError('usage', `it must be above zero, got '${text}'`, { hint: 'write for example 10s' });
}

async function runMtu(request: Request): Promise<Measurement[]> {
  const { target, options, ports, signal } = request;
  const make = makerOf('mtu', request);
  const found = await candidatesOf(request, { host: target.host, port: target.port ?? DEFAULT_PORT });
  if (found.outcome !== 'ok') return [make('mtu.up', found), make('mtu.down', found)];
  const facts = { os: (await ports.facts.identity()).os };
  const causes: string[] = [];
  if (options.method === 'auto' || options.method === 'responder') {
    const byResponder = await measureWithResponder({ request, make, ...facts }, found.remotes);
    if (Array.isArray(byResponder)) return byResponder;
    if (options.method === 'responder' || signal.aborted) return both(make, byResponder);
    causes.push(`no responder: ${byResponder.reason ?? 'it does not answer'}`);
  }
  for (const protocol of options.method === 'udp'
    ? (['udp'] as const)
    : options.method === 'icmp'
      ? (['icmp'] as const)
      : (['icmp', 'udp'] as const)) {
    const measured = await measureWithPackets({ request, make, ...facts }, { remotes: found.remotes, protocol, causes });
    if (measured.outcome === 'ok' || signal.aborted) return [make('mtu.up', measured), make('mtu.down', WAY_BACK)];
    causes.push(`${protocol}: ${measured.reason ?? 'no answer'}`);
  }
  return both(make, { outcome: 'lost', reason: causes.join('; ') });
}

const WAY_BACK: MtuFigures = {
  outcome: 'unsupported',
  reason: 'the way back is not known without a responder, since answers may come back in pieces: run `tautline serve` there',
};

function both(make: Make, figures: MtuFigures): Measurement[] {
  return [make('mtu.up', figures), make('mtu.down', figures)];
}

interface Job {
  readonly request: Request;
  readonly make: Make;
  readonly os: string;
}

// --- With a responder ------------------------------------------------------------------------

/** @returns why there is no responder, where there is none */
async function measureWithResponder(job: Job, remotes: readonly Endpoint[]): Promise<Measurement[] | MtuFigures> {
  const { request, make } = job;
  const { options, ports, signal } = request;
  const session = {
    ports,
    signal,
    timeoutMs: options.method === 'auto' ? Math.min(options.timeoutMs, HANDSHAKE_MS_MAX) : options.timeoutMs,
    dontFragment: true,
    ...(request.key ? { key: request.key } : {}),
  };
  request.onProgress(`opening a session at ${formatEndpoint(remotes[0] as Endpoint)}`, 0);
  const first = await openFirstSession(remotes, session);
  if (first.outcome !== 'ok') return { outcome: first.outcome, reason: first.reason };
  const { remote } = first.session.flow;
  // A flow does one thing at a time, so each direction has its own.
  const second = await openFirstSession([remote], { ...session, timeoutMs: Math.max(options.timeoutMs, HANDSHAKE_MS_AGAIN) });
  try {
    const context = await contextOf(job, first.session.flow.local, remote);
    const [up, down] = await Promise.all([
      measureUp(job, first.session, context),
      second.outcome === 'ok' ? measureDown(job, second.session, context) : { outcome: second.outcome, reason: second.reason },
    ]);
    return [make('mtu.up', up), make('mtu.down', down)];
  } finally {
    await Promise.all([first, second].map(async (opened) => opened.outcome === 'ok' && leave(opened.session)));
  }
}

/** A session that is said to be finished soon makes room for others. */
async function leave(session: EchoSession): Promise<void> {
  await session.finish({ timeoutMs: FINISH_MS });
  await session.close();
}

type Context = Omit<MtuContext, 'direction' | 'method' | 'believedBytes' | 'aborted'>;

async function measureUp({ request }: Job, session: EchoSession, context: Context): Promise<MtuFigures> {
  if (session.flow.dontFragment !== true)
    return { outcome: 'unsupported', reason: `this host cannot send packets that nobody fragments: ${session.flow.fallbacks.join('; ')}` };
  const channel = new UpChannel(session, { timeoutMs: request.options.timeoutMs, signal: request.signal });
  const finding = await search(request, { channel, context, direction: 'up' });
  return mtuFigures(finding, {
    ...context,
    direction: 'up',
    method: 'responder',
    believedBytes: channel.believedBytes,
    aborted: request.signal.aborted,
  });
}

async function measureDown({ request }: Job, session: EchoSession, context: Context): Promise<MtuFigures> {
  const channel = new DownChannel(session, { timeoutMs: request.options.timeoutMs, signal: request.signal });
  const finding = await search(request, { channel, context, direction: 'down' });
  if (finding.passes === undefined && !channel.heard && !request.signal.aborted && finding.over?.outcome !== 'unsupported') {
    return {
      outcome: 'unsupported',
      reason: 'the responder sends no datagrams of a size that is asked for: it may be of an older release, so the way down is not known',
    };
  }
  const { believedFirstBytes, believedBytes } = channel;
  return mtuFigures(finding, {
    ...context,
    direction: 'down',
    method: 'responder',
    believedFirstBytes,
    believedBytes,
    aborted: request.signal.aborted,
  });
}

// --- Without one -----------------------------------------------------------------------------

async function measureWithPackets(
  job: Job,
  { remotes, protocol, causes }: { remotes: readonly Endpoint[]; protocol: 'icmp' | 'udp'; causes: readonly string[] },
): Promise<MtuFigures> {
  const { request } = job;
  const { options, ports, signal } = request;
  let first: MtuFigures | undefined;
  for (const candidate of remotes) {
    const remote = { ...candidate, port: protocol === 'icmp' ? 0 : CLOSED_PORT };
    const channel = new PacketsChannel(ports, { protocol, remote, timeoutMs: options.timeoutMs, signal });
    request.onProgress(`sending ${protocol === 'icmp' ? 'pings' : 'UDP datagrams'} to ${remote.host}`, 0);
    try {
      const context = await contextOf(job, undefined, remote);
      const finding = await search(request, { channel, context, direction: 'up' });
      const over = finding.over ?? (channel.complaint === undefined ? undefined : { outcome: 'lost' as const, reason: channel.complaint });
      const { believedBytes, rationed } = channel;
      const figures = mtuFigures(
        { ...finding, over },
        { ...context, direction: 'up', method: protocol, believedBytes, rationed, aborted: signal.aborted, also: causes },
      );
      if (figures.outcome === 'ok' || signal.aborted) return figures;
      first ??= figures;
    } catch (error) {
      if (!(error instanceof TautlineError) || error.code === 'usage') throw error;
      first ??= {
        outcome: error.code === 'io' ? 'lost' : 'unsupported',
        reason: `${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`,
      };
    }
  }
  return first ?? { outcome: 'lost', reason: 'the target has no address' };
}

// --- Both ------------------------------------------------------------------------------------

async function search(
  request: Request,
  { channel, context, direction }: { channel: SizeChannel; context: Context; direction: Direction },
): Promise<MtuFinding> {
  const { options, ports, signal } = request;
  const endMs = ports.clock.nowMs() + options.durationMs;
  const { interfaceMtuBytes } = context;
  // One above the interface's MTU costs nothing: it is refused at once, or else the interface's MTU is not what it seems.
  const own = interfaceMtuBytes === undefined ? [] : [interfaceMtuBytes, ...(direction === 'up' ? [interfaceMtuBytes + 1] : [])];
  return searchMtu(channel, {
    likely: [...LIKELY_BYTES, ...own],
    expired: () => signal.aborted || ports.clock.nowMs() >= endMs,
    onRound: ({ passes, fails, round }) => {
      if (passes === undefined) return;
      const bounds = fails === undefined ? `${passes} bytes pass` : `${passes} bytes pass, ${fails} do not`;
      request.onProgress(`path MTU ${direction}: ${bounds}`, Math.min(0.95, round / 8));
    },
  });
}

/** What is known about this end of the path. */
async function contextOf({ request, os }: Job, local: Endpoint | undefined, remote: Endpoint): Promise<Context> {
  const { facts } = request.ports;
  const route = await facts.routeTo(remote.host);
  const own = route === undefined ? await ownInterface(request, local) : undefined;
  const interfaces = route === undefined ? [] : await facts.interfaces();
  const interfaceName = route?.interfaceName ?? own?.name;
  const interfaceMtuBytes = interfaces.find(({ name }) => name === interfaceName)?.mtu ?? own?.mtu ?? route?.mtu;
  return {
    family: remote.family,
    remote: remote.port === 0 ? remote.host : formatEndpoint(remote),
    remoteHost: remote.host,
    interfaceName,
    interfaceMtuBytes,
    route,
    tcpMssBytes: await tcpMss(request, remote),
    os,
  };
}

async function ownInterface(request: Request, local: Endpoint | undefined): Promise<{ name: string; mtu?: number } | undefined> {
  if (local === undefined) return undefined;
  const interfaces = await request.ports.facts.interfaces();
  return interfaces.find(({ addresses }) => addresses.some(({ address }) => address === local.host));
}

/** What TCP found out or was told, where a connection can be opened to the port that was given. */
async function tcpMss(request: Request, remote: Endpoint): Promise<number | undefined> {
  const port = request.target.port ?? (remote.port === DEFAULT_PORT ? DEFAULT_PORT : undefined);
  if (port === undefined || request.signal.aborted) return undefined;
  const { options, ports, signal } = request;
  const connected = await ports.streams.connect({ remote: { ...remote, port }, timeoutMs: Math.min(options.timeoutMs, TCP_MS_MAX), signal });
  if (connected.outcome !== 'ok') return undefined;
  const mssBytes = connected.connection.tcpInfo()?.mssBytes;
  connected.connection.close();
  return mssBytes;
}
