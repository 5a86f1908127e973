import * as v from 'valibot';
import type { DockerDetails } from '../results/index.js';
import { isAddressLiteral } from './subnets.js';

/*
 * What the Docker Engine API answers (https://docs.docker.com/reference/api/engine/), as far as it is read here.
 * Podman's service answers the same with small differences. Whatever else a field holds than what is documented,
 * it is as if it were not there.
 */

export const CONTAINERS_MAX = 200;
export const NETWORKS_MAX = 100;
const PORTS_MAX = 100;
const SUBNETS_MAX = 16;
const TEXT_CHARS_MAX = 255;
const HEALTH_TEST_CHARS_MAX = 2000;

export type Container = DockerDetails['containers'][number];
export type Network = DockerDetails['networks'][number];
export type PublishedPort = Container['ports'][number];

const maybe = <T extends v.GenericSchema>(schema: T) => v.fallback(v.optional(schema), undefined as never);
const Text = maybe(v.string());
const Flag = maybe(v.boolean());
const Count = maybe(v.pipe(v.number(), v.finite(), v.minValue(0)));
const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535));
const Named = maybe(v.record(v.string(), v.unknown()));

// --- The engine ------------------------------------------------------------------------------

export interface EngineVersion {
  readonly engine: 'docker' | 'podman';
  readonly version?: string;
}

const VersionSchema = v.object({ Version: Text, ApiVersion: Text, Components: maybe(v.array(v.object({ Name: Text }))) });

/** @returns undefined for what is no container engine */
export function parseVersion(input: unknown): EngineVersion | undefined {
  const parsed = v.safeParse(VersionSchema, input);
  if (!parsed.success || parsed.output.ApiVersion === undefined) return undefined;
  const { Version, Components } = parsed.output;
  const podman = Components?.some(({ Name }) => /podman/i.test(Name ?? '')) === true;
  return { engine: podman ? 'podman' : 'docker', ...(Version === undefined ? {} : { version: short(Version) }) };
}

// --- Containers ------------------------------------------------------------------------------

export interface ListedContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly state: string;
  readonly ports: readonly PublishedPort[];
  readonly networks: readonly string[];
}

const ListedSchema = v.object({
  Id: v.string(),
  Names: maybe(v.array(v.string())),
  Image: Text,
  State: Text,
  Ports: maybe(v.array(v.unknown())),
  NetworkSettings: maybe(v.object({ Networks: Named })),
});
const PortSchema = v.object({ IP: Text, PrivatePort: Port, PublicPort: maybe(Port), Type: Text });

/** @returns undefined for what is no list; `more` are beyond what is read */
export function parseContainers(input: unknown): { readonly containers: readonly ListedContainer[]; readonly more: number } | undefined {
  if (!Array.isArray(input)) return undefined;
  const containers = input.slice(0, CONTAINERS_MAX).flatMap((item) => {
    const parsed = v.safeParse(ListedSchema, item);
    return parsed.success && isId(parsed.output.Id) ? [listedOf(parsed.output)] : [];
  });
  return { containers, more: Math.max(0, input.length - CONTAINERS_MAX) };
}

function listedOf(item: v.InferOutput<typeof ListedSchema>): ListedContainer {
  const ports = (item.Ports ?? []).slice(0, PORTS_MAX).flatMap((port) => {
    const parsed = v.safeParse(PortSchema, port);
    // It is connected to: a name would be looked up.
    return parsed.success && (!parsed.output.IP || isAddressLiteral(parsed.output.IP)) ? [portOf(parsed.output)] : [];
  });
  return {
    id: item.Id,
    name: short(item.Names?.[0]?.replace(/^\//, '') ?? item.Id.slice(0, 12)),
    image: short(item.Image ?? ''),
    state: short(item.State ?? 'unknown').toLowerCase(),
    ports,
    networks: names(item.NetworkSettings?.Networks),
  };
}

function portOf({ IP, PrivatePort, PublicPort, Type }: v.InferOutput<typeof PortSchema>): PublishedPort {
  return {
    ...(IP === undefined || IP === '' ? {} : { host: short(IP) }),
    ...(PublicPort === undefined ? {} : { published: PublicPort }),
    inside: PrivatePort,
    protocol: short(Type ?? 'tcp'),
  };
}

export interface Inspection {
  readonly health?: 'healthy' | 'unhealthy' | 'starting';
  readonly restarts?: number;
  readonly oomKilled?: boolean;
  /** The command line with which the container's own health is checked. */
  readonly healthTest: string;
  readonly networks: readonly string[];
}

const HealthSchema = v.object({ Status: Text });
const InspectSchema = v.object({
  State: v.object({ OOMKilled: Flag, Health: maybe(HealthSchema), Healthcheck: maybe(HealthSchema) }),
  RestartCount: Count,
  Config: maybe(v.object({ Healthcheck: maybe(v.object({ Test: maybe(v.array(v.string())) })) })),
  NetworkSettings: maybe(v.object({ Networks: Named })),
});

/** @returns undefined for what is no container */
export function parseInspection(input: unknown): Inspection | undefined {
  const parsed = v.safeParse(InspectSchema, input);
  if (!parsed.success) return undefined;
  const { State, RestartCount, Config, NetworkSettings } = parsed.output;
  // Podman called it Healthcheck before version 5.
  const health = State.Health?.Status ?? State.Healthcheck?.Status;
  return {
    ...(health === 'healthy' || health === 'unhealthy' || health === 'starting' ? { health } : {}),
    ...(RestartCount === undefined ? {} : { restarts: RestartCount }),
    ...(State.OOMKilled === undefined ? {} : { oomKilled: State.OOMKilled }),
    healthTest: (Config?.Healthcheck?.Test ?? []).join(' ').slice(0, HEALTH_TEST_CHARS_MAX),
    networks: names(NetworkSettings?.Networks),
  };
}

// --- Networks --------------------------------------------------------------------------------

export interface ListedNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly scope?: string;
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  /** What it was made with, where that was said. */
  readonly mtuAsked?: number;
  /** The interface that its options or the engine's own naming lead to. */
  readonly bridge?: string;
  readonly parent?: string;
  /** The one that the engine made for itself, whose subnet is the same on every host. */
  readonly standard: boolean;
  readonly containers: readonly string[];
}

const NetworkSchema = v.object({
  Id: Text,
  Name: v.string(),
  Driver: Text,
  Scope: Text,
  IPAM: maybe(v.object({ Config: maybe(v.array(v.object({ Subnet: Text, Gateway: Text }))) })),
  Options: Named,
  Containers: Named,
});

/** @returns undefined for what is no list; `more` are beyond what is read */
export function parseNetworks(input: unknown): { readonly networks: readonly ListedNetwork[]; readonly more: number } | undefined {
  if (!Array.isArray(input)) return undefined;
  const networks = input.slice(0, NETWORKS_MAX).flatMap((item) => parseNetwork(item) ?? []);
  return { networks, more: Math.max(0, input.length - NETWORKS_MAX) };
}

/** @returns undefined for what is no network */
export function parseNetwork(input: unknown): ListedNetwork | undefined {
  const parsed = v.safeParse(NetworkSchema, input);
  if (!parsed.success) return undefined;
  const { Id, Name, Driver, Scope, IPAM, Options = {}, Containers } = parsed.output;
  const pools = (IPAM?.Config ?? []).slice(0, SUBNETS_MAX);
  // Docker's own name for the option, and the one of Podman's drivers.
  const mtu = Number(Options['com.docker.network.driver.mtu'] ?? Options['mtu'] ?? Number.NaN);
  const bridge = Options['com.docker.network.bridge.name'] ?? (Id !== undefined && Driver === 'bridge' ? `br-${Id.slice(0, 12)}` : undefined);
  const parent = Options['parent'];
  return {
    id: Id ?? Name,
    name: short(Name),
    driver: short(Driver ?? 'unknown'),
    ...(Scope === undefined ? {} : { scope: short(Scope) }),
    subnets: pools.flatMap(({ Subnet }) => (Subnet === undefined || Subnet === '' ? [] : [short(Subnet)])),
    gateways: pools.flatMap(({ Gateway }) => (Gateway === undefined || Gateway === '' ? [] : [short(Gateway.replace(/\/.*$/, ''))])),
    ...(Number.isInteger(mtu) && mtu > 0 ? { mtuAsked: mtu } : {}),
    ...(typeof bridge === 'string' ? { bridge: short(bridge) } : {}),
    ...(typeof parent === 'string' ? { parent: short(parent) } : {}),
    standard: Options['com.docker.network.bridge.default_bridge'] === 'true' || (Name === 'podman' && Driver === 'bridge'),
    containers: Object.values(Containers ?? {})
      .slice(0, CONTAINERS_MAX)
      .flatMap((container) => {
        const named = v.safeParse(v.object({ Name: v.string() }), container);
        return named.success ? [short(named.output.Name)] : [];
      }),
  };
}

// --- Resources -------------------------------------------------------------------------------

export interface Usage {
  /** Wall clock of the engine. */
  readonly atMs?: number;
  /** Processor time since the container started. */
  readonly cpuNs?: number;
  readonly memoryBytes?: number;
  readonly memoryLimitBytes?: number;
}

const StatsSchema = v.object({
  read: Text,
  cpu_stats: maybe(v.object({ cpu_usage: maybe(v.object({ total_usage: Count })) })),
  memory_stats: maybe(v.object({ usage: Count, limit: Count, stats: maybe(v.object({ inactive_file: Count, total_inactive_file: Count })) })),
});

export function parseUsage(input: unknown): Usage | undefined {
  const parsed = v.safeParse(StatsSchema, input);
  if (!parsed.success) return undefined;
  const { read, cpu_stats, memory_stats } = parsed.output;
  const atMs = Date.parse(read ?? '');
  const cpuNs = cpu_stats?.cpu_usage?.total_usage;
  const usage = memory_stats?.usage;
  // What `docker stats` shows: without the page cache that the kernel would give up first (cgroup v1: total_inactive_file).
  const cache = memory_stats?.stats?.total_inactive_file ?? memory_stats?.stats?.inactive_file ?? 0;
  return {
    ...(atMs > 0 ? { atMs } : {}),
    ...(cpuNs === undefined ? {} : { cpuNs }),
    ...(usage === undefined ? {} : { memoryBytes: usage > cache ? usage - cache : usage }),
    ...(memory_stats?.limit === undefined ? {} : { memoryLimitBytes: memory_stats.limit }),
  };
}

/** Ids go into the path of the next request. */
function isId(text: string): boolean {
  return /^[0-9a-f]{12,64}$/i.test(text);
}

function names(record: Readonly<Record<string, unknown>> | undefined): string[] {
  return Object.keys(record ?? {})
    .slice(0, NETWORKS_MAX)
    .map((name) => short(name));
}

function short(text: string): string {
  return text.length <= TEXT_CHARS_MAX ? text : `${text.slice(0, TEXT_CHARS_MAX)}…`;
}
