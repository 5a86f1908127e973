import * as v from 'valibot';
import type { Ports } from '../base/index.js';
import type { TailscaleDetails } from '../results/index.js';
import { askLocally, excerpt } from './local-api.js';
import { LOCAL_API_HOST, TAILSCALE_PROGRAMS } from './tailscale-status.js';
import type { TailscaleStatus } from './tailscale-status.js';

/** It asks relays in turn, each for up to some seconds. */
const NETCHECK_MS_MAX = 15_000;
const REGIONS_MAX = 100;
const TEXT_CHARS_MAX = 100;

export type Netcheck = NonNullable<TailscaleDetails['netcheck']>;

/**
 * What the client's own check of the network says: whether UDP passes, which kind of address translation there is,
 * and how far the relays are. Only its program runs it; its format is net/netcheck/netcheck.go, `Report`.
 * @returns why there is none, in words
 */
export async function readNetcheck(
  ports: Pick<Ports, 'web' | 'commands'>,
  status: Pick<TailscaleStatus, 'source' | 'place'>,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Netcheck | string> {
  const programs = status.source === 'command' && status.place !== undefined ? [status.place] : TAILSCALE_PROGRAMS;
  for (const program of programs) {
    const result = await ports.commands.run(program, ['netcheck', '--format=json'], { timeoutMs: NETCHECK_MS_MAX, signal: options.signal });
    if (result.outcome === 'missing') continue;
    if (options.signal.aborted) return 'interrupted';
    if (result.outcome === 'timeout') return `\`${program} netcheck\` did not end within ${NETCHECK_MS_MAX / 1000} s`;
    const report = parseNetcheck(result.stdout, await regionNames(ports, status, options));
    return report ?? `\`${program} netcheck\` ended with code ${result.code} and without a report (${excerpt(result.stderr)})`;
  }
  return 'there is no program `tailscale` to run its netcheck with';
}

/** A flag that was not looked at is null, an empty string in old releases (types/opt/bool.go). */
const Flag = v.fallback(v.optional(v.boolean()), undefined);
const Text = v.fallback(v.optional(v.string()), undefined);
const ReportSchema = v.object({
  UDP: v.boolean(),
  IPv6: Flag,
  MappingVariesByDestIP: Flag,
  HairPinning: Flag,
  UPnP: Flag,
  PMP: Flag,
  PCP: Flag,
  PreferredDERP: v.fallback(v.optional(v.number()), undefined),
  /** Nanoseconds by region id. */
  RegionLatency: v.fallback(v.optional(v.record(v.string(), v.number())), undefined),
  GlobalV4: Text,
  GlobalV6: Text,
});

/** @returns undefined for what is no report. `names` are those of relay regions, by id. */
export function parseNetcheck(text: string, names: ReadonlyMap<string, string> = new Map()): Netcheck | undefined {
  const parsed = v.safeParse(ReportSchema, jsonOf(text));
  if (!parsed.success) return undefined;
  const { UDP, IPv6, MappingVariesByDestIP, HairPinning, UPnP, PMP, PCP, PreferredDERP, RegionLatency, GlobalV4, GlobalV6 } = parsed.output;
  const nameOf = (region: string): string => names.get(region) ?? `DERP ${region}`;
  const latencies = Object.entries(RegionLatency ?? {})
    .filter(([region, ns]) => /^\d{1,6}$/.test(region) && ns > 0)
    .sort(([, a], [, b]) => a - b)
    .slice(0, REGIONS_MAX)
    .map(([region, ns]) => [nameOf(region), ns / 1e6] as const);
  const mapping = Object.entries({ UPnP, 'NAT-PMP': PMP, PCP }).filter(([, there]) => there === true);
  const checked = [UPnP, PMP, PCP].some((there) => there !== undefined);
  const global = [GlobalV4, GlobalV6].find((address) => address !== undefined && address !== '');
  return {
    udp: UDP,
    ...(IPv6 === undefined ? {} : { ipv6: IPv6 }),
    ...(MappingVariesByDestIP === undefined ? {} : { mappingVaries: MappingVariesByDestIP }),
    ...(HairPinning === undefined ? {} : { hairPinning: HairPinning }),
    ...(checked ? { portMapping: mapping.length === 0 ? 'none' : mapping.map(([name]) => name).join(', ') } : {}),
    ...(PreferredDERP === undefined || PreferredDERP === 0 ? {} : { nearestRelay: nameOf(String(PreferredDERP)) }),
    ...(latencies.length === 0 ? {} : { relayLatencyMs: Object.fromEntries(latencies) }),
    ...(global === undefined ? {} : { globalAddress: global.slice(0, TEXT_CHARS_MAX) }),
  };
}

const MapSchema = v.object({ Regions: v.record(v.string(), v.object({ RegionCode: v.string() })) });

/** The codes of the relay regions, which netcheck numbers. Only the socket tells them. */
async function regionNames(
  ports: Pick<Ports, 'web'>,
  { source, place }: Pick<TailscaleStatus, 'source' | 'place'>,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, string>> {
  if (source !== 'socket' || place === undefined) return new Map();
  const client = ports.web.client();
  const answer = await askLocally({ client, socketPath: place, host: LOCAL_API_HOST, target: '/localapi/v0/derpmap', ...options });
  client.close();
  const parsed = v.safeParse(MapSchema, answer.outcome === 'ok' ? answer.value : undefined);
  if (!parsed.success) return new Map();
  return new Map(
    Object.entries(parsed.output.Regions)
      .slice(0, REGIONS_MAX)
      .map(([id, { RegionCode }]) => [id, RegionCode.slice(0, TEXT_CHARS_MAX)]),
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
