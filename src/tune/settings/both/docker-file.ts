import { TautlineError } from '../../../base/index.js';
import { quietFiles } from '../../others/quiet-files.js';
import type { HostView, Source } from '../../setting.js';
import { isLook, lookAtFile, SYSTEM_FILE } from '../file-look.js';
import type { FileLook, MadeWith } from '../file-look.js';
import { ownedByUser, whyOutsideHome } from '../home.js';
import { readOnce } from '../once.js';
import { notDone } from '../steps.js';
import type { NotDoneStep } from '../steps.js';

export const DOCKERD: Source = {
  title: 'dockerd, daemon configuration file',
  url: 'https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file',
};
/** It takes the containers with it unless live-restore is on. */
export const RESTART = 'sudo systemctl restart docker (containers stop with it unless live-restore is on)';

export interface DockerFile {
  readonly look: FileLook;
  readonly made: MadeWith;
  /** The arguments that the running daemon was started with. */
  readonly args: readonly string[];
  /** Of the running daemon. */
  readonly pid?: number;
}

/** The configuration file of the Docker engine of this host, or why there is none to be changed. */
export async function findDockerFile(view: HostView): Promise<DockerFile | NotDoneStep> {
  const daemon = await readOnce(view, 'the Docker daemon', () => findDaemon(view));
  if ('verdict' in daemon) return daemon;
  const outside = view.platform === 'macos' ? await whyOutsideHome(view, daemon.path) : undefined;
  if (outside !== undefined) return notDone('not-applicable', outside);
  const look = await lookAtFile(view.ports.control, daemon.path);
  if (!isLook(look)) return look;
  return { look, made: daemon.made, args: daemon.args, ...(daemon.pid === undefined ? {} : { pid: daemon.pid }) };
}

/** A flag and a key of the file for the same thing keep dockerd from starting (dockerd, "configuration conflicts"). */
export function conflictsWith({ args }: DockerFile, flag: string): NotDoneStep | undefined {
  if (!args.some((arg) => arg === flag || arg.startsWith(`${flag}=`))) return undefined;
  return notDone(
    'managed',
    `dockerd was started with ${flag}, and does not start when daemon.json sets the same: change it where the daemon is started`,
  );
}

interface Daemon {
  readonly path: string;
  readonly made: MadeWith;
  readonly args: readonly string[];
  readonly pid?: number;
}

async function findDaemon(view: HostView): Promise<Daemon | NotDoneStep> {
  const files = quietFiles(view.ports);
  if (view.platform === 'macos') {
    const folder = `${view.homeFolder}/.docker`;
    if (!(await files.exists(folder))) return notDone('not-applicable', `there is no Docker Desktop here (no ${folder})`);
    return { path: `${folder}/daemon.json`, made: await ownedByUser(view, { mode: 0o644, folderMode: 0o755 }), args: [] };
  }
  const pid = Number(await files.text('/var/run/docker.pid')) || undefined;
  const there = pid !== undefined || (await anyExists(view, ['/etc/docker', '/var/run/docker.sock', '/usr/bin/dockerd', '/usr/sbin/dockerd']));
  if (!there) return notDone('not-applicable', 'there is no Docker engine here (no /etc/docker, no socket, no dockerd)');
  const args = pid === undefined ? [] : await argumentsOf(view, pid);
  const given = optionOf(args, '--config-file');
  return { path: given ?? '/etc/docker/daemon.json', made: SYSTEM_FILE, args, ...(pid === undefined ? {} : { pid }) };
}

async function argumentsOf(view: HostView, pid: number): Promise<readonly string[]> {
  const line = await view.ports.control.readValue(`/proc/${pid}/cmdline`).catch((error: unknown) => {
    if (error instanceof TautlineError) return undefined;
    throw error;
  });
  const args = (line ?? '').split('\0').filter((arg) => arg !== '');
  // The number may be another program's by now.
  return args[0]?.endsWith('dockerd') === true ? args : [];
}

function optionOf(args: readonly string[], name: string): string | undefined {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  const value = at < 0 ? undefined : args[at] === name ? args[at + 1] : args[at]?.slice(name.length + 1);
  return value?.startsWith('/') === true ? value : undefined;
}

async function anyExists(view: HostView, paths: readonly string[]): Promise<boolean> {
  const files = quietFiles(view.ports);
  return (await Promise.all(paths.map((path) => files.exists(path)))).includes(true);
}
