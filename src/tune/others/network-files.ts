import type { SettingOwner } from '../setting.js';
import type { Found } from './found.js';
import type { QuietFiles } from './quiet-files.js';

/** Options of systemd.link(5) that set what Tautline sets by ethtool. */
const LINK_OPTIONS =
  /^\s*((?:Receive|Transmit)ChecksumOffload|TCP6?SegmentationOffload|Generic(?:Segmentation|Receive)Offload\w*|LargeReceiveOffload|(?:Rx|Tx)BufferSize|(?:Rx|Tx|Other|Combined)Channels|UseAdaptive[RT]xCoalesce|[RT]xCoalesceSec|RxMaxCoalescedFrames|TxMaxCoalescedFrames)\s*=\s*(\S+)/;
/** netplan's names for the same (it writes .link files of them). */
const NETPLAN_OPTIONS =
  /^\s*((?:receive|transmit)-checksum-offload|tcp6?-segmentation-offload|generic-(?:segmentation|receive)-offload|large-receive-offload)\s*:\s*(\S+)/;
/** The [ethtool] section of NetworkManager's connections. */
const CONNECTION_OPTIONS = /^\s*((?:feature|coalesce|ring|channels)-[a-z0-9-]+)\s*=\s*(\S+)/;
/** ethtool's hooks for ifupdown, and calls of it. */
const IFUPDOWN_OPTIONS =
  /^\s*(offload-[a-z]+|hardware-dma-ring-[a-z]+|hardware-irq-coalesce-[a-z-]+|(?:pre-|post-)?up\s+\S*ethtool\s+-[KCGL]\b)\s*(.*)$/;

/** Which of Tautline's settings an option is about, by its name. */
const SETTINGS: readonly { readonly setting: string; readonly option: RegExp }[] = [
  { setting: 'offloads', option: /offload|^feature-|ethtool\s+-K$/i },
  { setting: 'rings', option: /BufferSize$|ring|ethtool\s+-G$/ },
  { setting: 'coalescing', option: /coalesce|ethtool\s+-C$/i },
  { setting: 'queues', option: /channels|ethtool\s+-L$/i },
];

interface Kind {
  readonly folders: readonly string[];
  readonly ends: string;
  readonly files?: readonly string[];
  readonly options: RegExp;
  readonly advice: string;
}

const KINDS: readonly Kind[] = [
  {
    folders: ['/etc/systemd/network', '/run/systemd/network'],
    ends: '.link',
    options: LINK_OPTIONS,
    advice: 'systemd-udevd sets this once, when the interface appears; what is applied now holds until then, what is kept for the boot runs after it',
  },
  {
    folders: ['/etc/netplan'],
    ends: '.yaml',
    options: NETPLAN_OPTIONS,
    advice: "netplan sets this when the interface appears; change it there ('sudo netplan try') if you mean to keep another value",
  },
  {
    folders: ['/etc/NetworkManager/system-connections'],
    ends: '.nmconnection',
    options: CONNECTION_OPTIONS,
    advice: "NetworkManager sets this each time the connection comes up; change it there ('nmcli connection modify') to keep another value",
  },
  {
    folders: ['/etc/network/interfaces.d'],
    ends: '',
    files: ['/etc/network/interfaces'],
    options: IFUPDOWN_OPTIONS,
    advice: 'ifupdown sets this each time the interface comes up; change it there to keep another value',
  },
];

/** What sets offloads, rings, queues and coalescing of interfaces when they appear, and who writes the network's files. */
export async function findNetworkFiles(files: QuietFiles): Promise<Found[]> {
  const [options, cloudInit, networkManager] = await Promise.all([
    Promise.all(KINDS.map((kind) => optionsIn(files, kind))),
    findCloudInit(files),
    files.isFolder('/run/NetworkManager'),
  ]);
  return [...options.flat(), ...cloudInit, ...(networkManager ? [NETWORK_MANAGER] : [])];
}

const NETWORK_MANAGER: Found = {
  who: 'NetworkManager',
  what: 'sets up interfaces, their MTU, addresses and name servers whenever a connection comes up',
  advice:
    'queue disciplines, offloads and kernel values stay as they are set unless a connection of it names them; name servers are best set in its connections',
};

async function optionsIn(files: QuietFiles, kind: Kind): Promise<Found[]> {
  const listed = await Promise.all(
    kind.folders.map(async (folder) => (await files.list(folder)).filter((name) => name.endsWith(kind.ends)).map((name) => `${folder}/${name}`)),
  );
  const paths = [...listed.flat(), ...(kind.files ?? [])];
  const found = await Promise.all(
    paths.map(async (path): Promise<Found[]> => {
      // Our own files say nothing about anybody else.
      if (/(?:^|[-_/])tautline(?:[-_.]|$)/.test(path)) return [];
      const set: string[] = [];
      const decides = new Map<string, SettingOwner>();
      for (const [at, line] of ((await files.text(path)) ?? '').split('\n').entries()) {
        const [, option, value] = kind.options.exec(line) ?? [];
        if (option === undefined) continue;
        set.push(`${option} ${value as string}`.trim());
        const id = SETTINGS.find((known) => known.option.test(option))?.setting;
        if (id !== undefined && !decides.has(id)) decides.set(id, { who: `${path}:${at + 1}` });
      }
      return set.length === 0 ? [] : [{ who: path, what: `sets ${set.join(', ')}`, advice: kind.advice, decides }];
    }),
  );
  return found.flat();
}

async function findCloudInit(files: QuietFiles): Promise<Found[]> {
  const [netplan, interfaces, names] = await Promise.all([
    files.exists('/etc/netplan/50-cloud-init.yaml'),
    files.exists('/etc/network/interfaces.d/50-cloud-init'),
    files.list('/etc/cloud/cloud.cfg.d'),
  ]);
  const path = netplan ? '/etc/netplan/50-cloud-init.yaml' : interfaces ? '/etc/network/interfaces.d/50-cloud-init' : undefined;
  if (path === undefined) return [];
  const texts = await Promise.all(names.map((name) => files.text(`/etc/cloud/cloud.cfg.d/${name}`)));
  if (texts.some((text) => /^network:\s*(?:\{\s*config:\s*disabled\s*\}|\n\s+config:\s*disabled\b)/m.test(text ?? ''))) return [];
  return [
    {
      who: 'cloud-init',
      what: `writes ${path} anew on the first boot of a new instance, such as one made of this one's snapshot`,
      advice: 'Tautline leaves that file alone; do not keep settings of your own in it',
    },
  ];
}
