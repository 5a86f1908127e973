import type { LinkFacts } from '../../../base/index.js';
import { commandsOf } from '../../places/registry.js';
import type { HostView, Setting, Step } from '../../setting.js';
import { notDone } from '../steps.js';
import { atLinks } from './at-links.js';
import { parseSwitches } from './named-values.js';
import { FIREDANCER, OFFLOAD_DOC } from './sources.js';
import { atBoot, readKernel } from './kernel-steps.js';

type Wanted = Readonly<Record<string, boolean>>;

/** Short names as `ethtool -K` takes them, and the long ones that it prints. */
const NAMES: Readonly<Record<string, string>> = {
  rx: 'rx-checksumming',
  tx: 'tx-checksumming',
  sg: 'scatter-gather',
  tso: 'tcp-segmentation-offload',
  gso: 'generic-segmentation-offload',
  gro: 'generic-receive-offload',
  lro: 'large-receive-offload',
  rxvlan: 'rx-vlan-offload',
  txvlan: 'tx-vlan-offload',
  rxhash: 'receive-hashing',
};
const OTHERS = ['rx-gro-hw', 'rx-gro-list', 'rx-udp-gro-forwarding', 'tx-udp-segmentation', 'tx-nocache-copy'];
const LRO = 'large-receive-offload';
/**
 * What a driver turns off itself since its card is faster or safer without: e1000e does for chips of the Skylake generation
 * (I219) and on links below 1 Gbit/s (drivers/net/ethernet/intel/e1000e/netdev.c, commit f29801030ac6: with it some 60 % of
 * the rate were left). Set by hand once, the driver no longer chooses (FLAG_TSO_FORCE).
 */
const OFF_BY_DRIVER: Readonly<Record<string, readonly string[]>> = { e1000e: ['tcp-segmentation-offload'] };

/** Work that the card or the kernel does for many packets at once. */
export const offloads: Setting<Wanted> = {
  id: 'offloads',
  title: 'Offloads of the uplinks',
  platforms: ['linux'],
  effect: 'measurable',
  scope: 'interface',
  group: 'offloads',
  needs: { root: true },
  sources: [OFFLOAD_DOC, FIREDANCER],
  why: 'Offloads handle many packets at the price of one. Guides turn them off for latency; that costs most of the throughput and of the CPU and seldom shows in delay, so profiles turn on what somebody turned off.',
  takes: `offloads with on or off, such as { gro: on, lro: off }: ${[...Object.keys(NAMES), ...OTHERS].join(', ')}`,
  parse: (value) => parseSwitches(value, (name) => NAMES[name] ?? ([...OTHERS, ...Object.values(NAMES)].includes(name) ? name : undefined)),
  write: (value) => shown(value),
  plan: async (view, wanted, rules) => {
    const forwards = wanted[LRO] === true && (await forwarding(view));
    return atLinks(view, (link) => planOffloads(view, link, { wanted, forwards, exact: rules.exact }));
  },
  moves: ['throughput.up', 'throughput.down', 'rtt', 'cpu.up', 'cpu.down'],
};

interface Asked {
  readonly wanted: Wanted;
  readonly forwards: boolean;
  readonly exact: boolean;
}

function planOffloads(view: HostView, { name: instance, driver = '', features }: LinkFacts, { wanted, forwards, exact }: Asked): Step {
  if (!features || Object.keys(features).length === 0)
    return notDone('unreadable', `the driver of ${instance} does not tell its offloads`, { instance });
  const names = Object.keys(wanted).filter((name) => !(forwards && name === LRO));
  const all = names.filter((name) => (features[name]?.on ?? false) !== wanted[name]);
  const left = exact ? [] : all.filter((name) => wanted[name] === true && OFF_BY_DRIVER[driver]?.includes(name) === true);
  const differing = all.filter((name) => !left.includes(name));
  const changing = differing.filter((name) => features[name]?.changeable === true);
  const fixed = differing.filter((name) => features[name]?.changeable !== true);
  const now = shown(Object.fromEntries(Object.keys(wanted).map((name) => [name, features[name]?.on ?? false])));
  const seen = { instance, now, proposed: shown(wanted) };
  const fixedNote = `the driver of ${instance} does not let ${fixed.map(short).join(', ')} be changed`;
  const leftNotes = left.map(
    (name) =>
      `${short(name)} stays off: the driver ${driver} turns it off itself where its card is slower with it, and somebody who turned it off may have had the same reason`,
  );
  const lroNote = 'merging packets (LRO) breaks what this host forwards, so it stays off';
  if (changing.length === 0) {
    if (left.length > 0) return notDone('not-applicable', leftNotes.join('; '), seen);
    if (fixed.length > 0) return notDone('absent', fixedNote, seen);
    return forwards && names.length === 0 ? notDone('not-applicable', lroNote, seen) : notDone('already', `they are as wanted already`, seen);
  }
  const manager = view.managedBy('offloads');
  if (manager) return notDone('managed', `${manager.who} sets offloads: change it there`, seen);
  const place = { kind: 'offloads', interface: instance } as const;
  const desired = Object.fromEntries(changing.map((name) => [name, wanted[name] === true]));
  const original = Object.fromEntries(Object.entries(features).flatMap(([name, { on, changeable }]) => (changeable ? [[name, on]] : [])));
  const off = changing.filter((name) => desired[name] === false && name !== LRO);
  const notes = [
    ...(off.length > 0
      ? [
          `turning ${off.map(short).join(', ')} off costs throughput and CPU (Firedancer: 900 MB/s became 400); 'tautline tune try' shows whether it gains anything here`,
        ]
      : []),
    ...(off.some((name) => ['scatter-gather', 'tx-checksumming'].includes(name))
      ? ['segmentation needs scatter-gather and checksums, and goes off with them; a roll-back brings all of them back']
      : []),
    ...(fixed.length > 0 ? [fixedNote] : []),
    ...leftNotes,
    ...(forwards ? [lroNote] : []),
  ];
  return {
    verdict: 'change',
    instance,
    now: shown(Object.fromEntries(changing.map((name) => [name, features[name]?.on ?? false]))),
    proposed: shown(desired),
    why: off.length > 0 ? 'The profile turns them off.' : 'They are off, and on is better: they handle many packets at the price of one.',
    changes: [{ place, original, desired }],
    persist: atBoot(commandsOf(place, desired), instance),
    ...(off.length > 0 ? { effect: 'risky' } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  };
}

async function forwarding(view: HostView): Promise<boolean> {
  const read = await Promise.all([readKernel(view, '/proc/sys/net/ipv4/ip_forward'), readKernel(view, '/proc/sys/net/ipv6/conf/all/forwarding')]);
  return read.some((one) => 'text' in one && one.text === '1');
}

function short(name: string): string {
  return Object.entries(NAMES).find(([, long]) => long === name)?.[0] ?? name;
}

function shown(features: Wanted): string {
  return Object.entries(features)
    .map(([name, on]) => `${short(name)} ${on ? 'on' : 'off'}`)
    .join(', ');
}
