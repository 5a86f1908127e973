import { shellWord } from '../../base/index.js';
import type { Place } from '../place.js';
import { agrees, differing, gone, isEmpty, linkFacts } from './link-facts.js';

/** How many packets an interface's rings hold. Drivers round, and many take the link down for a moment. */
export const ringsPlace: Place<'rings'> = {
  kind: 'rings',
  async read(ports, ref) {
    const rings = (await linkFacts(ports, ref.interface))?.rings;
    return rings && { rx: rings.rx, tx: rings.tx };
  },
  async write(ports, ref, state) {
    const found = await ringsPlace.read(ports, ref);
    if (!found) throw gone(ref.interface, 'rings');
    const left = differing(state, found);
    if (!isEmpty(left)) await ports.control.setRings(ref.interface, left);
  },
  holds: agrees,
  label: (ref) => `${ref.interface} rings`,
  show: (state) => countsOf(state).join(', '),
  commands: (ref, state) => [`ethtool -G ${shellWord(ref.interface)} ${countsOf(state).join(' ')}`],
  reach: () => 'network',
};

function countsOf(state: object): string[] {
  return Object.entries(state).flatMap(([name, count]) => (count === undefined ? [] : [`${name} ${count}`]));
}
