import { TautlineError, parseSizeBytes } from '../base/index.js';
import type { Endpoint } from '../base/index.js';
import type { DockerDetails, Measurement } from '../results/index.js';
import { candidatesOf } from './candidates.js';
import { pingEngine, readEngine } from './docker-engine.js';
import type { EngineFacts } from './docker-engine.js';
import type { Container } from './docker-format.js';
import { describeNetwork, overlapsWith, readHostNetwork } from './docker-host.js';
import type { HostNetwork } from './docker-host.js';
import { measureServices, servicesOf } from './docker-services.js';
import type { LocalFailure } from './local-api.js';
import { makerOf, ownTimeError, withSummary } from './measuring.js';
import type { Make } from './measuring.js';
import type { CommonOptions, Probe, ProbeRequest } from './probe.js';
import { samplingOf } from './sampling.js';
import type { Sampling } from './sampling.js';
import { parsePrefix } from './subnets.js';
import type { NamedSubnet } from './subnets.js';

export interface DockerOptions extends CommonOptions {
  /** The engine's socket; the usual ones are not tried then. */
  readonly socket?: string;
  /** Also reads what each container takes of processor and memory. */
  readonly stats?: boolean;
  /** The MTU of a path that containers talk over: networks above it are told. */
  readonly pathMtuBytes?: number;
  /** Subnets that this engine's networks must not share: those of the peer's containers, of a VPN. */
  readonly otherSubnets?: readonly NamedSubnet[];
  /** What the variables that `DOCKER_ENVIRONMENT` names are set to. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Where an engine listens may depend on these. */
export const DOCKER_ENVIRONMENT = ['DOCKER_HOST', 'CONTAINER_HOST', 'HOME', 'XDG_RUNTIME_DIR'] as const;

const SAMPLING: Sampling = { count: 10, intervalMs: 20 };
const SERVICE_SAMPLING: Sampling = { count: 5, intervalMs: 50 };
const NAMED_MAX = 5;

/** A container engine on this host: how fast it answers, its containers and networks, and the services that it publishes. */
export const dockerProbe: Probe<DockerOptions> = {
  name: 'docker',
  summary: 'containers, their networks and published services (Docker, Podman; TARGET is local)',
  flags: [
    { key: 'socket', flag: '--socket <path>', help: "the engine's Unix socket (default: the usual places of Docker and Podman)", parse: parseSocket },
    { key: 'stats', flag: '--stats', help: 'also read what each container takes of processor and memory', parse: () => true, boolean: true },
    { key: 'pathMtuBytes', flag: '--path-mtu <bytes>', help: 'MTU of a path that containers talk over: networks above it are told', parse: parseMtu },
    {
      key: 'otherSubnets',
      flag: '--other-subnets <list>',
      help: "subnets that the engine's networks must not share, such as those of the other end: 172.18.0.0/16,fd00::/64",
      parse: parseSubnets,
    },
  ],
  defaults: { timeoutMs: 3000 },
  environment: DOCKER_ENVIRONMENT,
  expectedMs: (options) => 2000 + (options.stats === true ? 1500 : 0),
  run: runDocker,
};

/** @throws TautlineError `usage` */
function parseSocket(text: string): string {
  const path = text.replace(/^unix:\/\//, '');
  if (path.startsWith('/')) return path;
  throw new TautlineError('usage', `'${text}' is not the path of a socket`, { hint: 'write for example /var/run/docker.sock' });
}

/** @throws TautlineError `usage` */
function parseMtu(text: string): number {
  const bytes = parseSizeBytes(text);
  if (bytes >= 68 && bytes <= 65_535) return bytes;
  throw new TautlineError('usage', `an MTU cannot be ${bytes} bytes`, { hint: 'write for example 1280' });
}

/** @throws TautlineError `usage` */
function parseSubnets(text: string): NamedSubnet[] {
  return text.split(',').map((part) => {
    const subnet = part.trim();
    if (parsePrefix(subnet)) return { subnet, what: 'a subnet that was given' };
    throw new TautlineError('usage', `'${subnet}' is not a subnet`, { hint: 'write for example 172.18.0.0/16,fd00::/64' });
  });
}

async function runDocker(request: ProbeRequest<DockerOptions>): Promise<Measurement[]> {
  const { options, signal } = request;
  const make = makerOf('docker', request);
  samplingOf(options, SAMPLING);
  const here = await isThisHost(request);
  if (!here && options.socket === undefined)
    return [
      make('docker.api', {
        outcome: 'unsupported',
        reason: `a container engine listens on a Unix socket, which only its own host reaches: run \`tautline measure docker local\` on ${request.target.host}, or forward the socket (ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock ${request.target.host}) and name it with --socket`,
      }),
    ];
  const host = here ? await readHostNetwork(request.ports) : undefined;
  const found: Engine[] = [];
  const failures: Measurement[] = [];
  const absent: string[] = [];
  for (const socketPath of socketsOf(options)) {
    if (signal.aborted) break;
    const tried = await tryEngine(request, socketPath);
    if ('facts' in tried) found.push(tried);
    else if (tried.why === 'absent' && options.socket === undefined) absent.push(socketPath);
    else failures.push(make('docker.api', { target: socketPath, ...withHint(tried), ...(signal.aborted ? { partial: true } : {}) }));
  }
  const engines = withoutCopies(found);
  const measurements: Measurement[] = [];
  for (const engine of engines) {
    const others = engines.filter((other) => other !== engine).flatMap(({ facts }) => networksOf(facts));
    measurements.push(...(await measureEngine(request, engine, { make, host, others })));
  }
  if (measurements.length + failures.length > 0) return [...measurements, ...failures];
  if (signal.aborted) return [make('docker.api', { outcome: 'unchecked', reason: 'interrupted before anything was measured', partial: true })];
  return [
    make('docker.api', {
      outcome: 'unsupported',
      reason: `no container engine listens here: there is no socket at ${absent.join(', ')}; start Docker or Podman (systemctl start docker, systemctl start podman.socket), or name its socket with --socket`,
    }),
  ];
}

/** By an address or name of its own; a name is not looked up, since an engine is never asked across a network anyway. */
async function isThisHost({ target, ports }: ProbeRequest<DockerOptions>): Promise<boolean> {
  const asked = target.host.toLowerCase();
  if (asked === 'local' || asked === 'localhost' || asked.startsWith('127.') || asked === '::1') return true;
  const { name } = await ports.facts.identity();
  if (asked === name.toLowerCase()) return true;
  const interfaces = await ports.facts.interfaces();
  return interfaces.some(({ addresses }) => addresses.some(({ address }) => address.toLowerCase() === asked));
}

/** Where engines listen, the likeliest first: what was named, else what the engines' own clients would try. */
export function socketsOf({ socket, environment = {} }: Pick<DockerOptions, 'socket' | 'environment'>): string[] {
  if (socket !== undefined) return [socket];
  const { DOCKER_HOST: docker, CONTAINER_HOST: container, HOME: home, XDG_RUNTIME_DIR: runtime } = environment;
  const below = (folder: string | undefined, ...names: string[]): string[] =>
    folder !== undefined && folder.startsWith('/') ? names.map((name) => `${folder.replace(/\/$/, '')}/${name}`) : [];
  return [
    ...new Set([
      ...[docker, container].flatMap((url) => (url?.startsWith('unix:///') === true ? [url.slice('unix://'.length)] : [])),
      '/var/run/docker.sock',
      ...below(home, '.docker/run/docker.sock'),
      ...below(runtime, 'docker.sock', 'podman/podman.sock'),
      '/run/podman/podman.sock',
    ]),
  ];
}

interface Engine {
  readonly facts: EngineFacts;
  readonly apiMs: readonly number[];
  readonly ownMs: readonly (number | undefined)[];
}

async function tryEngine(request: ProbeRequest<DockerOptions>, socketPath: string): Promise<Engine | LocalFailure> {
  const { options, ports, signal } = request;
  const { timeoutMs } = options;
  const sampling = samplingOf(options, SAMPLING);
  const apiMs: number[] = [];
  const ownMs: (number | undefined)[] = [];
  const client = ports.web.client();
  try {
    for (let i = 0; i < sampling.count && !signal.aborted; i++) {
      if (i > 0) await ports.clock.sleep(sampling.intervalMs, signal);
      request.onProgress(`asking the engine at ${socketPath}`, i / sampling.count / 2);
      const answer = await pingEngine(client, { socketPath, timeoutMs, signal });
      // The first failure tells enough; later ones among answers would only take time.
      if (answer.outcome !== 'ok') {
        if (i === 0) return answer;
        break;
      }
      apiMs.push(answer.ms);
      ownMs.push(answer.ownMs);
    }
  } finally {
    client.close();
  }
  request.onProgress(`reading what the engine at ${socketPath} runs`, 0.5);
  const facts = await readEngine({ ports, socketPath, timeoutMs, signal, stats: options.stats === true });
  return 'outcome' in facts ? facts : { facts, apiMs, ownMs };
}

/** Several sockets may lead to one engine: podman-docker links one to the other. Ids are random, and tell. */
function withoutCopies(engines: readonly Engine[]): Engine[] {
  const seen = new Set<string>();
  return engines.filter(({ facts }) => {
    const ids = [...facts.containers.map(({ id }) => id), ...facts.networks.map(({ id }) => id)].sort();
    const key = [facts.engine, facts.version ?? '', ...ids].join(' ');
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function withHint({ outcome, reason, why }: LocalFailure): Pick<Measurement, 'outcome' | 'reason'> {
  const hints: Partial<Record<LocalFailure['why'], string>> = {
    denied: 'for Docker that is: sudo usermod -aG docker $USER, then log in again',
    ended: 'start the engine (sudo systemctl start docker)',
    silent: 'the engine hangs; look at its log (journalctl -u docker) and restart it',
  };
  const hint = hints[why];
  return { outcome, reason: hint === undefined ? reason : `${reason}; ${hint}` };
}

async function measureEngine(
  request: ProbeRequest<DockerOptions>,
  { facts, apiMs, ownMs }: Engine,
  about: { readonly make: Make; readonly host: HostNetwork | undefined; readonly others: readonly NamedSubnet[] },
): Promise<Measurement[]> {
  const { options, signal, seed } = request;
  const { make, host } = about;
  const details = detailsOf(facts, options, { host, others: about.others });
  const address = host === undefined ? await addressOf(request) : undefined;
  const listed =
    host !== undefined || address !== undefined
      ? servicesOf(facts, address)
      : { services: [], untried: [`services: ${request.target.host} has no address`] };
  const sampling = samplingOf(options, SERVICE_SAMPLING);
  const services = await measureServices(request, { services: listed.services, sampling, make });
  const untried = [...listed.untried, ...services.untried];
  const remarks = remarksOf(details, facts);
  return [
    make('docker.api', {
      target: `${facts.engine} ${facts.socket}`,
      outcome: 'ok',
      ...(signal.aborted ? { partial: true } : {}),
      ...(remarks.length === 0 ? {} : { reason: remarks.join('; ') }),
      ...withSummary(apiMs, seed),
      ...ownTimeError(ownMs),
      details: { ...details, ...(facts.unread.length === 0 ? {} : { unread: facts.unread }), ...(untried.length === 0 ? {} : { untried }) },
    }),
    ...services.measurements,
  ];
}

/** Of the engine's host, when that is another one. */
async function addressOf(request: ProbeRequest<DockerOptions>): Promise<Endpoint | undefined> {
  const found = await candidatesOf(request, { host: request.target.host, port: 0 });
  return found.outcome === 'ok' ? found.remotes[0] : undefined;
}

function detailsOf(
  facts: EngineFacts,
  options: DockerOptions,
  { host, others }: { readonly host: HostNetwork | undefined; readonly others: readonly NamedSubnet[] },
): DockerDetails {
  const { pathMtuBytes, otherSubnets = [] } = options;
  return {
    engine: facts.engine,
    ...(facts.version === undefined ? {} : { version: facts.version }),
    socket: facts.socket,
    containers: facts.containers.map(describeContainer),
    networks: facts.networks.map((network) => {
      const attached = facts.containers.filter(({ networks }) => networks.includes(network.name)).map(({ name }) => name);
      return describeNetwork(network, host, [...new Set([...attached, ...network.containers])]);
    }),
    ...(pathMtuBytes === undefined ? {} : { pathMtuBytes }),
    overlaps: overlapsWith(facts.networks, host, [...others, ...otherSubnets]),
  };
}

function describeContainer(container: EngineFacts['containers'][number]): Container {
  const { name, image, state, health, restarts = 0, networks, ports, oomKilled, cpuShare, usage } = container;
  return {
    name,
    image,
    state,
    ...(health === undefined ? {} : { health }),
    restarts,
    networks,
    ports,
    ...(oomKilled === undefined ? {} : { oomKilled }),
    ...(cpuShare === undefined ? {} : { cpuShare }),
    ...(usage?.memoryBytes === undefined ? {} : { memoryBytes: usage.memoryBytes }),
    ...(usage?.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: usage.memoryLimitBytes }),
  };
}

function networksOf(facts: EngineFacts): NamedSubnet[] {
  return facts.networks.flatMap(({ name, subnets }) => subnets.map((subnet) => ({ subnet, what: `${facts.engine} network ${name}` })));
}

/** What a person should know beside the time. */
function remarksOf(details: DockerDetails, facts: EngineFacts): string[] {
  const remarks: string[] = [];
  const say = (names: readonly string[], what: string): void => {
    if (names.length === 0) return;
    const more = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : '';
    remarks.push(`${what}: ${names.slice(0, NAMED_MAX).join(', ')}${more}`);
  };
  const named = (matches: (container: Container) => boolean): string[] => details.containers.filter(matches).map(({ name }) => name);
  say(
    named(({ health }) => health === 'unhealthy'),
    'unhealthy',
  );
  say(
    named(({ state }) => state === 'restarting'),
    'restarting over and over',
  );
  say(
    named(({ oomKilled }) => oomKilled === true),
    'killed for want of memory',
  );
  const { pathMtuBytes } = details;
  if (pathMtuBytes !== undefined) {
    const large = details.networks.filter(({ mtu, driver }) => mtu !== undefined && mtu > pathMtuBytes && driver !== 'host');
    say(
      large.map(({ name, mtu }) => `${name} (${mtu})`),
      `MTU above the path's ${pathMtuBytes}`,
    );
  }
  say(
    details.overlaps.map(({ subnet, with: other, what }) => `${subnet} and ${other} (${what})`),
    'subnets that overlap',
  );
  say(facts.unread, 'not read');
  return remarks;
}
