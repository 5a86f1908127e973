import type { LinkFacts, ProcessorTimes, TcpSettings } from '../../base/index.js';

type Read = (path: string) => Promise<string | undefined>;

/** /proc/stat counts in hundredths of a second for everybody (USER_HZ), whatever the kernel's own clock. */
const TICK_MS = 10;

/** Columns of proc(5): user nice system idle iowait irq softirq steal; guest time is part of user. */
export function parseProcStat(text: string, atMs: number): ProcessorTimes | undefined {
  const cpus = [...text.matchAll(/^cpu\d+ (.*)$/gm)].map((match) => {
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = (match[1] ?? '').trim().split(/\s+/).map(Number);
    return {
      busyMs: (user + nice + system + irq + softirq) * TICK_MS,
      softirqMs: softirq * TICK_MS,
      stealMs: steal * TICK_MS,
      idleMs: (idle + iowait) * TICK_MS,
    };
  });
  const sound = cpus.every((cpu) => Object.values(cpu).every(Number.isFinite));
  return cpus.length > 0 && sound ? { atMs, cpus } : undefined;
}

/** Sysctls of this network namespace; what it does not have is left out. */
export async function tcpSettings(read: Read): Promise<TcpSettings> {
  const text = async (name: string): Promise<string | undefined> => (await read(`/proc/sys/net/${name}`))?.trim();
  const number = async (name: string): Promise<number | undefined> => {
    const found = await text(name);
    return found !== undefined && /^-?\d+$/.test(found) ? Number(found) : undefined;
  };
  const flag = async (name: string): Promise<boolean | undefined> => {
    const found = await number(name);
    return found === undefined ? undefined : found !== 0;
  };
  const settings = {
    receiveBytes: triple(await text('ipv4/tcp_rmem')),
    sendBytes: triple(await text('ipv4/tcp_wmem')),
    receiveBytesAsked: await number('core/rmem_max'),
    sendBytesAsked: await number('core/wmem_max'),
    congestion: await text('ipv4/tcp_congestion_control'),
    windowScaling: await flag('ipv4/tcp_window_scaling'),
    timestamps: await flag('ipv4/tcp_timestamps'),
    sack: await flag('ipv4/tcp_sack'),
    mtuProbing: await number('ipv4/tcp_mtu_probing'),
    slowStartAfterIdle: await flag('ipv4/tcp_slow_start_after_idle'),
    windowShare: await number('ipv4/tcp_adv_win_scale'),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as TcpSettings;
}

function triple(text: string | undefined): readonly [number, number, number] | undefined {
  const [least, usual, most] = (text ?? '').split(/\s+/).map(Number);
  return least !== undefined && usual !== undefined && most !== undefined && [least, usual, most].every(Number.isFinite)
    ? [least, usual, most]
    : undefined;
}

const COUNTER_FILES = [
  ...['rx_packets', 'tx_packets', 'rx_bytes', 'tx_bytes', 'rx_errors', 'tx_errors', 'rx_dropped', 'tx_dropped', 'collisions'],
  ...['rx_crc_errors', 'rx_frame_errors', 'rx_missed_errors', 'tx_carrier_errors'],
];

/** What /sys/class/net tells of one interface, for when the kernel cannot be asked directly. */
export async function sysfsLink(read: Read, name: string, why: string): Promise<LinkFacts> {
  const text = async (file: string): Promise<string | undefined> => (await read(`/sys/class/net/${name}/${file}`))?.trim();
  const number = async (file: string): Promise<number | undefined> => {
    const found = await text(file);
    return found !== undefined && /^-?\d+$/.test(found) ? Number(found) : undefined;
  };
  const [flags, type, mtu, speed, duplex, carrier, mac, uevent] = await Promise.all([
    text('flags'),
    number('type'),
    number('mtu'),
    number('speed'),
    text('duplex'),
    number('carrier'),
    text('address'),
    text('uevent'),
  ]);
  const counters: Record<string, number> = {};
  for (const file of COUNTER_FILES) {
    const value = await number(`statistics/${file}`);
    if (value !== undefined) counters[file] = value;
  }
  const kind = kindBySysfs(type, uevent ?? '');
  return {
    name,
    kind,
    up: (Number(flags ?? 0) & 1) === 1,
    ...(carrier === undefined ? {} : { carrier: carrier === 1 }),
    ...(mtu === undefined ? {} : { mtu }),
    ...(mac === undefined || /^(?:00:)+00$/.test(mac) ? {} : { mac }),
    ...(kind === 'ethernet' && speed !== undefined && speed > 0 && speed < 4_294_967_295 ? { speedBps: speed * 1e6 } : {}),
    ...(kind === 'ethernet' && (duplex === 'full' || duplex === 'half') ? { duplex } : {}),
    ...(Object.keys(counters).length === 0 ? {} : { counters }),
    unread: [{ what: 'driver, link modes, offloads, queues, queue disciplines', why }],
  };
}

function kindBySysfs(type: number | undefined, uevent: string): LinkFacts['kind'] {
  const device = /^DEVTYPE=(\w+)$/m.exec(uevent)?.[1];
  if (type === 772) return 'loopback';
  if (device === 'wlan') return 'wireless';
  if (device === 'bridge') return 'bridge';
  if (type === 65534 || device === 'wireguard' || device === 'vxlan') return 'tunnel';
  return type === 1 ? 'ethernet' : 'other';
}
