import { TautlineError, shellWord } from '../../base/index.js';
import type { Place, PlaceStates } from '../place.js';
import type { TunePorts } from '../ports.js';
import { agrees, differing, gone, isEmpty, linkFacts } from './link-facts.js';

type State = PlaceStates['offloads'];

/**
 * Every offload of an interface that can be changed. The kernel switches off what loses what it needs (without
 * scatter-gather no segmentation: netdev_fix_features, net/core/dev.c), so that a change of one is undone by writing all.
 */
export const offloadsPlace: Place<'offloads'> = {
  kind: 'offloads',
  read: (ports, ref) => read(ports, ref.interface),
  write: (ports, ref, state) => write(ports, ref.interface, state),
  holds: agrees,
  label: (ref) => `${ref.interface} offloads`,
  show,
  commands: (ref, state) => [
    `ethtool -K ${shellWord(ref.interface)} ${namedFully(state)
      .map(([name, on]) => `${shortName(name)} ${on ? 'on' : 'off'}`)
      .join(' ')}`,
  ],
  reach: () => 'network',
};

async function read(ports: TunePorts, name: string): Promise<State | undefined> {
  const features = (await linkFacts(ports, name))?.features;
  return features && Object.fromEntries(Object.entries(features).flatMap(([offload, { on, changeable }]) => (changeable ? [[offload, on]] : [])));
}

/** What one round did not bring about for want of another offload may come with the second. */
const ROUNDS_MAX = 2;

async function write(ports: TunePorts, name: string, state: State): Promise<void> {
  for (let round = 1; ; round++) {
    const found = await read(ports, name);
    if (found === undefined) throw gone(name, 'offloads');
    // What is as it should be is not written again: it may be off only as long as what it needs is.
    const left = differing(Object.fromEntries(namedFully(state)), found);
    if (isEmpty(left)) return;
    if (round > ROUNDS_MAX) {
      throw new TautlineError('unsupported', `the driver of ${name} did not switch ${list(left)}`, {
        hint: 'it ties offloads together: `ethtool -k` shows which are fixed',
      });
    }
    try {
      await ports.control.setFeatures(name, left);
    } catch (error) {
      if (round === ROUNDS_MAX || !(error instanceof TautlineError) || error.code !== 'unsupported') throw error;
    }
  }
}

/** Names that stand for several beside them; ethtool -k prints both. */
const GROUPS: Readonly<Record<string, RegExp>> = {
  'tx-checksumming': /^tx-checksum-/,
  'scatter-gather': /^tx-scatter-gather/,
  'tcp-segmentation-offload': /^tx-tcp.*-segmentation$/,
};

/** Where the several are named themselves they say it all, and their common name would switch on those that are off. */
function namedFully(state: State): [string, boolean][] {
  const names = Object.keys(state);
  return Object.entries(state).filter(([name]) => {
    const members = Object.hasOwn(GROUPS, name) ? GROUPS[name] : undefined;
    return members === undefined || !names.some((other) => members.test(other));
  });
}

/** More than these are told by what differs, or counted. */
const SHOWN_MAX = 6;

function show(state: State, beside?: State): string {
  const names = Object.keys(state).filter((name) => beside === undefined || Object.hasOwn(beside, name));
  const shown = names.length > SHOWN_MAX && beside ? names.filter((name) => state[name] !== beside[name]) : names;
  if (shown.length === 0) return names.length === 0 ? 'none' : 'the same';
  if (shown.length > SHOWN_MAX) return `${shown.filter((name) => state[name]).length} of ${shown.length} on`;
  return list(Object.fromEntries(shown.map((name) => [name, state[name] === true])));
}

function list(state: Partial<State>): string {
  return Object.entries(state)
    .map(([name, on]) => `${shortName(name)} ${on === true ? 'on' : 'off'}`)
    .join(', ');
}

/** What people call them, and what every ethtool takes for an option (ethtool(8), -K). */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  'rx-checksumming': 'rx',
  'tx-checksumming': 'tx',
  'scatter-gather': 'sg',
  'tcp-segmentation-offload': 'tso',
  'generic-segmentation-offload': 'gso',
  'generic-receive-offload': 'gro',
  'large-receive-offload': 'lro',
  'rx-vlan-offload': 'rxvlan',
  'tx-vlan-offload': 'txvlan',
  'ntuple-filters': 'ntuple',
  'receive-hashing': 'rxhash',
};

function shortName(name: string): string {
  return Object.hasOwn(SHORT_NAMES, name) ? (SHORT_NAMES[name] ?? name) : name;
}
