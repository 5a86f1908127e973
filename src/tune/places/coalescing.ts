import { shellWord } from '../../base/index.js';
import type { Place, PlaceStates } from '../place.js';
import { agrees, gone, isEmpty, linkFacts } from './link-facts.js';

type State = PlaceStates['coalescing'];

/** How long an interface waits before it interrupts. Where it adapts the times itself, what they are just now is not looked at. */
export const coalescingPlace: Place<'coalescing'> = {
  kind: 'coalescing',
  async read(ports, ref) {
    const found = (await linkFacts(ports, ref.interface))?.coalescing;
    return found && !isEmpty(found) ? found : undefined;
  },
  async write(ports, ref, state) {
    const found = await coalescingPlace.read(ports, ref);
    if (!found) throw gone(ref.interface, 'interrupt coalescing');
    const changes = [...directionChanges(state, found, 'adaptiveRx', 'rxUsecs'), ...directionChanges(state, found, 'adaptiveTx', 'txUsecs')];
    // Drivers take times only while they do not adapt them: adapting is ended with the times, and begun after.
    for (const first of [true, false]) {
      const together = Object.assign({}, ...changes.filter((change) => change.first === first).map(({ values }) => values)) as State;
      if (!isEmpty(together)) await ports.control.setCoalescing(ref.interface, together);
    }
  },
  holds: (state, meant) => agrees(state, fixedPart(meant)),
  label: (ref) => `${ref.interface} interrupt coalescing`,
  show: (state) =>
    words(state)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  commands: (ref, state) => [`ethtool -C ${shellWord(ref.interface)} ${words(fixedPart(state)).flat().join(' ')}`],
  reach: () => 'network',
};

/** Without the times that the driver moves itself. */
function fixedPart(state: State): State {
  const { rxUsecs, txUsecs, ...adaptive } = state;
  return {
    ...adaptive,
    ...(rxUsecs === undefined || state.adaptiveRx === true ? {} : { rxUsecs }),
    ...(txUsecs === undefined || state.adaptiveTx === true ? {} : { txUsecs }),
  };
}

type Direction = readonly ['adaptiveRx', 'rxUsecs'] | readonly ['adaptiveTx', 'txUsecs'];

function directionChanges(state: State, found: State, ...[adaptive, usecs]: Direction): { readonly first: boolean; readonly values: State }[] {
  const [adapts, time] = [state[adaptive], state[usecs]];
  const moving = found[adaptive] === true && adapts !== false;
  return [
    ...(adapts === undefined || adapts === found[adaptive] ? [] : [{ first: !adapts, values: { [adaptive]: adapts } }]),
    ...(time === undefined || time === found[usecs] || moving ? [] : [{ first: true, values: { [usecs]: time } }]),
  ];
}

/** Options of ethtool -C. */
function words({ adaptiveRx, rxUsecs, adaptiveTx, txUsecs }: State): [string, string][] {
  const onOff = (on: boolean | undefined): string | undefined => (on === undefined ? undefined : on ? 'on' : 'off');
  const all = {
    'adaptive-rx': onOff(adaptiveRx),
    'rx-usecs': rxUsecs?.toString(),
    'adaptive-tx': onOff(adaptiveTx),
    'tx-usecs': txUsecs?.toString(),
  };
  return Object.entries(all).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]]));
}
