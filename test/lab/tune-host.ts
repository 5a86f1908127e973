import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program, mustRun, run } from './processes.js';
import type { Finished } from './processes.js';
import { TAUTLINE } from './tautline.js';

/** Where everything of a test is, inside: of nobody else, and gone with the host. */
export const LAB = '/mnt';
export const HOME = `${LAB}/home`;
export const FOLDER = `${LAB}/tune`;
export const LINK = 'path0';

/**
 * Something like a host of its own for the built command line: network, mounts and processes are its own, /etc is a copy, /run,
 * /var/lib and /mnt are in memory. The kernel's settings that no network namespace has are the machine's even here, so
 * only what is `net.ipv4.tcp_*`, an interface, or a file may be changed.
 */
export interface TuneHost {
  /** The command line that runs `argv` inside. */
  inside(argv: readonly string[]): string[];
  /** `tautline tune ...`, as root. */
  tune(...args: readonly string[]): Promise<Finished>;
  /** The same, left running. */
  startTune(...args: readonly string[]): Program;
  run(argv: readonly string[]): Promise<Finished>;
  sh(line: string): Promise<string>;
  /**
   * A file of the inside as those outside see it. Not for /proc and /sys: the kernel takes their network namespace from
   * whoever opens them, which here would be the machine's own. @throws for these
   */
  path(inside: string): string;
  read(inside: string): string;
  write(inside: string, text: string): void;
  /** A kernel value, read and written by a process inside. */
  value(path: string): Promise<string>;
  setValue(path: string, text: string): Promise<void>;
  /** Everything that the tests change: values, the link's offloads, and each file with content, mode, owner and time. */
  snapshot(): Promise<string>;
}

const SETUP = `
  mount -t tmpfs -o mode=755 lab ${LAB}
  cp -a /etc/. ${LAB}/etc
  mount --bind ${LAB}/etc /etc
  for folder in /run /var/lib; do mount -t tmpfs -o mode=755 lab $folder; done
  mount -t sysfs lab /sys
  rm -rf /etc/sysctl.d/* /etc/sysctl.conf /etc/tuned /etc/tautline
  mkdir -m 700 ${HOME}
  ip link set lo up
  ip link add ${LINK} type veth peer name path1
  ip link set ${LINK} up
  ip link set path1 up
  ip address add 10.77.0.1/24 dev ${LINK}
  ip route add default via 10.77.0.2
  ethtool -K ${LINK} gro off
  echo made
  exec sleep 600
`;

const LOOK = `
  for key in notsent_lowat slow_start_after_idle ecn rmem autocorking; do cat /proc/sys/net/ipv4/tcp_$key; done
  ethtool -k ${LINK}
  find /etc ${HOME} /var/lib -printf '%p %y %m %U:%G %l' \\( -type d -printf '\\n' -o -printf ' %s %T@\\n' \\) | sort
  find /etc ${HOME} -type f -exec md5sum {} + | sort
`;

/** Makes such a host, hands it to `work`, and ends all that runs there. */
export async function withTuneHost<T>(work: (host: TuneHost) => Promise<T>): Promise<T> {
  const parts = ['--net', '--mount', '--propagation', 'private', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const outer = new Program(['setpriv', '--pdeathsig', 'KILL', 'unshare', ...parts, 'sh', '-ec', SETUP]);
  try {
    await outer.until((output) => output.includes('made\n'));
    const [pid = ''] = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8').split(' ');
    return await work(hostOf(pid));
  } finally {
    outer.kill('SIGKILL');
    await outer.finished;
  }
}

function hostOf(pid: string): TuneHost {
  const env = ['env', '-C', LAB, `HOME=${HOME}`, `TAUTLINE_TUNE_FOLDER=${FOLDER}`, 'TAUTLINE_HISTORY_ENABLED=no', 'TERM=dumb'];
  const inside = (argv: readonly string[]): string[] => ['nsenter', '-t', pid, '-n', '-m', '-p', 'setpriv', '--pdeathsig', 'KILL', ...env, ...argv];
  const path = (of: string): string => {
    if (/^\/(?:proc|sys|dev)(?:\/|$)/.test(of)) throw new Error(`${of} is read and written by a process inside`);
    return `/proc/${pid}/root${of}`;
  };
  const sh = (line: string): Promise<string> => mustRun(inside(['sh', '-ec', line]));
  return {
    inside,
    tune: (...args) => run(inside([...TAUTLINE, 'tune', ...args])),
    startTune: (...args) => new Program(inside([...TAUTLINE, 'tune', ...args])),
    run: (argv) => run(inside(argv)),
    sh,
    path,
    read: (of) => readFileSync(path(of), 'utf8'),
    write: (of, text) => writeFileSync(path(of), text),
    value: async (of) => (await sh(`cat ${of}`)).trim(),
    setValue: async (of, text) => void (await sh(`echo '${text}' > ${of}`)),
    snapshot: () => sh(LOOK),
  };
}

/** A folder outside that is removed whatever happens. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'tautline-tune-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
