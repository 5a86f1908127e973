import { shellWord, TautlineError } from '../../base/index.js';
import type { Place, PlaceStates } from '../place.js';
import { readTailscalePrefs, setArguments, WRITABLE_PREFS, writeTailscalePref } from './tailscale-client.js';
import type { PrefValue, WritablePref } from './tailscale-client.js';

type State = PlaceStates['tailscale-pref'];

/** A preference of the Tailscale client, which keeps it over a boot by itself. */
export const tailscalePrefPlace: Place<'tailscale-pref'> = {
  kind: 'tailscale-pref',
  async read(ports, { name }) {
    const prefs = await readTailscalePrefs(ports);
    if (!prefs) return undefined;
    return writable(name) === 'RouteAll' ? (prefs.RouteAll ?? false) : (prefs.AdvertiseRoutes ?? null);
  },
  write: (ports, { name }, state) => writeTailscalePref(ports, writable(name), valueFor(name, state)),
  // The client sorts routes.
  holds: (state, meant) => JSON.stringify(sorted(state)) === JSON.stringify(sorted(meant)),
  label: ({ name }) => `Tailscale ${name}`,
  show: (state) => {
    if (typeof state === 'boolean') return state ? 'on' : 'off';
    return state === null || state.length === 0 ? 'none' : typeof state === 'string' ? state : state.join(', ');
  },
  commands: ({ name }, state) => [['tailscale', ...setArguments(writable(name), valueFor(name, state))].map(shellWord).join(' ')],
  // The client keeps it in its own state file.
  reach: () => 'disk',
};

function writable(name: string): WritablePref {
  const found = WRITABLE_PREFS.find((each) => each === name);
  if (!found) throw new TautlineError('unsupported', `the preference '${name}' of the Tailscale client is not one that is changed here`);
  return found;
}

function valueFor(name: string, state: State): PrefValue {
  const fits = writable(name) === 'RouteAll' ? typeof state === 'boolean' : state === null || Array.isArray(state);
  if (!fits) throw new TautlineError('unsupported', `the preference '${name}' of the Tailscale client takes no '${String(state)}'`);
  return state as PrefValue;
}

function sorted(state: State): State {
  // No routes at all is null in a client that never had any, and an empty list afterwards.
  return state === null ? [] : Array.isArray(state) ? (state as readonly string[]).toSorted() : state;
}
