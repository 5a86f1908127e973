import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program, installed, mustRun } from './processes.js';

const SSHD = '/usr/sbin/sshd';

/** Why no SSH server can be run here, or undefined when one can. */
export async function whyNoSshd(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'an SSH server that logs in needs root';
  if (!(await installed(SSHD)) || !(await installed('ssh'))) return 'ssh or sshd is missing (packages openssh-client, openssh-server)';
  return undefined;
}

/** A real server on loopback with keys of its own, and a client's configuration that knows it as `beta`. */
export interface SshLab {
  readonly folder: string;
  readonly port: number;
  /** For `ssh -F`; nothing of this user's own ~/.ssh is read or written. */
  readonly configFile: string;
  readonly privateKey: string;
  readonly knownHosts: string;
  /** As `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** Lines for the client's configuration beside the usual ones, from now on. */
  configure(...lines: readonly string[]): Promise<void>;
  /** Takes the server's key for known. */
  trust(): Promise<void>;
  ssh(...args: readonly string[]): Promise<string>;
}

export interface SshdOptions {
  readonly hostKey?: 'ed25519' | 'ecdsa' | 'rsa';
  readonly hostKeyBits?: number;
  /** Lines of sshd_config. */
  readonly server?: readonly string[];
}

export async function withSshd<T>(options: SshdOptions, work: (lab: SshLab) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-ssh-'));
  await chmod(folder, 0o700);
  let sshd: Program | undefined;
  try {
    const port = await freePort();
    const at = (name: string): string => join(folder, name);
    const bits = options.hostKeyBits === undefined ? [] : ['-b', String(options.hostKeyBits)];
    await mustRun(['ssh-keygen', '-q', '-t', options.hostKey ?? 'ed25519', ...bits, '-N', '', '-f', at('host')]);
    await mustRun(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', at('id')]);
    await mustRun(['cp', at('id.pub'), at('authorized_keys')]);
    const serverLines = [
      'ListenAddress 127.0.0.1',
      `Port ${port}`,
      `HostKey ${at('host')}`,
      `AuthorizedKeysFile ${at('authorized_keys')}`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PrintLastLog no',
      'PrintMotd no',
      'PermitUserRC no',
      'PermitRootLogin prohibit-password',
      'MaxStartups 100',
    ];
    // The first value of a keyword counts.
    await writeFile(at('sshd_config'), [...(options.server ?? []), ...serverLines, ''].join('\n'));
    // sshd wants /run/sshd, which the machine's own /run need not have: it gets a /run of its own.
    const start = 'mount -t tmpfs none /run && mkdir /run/sshd && exec "$0" -D -e -f "$1"';
    sshd = new Program(['unshare', '--mount', '--propagation', 'private', 'sh', '-c', start, SSHD, at('sshd_config')]);
    await sshd.until((output) => output.includes('Server listening'));
    const configure = (...lines: readonly string[]): Promise<void> => writeFile(at('config'), clientLines({ folder, port, lines }));
    await configure();
    const lab: SshLab = {
      folder,
      port,
      configFile: at('config'),
      privateKey: at('id'),
      knownHosts: at('known_hosts'),
      fingerprint: (await mustRun(['ssh-keygen', '-lf', at('host.pub')])).split(' ')[1] ?? '',
      configure,
      trust: async () => {
        const [type = '', key = ''] = (await mustRun(['cat', at('host.pub')])).split(' ');
        await writeFile(at('known_hosts'), `[127.0.0.1]:${port} ${type} ${key}\n`);
      },
      ssh: (...args) => mustRun(['ssh', '-F', at('config'), '-o', 'BatchMode=yes', ...args]),
    };
    return await work(lab);
  } finally {
    await sshd?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function clientLines({ folder, port, lines }: { folder: string; port: number; lines: readonly string[] }): string {
  const usual = [
    'HostName 127.0.0.1',
    `Port ${port}`,
    `IdentityFile ${join(folder, 'id')}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `UserKnownHostsFile ${join(folder, 'known_hosts')}`,
    'GlobalKnownHostsFile /dev/null',
  ];
  return [...lines, 'Host beta', ...usual.map((line) => `  ${line}`), ''].join('\n');
}

/** A folder for sockets: their names may have no more than about 100 bytes. */
export async function socketFolder(lab: SshLab): Promise<string> {
  const folder = join(lab.folder, 'c');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

/** A TCP server on loopback that does with its connections what it is told. */
export async function listenOn(onSocket: (socket: Socket) => void): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A relay that lets the server's first bytes wait, as a server does that looks the client's name up. */
export function slowToGreet(port: number, waitMs: number): Promise<Listening> {
  return listenOn((client) => {
    const server = net.connect(port, '127.0.0.1');
    server.on('error', () => client.destroy());
    client.once('close', () => server.destroy());
    server.once('close', () => client.end());
    client.pipe(server);
    server.once('data', (greeting: Buffer) => {
      server.pause();
      setTimeout(() => {
        if (client.destroyed) return;
        client.write(greeting);
        server.pipe(client);
      }, waitMs);
    });
  });
}

async function freePort(): Promise<number> {
  const taken = await listenOn(() => undefined);
  await taken.close();
  return taken.port;
}
