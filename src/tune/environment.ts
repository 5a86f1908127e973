import type { HostIdentity } from '../base/index.js';
import { quietFiles } from './others/quiet-files.js';
import type { QuietFiles } from './others/quiet-files.js';
import type { TunePorts } from './ports.js';
import { CLOUD_NAMES, DMI_FILES, HYPERVISORS, PROVIDERS, hetznerTypes, matches } from './providers.js';
import type { Dmi } from './providers.js';
import type { EnvironmentFacts, Platform } from './setting.js';

export function platformOf(identity: Pick<HostIdentity, 'os'>): Platform {
  return /^(?:macos|mac os|darwin)/i.test(identity.os) ? 'macos' : 'linux';
}

/** What kind of host this is, from files alone: no program is started and nothing needs root. */
export async function readEnvironment(ports: TunePorts): Promise<EnvironmentFacts> {
  const identity = await ports.facts.identity();
  return platformOf(identity) === 'macos' ? macos(identity) : await linux(ports, identity);
}

function macos({ cpuModel, os }: HostIdentity): EnvironmentFacts {
  // Apple's hypervisor names its processors so (`Apple M2 Pro (Virtual)`).
  const virtual = /virtual/i.test(cpuModel);
  return {
    kind: virtual ? 'vm' : 'metal',
    ...(virtual ? { virtualization: 'apple' } : {}),
    init: 'launchd',
    evidence: [os.startsWith('macOS') ? os : `macOS (${os})`, virtual ? `its processor calls itself virtual: ${cpuModel}` : `processor ${cpuModel}`],
  };
}

interface Told {
  readonly is: string;
  readonly evidence: string;
}

async function linux(ports: TunePorts, identity: HostIdentity): Promise<EnvironmentFacts> {
  const files = quietFiles(ports);
  const kernel = (path: string): Promise<string | undefined> => ports.control.readValue(path).catch(() => undefined);
  const [dmi, marked, cloud, systemd, first] = await Promise.all([
    readDmi(kernel),
    findContainer(files, kernel),
    readCloud(files),
    files.isFolder('/run/systemd/system'),
    kernel('/proc/1/comm'),
  ]);
  const container = marked && 'is' in marked ? marked : undefined;
  const virtual = await findHypervisor(dmi, kernel);
  const metalOfProvider = dmi.product_name?.includes('.metal') === true;
  const installed = container || virtual ? undefined : await hetznerInstalled(files);
  const provider = findProvider(dmi, { cloud, installed, virtual: virtual !== undefined });
  const product = provider && productOf(provider.is, { dmi, cloud, identity });
  const init = systemd || first === 'systemd' ? 'systemd' : 'other';
  const initEvidence = systemd
    ? '/run/systemd/system is there: systemd started this system'
    : init === 'systemd'
      ? 'process 1 is systemd'
      : `process 1 is ${first ?? 'unknown'}, not systemd`;
  const evidence = [
    ...(marked ? [marked.evidence] : []),
    ...(virtual ? [virtual.evidence] : container ? [] : [metalEvidence(dmi, metalOfProvider)]),
    ...(provider ? [provider.evidence] : []),
    ...(product ? [product.evidence] : []),
    initEvidence,
  ];
  // That there is a hypervisor is known more often than which.
  const virtualization = container?.is ?? (virtual?.is === 'unknown' ? undefined : virtual?.is);
  return {
    kind: container ? 'container' : virtual ? 'vm' : 'metal',
    ...(virtualization === undefined ? {} : { virtualization }),
    ...(provider ? { provider: provider.is } : {}),
    ...(product ? { product: product.is } : {}),
    ...(cloud?.region === undefined ? {} : { region: cloud.region }),
    init,
    evidence,
  };
}

type Kernel = (path: string) => Promise<string | undefined>;

async function readDmi(kernel: Kernel): Promise<Dmi> {
  const texts = await Promise.all(DMI_FILES.map((file) => kernel(`/sys/class/dmi/id/${file}`)));
  return Object.fromEntries(DMI_FILES.flatMap((file, i) => (texts[i]?.trim() ? [[file, texts[i].trim()]] : [])));
}

/** Marks of containers, the surest first. A privileged container sees the host's own firmware, so this goes before virtual machines. */
async function findContainer(files: QuietFiles, kernel: Kernel): Promise<Told | Pick<Told, 'evidence'> | undefined> {
  const [containerenv, dockerenv, told, environ, cgroup, kubernetes, lxd, wsl, second, mounts] = await Promise.all([
    files.text('/run/.containerenv'),
    files.exists('/.dockerenv'),
    files.text('/run/systemd/container'),
    kernel('/proc/1/environ'),
    kernel('/proc/1/cgroup'),
    files.exists('/run/secrets/kubernetes.io/serviceaccount'),
    files.exists('/dev/lxd/sock'),
    kernel('/proc/sys/kernel/osrelease'),
    kernel('/proc/2/comm'),
    kernel('/proc/self/mountinfo'),
  ]);
  const engine = /^engine="?([a-z]+)/m.exec(containerenv ?? '')?.[1];
  if (containerenv !== undefined) return { is: engine ?? 'podman', evidence: `/run/.containerenv is there: a container of ${engine ?? 'podman'}` };
  const group = /\/(docker|kubepods|lxc|libpod|garden|machine-nspawn)[-/.]/.exec(cgroup ?? '')?.[1];
  if (kubernetes) return { is: 'kubernetes', evidence: "a service account of Kubernetes is mounted: a pod's container" };
  const device = second?.trim() === 'kthreadd' ? rootDevice(mounts ?? '') : undefined;
  if (dockerenv && device === undefined) return { is: 'docker', evidence: '/.dockerenv is there: a container of Docker' };
  const variable = /(?:^|\0)container=([^\0]*)/.exec(environ ?? '')?.[1];
  const named = told?.trim() || variable;
  if (named !== undefined && named !== '') {
    if (named === 'wsl' || /microsoft/i.test(wsl ?? '')) return undefined;
    const where = told?.trim() ? '/run/systemd/container' : "process 1's environment";
    return { is: named, evidence: `${where} says container=${named}` };
  }
  if (lxd) return { is: 'lxc', evidence: '/dev/lxd/sock is there: a container of LXD' };
  if (group !== undefined) return { is: group === 'libpod' ? 'podman' : group, evidence: `process 1 is in a control group of ${group}` };
  if (!dockerenv) return undefined;
  return {
    evidence: `/.dockerenv is there, but so are the kernel's threads, and / is all of ${device ?? 'a disk'}: a machine made of a container's image`,
  };
}

/**
 * The disk that is mounted whole at /, as on machines (small virtual ones too, whose disk was made of a container's image
 * and has its mark). Containers have an overlay there, or a folder or subvolume of their host's disk.
 */
function rootDevice(mountinfo: string): string | undefined {
  const root = mountinfo.split('\n').findLast((line) => line.split(' ')[4] === '/');
  const [before = '', after = ''] = root?.split(' - ') ?? [];
  const [, source = ''] = after.split(' ');
  return before.split(' ')[3] === '/' && source.startsWith('/dev/') && !/docker|container|pool/.test(source) ? source : undefined;
}

async function findHypervisor(dmi: Dmi, kernel: Kernel): Promise<Told | undefined> {
  const [release, cpuinfo, xen, capabilities, tree] = await Promise.all([
    kernel('/proc/sys/kernel/osrelease'),
    kernel('/proc/cpuinfo'),
    kernel('/sys/hypervisor/type'),
    kernel('/proc/xen/capabilities'),
    kernel('/proc/device-tree/hypervisor/compatible'),
  ]);
  if (/microsoft/i.test(release ?? '')) return { is: 'wsl', evidence: `kernel ${release as string}: the Windows Subsystem for Linux` };
  if (/^vendor_id\s*:\s*User Mode Linux$/m.test(cpuinfo ?? '')) return { is: 'uml', evidence: 'the processor is User Mode Linux' };
  // The first domain of Xen runs on the hypervisor but drives the hardware itself: to us it is metal.
  if (/control_d/.test(capabilities ?? '')) return undefined;
  const known = HYPERVISORS.find(({ marks }) => matches(dmi, marks));
  if (known) return { is: known.virtualization, evidence: `firmware: ${firmware(dmi)}` };
  if (xen?.trim() === 'xen') return { is: 'xen', evidence: '/sys/hypervisor/type says xen' };
  if (tree !== undefined)
    return { is: /kvm/.test(tree) ? 'kvm' : 'unknown', evidence: `the device tree names a hypervisor (${tree.replaceAll('\0', ' ').trim()})` };
  // CPUID leaf 1, ECX bit 31: every hypervisor sets it, no processor does.
  if (/^flags\s*:.*\bhypervisor\b/m.test(cpuinfo ?? '')) {
    const provider = PROVIDERS.find(({ marks }) => matches(dmi, marks));
    return { is: provider === undefined ? 'unknown' : 'kvm', evidence: "the processor's flags say that a hypervisor runs below" };
  }
  // Arm has no such flag, but the providers' virtual machines say what they are.
  const cloud = PROVIDERS.find(({ marks }) => matches(dmi, marks));
  const rented =
    cloud && cloud.provider !== 'hetzner-dedicated' && cloud.provider !== 'oracle-cloud' && dmi.product_name?.includes('.metal') !== true;
  return rented && cpuinfo !== undefined && !/^flags\s*:/m.test(cpuinfo) ? { is: 'kvm', evidence: `firmware: ${firmware(dmi)}` } : undefined;
}

function firmware({ sys_vendor: vendor, product_name: name, product_version: version }: Dmi): string {
  return [vendor, name, version].filter((word) => word !== undefined).join(' ') || 'tells nothing';
}

function metalEvidence(dmi: Dmi, ofProvider: boolean): string {
  if (ofProvider) return `a whole machine: ${firmware(dmi)}`;
  return `no sign of a hypervisor; firmware: ${firmware(dmi)}`;
}

interface Cloud {
  readonly name: string;
  readonly region?: string;
  readonly type?: string;
}

/** What cloud-init wrote down for everybody to read: https://docs.cloud-init.io/en/latest/explanation/instancedata.html */
async function readCloud(files: QuietFiles): Promise<Cloud | undefined> {
  const text = await files.text('/run/cloud-init/instance-data.json');
  if (text === undefined) return undefined;
  const data = parsed(text);
  const name = textAt(data, ['v1', 'cloud_name']) ?? textAt(data, ['v1', 'cloud-name']);
  if (name === undefined) return undefined;
  const region = textAt(data, ['v1', 'region']);
  const type =
    textAt(data, ['ds', 'meta_data', 'instance-type']) ??
    textAt(data, ['ds', 'dynamic', 'instance-identity', 'document', 'instanceType']) ??
    textAt(data, ['ds', 'meta_data', 'imds', 'compute', 'vmSize']) ??
    textAt(data, ['v1', 'instance_type']);
  return { name, ...(region === undefined ? {} : { region }), ...(type === undefined ? {} : { type }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Words of a file that anybody may have written: short ones only. */
function textAt(data: unknown, path: readonly string[]): string | undefined {
  let at = data;
  for (const key of path) at = typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as Record<string, unknown>)[key] : undefined;
  return typeof at === 'string' && /^[\w .:/-]{1,64}$/.test(at) && at !== 'unknown' && at !== 'none' ? at : undefined;
}

/** Hetzner's installer for dedicated servers leaves its configuration behind, and names itself in the sysctl file that it writes. */
async function hetznerInstalled(files: QuietFiles): Promise<string | undefined> {
  if (await files.exists('/installimage.conf')) return '/installimage.conf is there';
  const text = await files.text('/etc/sysctl.d/99-hetzner.conf');
  return text !== undefined && /Hetzner Online GmbH/i.test(text) ? '/etc/sysctl.d/99-hetzner.conf was written by installimage' : undefined;
}

function findProvider(
  dmi: Dmi,
  on: { readonly cloud: Cloud | undefined; readonly installed: string | undefined; readonly virtual: boolean },
): Told | undefined {
  const known = PROVIDERS.find(({ marks }) => matches(dmi, marks));
  if (known) {
    const dedicated = known.provider === 'hetzner-dedicated' && on.virtual;
    return { is: dedicated ? 'hetzner-cloud' : known.provider, evidence: `${known.name}, by its firmware: ${firmware(dmi)}` };
  }
  const named = on.cloud && CLOUD_NAMES[on.cloud.name.toLowerCase()];
  if (on.cloud && named !== undefined) return { is: named, evidence: `cloud-init found the provider ${on.cloud.name}` };
  return on.installed === undefined ? undefined : { is: 'hetzner-dedicated', evidence: `a dedicated server of Hetzner: ${on.installed}` };
}

function productOf(
  provider: string,
  { dmi, cloud, identity }: { readonly dmi: Dmi; readonly cloud: Cloud | undefined; readonly identity: HostIdentity },
): Told | undefined {
  if (provider === 'hetzner-cloud') return hetznerProduct(identity);
  const file = PROVIDERS.find(({ marks }) => matches(dmi, marks))?.product;
  const told = cloud?.type ?? (file && dmi[file]);
  return told === undefined
    ? undefined
    : { is: told, evidence: `machine type ${told}, ${cloud?.type === undefined ? 'by its firmware' : 'by cloud-init'}` };
}

function hetznerProduct(identity: HostIdentity): Told | undefined {
  const found = hetznerTypes(identity);
  if (found.length === 0) return undefined;
  const gib = Math.round(identity.memoryBytes / 2 ** 30);
  const size = `${identity.cpus} processors (${identity.cpuModel}) and ${gib} GiB`;
  return { is: found.join(' or '), evidence: `${size} are a ${found.join(' or ')}` };
}
