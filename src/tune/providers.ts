/** What firmware tells of a machine: files of /sys/class/dmi/id. */
export interface Dmi {
  readonly sys_vendor?: string;
  readonly product_name?: string;
  readonly product_version?: string;
  readonly product_family?: string;
  readonly bios_vendor?: string;
  readonly bios_version?: string;
  readonly board_vendor?: string;
  readonly chassis_asset_tag?: string;
}

export const DMI_FILES = [
  'sys_vendor',
  'product_name',
  'product_version',
  'product_family',
  'bios_vendor',
  'bios_version',
  'board_vendor',
  'chassis_asset_tag',
] as const satisfies readonly (keyof Dmi)[];

/**
 * Providers by what their machines' firmware says (the same marks that cloud-init's ds-identify goes by). The first that
 * fits is taken. `product`: which file names the machine type, where one does.
 */
export const PROVIDERS: readonly {
  readonly provider: string;
  readonly name: string;
  readonly marks: Readonly<Partial<Record<keyof Dmi, RegExp>>>;
  readonly product?: keyof Dmi;
}[] = [
  { provider: 'hetzner-cloud', name: 'Hetzner Cloud', marks: { sys_vendor: /^Hetzner$/, product_name: /^vServer$/ } },
  { provider: 'hetzner-dedicated', name: 'Hetzner', marks: { sys_vendor: /^Hetzner/ }, product: 'product_name' },
  { provider: 'aws', name: 'Amazon EC2', marks: { sys_vendor: /^Amazon EC2$/ }, product: 'product_name' },
  { provider: 'aws', name: 'Amazon EC2', marks: { bios_version: /\.amazon$/ } },
  { provider: 'gcp', name: 'Google Cloud', marks: { product_name: /^Google Compute Engine$/ } },
  { provider: 'azure', name: 'Microsoft Azure', marks: { chassis_asset_tag: /^7783-7084-3265-9085-8269-3286-77$/ } },
  { provider: 'digitalocean', name: 'DigitalOcean', marks: { sys_vendor: /^DigitalOcean$/ } },
  { provider: 'oracle-cloud', name: 'Oracle Cloud', marks: { chassis_asset_tag: /^OracleCloud\.com$/ } },
  { provider: 'scaleway', name: 'Scaleway', marks: { sys_vendor: /^Scaleway$/ }, product: 'product_name' },
  { provider: 'vultr', name: 'Vultr', marks: { sys_vendor: /^Vultr$/ }, product: 'product_name' },
  { provider: 'akamai', name: 'Akamai (Linode)', marks: { sys_vendor: /^(?:Linode|Akamai)$/ } },
  { provider: 'upcloud', name: 'UpCloud', marks: { sys_vendor: /^UpCloud$/ } },
  { provider: 'alibaba', name: 'Alibaba Cloud', marks: { product_name: /^Alibaba Cloud ECS$/ } },
  { provider: 'exoscale', name: 'Exoscale', marks: { product_name: /^Exoscale/ } },
  { provider: 'tencent', name: 'Tencent Cloud', marks: { sys_vendor: /^Tencent Cloud$/ } },
  { provider: 'netcup', name: 'netcup', marks: { sys_vendor: /^netcup$/ } },
  { provider: 'openstack', name: 'an OpenStack cloud', marks: { product_name: /^OpenStack (?:Nova|Compute)$/ } },
];

/** Hypervisors by firmware, as in systemd's src/basic/virt.c and the makers' own names. */
export const HYPERVISORS: readonly { readonly virtualization: string; readonly marks: Readonly<Partial<Record<keyof Dmi, RegExp>>> }[] = [
  { virtualization: 'vmware', marks: { sys_vendor: /^VMware/ } },
  { virtualization: 'virtualbox', marks: { sys_vendor: /^innotek GmbH$/ } },
  { virtualization: 'virtualbox', marks: { product_name: /^VirtualBox$/ } },
  { virtualization: 'hyper-v', marks: { sys_vendor: /^Microsoft Corporation$/, product_name: /^Virtual Machine$/ } },
  { virtualization: 'parallels', marks: { sys_vendor: /^Parallels/ } },
  { virtualization: 'xen', marks: { sys_vendor: /^Xen$/ } },
  { virtualization: 'bhyve', marks: { bios_vendor: /^BHYVE$/ } },
  { virtualization: 'apple', marks: { product_name: /^Apple Virtualization/ } },
  { virtualization: 'kvm', marks: { product_name: /^(?:KVM|RHEV Hypervisor|OpenStack|Standard PC|Google Compute Engine|KubeVirt)/ } },
  { virtualization: 'kvm', marks: { sys_vendor: /^(?:QEMU|KubeVirt)$/ } },
];

/** Names that cloud-init gives to providers (`cloud-id`) where they are not ours. */
export const CLOUD_NAMES: Readonly<Record<string, string>> = {
  hetzner: 'hetzner-cloud',
  aws: 'aws',
  ec2: 'aws',
  gce: 'gcp',
  azure: 'azure',
  digitalocean: 'digitalocean',
  oracle: 'oracle-cloud',
  scaleway: 'scaleway',
  vultr: 'vultr',
  akamai: 'akamai',
  linode: 'akamai',
  upcloud: 'upcloud',
  aliyun: 'alibaba',
  exoscale: 'exoscale',
  openstack: 'openstack',
};

export function matches(dmi: Dmi, marks: Readonly<Partial<Record<keyof Dmi, RegExp>>>): boolean {
  return DMI_FILES.every((file) => marks[file]?.test(dmi[file] ?? '') ?? true);
}

interface ServerType {
  readonly name: string;
  readonly cpus: number;
  readonly memoryGib: number;
}

/** Hetzner Cloud's machines by line: processors and memory. Older generations of a line are there as long as machines run. */
const HETZNER: Readonly<Record<'CX' | 'CPX' | 'CCX' | 'CAX', readonly ServerType[]>> = {
  CX: types('CX22 2 4, CX32 4 8, CX42 8 16, CX52 16 32, CX23 2 4, CX33 4 8, CX43 8 16, CX53 16 32'),
  CPX: types('CPX11 2 2, CPX21 3 4, CPX31 4 8, CPX41 8 16, CPX51 16 32, CPX12 1 2, CPX22 2 4, CPX32 4 8, CPX42 8 16, CPX52 12 24, CPX62 16 32'),
  CCX: types('CCX13 2 8, CCX23 4 16, CCX33 8 32, CCX43 16 64, CCX53 32 128, CCX63 48 192'),
  CAX: types('CAX11 2 4, CAX21 4 8, CAX31 8 16, CAX41 16 32'),
};

export type HetznerLine = keyof typeof HETZNER;

/**
 * Which Hetzner Cloud machines have this many processors and this much memory. The metadata does not tell the type; Arm is
 * CAX, four GiB a processor is CCX, and Intel is CX. AMD with two GiB a processor may be CPX or a newer CX.
 */
export function hetznerTypes(host: {
  readonly arch: string;
  readonly cpuModel: string;
  readonly cpus: number;
  readonly memoryBytes: number;
}): string[] {
  const lines: readonly HetznerLine[] = /^(?:arm64|aarch64)$/.test(host.arch)
    ? ['CAX']
    : /intel/i.test(host.cpuModel)
      ? ['CX', 'CCX']
      : ['CPX', 'CX', 'CCX'];
  return lines.flatMap((line) =>
    HETZNER[line].filter((type) => type.cpus === host.cpus && isMemory(host.memoryBytes, type.memoryGib)).map(({ name }) => name),
  );
}

/** The kernel keeps some for itself before it says what there is: 3.7 of 4 GiB. */
function isMemory(bytes: number, gib: number): boolean {
  const share = bytes / (gib * 2 ** 30);
  return share > 0.85 && share <= 1.02;
}

function types(text: string): readonly ServerType[] {
  return text.split(', ').map((each) => {
    const [name = '', cpus, memoryGib] = each.split(' ');
    return { name, cpus: Number(cpus), memoryGib: Number(memoryGib) };
  });
}
