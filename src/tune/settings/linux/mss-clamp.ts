import type { LinkFacts } from '../../../base/index.js';
import { TautlineError } from '../../../base/index.js';
import { commandsOf, placeHolds, readPlace, showState } from '../../places/registry.js';
import type { HostView, Setting, Source, Step } from '../../setting.js';
import { notDone } from '../steps.js';

interface Wanted {
  /** `route`: what the MTU of the route leaves, `rt mtu` of nft(8). */
  readonly to: 'route' | number;
}

const NFT: Source = {
  title: 'nft(8), TCP maximum segment size clamping',
  url: 'https://wiki.nftables.org/wiki-nftables/index.php/Mangling_packet_headers',
};
const RFC_4459: Source = {
  title: 'RFC 4459: MTU and fragmentation issues with in-the-network tunneling, section 3.2',
  url: 'https://www.rfc-editor.org/rfc/rfc4459',
};
const REF = { kind: 'nft-table', family: 'inet', name: 'tautline_mss' } as const;
/** An IPv4 header and a TCP header without options. */
const HEADERS_BYTES = 40;

/** Clamps the segment size that TCP connections through this router announce, in a table of its own. */
export const mssClamp: Setting<Wanted> = {
  id: 'mss-clamp',
  title: 'TCP segment size clamped to the path',
  platforms: ['linux'],
  effect: 'measurable',
  scope: 'namespace',
  group: 'vpn',
  needs: { root: true },
  sources: [NFT, RFC_4459],
  why: 'Where a router passes connections on into a tunnel or a smaller link, and the ICMP errors that say so get lost, large segments vanish and connections hang. Announcing smaller segments in the SYN avoids it; it is never raised (net/netfilter/nft_exthdr.c).',
  takes: "'route' (what the MTU of the route leaves) or a segment size in bytes from 536 to 8960, such as 1240 into Tailscale",
  parse(value) {
    if (value === 'route') return { value: { to: 'route' } };
    const size = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof size === 'number' && Number.isInteger(size) && size >= 536 && size <= 8960) return { value: { to: size } };
    return { problem: "'route' or a number of bytes from 536 to 8960 is expected" };
  },
  write: ({ to }) => String(to),
  plan: async (view, wanted) => [await planClamp(view, wanted)],
};

async function planClamp(view: HostView, { to }: Wanted): Promise<Step> {
  const { ports } = view;
  const links = view.links.filter(({ kind, up }) => kind !== 'loopback' && up);
  const tunnels = links.filter(({ kind, name }) => kind === 'tunnel' && nameable(name));
  const forwards = await isForwarding(view);
  if (!forwards && tunnels.length === 0) {
    return notDone(
      'not-applicable',
      'this host passes no packets on (net.ipv4.ip_forward is 0) and has no tunnel: its own connections know the MTU of their route',
      {
        proposed: shown(to),
      },
    );
  }
  if (to === 'route' && !forwards) {
    return notDone('not-applicable', 'this host passes no packets on: its own connections know the MTU of their route without a clamp', {
      proposed: shown(to),
    });
  }
  const gaining = tunnels.filter(({ mtu }) => to !== 'route' && (mtu ?? Number.POSITIVE_INFINITY) - HEADERS_BYTES > to);
  if (!forwards && gaining.length === 0) {
    const names = tunnels.map(({ name, mtu }) => `${name} (${mtu})`).join(', ');
    return notDone('no-effect', `connections of this host through ${names} announce no more than that already, and it passes no others on`, {
      proposed: shown(to),
    });
  }
  const needless = to === 'route' ? whyNeedless(links) : undefined;
  if (needless !== undefined) return notDone('no-effect', needless, { proposed: shown(to) });
  const desired = tableText(to, forwards, { tunnels, gaining });
  const original = await readClamp(view);
  if (original !== null && typeof original !== 'string') return { ...original, proposed: shown(to) };
  if (original !== null && placeHolds(REF, original, desired)) {
    return notDone('already', 'the table inet tautline_mss has these rules already', { now: showState(REF, original), proposed: shown(to) });
  }
  const legacy = await ports.control.readValue('/proc/net/ip_tables_names').catch(() => undefined);
  return {
    verdict: 'change',
    now: original === null ? 'not clamped here' : showState(REF, original),
    proposed: shown(to),
    why: mssClamp.why,
    changes: [{ place: REF, original, desired }],
    persist: [{ by: 'boot', commands: commandsOf(REF, desired) }],
    notes: [
      'other tables stay untouched; a reload of a firewall that flushes all rules (nftables.service) takes this one with it',
      ...(legacy !== undefined && legacy.trim() !== '' ? ['rules of iptables-legacy work beside it, and the smaller segment size wins'] : []),
      ...(to === 'route' ? [] : [`${to} bytes fit an MTU of ${to + HEADERS_BYTES}; over IPv6, whose header is longer, it is ${to - 20}`]),
    ],
  };
}

async function readClamp(view: HostView): Promise<string | null | Extract<Step, { verdict: 'not-done' }>> {
  try {
    const found = await readPlace(view.ports, REF);
    if (found !== undefined) return found;
    const legacy = await view.ports.control.readValue('/proc/net/ip_tables_names').catch(() => undefined);
    const other =
      legacy === undefined
        ? 'install the package nftables'
        : 'this host uses iptables: iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu does the same, or install the package nftables';
    return notDone('absent', `nft is not installed: ${other}`);
  } catch (error) {
    if (error instanceof TautlineError && error.code === 'permission') return notDone('needs-root', 'only root may read tables of nftables');
    throw error;
  }
}

/** The table as `nft list` prints it. */
function tableText(
  to: Wanted['to'],
  forwards: boolean,
  { tunnels, gaining }: { readonly tunnels: readonly LinkFacts[]; readonly gaining: readonly LinkFacts[] },
): string {
  const size = to === 'route' ? 'rt mtu' : String(to);
  const clamp = (match: string): string[] => [
    `${match}tcp flags syn tcp option maxseg size set ${size}`,
    // An IPv6 header is 20 bytes longer.
    ...(to === 'route' ? [] : [`${match}meta nfproto ipv6 tcp flags syn tcp option maxseg size set ${to - 20}`]),
  ];
  const chain = (name: string, hook: string, rules: readonly string[]): string[] => [
    `\tchain ${name} {`,
    `\t\ttype filter hook ${hook} priority mangle; policy accept;`,
    ...rules.map((rule) => `\t\t${rule}`),
    '\t}',
  ];
  // A fixed size is meant for what goes through a tunnel; where there is none, for all that is passed on.
  const names = tunnels.map(({ name }) => name);
  const through =
    to === 'route' || names.length === 0 ? clamp('') : names.flatMap((name) => [...clamp(`iifname "${name}" `), ...clamp(`oifname "${name}" `)]);
  // Connections of this host know the MTU of the tunnel; they gain where less is asked for.
  const own = gaining.flatMap(({ name }) => clamp(`oifname "${name}" `));
  return [
    'table inet tautline_mss {',
    ...(forwards ? chain('forward', 'forward', through) : []),
    ...(forwards && own.length > 0 ? [''] : []),
    ...(own.length > 0 ? chain('output', 'output', own) : []),
    '}',
    '',
  ].join('\n');
}

export async function isForwarding(view: HostView): Promise<boolean> {
  const values = await Promise.all(
    ['/proc/sys/net/ipv4/ip_forward', '/proc/sys/net/ipv6/conf/all/forwarding'].map((path) =>
      view.ports.control.readValue(path).catch(() => undefined),
    ),
  );
  return values.some((value) => value?.trim() === '1');
}

function whyNeedless(links: readonly LinkFacts[]): string | undefined {
  const sizes = [...new Set(links.flatMap(({ mtu }) => mtu ?? []))];
  if (sizes.length !== 1) return undefined;
  return `all interfaces have an MTU of ${sizes[0]}: there is nothing to clamp to`;
}

/** A name that needs no escape in a rule. */
function nameable(name: string): boolean {
  return /^[\w.@:-]{1,15}$/.test(name);
}

function shown(to: Wanted['to']): string {
  return to === 'route' ? 'segment size by the MTU of the route' : `segment size ${to}`;
}
