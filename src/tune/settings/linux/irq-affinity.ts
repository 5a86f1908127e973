import { shellWord } from '../../../base/index.js';
import type { LinkFacts } from '../../../base/index.js';
import type { Change } from '../../place.js';
import type { HostView, Setting, Step } from '../../setting.js';
import { notDone } from '../steps.js';
import { atLinks } from './at-links.js';
import { onlineCpus, parseCpuList } from './processors.js';
import { IRQ_AFFINITY, SCALING } from './sources.js';
import { atBoot, kernelValue, readKernel } from './kernel-steps.js';
import { shownValue } from './given-value.js';

/** `spread`, or a list of processors such as `2-5`. */
type Wanted = 'spread' | readonly number[];

/** Which processor a card interrupts for which of its queues. */
export const irqAffinity: Setting<Wanted> = {
  id: 'irq-affinity',
  title: 'Interrupts of the uplinks',
  platforms: ['linux'],
  effect: 'measurable',
  scope: 'interface',
  group: 'interrupts',
  needs: { root: true },
  sources: [IRQ_AFFINITY, SCALING],
  why: 'Queues whose interrupts meet on one processor wait for each other: each gets one of its own. It does nothing where they are spread already, and irqbalance would move them again.',
  takes: 'spread, or a list of processors such as 2-5',
  parse: (value) => {
    if (value === 'spread') return { value };
    const list = typeof value === 'number' || typeof value === 'string' ? parseCpuList(String(value)) : undefined;
    return list ? { value: list } : { problem: `spread or a list of processors such as 2-5 is wanted, not ${shownValue(value)}` };
  },
  write: (wanted) => (wanted === 'spread' ? wanted : wanted.join(',')),
  plan: async (view, wanted) => {
    const proposed = irqAffinity.write(wanted);
    const online = await onlineCpus(view);
    const cpus = wanted === 'spread' ? online : wanted.filter((cpu) => online.includes(cpu));
    if (online.length < 2) return [notDone('no-effect', 'there is one processor, and all interrupts are its own', { proposed })];
    if (cpus.length === 0) return [notDone('bad-value', `none of the processors ${proposed} runs here`, { proposed })];
    const manager = view.managedBy('irq-affinity');
    if (manager)
      return [
        notDone('managed', `${manager.who} moves interrupts every few seconds and would undo it: stop it, or ban these interrupts there (--banirq)`, {
          proposed,
        }),
      ];
    const table = await view.ports.files.readText('/proc/interrupts').catch(() => undefined);
    if (table === undefined) return [notDone('unreadable', '/proc/interrupts cannot be read here', { proposed })];
    return atLinks(view, (link) => planInterrupts(view, link, { table: parseInterrupts(table), cpus, spread: wanted === 'spread' }));
  },
  moves: ['jitter', 'throughput.down', 'rtt.loaded.down'],
};

interface Meant {
  readonly table: readonly Interrupt[];
  readonly cpus: readonly number[];
  /** No processors of his own choice: then what the kernel has spread is as good. */
  readonly spread: boolean;
}

async function planInterrupts(view: HostView, link: LinkFacts, { table, cpus, spread }: Meant): Promise<Step> {
  const { name: instance } = link;
  const own = await ofCard(view, link, table);
  if (own.length === 0)
    return notDone(
      'absent',
      `/proc/interrupts has no line of ${instance}: its driver is asked another way, or its interrupts belong to the hypervisor`,
      { instance },
    );
  if (spread && new Set(own.map(({ at }) => at)).size === 1) {
    return notDone('no-effect', `${instance} has one queue, whose interrupt goes to one processor at a time in any case`, { instance });
  }
  if (spread && (await areSpread(view, own, cpus.length))) {
    return notDone('already', 'the kernel has given each of its queues another processor already', { instance });
  }
  const changes: Change[] = [];
  const commands: string[] = [];
  const now: string[] = [];
  const proposed: string[] = [];
  const kept: string[] = [];
  for (const { number, name, at } of own) {
    const path = `/proc/irq/${number}/smp_affinity_list`;
    const read = await readKernel(view, path);
    if (!('text' in read))
      return notDone('unreadable' in read ? 'unreadable' : 'absent', 'unreadable' in read ? read.unreadable : `${path} is missing`, { instance });
    const cpu = String(cpus[at % cpus.length]);
    if (read.text === cpu) continue;
    if (view.identity.root && !(await view.ports.control.mayWrite(path))) {
      kept.push(name);
      continue;
    }
    now.push(read.text);
    proposed.push(cpu);
    changes.push(kernelValue(path, read.text, cpu));
    // Their numbers change from boot to boot; their names do not.
    commands.push(
      `irq=$(awk -v name=${shellWord(name)} '$NF == name { sub(":", "", $1); print $1; exit }' /proc/interrupts) && [ -n "$irq" ] && echo ${cpu} > "/proc/irq/$irq/smp_affinity_list"`,
    );
  }
  const keptWhy = `the kernel spreads ${kept.join(', ')} itself and lets nobody move them`;
  if (changes.length === 0) {
    return kept.length > 0
      ? notDone('not-applicable', keptWhy, { instance })
      : notDone('already', 'each of its interrupts has its own processor already', { instance });
  }
  return {
    verdict: 'change',
    instance,
    now: now.join(' '),
    proposed: proposed.join(' '),
    why: irqAffinity.why,
    changes,
    persist: atBoot(commands, instance),
    notes: [
      `interrupts ${own.map(({ number, name }) => `${number} (${name})`).join(', ')}`,
      'interrupts that the kernel spreads itself refuse to be moved (EIO), which older kernels do not tell beforehand',
      ...(kept.length > 0 ? [keptWhy] : []),
    ],
  };
}

/** Whether the queues of each direction go to as many processors as they can: the kernel deals new interrupts out by itself (kernel/irq/matrix.c). */
async function areSpread(view: HostView, own: readonly (Interrupt & { readonly at: number })[], cpus: number): Promise<boolean> {
  const groups = new Map<string, string[]>();
  for (const { number, name } of own) {
    const read = await readKernel(view, `/proc/irq/${number}/effective_affinity_list`);
    if (!('text' in read)) return false;
    const group = name.replace(/\d+(?=@|$)/, '');
    groups.set(group, [...(groups.get(group) ?? []), read.text]);
  }
  return [...groups.values()].every((members) => new Set(members).size >= Math.min(members.length, cpus));
}

interface Interrupt {
  readonly number: number;
  readonly name: string;
}

/** Lines of /proc/interrupts that have a number (kernel/irq/proc.c, show_interrupts): the name is the last word. */
export function parseInterrupts(text: string): readonly Interrupt[] {
  return text.split('\n').flatMap((line) => {
    const [, number, rest = ''] = /^\s*(\d+):\s+(.*)$/.exec(line) ?? [];
    const name = rest.trim().split(/\s+/).at(-1);
    return number === undefined || name === undefined || /^\d*$/.test(name) ? [] : [{ number: Number(number), name }];
  });
}

/**
 * The interrupts of a card's queues, with the queue that each is for. Drivers name them after the interface
 * (`eth0-TxRx-0`, `i40e-eth0-TxRx-0`), the device on the bus (`mlx5_comp0@pci:0000:3b:00.0`) or the virtio device (`virtio0-input.0`). Those
 * for configuration and errors have no number at the end of their name and stay where they are.
 */
async function ofCard(
  view: HostView,
  { name, bus, queues }: LinkFacts,
  table: readonly Interrupt[],
): Promise<readonly (Interrupt & { readonly at: number })[]> {
  const device = (await view.ports.control.realPath(`/sys/class/net/${name}/device`).catch(() => '')).split('/').at(-1) ?? '';
  const virtio = /^virtio\d+$/.test(device) ? device : undefined;
  const owners = [name, ...(virtio === undefined ? [] : [virtio]), ...(bus === undefined || bus === '' ? [] : [bus])];
  const own = table.flatMap((line) => {
    const rest = owners.map((owner) => afterOwner(line.name, owner)).find((found) => found !== undefined);
    return rest === undefined ? [] : [{ ...line, rest }];
  });
  const numbered = own.flatMap(({ rest, ...line }) => {
    const [, queue] = /(\d+)$/.exec(rest) ?? [];
    // A virtio card has interrupts for all the queues that it could have.
    const idle = virtio !== undefined && queues !== undefined && Number(queue) >= Math.max(queues.rx, queues.tx);
    return queue === undefined || idle ? [] : [{ ...line, at: Number(queue) }];
  });
  return numbered.length > 0 ? numbered : own.slice(0, 1).map(({ number, name: only }) => ({ number, name: only, at: 0 }));
}

/**
 * What an interrupt's name says beside whose it is; undefined for somebody else's. `i40e-eth0-TxRx-3` of eth0: `-TxRx-3`;
 * `mlx5_comp3@pci:0000:3b:00.0` of that device: `mlx5_comp3`.
 */
function afterOwner(interrupt: string, owner: string): string | undefined {
  if (interrupt.endsWith(`:${owner}`)) return interrupt.split('@')[0];
  const at = `-${interrupt}`.indexOf(`-${owner}`);
  const rest = at < 0 ? undefined : interrupt.slice(at + owner.length);
  return rest === '' || rest?.startsWith('-') === true ? rest : undefined;
}
