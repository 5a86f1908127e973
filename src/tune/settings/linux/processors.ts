import type { HostView } from '../../setting.js';
import { readKernel } from './kernel-steps.js';

const CPUS_MAX = 8192;

/** Processors that run, by number; without sysfs as many as the system counts. */
export async function onlineCpus(view: HostView): Promise<readonly number[]> {
  const read = await readKernel(view, '/sys/devices/system/cpu/online');
  const listed = 'text' in read ? parseCpuList(read.text) : undefined;
  return listed && listed.length > 0 ? listed : Array.from({ length: view.identity.cpus }, (_, index) => index);
}

/** `0-3,8` (bitmap_parselist, lib/bitmap-str.c); undefined for anything else. */
export function parseCpuList(text: string): readonly number[] | undefined {
  const cpus: number[] = [];
  for (const part of text.trim().split(',')) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    const from = Number(first);
    const to = Number(last);
    if (first === undefined || to < from || to >= CPUS_MAX) return undefined;
    for (let cpu = from; cpu <= to; cpu++) cpus.push(cpu);
  }
  return cpus;
}

/** As the kernel writes masks: 32 bits in hexadecimal a group, the highest first (`f`, `1,00000000`). */
export function cpuMask(cpus: Iterable<number>): string {
  let bits = 0n;
  for (const cpu of cpus) bits |= 1n << BigInt(cpu);
  return maskText(bits);
}

/** The mask's bits; undefined for what is none. */
export function parseMask(text: string): bigint | undefined {
  const digits = text.trim();
  return /^[0-9a-f]{1,8}(,[0-9a-f]{8})*$/i.test(digits) ? BigInt(`0x${digits.replaceAll(',', '')}`) : undefined;
}

export function maskText(bits: bigint): string {
  const groups: string[] = [];
  for (let rest = bits; rest > 0n || groups.length === 0; rest >>= 32n) groups.unshift((rest & 0xffffffffn).toString(16));
  return groups.map((group, index) => (index === 0 ? group : group.padStart(8, '0'))).join(',');
}
