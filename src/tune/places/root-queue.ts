import { shellWord } from '../../base/index.js';
import type { LinkFacts } from '../../base/index.js';
import type { Place, PlaceStates } from '../place.js';
import type { TunePorts } from '../ports.js';
import { gone, linkFacts } from './link-facts.js';

type State = PlaceStates['root-queue'];

const DEFAULT_QDISC = '/proc/sys/net/core/default_qdisc';
/** What an interface has that is down, or that needs no queue: default_qdisc does not count there (attach_one_default_qdisc, net/sched/sch_generic.c). */
const WITHOUT_DEFAULT: readonly string[] = ['noop', 'noqueue'];

/**
 * The queue discipline at an interface's root. One that the kernel put there has the handle 0: and cannot be removed; one
 * that somebody set has another, and its options are not ours to know, so a setting leaves it alone.
 */
export const rootQueuePlace: Place<'root-queue'> = {
  kind: 'root-queue',
  async read(ports, ref) {
    const link = await linkFacts(ports, ref.interface);
    return link && stateOf(link);
  },
  async write(ports, ref, state) {
    if (!state.byKernel) return await ports.control.setRootQueue(ref.interface, state.queue);
    await ports.control.setRootQueue(ref.interface, undefined);
    const found = await rootQueuePlace.read(ports, ref);
    if (!found) throw gone(ref.interface, 'queue discipline');
    if (!holds(found, state)) await removeUnder(ports, ref.interface, state.leaf ?? state.queue);
  },
  holds,
  label: (ref) => `${ref.interface} queue discipline`,
  show: ({ queue, leaf, byKernel }) => `${queue}${leaf === undefined ? '' : ` of ${leaf}`}${byKernel ? ", the kernel's own" : ''}`,
  commands: (ref, state) => {
    const at = shellWord(ref.interface);
    const remove = `tc qdisc del dev ${at} root 2> /dev/null || :`;
    if (state.byKernel) return [remove];
    // Its children are made when it is, and only a new handle makes a new one.
    if (state.queue === 'mq') return [remove, `tc qdisc add dev ${at} root handle 1: mq`];
    return [`tc qdisc replace dev ${at} root ${shellWord(state.queue)}`];
  },
  reach: () => 'network',
};

function stateOf({ qdiscs, up }: LinkFacts): State | undefined {
  const root = qdiscs?.find(({ parent }) => parent === 'root');
  // The kernel does not list what an interface has that is down.
  if (!root) return up ? undefined : { queue: 'noop', byKernel: true };
  const byKernel = majorOf(root.handle) === 0;
  const leaves = new Set(qdiscs?.filter(({ parent }) => parent.includes(':') && majorOf(parent) === majorOf(root.handle)).map(({ kind }) => kind));
  const leaf = root.kind === 'mq' && leaves.size === 1 ? [...leaves][0] : undefined;
  return { queue: root.kind, byKernel, ...(leaf === undefined ? {} : { leaf }) };
}

/** Of a handle `1:` or a class `1:2`; what the kernel made itself may leave the zero out. */
function majorOf(handle: string): number {
  return Number.parseInt(handle, 16) || 0;
}

function holds(state: State, meant: State): boolean {
  // An interface that was down has meanwhile got what the kernel gives to those that are up.
  if (meant.byKernel && meant.queue === 'noop') return state.byKernel;
  return state.queue === meant.queue && (meant.leaf === undefined || state.leaf === meant.leaf) && (!meant.byKernel || state.byKernel);
}

/**
 * What the kernel puts there is what default_qdisc says at that moment. When that is another by now (the change that is
 * being undone may have set it, and is undone after), it says the former one for as long as that takes. A kernel value of
 * the whole machine: another namespace cannot write it, and cannot have changed it.
 */
async function removeUnder({ control }: TunePorts, name: string, former: string): Promise<void> {
  const standing = (await control.readValue(DEFAULT_QDISC))?.trim();
  if (standing === undefined || standing === former || WITHOUT_DEFAULT.includes(former) || !(await control.mayWrite(DEFAULT_QDISC))) return;
  await control.writeValue(DEFAULT_QDISC, `${former}\n`);
  try {
    // The kernel's own cannot be removed: one is put in its stead, so that there is one to remove.
    await control.setRootQueue(name, 'pfifo_fast');
    await control.setRootQueue(name, undefined);
  } finally {
    await control.writeValue(DEFAULT_QDISC, `${standing}\n`);
  }
}
