import type { LinkFacts, RouteFacts, TcpSettings } from '../../base/index.js';

/*
 * What macOS' own programs print of links, counters, routes and settings. Their outputs are for people:
 * what is not found is left out, and nothing here throws.
 */

type Features = Readonly<Record<string, { readonly on: boolean; readonly changeable: boolean }>>;

/** `ifconfig -v -m`: one block an interface, its first line at the margin. */
export function parseIfconfigLinks(text: string): LinkFacts[] {
  return text.split(/^(?=\S)/m).flatMap((block) => {
    const head = /^([^\s:]+): flags=\w+<([^>]*)>/.exec(block);
    const name = head?.[1];
    if (name === undefined) return [];
    const flags = (head?.[2] ?? '').split(',');
    const mtu = /^.*\bmtu (\d+)/.exec(block)?.[1];
    const mac = /^\s+ether ([0-9a-f:]{17})/m.exec(block)?.[1];
    const status = /^\s+status: (\w+)/m.exec(block)?.[1];
    const kind = kindOf(name, flags, block);
    const up = flags.includes('UP');
    return [
      {
        name,
        kind,
        up,
        ...(up && status !== undefined ? { carrier: status === 'active' } : {}),
        ...(mtu === undefined ? {} : { mtu: Number(mtu) }),
        ...(mac === undefined ? {} : { mac }),
        ...(kind === 'ethernet' && status === 'active' ? activeMedia(block) : {}),
        ...(kind === 'ethernet' ? supportedModes(supportedMedia(block)) : {}),
        ...featuresOf(block),
        ...(kind === 'wireless' ? { unread: [{ what: 'speed', why: 'a wireless rate changes from frame to frame and is not negotiated' }] } : {}),
      },
    ];
  });
}

function kindOf(name: string, flags: readonly string[], block: string): LinkFacts['kind'] {
  if (flags.includes('LOOPBACK')) return 'loopback';
  if (/^\s+type: Wi-Fi/m.test(block)) return 'wireless';
  if (/^(?:utun|ipsec|ppp|gif|stf|tun|wg)\d/.test(name)) return 'tunnel';
  if (/^bridge\d/.test(name)) return 'bridge';
  // Apple's direct wireless links, and what virtual machines make.
  if (/^(?:awdl|llw|ap|p2p|anpi|vmenet|vmnet|feth|tap)\d/.test(name)) return 'virtual';
  return /^\s+ether /m.test(block) ? 'ethernet' : 'other';
}

/** `media: autoselect (1000baseT <full-duplex,flow-control>)`: what was asked for, and in brackets what came of it. */
function activeMedia(block: string): Partial<LinkFacts> {
  const [, asked = '', came] = /^\s+media: ([^(\n]*?)\s*(?:\(([^)\n]*)\))?\s*$/m.exec(block) ?? [];
  const media = came ?? asked;
  const mbps = megabits(media);
  const duplex = /half-duplex/.test(media) ? 'half' : /full-duplex/.test(media) ? 'full' : undefined;
  return {
    ...(mbps === undefined ? {} : { speedBps: mbps * 1e6 }),
    ...(duplex === undefined ? {} : { duplex }),
    ...(asked === '' ? {} : { autonegotiation: asked.startsWith('autoselect') }),
  };
}

/** The lines below `supported media:`. */
function supportedMedia(block: string): string[] {
  const list = /^\s+supported media:\s*\n((?:\s+media .*\n?)*)/m.exec(block)?.[1] ?? '';
  return list.split('\n').map((line) => line.trim().replace(/^media /, ''));
}

/** Media by the names that Linux has for them: `10Gbase-T <full-duplex>` is `10000baseT/Full`. Lines of `networksetup -listValidMedia` read the same. */
export function supportedModes(lines: readonly string[]): Pick<LinkFacts, 'supported' | 'supportedBpsMax'> {
  const modes = lines.flatMap((line) => {
    const mbps = megabits(line);
    const medium = /base-?([A-Za-z0-9]+)/i.exec(line)?.[1];
    if (mbps === undefined || medium === undefined) return [];
    return [{ mbps, name: `${mbps}base${medium === 'TX' ? 'T' : medium}/${/half-duplex/.test(line) ? 'Half' : 'Full'}` }];
  });
  if (modes.length === 0) return {};
  return { supported: [...new Set(modes.map(({ name }) => name))], supportedBpsMax: Math.max(...modes.map(({ mbps }) => mbps)) * 1e6 };
}

/** `2500Base-T` is 2500, `10Gbase-T` is 10000, `2.5Gbase-T` is 2500. */
function megabits(media: string): number | undefined {
  const [, figure, giga] = /(\d+(?:\.\d+)?)(G?)base/i.exec(media) ?? [];
  return figure === undefined ? undefined : Number(figure) * (giga === '' ? 1 : 1000);
}

/** `options=6467<RXCSUM,TXCSUM,TSO4,TSO6,LRO>` by the names that the same offloads have elsewhere; what is not listed is off. */
function featuresOf(block: string): { features?: Features } {
  const options = /^\s+options=\w+<([^>]*)>/m.exec(block)?.[1]?.split(',');
  if (!options) return {};
  const on = (...names: readonly string[]): { on: boolean; changeable: boolean } => ({
    on: names.some((name) => options.includes(name)),
    changeable: true,
  });
  return {
    features: {
      'rx-checksumming': on('RXCSUM', 'RXCSUM_IPV6'),
      'tx-checksumming': on('TXCSUM', 'TXCSUM_IPV6'),
      'tcp-segmentation-offload': on('TSO4', 'TSO6'),
      'large-receive-offload': on('LRO'),
    },
  };
}

const COUNTERS: Readonly<Record<string, string>> = {
  Ipkts: 'rx_packets',
  Ierrs: 'rx_errors',
  Ibytes: 'rx_bytes',
  Opkts: 'tx_packets',
  Oerrs: 'tx_errors',
  Obytes: 'tx_bytes',
  Coll: 'collisions',
  Drop: 'tx_dropped',
};

/** `netstat -ibdn`: a row a link and more for its addresses; the figures are at the end, since a link may have no address. */
export function parseNetstat(text: string): Map<string, Record<string, number>> {
  const [header = '', ...rows] = text.split('\n');
  const columns = header.trim().split(/\s+/);
  const first = columns.indexOf('Ipkts');
  const found = new Map<string, Record<string, number>>();
  if (first < 0) return found;
  const names = columns.slice(first);
  for (const row of rows) {
    const fields = row.trim().split(/\s+/);
    // A star marks an interface that is down.
    const name = (fields[0] ?? '').replace(/\*$/, '');
    if (!/^<Link#\d+>$/.test(fields[2] ?? '') || found.has(name)) continue;
    const figures = fields.slice(-names.length).map(Number);
    const counters: Record<string, number> = {};
    names.forEach((column, i) => {
      const counter = COUNTERS[column];
      const figure = figures[i];
      if (counter !== undefined && figure !== undefined && Number.isFinite(figure)) counters[counter] = figure;
    });
    found.set(name, counters);
  }
  return found;
}

/** `route -n get ADDRESS`: fields a line each, then a table whose header names the column `mtu`. A gateway that is no address is a neighbour. */
export function parseRoute(text: string): RouteFacts | undefined {
  const field = (name: string): string | undefined => new RegExp(`^\\s*${name}: (\\S+)`, 'm').exec(text)?.[1];
  const interfaceName = field('interface');
  if (interfaceName === undefined) return undefined;
  const gateway = field('gateway');
  const flags = (field('flags') ?? '').replace(/[<>]/g, '').split(',');
  if (flags.includes('REJECT') || flags.includes('BLACKHOLE')) return undefined;
  const [, header = '', figures = ''] = /^(.*\bmtu\b.*)\n(.*)$/m.exec(text) ?? [];
  const mtu = Number(figures.trim().split(/\s+/)[header.trim().split(/\s+/).indexOf('mtu')]);
  return {
    interfaceName,
    ...(gateway !== undefined && flags.includes('GATEWAY') && /^[0-9a-f.:]+(?:%\w+)?$/i.test(gateway) ? { gateway } : {}),
    ...(mtu > 0 ? { mtu } : {}),
    local: flags.includes('LOCAL') || interfaceName.startsWith('lo'),
  };
}

/** The sysctls that `parseSysctl` reads. */
export const TCP_SYSCTLS = [
  ...['net.inet.tcp.recvspace', 'net.inet.tcp.sendspace', 'net.inet.tcp.autorcvbufmax', 'net.inet.tcp.autosndbufmax'],
  ...['net.inet.tcp.rfc1323', 'net.inet.tcp.sack', 'net.inet.tcp.slowstart_after_idle', 'kern.ipc.maxsockbuf'],
];

/** `sysctl NAME...`: `name: value` lines; a name that this release does not have is missing. */
export function parseSysctl(text: string): TcpSettings {
  const number = (name: string): number | undefined => {
    const value = new RegExp(`^${name.replaceAll('.', '\\.')}: (\\d+)\\s*$`, 'm').exec(text)?.[1];
    return value === undefined ? undefined : Number(value);
  };
  const three = (space: string, most: string): readonly [number, number, number] | undefined => {
    const [usual, max] = [number(space), number(most)];
    return usual === undefined || max === undefined ? undefined : [usual, usual, max];
  };
  const flag = (name: string): boolean | undefined => {
    const value = number(name);
    return value === undefined ? undefined : value !== 0;
  };
  // RFC 1323 is both window scaling and timestamps.
  const rfc1323 = flag('net.inet.tcp.rfc1323');
  const asked = number('kern.ipc.maxsockbuf');
  const settings = {
    receiveBytes: three('net.inet.tcp.recvspace', 'net.inet.tcp.autorcvbufmax'),
    sendBytes: three('net.inet.tcp.sendspace', 'net.inet.tcp.autosndbufmax'),
    receiveBytesAsked: asked,
    sendBytesAsked: asked,
    windowScaling: rfc1323,
    timestamps: rfc1323,
    sack: flag('net.inet.tcp.sack'),
    slowStartAfterIdle: flag('net.inet.tcp.slowstart_after_idle'),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as TcpSettings;
}
