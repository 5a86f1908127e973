import { readFile, stat } from 'node:fs/promises';
import type { Commands, HostPlace } from '../../base/index.js';

const ASK_TIMEOUT_MS = 2000;

/** Which host, boot and network namespace this is. */
export async function hostPlace(commands: Commands, platform: string = process.platform): Promise<HostPlace> {
  return platform === 'darwin' ? darwinPlace(commands) : linuxPlace();
}

async function linuxPlace(): Promise<HostPlace> {
  const text = (path: string): Promise<string> =>
    readFile(path, 'utf8').then(
      (found) => found.trim(),
      () => '',
    );
  const network = await stat('/proc/self/ns/net').then(
    ({ ino }) => String(ino),
    () => 'none',
  );
  // Where systemd is not, D-Bus has one (machine-id(5)).
  const machine = (await text('/etc/machine-id')) || (await text('/var/lib/dbus/machine-id'));
  return { machine, boot: await text('/proc/sys/kernel/random/boot_id'), network };
}

/** kern.boottime moves when the clock is set; the session's UUID does not, and the time is for systems without one. */
async function darwinPlace(commands: Commands): Promise<HostPlace> {
  const ask = async (program: string, args: readonly string[]): Promise<string> => {
    const result = await commands.run(program, args, { timeoutMs: ASK_TIMEOUT_MS });
    return result.outcome === 'exited' && result.code === 0 ? result.stdout.trim() : '';
  };
  const machine = /"IOPlatformUUID" = "([^"]+)"/.exec(await ask('ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']))?.[1] ?? '';
  const boot = (await ask('sysctl', ['-n', 'kern.bootsessionuuid'])) || (/sec = (\d+)/.exec(await ask('sysctl', ['-n', 'kern.boottime']))?.[1] ?? '');
  return { machine, boot, network: 'none' };
}
