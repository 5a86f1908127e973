import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HostIdentity } from '../../src/base/index.js';
import { adviceFor, adviseProfile, readEnvironment } from '../../src/tune/index.js';
import type { EnvironmentFacts } from '../../src/tune/index.js';
import { dmi, givenHost } from './given-host.js';

const HYPERVISOR = 'processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu vme hypervisor lahf_lm\n';
const PLAIN = 'processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu vme lahf_lm\n';
const SYSTEMD = { '/run/systemd/system/.keep': '' };
const GIB = 2 ** 30;

function read(spec: {
  readonly files?: Readonly<Record<string, string>>;
  readonly kernel?: Readonly<Record<string, string>>;
  readonly identity?: Partial<HostIdentity>;
}): Promise<EnvironmentFacts> {
  return readEnvironment(givenHost(spec).ports);
}

const hetzner = { ...dmi({ sys_vendor: 'Hetzner', product_name: 'vServer', product_version: '20171111', product_family: 'Hetzner_vServer' }) };

describe('what kind of host this is', () => {
  test('a server of Hetzner Cloud is known by its firmware, its type by processors and memory', async () => {
    const found = await read({
      kernel: { ...hetzner, '/proc/cpuinfo': HYPERVISOR, '/proc/1/comm': 'systemd' },
      files: { ...SYSTEMD, '/run/cloud-init/instance-data.json': JSON.stringify({ v1: { cloud_name: 'hetzner', region: 'eu-central' } }) },
      identity: { cpus: 3, cpuModel: 'AMD EPYC Processor', memoryBytes: 3.73 * GIB },
    });
    assert.deepEqual(found, {
      kind: 'vm',
      virtualization: 'kvm',
      provider: 'hetzner-cloud',
      product: 'CPX21',
      region: 'eu-central',
      init: 'systemd',
      evidence: [
        "the processor's flags say that a hypervisor runs below",
        'Hetzner Cloud, by its firmware: Hetzner vServer 20171111',
        '3 processors (AMD EPYC Processor) and 4 GiB are a CPX21',
        '/run/systemd/system is there: systemd started this system',
      ],
    });
  });

  for (const [identity, product, profile] of [
    [{ cpus: 2, cpuModel: 'Intel Xeon Processor (Skylake, IBRS, no TSX)', memoryBytes: 3.73 * GIB }, 'CX22 or CX23', 'moderate'],
    [{ cpus: 4, cpuModel: 'AMD EPYC-Rome Processor', memoryBytes: 7.57 * GIB }, 'CPX31 or CPX32 or CX32 or CX33', 'moderate'],
    [{ cpus: 8, cpuModel: 'AMD EPYC-Milan Processor', memoryBytes: 30.6 * GIB }, 'CCX33', 'moderate'],
    [{ cpus: 4, cpuModel: 'unknown', arch: 'arm64', memoryBytes: 7.5 * GIB }, 'CAX21', 'moderate'],
    [{ cpus: 5, cpuModel: 'AMD EPYC-Milan Processor', memoryBytes: 30.6 * GIB }, undefined, 'moderate'],
  ] as const) {
    test(`${identity.cpus} processors (${identity.cpuModel}) of Hetzner Cloud are ${product ?? 'no type that is known'}: ${profile}`, async () => {
      const found = await read({ kernel: { ...hetzner, '/proc/cpuinfo': HYPERVISOR }, identity });
      assert.equal(found.provider, 'hetzner-cloud');
      assert.equal(found.product, product);
      assert.equal(adviseProfile(found).profile, profile);
    });
  }

  test('an Arm server of Hetzner Cloud is a virtual machine though its processor has no flag for it', async () => {
    const found = await read({ kernel: { ...hetzner, '/proc/cpuinfo': 'processor\t: 0\nFeatures\t: fp asimd\n' }, identity: { arch: 'arm64' } });
    assert.deepEqual([found.kind, found.virtualization], ['vm', 'kvm']);
  });

  test('a dedicated server of Hetzner is metal, known by what its installer left', async () => {
    const kernel = { ...dmi({ sys_vendor: 'ASUS', product_name: 'System Product Name', board_vendor: 'ASUSTeK' }), '/proc/cpuinfo': PLAIN };
    const file = '### Hetzner Online GmbH installimage\n# sysctl config\nvm.swappiness=0\n';
    const found = await read({ kernel, files: { ...SYSTEMD, '/etc/sysctl.d/99-hetzner.conf': file } });
    assert.deepEqual([found.kind, found.provider, found.virtualization], ['metal', 'hetzner-dedicated', undefined]);
    assert.ok(found.evidence.includes('a dedicated server of Hetzner: /etc/sysctl.d/99-hetzner.conf was written by installimage'));
    assert.match(adviseProfile(found).why, /^a dedicated server: .* tune try aggressive/);
    // The same file on somebody's own server says nothing where they wrote it themselves.
    assert.equal((await read({ kernel, files: { '/etc/sysctl.d/99-hetzner.conf': 'vm.swappiness=1\n' } })).provider, undefined);
  });

  test('Amazon, Google, Microsoft, DigitalOcean and Oracle are told apart, and a whole machine of Amazon is metal', async () => {
    const guest = { '/proc/cpuinfo': HYPERVISOR };
    const cases = [
      [{ ...dmi({ sys_vendor: 'Amazon EC2', product_name: 'c6i.large', bios_vendor: 'Amazon EC2' }), ...guest }, 'vm', 'kvm', 'aws', 'c6i.large'],
      [{ ...dmi({ sys_vendor: 'Amazon EC2', product_name: 'c5.metal' }), '/proc/cpuinfo': PLAIN }, 'metal', undefined, 'aws', 'c5.metal'],
      [{ ...dmi({ sys_vendor: 'Xen', product_name: 'HVM domU', bios_version: '4.11.amazon' }), ...guest }, 'vm', 'xen', 'aws', undefined],
      [{ ...dmi({ sys_vendor: 'Google', product_name: 'Google Compute Engine' }), ...guest }, 'vm', 'kvm', 'gcp', undefined],
      [
        {
          ...dmi({ sys_vendor: 'Microsoft Corporation', product_name: 'Virtual Machine', chassis_asset_tag: '7783-7084-3265-9085-8269-3286-77' }),
          ...guest,
        },
        'vm',
        'hyper-v',
        'azure',
        undefined,
      ],
      [{ ...dmi({ sys_vendor: 'Microsoft Corporation', product_name: 'Virtual Machine' }), ...guest }, 'vm', 'hyper-v', undefined, undefined],
      [{ ...dmi({ sys_vendor: 'DigitalOcean', product_name: 'Droplet' }), ...guest }, 'vm', 'kvm', 'digitalocean', undefined],
      [
        { ...dmi({ sys_vendor: 'QEMU', product_name: 'Standard PC (i440FX + PIIX, 1996)', chassis_asset_tag: 'OracleCloud.com' }), ...guest },
        'vm',
        'kvm',
        'oracle-cloud',
        undefined,
      ],
    ] as const;
    for (const [kernel, kind, virtualization, provider, product] of cases) {
      const found = await read({ kernel });
      assert.deepEqual([found.kind, found.virtualization, found.provider, found.product], [kind, virtualization, provider, product]);
    }
  });

  test('hypervisors without a provider: VMware, VirtualBox, QEMU, Xen, Parallels, user-mode Linux, and one that says nothing', async () => {
    const cases: [Record<string, string>, string | undefined][] = [
      [dmi({ sys_vendor: 'VMware, Inc.', product_name: 'VMware Virtual Platform' }), 'vmware'],
      [dmi({ sys_vendor: 'innotek GmbH', product_name: 'VirtualBox' }), 'virtualbox'],
      [dmi({ sys_vendor: 'QEMU', product_name: 'Standard PC (Q35 + ICH9, 2009)' }), 'kvm'],
      [{ ...dmi({ sys_vendor: 'Xen', product_name: 'HVM domU' }) }, 'xen'],
      [dmi({ sys_vendor: 'Parallels International GmbH.', product_name: 'Parallels Virtual Platform' }), 'parallels'],
      [{ '/proc/cpuinfo': 'processor\t: 0\nvendor_id\t: User Mode Linux\n' }, 'uml'],
      [{ '/proc/cpuinfo': HYPERVISOR }, undefined],
      [{ '/proc/sys/kernel/osrelease': '5.15.153.1-microsoft-standard-WSL2' }, 'wsl'],
    ];
    for (const [kernel, virtualization] of cases) {
      const found = await read({ kernel });
      assert.deepEqual([found.kind, found.virtualization], ['vm', virtualization]);
    }
  });

  test('metal is what shows no sign of a hypervisor; the first domain of Xen drives the hardware itself', async () => {
    const dell = { ...dmi({ sys_vendor: 'Dell Inc.', product_name: 'PowerEdge R640' }), '/proc/cpuinfo': PLAIN, '/proc/1/comm': 'init' };
    const found = await read({ kernel: dell });
    assert.deepEqual(found, {
      kind: 'metal',
      init: 'other',
      evidence: ['no sign of a hypervisor; firmware: Dell Inc. PowerEdge R640', 'process 1 is init, not systemd'],
    });
    const first = { ...dell, '/proc/cpuinfo': HYPERVISOR, '/sys/hypervisor/type': 'xen', '/proc/xen/capabilities': 'control_d' };
    assert.equal((await read({ kernel: first })).kind, 'metal');
  });

  test('containers are known by the marks of each engine, also on a machine whose firmware names a provider', async () => {
    const cases: [Parameters<typeof read>[0], string][] = [
      [{ files: { '/.dockerenv': '' } }, 'docker'],
      [{ files: { '/run/.containerenv': 'engine="podman-4.3.1"\nname="web"\n' } }, 'podman'],
      [{ files: { '/run/systemd/container': 'systemd-nspawn\n' } }, 'systemd-nspawn'],
      [{ kernel: { '/proc/1/environ': 'TERM=linux\0container=lxc\0' } }, 'lxc'],
      [{ kernel: { '/proc/1/cgroup': '0::/system.slice/docker-0123456789ab.scope' } }, 'docker'],
      [{ kernel: { '/proc/1/cgroup': '12:cpu:/kubepods/besteffort/pod1/0123' } }, 'kubepods'],
      [{ files: { '/.dockerenv': '', '/run/secrets/kubernetes.io/serviceaccount/token': 'x' } }, 'kubernetes'],
    ];
    for (const [spec, engine] of cases) {
      const found = await read({ ...spec, kernel: { ...hetzner, '/proc/cpuinfo': HYPERVISOR, ...spec.kernel } });
      assert.deepEqual([found.kind, found.virtualization, found.provider], ['container', engine, 'hetzner-cloud']);
      const { profile, why } = adviseProfile(found);
      assert.equal(profile, 'conservative');
      assert.match(why, /container/);
    }
    const host = await read({ kernel: { '/proc/1/cgroup': '0::/init.scope', '/proc/cpuinfo': PLAIN } });
    assert.equal(host.kind, 'metal');
  });

  test("a small virtual machine whose disk was made of a container's image is no container", async () => {
    const disk = '22 27 0:21 / /proc rw - proc proc rw\n27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n';
    const files = { '/.dockerenv': '' };
    const machine = { '/proc/cpuinfo': HYPERVISOR, '/proc/2/comm': 'kthreadd', '/proc/self/mountinfo': disk };
    const found = await read({ files, kernel: machine });
    assert.deepEqual([found.kind, found.virtualization], ['vm', undefined]);
    assert.equal(
      found.evidence[0],
      "/.dockerenv is there, but so are the kernel's threads, and / is all of /dev/vda: a machine made of a container's image",
    );
    const kind = async (kernel: Record<string, string>): Promise<string> => (await read({ files, kernel: { ...machine, ...kernel } })).kind;
    const overlay = '513 411 0:52 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/AB\n';
    assert.equal(await kind({ '/proc/self/mountinfo': overlay }), 'container', 'one that shares the process numbers of its host');
    assert.equal(await kind({ '/proc/2/comm': 'sh' }), 'container');
    const subvolume = '90 80 0:40 /docker/btrfs/subvolumes/ab / rw - btrfs /dev/sda2 rw\n';
    assert.equal(await kind({ '/proc/self/mountinfo': subvolume }), 'container');
  });

  test('a Mac is metal with launchd, and Apple says of its virtual ones that they are', async () => {
    const mac = await read({ identity: { os: 'macOS', cpuModel: 'Apple M3 Ultra', arch: 'arm64' } });
    assert.deepEqual([mac.kind, mac.init, mac.virtualization], ['metal', 'launchd', undefined]);
    const guest = await read({ identity: { os: 'macOS', cpuModel: 'Apple M2 Pro (Virtual)' } });
    assert.deepEqual([guest.kind, guest.virtualization], ['vm', 'apple']);
    assert.equal(adviseProfile(mac).profile, 'moderate');
  });

  test('files that are nonsense or may not be read make no difference', async () => {
    const { ports, files } = givenHost({ files: { '/run/cloud-init/instance-data.json': '{"v1": [', '/.dockerenv': '' }, kernel: hetzner });
    files.break('/run', 'read', 'permission');
    const found = await readEnvironment(ports);
    assert.deepEqual([found.kind, found.provider, found.region], ['container', 'hetzner-cloud', undefined]);
    const odd = await read({ files: { '/run/cloud-init/instance-data.json': '{"v1": {"cloud_name": "\\u001b[2Jhetzner", "region": 7}}' } });
    assert.deepEqual([odd.provider, odd.region], [undefined, undefined]);
  });
});

describe('advice for kinds of hosts', () => {
  const texts = (environment: Partial<EnvironmentFacts>): string =>
    adviceFor({ kind: 'vm', init: 'systemd', evidence: [], ...environment })
      .map(({ text }) => text)
      .join('\n');

  test('Hetzner Cloud: lines, location, the firewall outside and the MTU of private networks', () => {
    const text = texts({ provider: 'hetzner-cloud', product: 'CX32' });
    for (const part of [/CCX has processors of its own/, /across the Atlantic/, /does not filter private networks/, /MTU of 1450/])
      assert.match(text, part);
    assert.doesNotMatch(texts({ provider: 'aws' }), /Hetzner/);
  });

  test('what belongs to the hypervisor is said for every virtual machine and for no other host', () => {
    assert.match(texts({}), /hypervisor's here/);
    assert.doesNotMatch(texts({ kind: 'metal' }), /hypervisor/);
    assert.match(texts({ kind: 'container' }), /Tune the host/);
  });

  test('a container is advised conservative, everything else moderate: aggressive is for those who tried it', () => {
    assert.equal(adviseProfile({ kind: 'container', init: 'other', evidence: [] }).profile, 'conservative');
    assert.equal(adviseProfile({ kind: 'metal', provider: 'hetzner-dedicated', init: 'systemd', evidence: [] }).profile, 'moderate');
    assert.equal(adviseProfile({ kind: 'vm', init: 'systemd', evidence: [] }).profile, 'moderate');
    assert.equal(adviseProfile({ kind: 'vm', provider: 'hetzner-cloud', product: 'CPX11', init: 'systemd', evidence: [] }).profile, 'moderate');
  });
});
