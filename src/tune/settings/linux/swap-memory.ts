import { notDone } from '../steps.js';
import { readKernel } from './kernel-steps.js';
import type { SysctlProbe } from './sysctl-setting.js';

/**
 * Swap that is compressed memory (zram) costs no disk, and the kernel's notes speak of values above 100 for it
 * (Documentation/admin-guide/sysctl/vm.rst, swappiness): distributions that use it set such values on purpose.
 */
export const swapMemory: SysctlProbe = async (view, wanted, now) => {
  const read = await readKernel(view, '/proc/swaps');
  const zram = 'text' in read && read.text.split('\n').some((line) => line.startsWith('/dev/zram'));
  if (!zram || Number(wanted) >= Number(now)) return { notes: [] };
  const why = 'swap is compressed memory here (zram): the kernel gains by using it early, and dropping file cache instead costs reads of the disk';
  return { step: notDone('not-applicable', why, { now, proposed: wanted }) };
};
