import { randomBytes } from 'node:crypto';
import { DEFAULT_PORT, TautlineError, VERSION, formatEndpoint } from '../base/index.js';
import type { Endpoint, NetworkInterface } from '../base/index.js';
import { attachHttp, listen } from '../host/index.js';
import type { HostPorts, Listener } from '../host/index.js';
import { nearAbout } from '../probe/index.js';
import { ControlServer, DEFAULT_LIMITS, Tickets, clientOf, createHttpResponder } from '../serve/index.js';
import type { Limits } from '../serve/index.js';
import { encodeAddress } from '../wire/index.js';
import { readKey } from './key.js';
import { startUdpService } from './serve-udp.js';
import type { UdpService } from './serve-udp.js';

export interface ServeOptions {
  /** An IP literal. Left out: all addresses with a key, 127.0.0.1 without. */
  readonly bind?: string;
  /** TCP and UDP alike; 0 chooses one that is free on both. Default 7227. */
  readonly port?: number;
  readonly keyFile?: string;
  readonly limits?: Limits;
  /** Whether clients that proved the key are told what bounds this end: link, route, TCP settings. Default yes. */
  readonly about?: boolean;
}

export interface Serve {
  /** Where it listens; `0.0.0.0` and `::` stand for every address. */
  readonly local: Endpoint;
  readonly port: number;
  /** What a person should read when it has started: where it answers, to whom, and how to reach it. */
  readonly lines: readonly string[];
  /** What is not as it should be. */
  readonly warnings: readonly string[];
  /** What it has done so far, and what it has refused. UDP's figures are up to a second old. */
  counters(): Readonly<Record<string, number>>;
  /** Resolves with the reason should the UDP side end by itself. */
  readonly failed: Promise<string>;
  /** Ends every test and connection; may be called twice. */
  close(): Promise<void>;
}

type ServePorts = Pick<HostPorts, 'clock' | 'streams' | 'files' | 'facts'>;

/** Random ports tried until one is free for TCP and UDP. */
const PORT_TRIES = 16;
const EVERY_IPV6 = '::';
const EVERY_IPV4 = '0.0.0.0';
const LOOPBACK = '127.0.0.1';
/** Addresses shown in the lines to paste. */
const ADDRESSES_SHOWN = 4;

/**
 * Starts answering measurements: echo and floods over UDP, tests over TCP and HTTP, all on one port
 * number. Without a key it answers only this host.
 * @throws TautlineError `usage` (an address that needs a key, or is none), `config` (key file), `io`, `permission`
 */
export async function startServe(ports: ServePorts, options: ServeOptions = {}): Promise<Serve> {
  const { keyFile, limits = DEFAULT_LIMITS } = options;
  const key = keyFile === undefined ? undefined : await readKey(ports.files, keyFile);
  const bind = bindOf(options, key !== undefined);
  const warnings: string[] = [];
  if (keyFile !== undefined && (await ports.files.othersMayRead(keyFile))) {
    warnings.push(`everybody on this host can read the key in ${keyFile}: chmod 600 ${keyFile}`);
  }
  const core = coreOf(ports, { limits, about: options.about ?? true, ...(key ? { key } : {}) });
  const { listener, udp } = await listenOnBoth(bind, options.port ?? DEFAULT_PORT, {
    tcp: (host, port) => listen({ ...core.reception, bind: host, port }),
    udp: (host, port) => startUdpService({ bind: host, port, limits, secret: new Uint8Array(randomBytes(32)), ...(key ? { key } : {}) }),
  });
  if (udp.fallback !== undefined) warnings.push(`UDP is served by Node's own sockets, which is slower and less precise: ${udp.fallback}`);
  const { local } = listener;
  let closed: Promise<void> | undefined;
  return {
    local,
    port: local.port,
    lines: await linesOf(ports, local, keyFile),
    warnings,
    failed: udp.failed,
    counters: () => ({
      ...prefixed('tcp', listener.counters()),
      ...prefixed('tcp', core.control.counters()),
      ...core.http.counters(),
      ...prefixed('udp', udp.counters()),
    }),
    close() {
      closed ??= (async (): Promise<void> => {
        core.control.close();
        core.http.close();
        await Promise.all([listener.close(), udp.close()]);
      })();
      return closed;
    },
  };
}

interface Core {
  readonly control: ControlServer;
  readonly http: ReturnType<typeof attachHttp>;
  readonly reception: Omit<Parameters<typeof listen>[0], 'bind' | 'port'>;
}

/** What decides over TCP connections. */
function coreOf({ clock, streams, facts }: ServePorts, { limits, about, key }: { limits: Limits; about: boolean; key?: Uint8Array }): Core {
  const random = (count: number): Uint8Array => new Uint8Array(randomBytes(count));
  const software = `tautline/${VERSION}`;
  const tickets = new Tickets({ lifetimeMs: limits.ticketMs, max: limits.ticketsMax, random });
  const control = new ControlServer(
    { clock, pump: (plan) => streams.pump(plan), random, processors: () => facts.processors() },
    {
      limits,
      software,
      tickets,
      ...(key ? { key } : {}),
      ...(about ? { about: async (remote) => ({ ...(await nearAbout(facts, remote.host)), observed: remote.host }) } : {}),
    },
  );
  const checkTicket = (client: string, ticket: string): boolean => tickets.check(client, ticket, clock.nowMs());
  const http = attachHttp({ clock, responder: createHttpResponder({ limits, software, ...(key ? { checkTicket } : {}) }) });
  return {
    control,
    http,
    reception: {
      limits,
      clientOf: (remote) => clientOf(encodeAddress(remote)),
      onConnection: (connection, onProven) => void control.accept(connection, onProven),
      onHttp: (socket, head, protocol) => http.accept(socket, head, protocol),
    },
  };
}

/** @throws TautlineError `usage` */
function bindOf({ bind }: ServeOptions, hasKey: boolean): string {
  if (bind === undefined) return hasKey ? EVERY_IPV6 : LOOPBACK;
  const address = bind === 'localhost' ? LOOPBACK : bind.replace(/^\[(.*)\]$/, '$1');
  if (!/^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:%[\w.-]+)?)$/.test(address)) {
    throw new TautlineError('usage', `--bind takes an address, and '${bind}' is none`, {
      hint: 'write for example 127.0.0.1, 0.0.0.0 (every IPv4 address) or :: (every address)',
    });
  }
  if (!hasKey && !isLoopback(address)) {
    throw new TautlineError(
      'usage',
      `without a key only this host is answered, and ${address} is not a loopback address: whoever reached it could use this host's bandwidth`,
      {
        hint: `make a key and pass it: ${MAKE_KEY}; tautline serve --bind ${address} --key-file tautline.key`,
      },
    );
  }
  return address;
}

const MAKE_KEY = 'head -c 32 /dev/urandom | base64 > tautline.key; chmod 600 tautline.key';

function isLoopback(address: string): boolean {
  return /^(?:::ffff:)?127\./i.test(address) || address === '::1';
}

interface Starters {
  readonly tcp: (bind: string, port: number) => Promise<Listener>;
  readonly udp: (bind: string, port: number) => Promise<UdpService>;
}

/** TCP and UDP on the same port number; for port 0 one that is free on both. */
async function listenOnBoth(bind: string, port: number, start: Starters): Promise<{ listener: Listener; udp: UdpService }> {
  for (let attempt = 1; ; attempt++) {
    const { listener, host } = await listenTcp(bind, port, start);
    try {
      return { listener, udp: await start.udp(host, listener.local.port) };
    } catch (error) {
      await listener.close();
      if (port !== 0 || attempt === PORT_TRIES || !(error instanceof TautlineError && error.code === 'io')) throw error;
    }
  }
}

/** A host without IPv6 is still to be reached at every address that it has. */
async function listenTcp(bind: string, port: number, start: Starters): Promise<{ listener: Listener; host: string }> {
  try {
    return { listener: await start.tcp(bind, port), host: bind };
  } catch (error) {
    if (bind !== EVERY_IPV6 || !(error instanceof TautlineError && error.code === 'unsupported')) throw error;
    return { listener: await start.tcp(EVERY_IPV4, port), host: EVERY_IPV4 };
  }
}

async function linesOf({ facts }: ServePorts, local: Endpoint, keyFile: string | undefined): Promise<string[]> {
  const everywhere = local.host === EVERY_IPV6 || local.host === EVERY_IPV4;
  const where = everywhere ? `every address of this host, port ${local.port}` : formatEndpoint(local);
  const first = `tautline ${VERSION} answers on ${where} (TCP and UDP)`;
  if (keyFile === undefined) {
    return [
      first,
      'Without a key it answers this host only: whoever reached it could use its bandwidth. Measure from another terminal with',
      `    tautline check ${formatEndpoint(local)}`,
      'To answer other hosts, make a key and start again with it:',
      `    ${MAKE_KEY}`,
      '    tautline serve --key-file tautline.key',
    ];
  }
  const addresses = everywhere ? reachable(await facts.interfaces(), local) : [local.host];
  const name = keyFile.split('/').at(-1) ?? keyFile;
  return [
    first,
    `To measure from another host, copy ${keyFile} to it and paste there${addresses.length > 1 ? ' the line whose address it can reach' : ''}:`,
    ...addresses.map((host) => `    tautline check ${formatEndpoint({ host, port: local.port })} --key-file ${name}`),
    ...(addresses.length === 0
      ? [`    tautline check ADDRESS:${local.port} --key-file ${name}`, 'where ADDRESS is this host: it has none yet that others could reach']
      : []),
  ];
}

/** Addresses that another host may know, IPv4 first because they are easier to paste. */
function reachable(interfaces: readonly NetworkInterface[], local: Endpoint): string[] {
  const all = interfaces
    .filter((device) => device.up && !device.loopback)
    .flatMap((device) => device.addresses)
    .filter(({ scope, family }) => scope === 'global' && (family === 4 || local.family === 6));
  return all
    .sort((a, b) => a.family - b.family)
    .slice(0, ADDRESSES_SHOWN)
    .map(({ address }) => address);
}

function prefixed(prefix: string, counters: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counters).map(([name, count]) => [`${prefix}${name.charAt(0).toUpperCase()}${name.slice(1)}`, count]));
}
