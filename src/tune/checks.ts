import { formatBytes, formatRate } from '../base/index.js';
import type { TcpSettings } from '../base/index.js';
import type { StatusDocument } from '../results/index.js';
import type { HostView } from './setting.js';
import { parseProcLimits } from './settings/linux/limits-in-force.js';
import { releaseAtLeast } from './settings/linux/kernel-release.js';

/** One thing that people look at on a tuned host, and what it is worth. */
export type TuneCheck = StatusDocument['checks'][number];

type Check = (view: HostView) => Promise<TuneCheck | readonly TuneCheck[]>;

/**
 * What status scripts of tuning guides look at, each with what is really known of it: that a file holds a value proves
 * nothing where the kernel does not look at it.
 */
export async function checkHost(view: HostView): Promise<readonly TuneCheck[]> {
  const checks: readonly Check[] = view.platform === 'linux' ? LINUX : MACOS;
  return (await Promise.all(checks.map((check) => check(view)))).flat();
}

const LINUX: readonly Check[] = [
  congestion,
  lowLatency,
  fastOpen,
  sack,
  governor,
  hugePages,
  openFiles,
  offloads,
  queueDisciplines,
  resolver,
  buffers,
  tcpSettings,
];
const MACOS: readonly Check[] = [resolver, buffers, tcpSettings];

type Read = { readonly text: string } | { readonly why: string } | undefined;

/** A kernel value; undefined where there is none. */
async function read(view: HostView, path: string): Promise<Read> {
  try {
    const text = await view.ports.control.readValue(path);
    return text === undefined ? undefined : { text: text.trim().replace(/\s+/g, ' ') };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

/** A check of one kernel value: what it says when it is there. */
async function ofValue(
  view: HostView,
  check: { readonly id: string; readonly title: string; readonly path: string; readonly absent: string },
  judge: (text: string) => Pick<TuneCheck, 'state' | 'note'>,
): Promise<TuneCheck> {
  const { id, title, path, absent } = check;
  const value = await read(view, path);
  if (value === undefined) return { id, title, state: 'absent', found: 'not there', note: absent };
  if ('why' in value) return { id, title, state: 'unreadable', found: 'unreadable', note: value.why };
  return { id, title, found: value.text, ...judge(value.text) };
}

const IPV4 = '/proc/sys/net/ipv4';

async function congestion(view: HostView): Promise<TuneCheck> {
  const has = await read(view, `${IPV4}/tcp_available_congestion_control`);
  const available = has !== undefined && 'text' in has && has.text.split(' ').includes('bbr');
  const check = {
    id: 'bbr',
    title: 'BBR congestion control',
    path: `${IPV4}/tcp_congestion_control`,
    absent: 'this kernel does not tell its congestion control',
  };
  return await ofValue(view, check, (found) =>
    found === 'bbr'
      ? { state: 'good', note: 'new TCP connections send at a paced rate, and give way to queues instead of to every loss; UDP is not touched by it' }
      : {
          state: 'off',
          note: `BBR helps where packets get lost on long paths, and does little elsewhere${available ? '' : '; it is not loaded, and its module is looked for when it is set'}`,
        },
  );
}

async function lowLatency(view: HostView): Promise<TuneCheck> {
  const gone = releaseAtLeast(view.identity.kernel, '4.14');
  const note = 'it does nothing since Linux 4.14 (the prequeue that it switched was removed); only the file is left, so its value proves nothing';
  const check = {
    id: 'tcp-low-latency',
    title: 'tcp_low_latency',
    path: `${IPV4}/tcp_low_latency`,
    absent: 'nothing is lost: it does nothing since Linux 4.14',
  };
  return await ofValue(view, check, (found) =>
    gone
      ? { state: 'no-effect', note }
      : { state: found === '1' ? 'good' : 'off', note: `kernel ${view.identity.kernel} still has the prequeue that it switches` },
  );
}

async function fastOpen(view: HostView): Promise<TuneCheck> {
  const check = { id: 'tcp-fastopen', title: 'TCP Fast Open', path: `${IPV4}/tcp_fastopen`, absent: 'this kernel was built without it' };
  return await ofValue(view, check, (found) => {
    const bits = Number(found);
    const sides = [...(bits & 1 ? ['clients'] : []), ...(bits & 2 ? ['servers'] : [])];
    const allowed = sides.length === 0 ? 'it is allowed to nobody' : `it is allowed to ${sides.join(' and ')}`;
    return { state: 'info', note: `${allowed}; nothing changes for programs that do not ask for it at both ends, and few do` };
  });
}

async function sack(view: HostView): Promise<TuneCheck> {
  const check = { id: 'tcp-sack', title: 'Selective acknowledgements', path: `${IPV4}/tcp_sack`, absent: 'this kernel does not tell' };
  return await ofValue(view, check, (found) =>
    found === '1'
      ? { state: 'good', note: "on, as is every kernel's default" }
      : { state: 'off', note: 'without them each lost segment costs a round trip of its own: turn them on' },
  );
}

async function governor(view: HostView): Promise<TuneCheck> {
  const [id, title] = ['cpu-governor', 'Processor frequency'];
  const folder = '/sys/devices/system/cpu/cpufreq';
  const names = ((await view.ports.files.list(folder).catch(() => undefined)) ?? []).filter((name) => /^policy\d+$/.test(name));
  const values = await Promise.all(names.map((name) => read(view, `${folder}/${name}/scaling_governor`)));
  const found = [...new Set(values.flatMap((value) => (value !== undefined && 'text' in value ? [value.text] : [])))];
  if (found.length === 0) {
    const whose =
      view.environment.kind === 'metal'
        ? 'no frequency driver is loaded, so the firmware decides'
        : 'it is not for a guest to decide: the host below does';
    return { id, title, state: 'absent', found: 'no governor', note: whose };
  }
  const good = found.length === 1 && found[0] === 'performance';
  const note = good
    ? 'no packet waits for a processor to speed up'
    : 'processors may have to speed up first, which costs a quiet host some tens of microseconds; a busy one is at full frequency anyway';
  return { id, title, state: good ? 'good' : 'off', found: found.join(', '), note };
}

async function hugePages(view: HostView): Promise<TuneCheck> {
  const path = '/sys/kernel/mm/transparent_hugepage/enabled';
  const check = {
    id: 'transparent-hugepages',
    title: 'Transparent huge pages',
    path,
    absent: 'this kernel has none, or hides them in this container',
  };
  const shown = await ofValue(view, check, (found) => {
    const never = /\[never\]/.test(found);
    const note = never
      ? 'no pauses while the kernel makes them; programs on much memory may be slower'
      : 'making them may pause a program for milliseconds: jitter, not throughput. Off is for voice and trading hosts; models and databases often gain from them';
    return { state: never ? 'good' : 'info', note };
  });
  return { ...shown, found: /\[(\w+)\]/.exec(shown.found)?.[1] ?? shown.found };
}

const OPEN_FILES = 65_536;

async function openFiles(view: HostView): Promise<TuneCheck> {
  const [id, title] = ['file-limits', 'Open files'];
  const path = '/proc/self/limits';
  const text = await view.ports.control.readValue(path).catch(() => undefined);
  const limits = text === undefined ? undefined : parseProcLimits(text);
  if (!limits) return { id, title, state: 'unreadable', found: 'unreadable', note: `${path} does not tell` };
  const enough = limits.soft >= OPEN_FILES;
  const note = enough
    ? 'enough for a server with a connection to each of tens of thousands of clients'
    : limits.hard >= OPEN_FILES
      ? `of this login; a program may raise itself to ${limits.hard}, and services have limits of their own (LimitNOFILE)`
      : 'of this login; a server that keeps more connections fails with EMFILE. It makes nothing faster';
  return { id, title, state: enough ? 'good' : limits.hard >= OPEN_FILES ? 'info' : 'off', found: `${limits.soft}, at most ${limits.hard}`, note };
}

const OFFLOADS: readonly (readonly [string, string])[] = [
  ['gro', 'generic-receive-offload'],
  ['gso', 'generic-segmentation-offload'],
  ['tso', 'tcp-segmentation-offload'],
];

async function offloads(view: HostView): Promise<readonly TuneCheck[]> {
  return meantLinks(view, 'offloads', 'Offloads').map(({ id, title, link }) => {
    const known = OFFLOADS.filter(([, name]) => link?.features?.[name] !== undefined);
    if (!link || known.length === 0) return { id, title, state: 'unreadable', found: 'unreadable', note: 'the driver does not tell its offloads' };
    const off = known.filter(([, name]) => link.features?.[name]?.on === false);
    const found = known.map(([short, name]) => `${short} ${link.features?.[name]?.on === true ? 'on' : 'off'}`).join(', ');
    const mendable = off.some(([, name]) => link.features?.[name]?.changeable === true);
    if (off.length === 0)
      return { id, title, state: 'good', found, note: 'on is right, for latency too: without them every packet is handled by itself' };
    const note = mendable
      ? 'guides turn them off for latency; that costs throughput and processor time, and shows in no delay on ordinary hosts: turn them on'
      : 'the driver does not have the rest';
    return { id, title, state: mendable ? 'off' : 'info', found, note };
  });
}

async function queueDisciplines(view: HostView): Promise<readonly TuneCheck[]> {
  return meantLinks(view, 'queue-discipline', 'Queue discipline').map(({ id, title, link }) => {
    const kinds = [...new Set((link?.qdiscs ?? []).map(({ kind }) => kind).filter((kind) => !['mq', 'mqprio', 'clsact', 'ingress'].includes(kind)))];
    if (kinds.length === 0) return { id, title, state: 'unreadable', found: 'unreadable', note: 'the kernel does not tell it here' };
    const fair = kinds.every((kind) => ['fq', 'fq_codel', 'cake', 'fq_pie', 'sfq'].includes(kind));
    const note = fair
      ? 'flows take turns, so that a call does not wait behind a transfer'
      : 'flows do not take turns: where this host fills its own link, small packets wait behind large transfers';
    return { id, title, state: fair ? 'good' : 'info', found: kinds.join(', '), note };
  });
}

function meantLinks(
  view: HostView,
  id: string,
  title: string,
): readonly { id: string; title: string; link: HostView['links'][number] | undefined }[] {
  const names = view.interfaces ?? view.uplinks;
  return names.map((name) => ({
    id: names.length === 1 ? id : `${id}:${name}`,
    title: `${title} of ${name}`,
    link: view.links.find((link) => link.name === name),
  }));
}

async function resolver(view: HostView): Promise<TuneCheck> {
  const [id, title] = ['resolver', 'Name servers'];
  const [servers, conf] = await Promise.all([view.ports.facts.resolvers(), view.ports.files.readText('/etc/resolv.conf').catch(() => undefined)]);
  if (servers.length === 0) return { id, title, state: 'off', found: 'none', note: 'no name server is set, so names cannot be looked up' };
  const local = /^nameserver\s+(?:127\.|::1)/m.test(conf ?? '');
  const note =
    local || view.platform === 'macos'
      ? 'asked through a resolver on this host, which can keep answers; how fast they answer, `tautline measure dns` tells'
      : 'every look-up goes over the network: a resolver on this host (systemd-resolved, unbound) would keep answers. `tautline measure dns` tells what that is worth';
  return { id, title, state: local || view.platform === 'macos' ? 'good' : 'info', found: servers.join(', '), note };
}

/** Buffers that bound a connection on ordinary paths; and the sizes that the low-latency guide's profiles give them. */
const SMALL_BYTES = 1 << 20;
const GUIDE: Readonly<Record<string, string>> = { 4096: 'aggressive', 16384: 'moderate', 65536: 'conservative' };

async function buffers(view: HostView): Promise<TuneCheck> {
  const [id, title] = ['buffers', 'Socket buffers'];
  const tcp = await view.ports.facts.tcpSettings();
  const asked = view.platform === 'linux' ? await read(view, '/proc/sys/net/core/rmem_default') : undefined;
  const named = Object.entries({
    'TCP receive': tcp.receiveBytes?.[2],
    'TCP send': tcp.sendBytes?.[2],
    'receive asked for': tcp.receiveBytesAsked,
    'send asked for': tcp.sendBytesAsked,
  }).flatMap(([what, bytes]) => (bytes === undefined ? [] : [{ what, bytes }]));
  if (named.length === 0) return { id, title, state: 'unreadable', found: 'unreadable', note: 'the kernel does not tell them here' };
  const found = named.map(({ what, bytes }) => `${what} up to ${formatBytes(bytes)}`).join(', ');
  const least = Math.min(...named.filter(({ what }) => what.startsWith('TCP')).map(({ bytes }) => bytes));
  const guide = asked !== undefined && 'text' in asked ? GUIDE[asked.text] : undefined;
  const looks = guide === undefined ? '' : `; ${(asked as { text: string }).text} bytes are what the low-latency guide's ${guide} profile sets`;
  if (!Number.isFinite(least)) return { id, title, state: 'info', found, note: `TCP's own are not told here${looks}` };
  const bound = `the smaller bounds a connection to ${formatRate((least * 8) / 0.02)} at 20 ms of round trip, ${formatRate((least * 8) / 0.1)} at 100 ms`;
  return { id, title, state: least < SMALL_BYTES ? 'off' : 'good', found, note: `${bound}${looks}` };
}

async function tcpSettings(view: HostView): Promise<TuneCheck> {
  const [id, title] = ['tcp-settings', 'TCP settings'];
  const tcp = await view.ports.facts.tcpSettings();
  const shown: readonly (readonly [string, string | undefined])[] = [
    ['congestion control', tcp.congestion],
    ['window scaling', onOff(tcp.windowScaling)],
    ['timestamps', onOff(tcp.timestamps)],
    ['SACK', onOff(tcp.sack)],
    ['MTU probing', tcp.mtuProbing === undefined ? undefined : String(tcp.mtuProbing)],
    ['slow start after idle', onOff(tcp.slowStartAfterIdle)],
  ];
  const found = shown.flatMap(([what, value]) => (value === undefined ? [] : [`${what} ${value}`])).join(', ');
  if (found === '') return { id, title, state: 'unreadable', found: 'unreadable', note: 'the kernel does not tell them here' };
  const broken = brokenOf(tcp);
  return {
    id,
    title,
    state: broken.length === 0 ? 'good' : 'off',
    found,
    note: broken.length === 0 ? 'nothing that every kernel has on is turned off' : broken.join('; '),
  };
}

function brokenOf({ windowScaling, timestamps, sack: selective }: TcpSettings): string[] {
  return [
    ...(windowScaling === false ? ['without window scaling no window exceeds 64 KB: 26 Mbit/s at 20 ms'] : []),
    ...(timestamps === false
      ? ['without timestamps round trips are measured less often, and fast paths lose their protection against old segments']
      : []),
    ...(selective === false ? ['without SACK each lost segment costs a round trip'] : []),
  ];
}

function onOff(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : value ? 'on' : 'off';
}
