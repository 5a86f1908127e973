import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { access, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { installed, mustRun, run } from '../../lab/processes.js';
import { ROOT } from '../../lab/tautline.js';
import { archiveFile, archiveFolder, cpioArchive } from './cpio.js';

/** One boot of a machine, from power on until the job has turned it off or it was reset. */
export interface Boot {
  /** How the job ended; undefined when it did not come to its end (a reset, or the time was over). */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
  /** What the job left in its folder. @throws with all that the job said, when it is not there */
  file(name: string): string;
}

export interface Machine {
  /** Runs a bash script as root inside, with `bash -e`, in its folder. The disk keeps what was written from boot to boot. */
  boot(script: string, options?: BootOptions): Promise<Boot>;
}

export interface BootOptions {
  /** Starts the machine's own systemd, with systemd-networkd, and the script after multi-user.target. */
  readonly systemd?: boolean;
  readonly timeoutMs?: number;
  /** The script resets the machine before its end. */
  readonly reset?: boolean;
}

const KERNEL =
  process.env['TAUTLINE_GUEST_KERNEL'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tautline-ci', 'guest-kernel');
/** Debian 12 and later ones. */
const VIRTIOFSD = ['/usr/lib/qemu/virtiofsd', '/usr/libexec/virtiofsd'].find((path) => existsSync(path));
const MODULES = ['virtio_pci', 'virtio_blk', 'virtio_net', 'virtiofs', 'overlay', 'ext4'];
const HERE = join(ROOT, 'test', 'real', 'qemu');
const MEMORY = '1024M';
const PROCESSORS = 3;
const QUEUES = 2;
const DISK_BYTES = 256 * 2 ** 20;
const TIMEOUT_MS = 150_000;

/** Why a whole machine cannot be emulated here, or undefined when it can. */
export async function whyNoMachine(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  if (!(await installed('qemu-system-x86_64'))) return 'qemu-system-x86_64 is missing (package qemu-system-x86)';
  if (VIRTIOFSD === undefined) return 'virtiofsd is missing (package qemu-system-common, later virtiofsd)';
  for (const [program, name] of [
    ['busybox', 'busybox-static'],
    ['modprobe', 'kmod'],
    ['mke2fs', 'e2fsprogs'],
    ['unshare', 'util-linux'],
    ['ip', 'iproute2'],
  ] as const) {
    if (!(await installed(program))) return `${program} is missing (package ${name})`;
  }
  if (!existsSync('/dev/net/tun')) return '/dev/net/tun is missing, so there is no card to emulate';
  if (!existsSync(join(KERNEL, 'release'))) return `the kernel is missing: .ci/guest-kernel unpacks it into ${KERNEL}`;
  return undefined;
}

/**
 * Emulates a machine with Debian's cloud kernel: three processors and a virtio card of two queues, on a read-only view of this
 * machine's root below a small disk of its own, which is empty at first. In software, so JavaScript is about eight times slower
 * inside. Everything is gone at the end, also when the work fails.
 */
export async function withMachine<T>(work: (machine: Machine) => Promise<T>): Promise<T> {
  const job = await mkdtemp(join(tmpdir(), 'tautline-qemu-'));
  try {
    const release = (await readFile(join(KERNEL, 'release'), 'utf8')).trim();
    await mustRun(['mke2fs', '-q', '-t', 'ext4', '-E', 'lazy_itable_init=0', join(job, 'disk'), `${DISK_BYTES / 1024}k`]);
    await writeFile(join(job, 'initramfs'), await initramfs(release));
    return await work({ boot: (script, options = {}) => bootOnce({ job, release }, script, options) });
  } finally {
    await rm(job, { recursive: true, force: true });
  }
}

interface Parts {
  readonly job: string;
  readonly release: string;
}

async function bootOnce({ job, release }: Parts, script: string, options: BootOptions): Promise<Boot> {
  const shared = join(job, 'shared');
  await rm(shared, { recursive: true, force: true });
  await mkdir(shared);
  for (const name of ['init.sh', 'job-once.sh', 'units.sh']) await copyFile(join(HERE, name), join(shared, name));
  await mustRun(['chmod', '755', join(shared, 'init.sh')]);
  await writeFile(join(shared, 'job.sh'), script);
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const kernelLine = [
    'console=ttyS0 quiet panic=-1 reboot=t net.ifnames=0',
    `tautline_kernel=${KERNEL} tautline_init=${options.systemd === true ? 'systemd systemd.show_status=false' : 'job'}`,
  ];
  const parts = [
    `-machine q35,accel=tcg -cpu max -smp ${PROCESSORS} -m ${MEMORY} -nodefaults -no-user-config -display none -no-reboot`,
    `-object memory-backend-memfd,id=memory,size=${MEMORY},share=on -numa node,memdev=memory`,
    '-chardev socket,id=outer,path=outer.socket -device vhost-user-fs-pci,chardev=outer,tag=outer',
    '-chardev socket,id=job,path=job.socket -device vhost-user-fs-pci,chardev=job,tag=job',
    '-serial file:console -initrd initramfs -drive file=disk,format=raw,if=virtio',
    `-netdev tap,id=card,ifname=lab0,script=no,downscript=no,queues=${QUEUES}`,
    `-device virtio-net-pci,netdev=card,mq=on,vectors=${2 * QUEUES + 2},rx_queue_size=1024`,
  ];
  const kernel = ['-kernel', join(KERNEL, 'boot', `vmlinuz-${release}`), '-append', kernelLine.join(' ')];
  const qemu = [...parts.flatMap((part) => part.split(' ')), ...kernel];
  // Ends with this process, however that ends.
  const isolated = 'setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private'.split(' ');
  const seconds = String(Math.ceil(timeoutMs / 1000));
  const ended = await run([...isolated, 'sh', join(HERE, 'machine.sh'), job, VIRTIOFSD ?? '', seconds, ...qemu], { timeoutMs: timeoutMs + 10_000 });
  const files = new Map(
    readdirSync(shared, { withFileTypes: true }).flatMap((entry) =>
      entry.isFile() ? [[entry.name, readFileSync(join(shared, entry.name), 'utf8')]] : [],
    ),
  );
  const console = readFileSync(join(job, 'console'), 'utf8');
  const stdout = files.get('stdout') ?? '';
  const stderr = files.get('stderr') ?? '';
  const number = Number.parseInt(files.get('code') ?? '', 10);
  const code = Number.isNaN(number) ? undefined : number;
  const said = [
    `it ended with ${code ?? 'nothing'}; qemu: ${ended.signal ?? ended.code} ${ended.stderr}`,
    ...[stdout, stderr, files.get('said') ?? '', console].map((text) => text.slice(-2000)),
  ].join('\n');
  if ((code === undefined) !== (options.reset === true)) throw new Error(`the job of the emulated machine did not end as it should: ${said}`);
  return {
    code,
    stdout,
    stderr,
    elapsedMs: ended.elapsedMs,
    file: (name) => {
      const text = files.get(name);
      if (text === undefined) throw new Error(`the job left no ${name}: ${said}`);
      return text;
    },
  };
}

/** What the kernel starts from: busybox, the modules that lead to the disk and to the outer root, and the script that mounts both. */
async function initramfs(release: string): Promise<Buffer> {
  const shown = await Promise.all(MODULES.map((name) => run(['modprobe', '-d', KERNEL, '-S', release, '--show-depends', name])));
  // What is built in says `builtin`.
  const paths = [...new Set(shown.flatMap(({ stdout }) => [...stdout.matchAll(/^insmod (\S+)/gm)].map(([, path]) => path ?? '')))];
  const busybox = (await mustRun(['sh', '-c', 'command -v busybox'])).trim();
  await access(busybox);
  return cpioArchive([
    archiveFolder('bin'),
    archiveFile('bin/busybox', await readFile(busybox), 0o755),
    archiveFolder('modules'),
    archiveFile('modules/order', paths.map((path) => `${basename(path)}\n`).join('')),
    ...(await Promise.all(paths.map(async (path) => archiveFile(`modules/${basename(path)}`, await readFile(path))))),
    archiveFile('init', await readFile(join(HERE, 'initramfs-init.sh')), 0o755),
  ]);
}
