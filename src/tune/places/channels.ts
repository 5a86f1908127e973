import { TautlineError, shellWord } from '../../base/index.js';
import type { Place, PlaceStates } from '../place.js';
import { agrees, differing, gone, isEmpty } from './link-facts.js';

/** How many queues an interface uses, as its driver counts them: one way, the other way, or for both. */
export const channelsPlace: Place<'channels'> = {
  kind: 'channels',
  async read(ports, ref) {
    try {
      const found = await ports.control.readChannels(ref.interface);
      return found && countsAlone(found);
    } catch (error) {
      // The interface is gone, or this system has no such thing.
      if (error instanceof TautlineError && error.code === 'unsupported') return undefined;
      throw error;
    }
  },
  async write(ports, ref, state) {
    const found = await channelsPlace.read(ports, ref);
    if (!found) throw gone(ref.interface, 'queues');
    const left = differing(state, found);
    if (!isEmpty(left)) await ports.control.setChannels(ref.interface, left);
  },
  holds: agrees,
  label: (ref) => `${ref.interface} queues`,
  show: (state) => countsOf(state).join(', '),
  commands: (ref, state) => [`ethtool -L ${shellWord(ref.interface)} ${countsOf(state).join(' ')}`],
  reach: () => 'network',
};

function countsAlone({ rx, tx, combined }: PlaceStates['channels']): PlaceStates['channels'] {
  return { ...(rx === undefined ? {} : { rx }), ...(tx === undefined ? {} : { tx }), ...(combined === undefined ? {} : { combined }) };
}

function countsOf(state: PlaceStates['channels']): string[] {
  return Object.entries(countsAlone(state)).map(([name, count]) => `${name} ${count}`);
}
