import { formatEndpoint } from '../base/index.js';
import type { Endpoint } from '../base/index.js';
import type { DockerServiceDetails, Measurement } from '../results/index.js';
import { attemptAll, verdictOf } from './attempts.js';
import type { Attempt } from './attempts.js';
import type { EngineFacts } from './docker-engine.js';
import { ownTimeError, withSummary } from './measuring.js';
import type { Make } from './measuring.js';
import type { CommonOptions, ProbeRequest } from './probe.js';
import type { Sampling } from './sampling.js';

const SERVICES_MAX = 20;
/** All services together; what is left over is said. */
const SERVICES_MS_MAX = 30_000;
/** A server that speaks first (SSH, MySQL, SMTP) does so at once. */
const GREETING_MS = 50;

/** Ports inside a container that HTTP servers use by convention: IANA's, and the defaults of the common frameworks. */
const HTTP_PORTS: ReadonlySet<number> = new Set([
  80, 3000, 3001, 4000, 4200, 5000, 5001, 5173, 5601, 7860, 8000, 8001, 8008, 8080, 8081, 8088, 8090, 8123, 8501, 8888, 9000, 9090, 9093, 9100, 11434,
]);
const HTTPS_PORTS: ReadonlySet<number> = new Set([443, 8443, 9443]);

/** A port of a running container that this host or others can reach. */
export interface Service {
  readonly container: string;
  readonly remote: Endpoint;
  readonly inside: number;
  readonly health?: string;
  /** What may be sent to it: nothing, unless it is known or usual that HTTP listens there. */
  readonly speaks: 'http' | 'https' | undefined;
}

export interface Services {
  readonly measurements: Measurement[];
  /** What was left out, and why. */
  readonly untried: readonly string[];
}

/**
 * The published TCP ports of running containers, each once. `address` is that of the engine's host when it is
 * another one: what is bound to its loopback cannot be reached then.
 */
export function servicesOf(
  engine: Pick<EngineFacts, 'containers'>,
  address: Endpoint | undefined,
): { services: readonly Service[]; untried: readonly string[] } {
  const services = new Map<string, Service>();
  const untried: string[] = [];
  for (const container of engine.containers) {
    if (container.state !== 'running') continue;
    for (const port of container.ports) {
      const { published, inside } = port;
      if (published === undefined) continue;
      if (port.protocol !== 'tcp') {
        untried.push(`${container.name} ${published}/${port.protocol}: only TCP ports are tried`);
        continue;
      }
      const remote = remoteOf(port.host, published, address);
      if (remote === undefined) {
        untried.push(`${container.name} ${published}: it is bound to ${port.host} of the engine's host`);
        continue;
      }
      const key = `${container.id} ${published}`;
      // Docker lists a port once for IPv4 and once for IPv6.
      if (services.has(key) && remote.family === 6) continue;
      const speaks = protocolOf(inside, container.healthTest ?? '');
      const { health } = container;
      services.set(key, { container: container.name, remote, inside, ...(health === undefined ? {} : { health }), speaks });
    }
  }
  const all = [...services.values()];
  if (all.length > SERVICES_MAX) untried.push(`${all.length - SERVICES_MAX} services beyond the first ${SERVICES_MAX}`);
  return { services: all.slice(0, SERVICES_MAX), untried };
}

function remoteOf(host: string | undefined, port: number, address: Endpoint | undefined): Endpoint | undefined {
  const everywhere = host === undefined || host === '0.0.0.0' || host === '::';
  if (address) {
    if (everywhere) return { ...address, port };
    return host.startsWith('127.') || host === '::1' ? undefined : { host, port, family: host.includes(':') ? 6 : 4 };
  }
  if (host === '::') return { host: '::1', port, family: 6 };
  return everywhere ? { host: '127.0.0.1', port, family: 4 } : { host, port, family: host.includes(':') ? 6 : 4 };
}

/** A health check that fetches a URL from the port says it surely; a usual port says it well enough for a GET, which changes nothing (RFC 9110, section 9.2.1). */
function protocolOf(inside: number, healthTest: string): Service['speaks'] {
  const url = /\b(https?):\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)(?::(\d+))?/i.exec(healthTest);
  if (url) {
    const scheme = (url[1] ?? '').toLowerCase() === 'https' ? 'https' : 'http';
    const port = url[2] === undefined ? (scheme === 'https' ? 443 : 80) : Number(url[2]);
    if (port === inside) return scheme;
  }
  if (HTTPS_PORTS.has(inside)) return 'https';
  return HTTP_PORTS.has(inside) ? 'http' : undefined;
}

/** Connects to each service, and asks those that speak HTTP for their first page. */
export async function measureServices(
  request: ProbeRequest<CommonOptions>,
  plan: { readonly services: readonly Service[]; readonly sampling: Sampling; readonly make: Make },
): Promise<Services> {
  const { clock } = request.ports;
  const startMs = clock.nowMs();
  const measurements: Measurement[] = [];
  const untried: string[] = [];
  for (const [i, service] of plan.services.entries()) {
    if (request.signal.aborted) break;
    if (clock.nowMs() - startMs > SERVICES_MS_MAX) {
      untried.push(`${plan.services.length - i} services: those before them took ${Math.round(SERVICES_MS_MAX / 1000)} s`);
      break;
    }
    const connected = await measureConnect(request, service, plan);
    measurements.push(connected.measurement);
    if (request.signal.aborted || connected.measurement.outcome !== 'ok') continue;
    const { speaks } = service;
    if (speaks === undefined)
      untried.push(`first byte of ${service.container} ${service.remote.port}: no usual HTTP port, and bytes that it does not know might harm it`);
    else if (connected.greets) untried.push(`first byte of ${service.container} ${service.remote.port}: the server speaks first, so it is not HTTP`);
    else measurements.push(await measureFirstByte(request, { ...service, speaks }, plan));
  }
  return { measurements, untried };
}

interface ServicePlan {
  readonly sampling: Sampling;
  readonly make: Make;
}

async function measureConnect(
  request: ProbeRequest<CommonOptions>,
  service: Service,
  { sampling, make }: ServicePlan,
): Promise<{ measurement: Measurement; greets: boolean }> {
  const { ports, options, signal, seed } = request;
  let greets = false;
  const attempt = async (remote: Endpoint, index: number): Promise<Attempt<{ ms: number; kernelMs: number | undefined }>> => {
    const made = await ports.streams.connect({ remote, timeoutMs: options.timeoutMs, signal });
    if (made.outcome !== 'ok') return made;
    const kernelMs = made.connection.tcpInfo()?.rttMs;
    if (index === 0 && service.speaks !== undefined) greets = (await made.connection.read({ timeoutMs: GREETING_MS, signal })) !== undefined;
    made.connection.close();
    return { outcome: 'ok', value: { ms: made.connectMs, kernelMs } };
  };
  const attempts = await attemptAll({ remotes: [service.remote], sampling, request, doing: `connecting to ${service.container} at`, attempt });
  const error = ownTimeError(
    attempts.values.map(({ ms, kernelMs }) => (kernelMs === undefined ? undefined : Math.abs(ms - kernelMs))),
    ['the difference to the time that the kernel took for the handshake'],
  );
  const measurement = make('docker.connect', {
    target: nameOf(service),
    ...verdictOf(attempts, 'connection'),
    ...withSummary(
      attempts.values.map(({ ms }) => ms),
      seed,
    ),
    ...(attempts.values.length > 0 ? error : {}),
    details: detailsOf(service),
  });
  return { measurement, greets };
}

async function measureFirstByte(
  request: ProbeRequest<CommonOptions>,
  service: Service & { readonly speaks: 'http' | 'https' },
  { sampling, make }: ServicePlan,
): Promise<Measurement> {
  const { ports, options, signal, seed } = request;
  const { remote, speaks } = service;
  const client = ports.web.client();
  const url = `${speaks}://${formatEndpoint(remote)}/`;
  let status: number | undefined;
  const attempt = async (to: Endpoint): Promise<Attempt<{ ms: number; ownMs: number | undefined }>> => {
    // As a client does it. A HEAD would spare the body, but small servers answer it wrongly (busybox sends one).
    const got = await client.request({ url, remote: to, method: 'GET', timeoutMs: options.timeoutMs, insecure: true, signal });
    if (got.outcome !== 'ok') return got;
    status = got.status;
    return { outcome: 'ok', value: { ms: got.ttfbMs, ownMs: got.ownMs } };
  };
  try {
    const attempts = await attemptAll({ remotes: [remote], sampling, request, doing: `asking ${service.container} at`, attempt });
    const verdict = verdictOf(attempts, 'request');
    const failing = status !== undefined && status >= 500 ? `the service answers HTTP ${status}: this is the time of its error` : undefined;
    const reason = [verdict.reason, failing].filter((part) => part !== undefined).join('; ');
    // That it accepts connections is known by now: what keeps failing is the talk, not the network.
    const noHttp = attempts.values.length === 0 && verdict.outcome === 'lost';
    return make('docker.ttfb', {
      target: nameOf(service),
      ...verdict,
      ...(noHttp ? { outcome: 'unsupported' as const } : {}),
      ...(reason === '' ? {} : { reason }),
      ...withSummary(
        attempts.values.map(({ ms }) => ms),
        seed,
      ),
      ...(attempts.values.length > 0 ? ownTimeError(attempts.values.map(({ ownMs }) => ownMs)) : {}),
      details: { ...detailsOf(service), url, ...(status === undefined ? {} : { status }) },
    });
  } finally {
    client.close();
  }
}

function nameOf(service: Service): string {
  return `${service.container} ${formatEndpoint(service.remote)}`;
}

function detailsOf(service: Service): DockerServiceDetails & Record<string, unknown> {
  const { container, inside, health, remote } = service;
  return { container, published: remote.port, inside, ...(health === undefined ? {} : { health }), remote: formatEndpoint(remote) };
}
