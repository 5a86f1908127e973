import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Namespace } from './namespaces.js';
import { Program, installed, mustRun } from './processes.js';

/** A container engine of the test's own: its data, its socket and everything that it starts live and end with it. */
export interface Engine {
  readonly kind: 'docker' | 'podman';
  readonly socket: string;
  /** One request of the engine's API. @throws unless the answer is a success */
  api(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Makes an image of the file system that `fileSystem` made. @returns what to start containers from */
  importImage(): Promise<string>;
  /** Stops it as a hang would, and lets it go on. */
  freeze(): void;
  thaw(): void;
  /** Ends it at once with all that it started; its socket stays behind, as after a crash. */
  stop(): Promise<void>;
}

const PROGRAMS = { docker: ['dockerd', 'containerd', 'runc'], podman: ['podman', 'conmon', 'runc'] } as const;
const SHARED = ['busybox', 'tar', 'nsenter', 'unshare', 'setpriv', 'iptables'] as const;

/** Why this engine cannot run here, or undefined when it can. */
export async function whyNoEngine(kind: Engine['kind']): Promise<string | undefined> {
  for (const program of [...PROGRAMS[kind], ...SHARED]) {
    if (!(await installed(program))) return `${program} is missing (packages docker.io, podman, runc, busybox-static, iptables)`;
  }
  const linked = await mustRun(['sh', '-c', 'ldd "$(command -v busybox)" 2>&1 || true']);
  return /not a dynamic executable|statically linked/.test(linked) ? undefined : 'busybox is not linked statically (package busybox-static)';
}

/** A folder that is removed whatever happens. Others may pass through it, so that they can be refused at the socket. */
export function engineFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'tautline-engine-'));
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }) };
}

/**
 * Runs a daemon in a network namespace with processes and mounts of its own: what it writes to /etc, /var/lib, /run and
 * /dev/shm goes to memory, and when the outer process dies (or this one), the kernel ends all that is inside.
 */
const ALONE = `
folder=$1; shift
mount -t tmpfs none /run
mount -t tmpfs none /dev/shm
mkdir "$folder/over"
mount -t tmpfs none "$folder/over"
for place in etc var/lib; do
  mkdir -p "$folder/over/$place/upper" "$folder/over/$place/work"
  mount -t overlay none -o "lowerdir=/$place,upperdir=$folder/over/$place/upper,workdir=$folder/over/$place/work" "/$place"
done
"$@" &
wait
`;

/** @param daemonArgs more arguments for dockerd */
export async function startEngine(kind: Engine['kind'], namespace: Namespace, parent: string, daemonArgs: readonly string[] = []): Promise<Engine> {
  const folder = join(parent, kind);
  mkdirSync(folder, { mode: 0o755 });
  const socket = join(folder, 'engine.sock');
  const alone = [
    'unshare',
    '--mount',
    '--propagation',
    'private',
    '--pid',
    '--fork',
    '--mount-proc',
    '--kill-child',
    'sh',
    '-ec',
    ALONE,
    'sh',
    folder,
  ];
  const argv = [
    'setpriv',
    '--pdeathsig',
    'KILL',
    ...namespaceEntry(namespace),
    ...alone,
    ...(kind === 'docker' ? [...dockerd(folder, socket), ...daemonArgs] : podman(folder, socket)),
  ];
  const groupsBefore = new Set(controlGroups(kind));
  const program = new Program(argv);
  const killed = (): void => program.kill('SIGKILL');
  process.once('exit', killed);
  const engine: Engine = {
    kind,
    socket,
    api: (method, path, body) => ask(socket, { method, path, body }),
    async importImage() {
      const tar = await fileSystem(folder);
      const answer = await ask(socket, { method: 'POST', path: '/images/create?fromSrc=-&repo=tautline-test&tag=latest', raw: readFileSync(tar) });
      // Docker tells the image's id with its digest's name, Podman without.
      return /"(?:status|id)":"(?:sha256:)?([0-9a-f]{64})"/.exec(JSON.stringify(answer))?.[1] ?? '';
    },
    freeze: () => void spawnSync('kill', ['-STOP', daemonOf(program)]),
    thaw: () => void spawnSync('kill', ['-CONT', daemonOf(program)]),
    async stop() {
      process.off('exit', killed);
      killed();
      await program.finished;
      const left = controlGroups(kind).filter((group) => !groupsBefore.has(group));
      for (const group of left) spawnSync('find', [group, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
    },
  };
  try {
    await program.until(
      () =>
        engine.api('GET', '/_ping').then(
          () => true,
          () => false,
        ),
      30_000,
    );
  } catch (error) {
    await engine.stop();
    throw error;
  }
  return engine;
}

/** The control groups that an engine makes for its containers, which outlive it: version 1 has one in each hierarchy. */
function controlGroups(kind: Engine['kind']): string[] {
  const name = kind === 'docker' ? 'docker' : 'libpod_parent';
  const top = '/sys/fs/cgroup';
  return [top, ...readdirSync(top).map((hierarchy) => join(top, hierarchy))].map((folder) => join(folder, name)).filter(existsSync);
}

function namespaceEntry({ name }: Namespace): string[] {
  return ['nsenter', `--net=/run/netns/${name}`];
}

function dockerd(folder: string, socket: string): string[] {
  const roots = ['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '-p', join(folder, 'pid')];
  // Its proxy publishes ports without rules; the storage driver needs nothing of the file system.
  return ['dockerd', ...roots, '-H', `unix://${socket}`, '--iptables=false', '--ip6tables=false', '--storage-driver=vfs'];
}

function podman(folder: string, socket: string): string[] {
  const settings = join(folder, 'containers.conf');
  const limits = 'default_ulimits=["nofile=1024:1024","nproc=1024:1024"]';
  writeFileSync(settings, `[containers]\n${limits}\n[engine]\ncgroup_manager="cgroupfs"\nevents_logger="file"\n`);
  const roots = [
    '--root',
    join(folder, 'root'),
    '--runroot',
    join(folder, 'run'),
    '--tmpdir',
    join(folder, 'tmp'),
    '--network-config-dir',
    join(folder, 'net'),
  ];
  return [
    'env',
    `CONTAINERS_CONF=${settings}`,
    'podman',
    ...roots,
    '--storage-driver=vfs',
    '--runtime=runc',
    'system',
    'service',
    '--time=0',
    `unix://${socket}`,
  ];
}

/** The daemon: the child of the shell that is the child of what was started. */
function daemonOf(program: Program): string {
  const child = (pid: string): string => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0] ?? '';
  return child(child(String(program.pid)));
}

/** A root file system of busybox alone, with a page for its web server. */
async function fileSystem(folder: string): Promise<string> {
  const root = join(folder, 'rootfs');
  for (const name of ['bin', 'www', 'tmp']) mkdirSync(join(root, name), { recursive: true });
  copyFileSync((await mustRun(['sh', '-c', 'command -v busybox'])).trim(), join(root, 'bin', 'busybox'));
  for (const name of ['sh', 'httpd', 'nc', 'sleep', 'wget', 'true', 'false', 'cat', 'yes']) symlinkSync('busybox', join(root, 'bin', name));
  writeFileSync(join(root, 'www', 'index.html'), 'a page\n');
  const tar = join(folder, 'rootfs.tar');
  await mustRun(['tar', '-C', root, '-cf', tar, '.']);
  return tar;
}

function ask(socketPath: string, { method, path, body, raw }: { method: string; path: string; body?: unknown; raw?: Uint8Array }): Promise<unknown> {
  const sent = raw ?? (body === undefined ? undefined : Buffer.from(JSON.stringify(body)));
  const type = raw ? 'application/x-tar' : 'application/json';
  return new Promise((resolve, reject) => {
    const headers = { host: 'engine', ...(sent ? { 'content-type': type, 'content-length': sent.length } : {}) };
    const request = http.request({ socketPath, method, path, headers, agent: false, timeout: 30_000 }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if ((response.statusCode ?? 0) >= 400) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        else resolve(jsonOr(text));
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${path} took too long`)));
    request.on('error', reject);
    request.end(sent);
  });
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
