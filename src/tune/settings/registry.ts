import type { Setting } from '../setting.js';
import { coalescing } from './linux/coalescing.js';
import { cpuGovernor } from './linux/cpu-governor.js';
import { cpuLatency } from './linux/cpu-latency.js';
import { irqAffinity } from './linux/irq-affinity.js';
import { offloads } from './linux/offloads.js';
import { receiveSteering, transmitSteering } from './linux/packet-steering.js';
import { queueDiscipline } from './linux/queue-discipline.js';
import { queues } from './linux/queues.js';
import { rings } from './linux/rings.js';
import { SYSCTL_SETTINGS } from './linux/sysctls.js';
import { transparentHugepages } from './linux/transparent-hugepages.js';
import { SERVICE_SETTINGS } from './services.js';

/** Every setting. A new one is one file beside its siblings and a line here. */
export const SETTINGS: readonly Setting[] = [
  ...SYSCTL_SETTINGS,
  queueDiscipline,
  offloads,
  coalescing,
  rings,
  queues,
  receiveSteering,
  transmitSteering,
  irqAffinity,
  cpuGovernor,
  cpuLatency,
  transparentHugepages,
  ...SERVICE_SETTINGS,
];

export function findSetting(id: string): Setting | undefined {
  return SETTINGS.find((setting) => setting.id === id);
}
