import type { Setting } from '../../setting.js';
import { congestionControl } from './congestion-control.js';
import { defaultQueue } from './default-queue.js';
import { ipForward, ipv6Forward, reversePath } from './forwarding.js';
import { swapMemory } from './swap-memory.js';
import { sysctlSetting } from './sysctl-setting.js';
import type { SysctlProbe } from './sysctl-setting.js';
import type { Sysctl } from './sysctl.js';
import { BUFFER_SYSCTLS } from './sysctls-buffers.js';
import { HOST_SYSCTLS } from './sysctls-host.js';
import { TCP_SYSCTLS } from './sysctls-tcp.js';

/** The table: keys that need nothing but what their row says. A new one is a row in the file of its area. */
export const SYSCTLS: readonly Sysctl[] = [...BUFFER_SYSCTLS, ...TCP_SYSCTLS, ...HOST_SYSCTLS];

/** What a row cannot say. */
const PROBES: Readonly<Record<string, SysctlProbe>> = { 'vm.swappiness': swapMemory };

export const SYSCTL_SETTINGS: readonly Setting<string>[] = [
  congestionControl,
  defaultQueue,
  ...SYSCTLS.map((row) => sysctlSetting(row, PROBES[row.id])),
  ipForward,
  ipv6Forward,
  reversePath,
];
