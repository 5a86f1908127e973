import type { MachineSpec } from '../control-machine.js';
import { listOfMask, maskOfList, processorList, processorMask } from '../control-values.js';
import type { ValueSpec } from '../control-values.js';

type Values = NonNullable<MachineSpec['values']>;
const CPU = '/sys/devices/system/cpu';

/** An interrupt: `managed` ones are spread by the kernel and refuse to be moved. */
export interface InterruptSpec {
  readonly number: number;
  readonly name: string;
  /** As `smp_affinity_list` has it. */
  readonly on: string;
  readonly chip?: string;
  readonly managed?: true;
}

/** /proc/interrupts, and each one's affinity as a mask and as a list, which are two views of one thing. */
export function interruptValues(interrupts: readonly InterruptSpec[], processors: number): Record<string, ValueSpec> {
  const columns = Array.from({ length: processors }, (_, i) => `CPU${i}`.padEnd(10)).join(' ');
  const line = ({ number, name, on, chip = 'PCI-MSI' }: InterruptSpec): string => {
    const counts = Array.from({ length: processors }, (_, i) => String(i === Number.parseInt(on, 10) ? 48_211 + number : 0).padStart(10)).join(' ');
    return `${String(number).padStart(3)}: ${counts}   ${chip} ${number * 2048}-edge      ${name}`;
  };
  const values: Record<string, ValueSpec> = {
    '/proc/interrupts': { text: [`           ${columns}`, ...interrupts.map(line)].join('\n'), readOnly: true, told: true },
    '/proc/irq/default_smp_affinity': { text: maskOfList(`0-${processors - 1}`, processors), accepts: processorMask(processors, 'refuse') },
  };
  for (const { number, on, managed } of interrupts) {
    const folder = `/proc/irq/${number}`;
    const refuse = managed ? { accepts: () => undefined } : undefined;
    values[`${folder}/smp_affinity`] = {
      text: maskOfList(on, processors),
      accepts: processorMask(processors, 'refuse'),
      follow: { [`${folder}/smp_affinity_list`]: (mask) => listOfMask(mask) },
      ...refuse,
    };
    values[`${folder}/smp_affinity_list`] = {
      text: on,
      accepts: processorList(processors),
      follow: { [`${folder}/smp_affinity`]: (list) => maskOfList(list, processors) },
      ...refuse,
    };
  }
  return values;
}

/** RPS, XPS and what else is a queue's own. `sent`: the mask of each queue for sending, where the driver set it. */
export function queueValues(
  name: string,
  counts: { readonly rx: number; readonly tx: number },
  processors: number,
  sent: readonly string[] = [],
): Record<string, ValueSpec> {
  const none = '0'.padStart(Math.ceil(Math.min(32, processors) / 4), '0');
  const values: Record<string, ValueSpec> = {};
  for (let i = 0; i < counts.rx; i++) {
    values[`/sys/class/net/${name}/queues/rx-${i}/rps_cpus`] = { text: none, accepts: processorMask(processors) };
    values[`/sys/class/net/${name}/queues/rx-${i}/rps_flow_cnt`] = { text: '0', accepts: (text) => (/^\d+$/.test(text) ? text : undefined) };
  }
  for (let i = 0; i < counts.tx; i++) {
    values[`/sys/class/net/${name}/queues/tx-${i}/xps_cpus`] = { text: sent[i] ?? none, accepts: processorMask(processors) };
  }
  return values;
}

/** One frequency policy for each processor, as on machines of today. */
export function frequencyValues(
  processors: number,
  { driver, governor, governors }: { readonly driver: string; readonly governor: string; readonly governors: readonly string[] },
): Values {
  const values: Record<string, string | ValueSpec> = {};
  for (let i = 0; i < processors; i++) {
    const folder = `${CPU}/cpufreq/policy${i}`;
    values[`${folder}/scaling_driver`] = { text: driver, readOnly: true };
    values[`${folder}/scaling_governor`] = {
      text: governor,
      accepts: governors,
      follow: { [`${CPU}/cpu${i}/cpufreq/scaling_governor`]: (kept) => kept },
    };
    values[`${folder}/scaling_available_governors`] = { text: governors.join(' '), readOnly: true };
    values[`${folder}/affected_cpus`] = { text: String(i), readOnly: true };
    // The same file by another way.
    values[`${CPU}/cpu${i}/cpufreq/scaling_governor`] = {
      text: governor,
      accepts: governors,
      follow: { [`${folder}/scaling_governor`]: (kept) => kept },
    };
  }
  return values;
}

/** Idle states of every processor, by name and microseconds that leaving one takes. */
export function idleValues(processors: number, driver: string, states: readonly (readonly [string, number])[]): Values {
  const values: Record<string, string | ValueSpec> = {
    [`${CPU}/cpuidle/current_driver`]: { text: driver, readOnly: true },
    [`${CPU}/cpuidle/current_governor`]: { text: 'menu', accepts: ['menu', 'ladder'] },
  };
  for (let i = 0; i < processors; i++) {
    for (const [n, [name, latency]] of states.entries()) {
      const folder = `${CPU}/cpu${i}/cpuidle/state${n}`;
      values[`${folder}/name`] = { text: name, readOnly: true };
      values[`${folder}/latency`] = { text: String(latency), readOnly: true };
      values[`${folder}/disable`] = { text: '0', accepts: ['0', '1'] };
    }
  }
  return values;
}

/** mm/huge_memory.c, mm/shmem.c. */
export function hugepageValues(enabled: 'always' | 'madvise' | 'never'): Values {
  const folder = '/sys/kernel/mm/transparent_hugepage';
  return {
    [`${folder}/enabled`]: { text: enabled, choice: ['always', 'madvise', 'never'] },
    [`${folder}/defrag`]: { text: 'madvise', choice: ['always', 'defer', 'defer+madvise', 'madvise', 'never'] },
    [`${folder}/shmem_enabled`]: { text: 'never', choice: ['always', 'within_size', 'advise', 'never', 'deny', 'force'] },
  };
}

export function told(values: Readonly<Record<string, string>>): Record<string, ValueSpec> {
  return Object.fromEntries(Object.entries(values).map(([path, text]) => [path, { text, readOnly: true as const }]));
}
