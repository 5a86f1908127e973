import { DEFAULT_PORT } from '../base/index.js';
import type { Endpoint, NetworkInterface, Ports, Resolution, Route } from '../base/index.js';
import { openControl } from '../probe/index.js';
import type { NamedTarget } from './targets.js';

/** What a look at a target found: which of the things that can be measured answer at all. */
export interface TargetFindings {
  readonly named: NamedTarget;
  readonly resolution: Resolution;
  /** The first address, which the others are measured at. */
  readonly address?: { readonly host: string; readonly family: 4 | 6 };
  readonly serve: { readonly answers: 'yes' | 'refused' | 'no'; readonly port: number; readonly reason?: string };
  /** A TCP port that answers, or the one that was asked for. */
  readonly tcp: { readonly port: number; readonly answers: boolean; readonly reason?: string };
  readonly tls: boolean;
  /** What an HTTP request may be sent to. */
  readonly url?: string;
}

/** Tried in this order where no port is given: web servers and secure shell answer on most hosts. */
const USUAL_PORTS = [443, 80, 22];
/** One unanswered question must not eat the budget of a quick check. */
const QUESTION_TIMEOUT_MS = 1200;
const LOOKUP_TIMEOUT_MS = 3000;
/** Asking these for TLS or HTTP is pointless: the server speaks first. */
const OTHER_PROTOCOL_PORTS = [22];

export interface DiscoverOptions {
  readonly key?: Uint8Array;
  readonly family?: 4 | 6;
  readonly signal: AbortSignal;
}

/** Looks at a target: a few connections, each bounded; never rejects for what the network does. */
export async function discoverTarget(ports: Ports, named: NamedTarget, options: DiscoverOptions): Promise<TargetFindings> {
  const { target } = named;
  const resolution = await ports.names.lookup(target.host, { ...familyOf(options), timeoutMs: LOOKUP_TIMEOUT_MS, signal: options.signal });
  const address = resolution.outcome === 'ok' ? resolution.addresses[0] : undefined;
  const asked = target.port ?? DEFAULT_PORT;
  const nothing = { named, resolution, serve: { answers: 'no', port: asked }, tcp: { port: asked, answers: false }, tls: false } as const;
  if (!address) return nothing;
  const candidates = target.port === undefined ? [DEFAULT_PORT, ...USUAL_PORTS] : [target.port];
  const connects = await Promise.all(candidates.map((port) => knock(ports, { ...address, port }, options.signal)));
  const open = connects.find((connect) => connect.port === asked && connect.answers);
  const serve = open && target.url === undefined ? await askServe(ports, { ...address, port: asked }, options) : nothing.serve;
  const usual = connects.find((connect) => connect.answers && (connect.port !== DEFAULT_PORT || target.port !== undefined));
  const tcp = (serve.answers === 'no' ? usual : open) ?? connects.find((connect) => connect.answers) ?? connects[0] ?? nothing.tcp;
  const base = { named, resolution, address, serve, tcp };
  if (serve.answers !== 'no' || !tcp.answers || OTHER_PROTOCOL_PORTS.includes(tcp.port)) return { ...base, tls: false };
  return { ...base, ...(await askWeb(ports, { named, remote: { ...address, port: tcp.port }, signal: options.signal })) };
}

interface PortFinding {
  readonly port: number;
  readonly answers: boolean;
  readonly reason?: string;
}

async function knock(ports: Ports, remote: Endpoint, signal: AbortSignal): Promise<PortFinding> {
  const result = await ports.streams.connect({ remote, timeoutMs: QUESTION_TIMEOUT_MS, signal });
  if (result.outcome !== 'ok') return { port: remote.port, answers: false, reason: result.reason };
  result.connection.close();
  return { port: remote.port, answers: true };
}

async function askServe(ports: Ports, remote: Endpoint, options: DiscoverOptions): Promise<TargetFindings['serve']> {
  const { port } = remote;
  const opened = await openControl({
    ports,
    remote,
    ...(options.key ? { key: options.key } : {}),
    timeoutMs: QUESTION_TIMEOUT_MS,
    signal: options.signal,
  });
  if (opened.outcome === 'ok') {
    opened.control.close();
    return { answers: 'yes', port };
  }
  return { answers: opened.byServe === true ? 'refused' : 'no', port, reason: opened.reason };
}

async function askWeb(ports: Ports, place: { named: NamedTarget; remote: Endpoint; signal: AbortSignal }): Promise<{ tls: boolean; url?: string }> {
  const { named, remote, signal } = place;
  const { host, url } = named.target;
  if (url !== undefined) return { tls: url.startsWith('https:'), url };
  const tls = await ports.web.tls({ remote, serverName: host, timeoutMs: QUESTION_TIMEOUT_MS, signal });
  const scheme = tls.outcome === 'ok' ? 'https' : 'http';
  const guess = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${remote.port}/`;
  const client = ports.web.client();
  try {
    const answer = await client.request({ url: guess, remote, method: 'HEAD', timeoutMs: QUESTION_TIMEOUT_MS, insecure: true, signal });
    return { tls: tls.outcome === 'ok', ...(answer.outcome === 'ok' ? { url: guess } : {}) };
  } finally {
    client.close();
  }
}

// --- This host -------------------------------------------------------------------------------

/** How this host is connected. */
export interface HostFindings {
  readonly interfaces: readonly NetworkInterface[];
  readonly gateways: readonly Route[];
  readonly resolvers: readonly string[];
}

/** What a fresh machine can be checked against without being told anything: one gateway a family, its resolvers. */
export async function discoverHost(ports: Ports, options: { family?: 4 | 6 }): Promise<HostFindings> {
  const [interfaces, routes, resolvers] = await Promise.all([ports.facts.interfaces(), ports.facts.defaultRoutes(), ports.facts.resolvers()]);
  const wanted = (family: 4 | 6): boolean => options.family === undefined || options.family === family;
  const gateways = ([4, 6] as const).flatMap((family) => routes.filter((route) => route.family === family && wanted(family)).slice(0, 1));
  return {
    interfaces: interfaces.filter((item) => !item.loopback),
    gateways,
    resolvers: resolvers.filter((address) => wanted(address.includes(':') ? 6 : 4)).slice(0, RESOLVERS_MAX),
  };
}

/** As many as the C library uses (MAXNS in resolv.h). */
const RESOLVERS_MAX = 3;

function familyOf(options: { family?: 4 | 6 }): { family?: 4 | 6 } {
  return options.family === undefined ? {} : { family: options.family };
}
