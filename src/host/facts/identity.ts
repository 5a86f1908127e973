import { arch, cpus, hostname, release, totalmem, type } from 'node:os';
import type { TextFiles, HostIdentity } from '../../base/index.js';

/** Who this host is. The distribution's name comes from os-release where there is one. */
export async function identify(files: TextFiles): Promise<HostIdentity> {
  const processors = cpus();
  const osRelease = await files.readText('/etc/os-release').catch(() => undefined);
  return {
    name: hostname(),
    os: (osRelease === undefined ? undefined : parseOsRelease(osRelease)) ?? (type() === 'Darwin' ? 'macOS' : type()),
    kernel: release(),
    arch: arch(),
    cpus: processors.length,
    cpuModel: processors[0]?.model.trim() ?? 'unknown',
    memoryBytes: totalmem(),
    node: process.version,
    root: process.getuid?.() === 0,
  };
}

/** PRETTY_NAME of os-release(5). */
export function parseOsRelease(text: string): string | undefined {
  const match = /^PRETTY_NAME=(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"']+))/m.exec(text);
  return match?.[1] ?? match?.[2] ?? match?.[3];
}
