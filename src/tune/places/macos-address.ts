import { shellWord } from '../../base/index.js';
import type { Place, PlaceStates } from '../place.js';
import { networksetup } from './macos-program.js';

type State = PlaceStates['macos-address'];

/** How a network service has its IPv4 address. */
export const macosAddressPlace: Place<'macos-address'> = {
  kind: 'macos-address',
  async read(ports, { service }) {
    const text = await networksetup(ports, ['-getinfo', service], `the address of ${service} cannot be read`);
    return text === undefined ? undefined : parseAddress(text);
  },
  async write(ports, { service }, state) {
    await networksetup(ports, argumentsOf(service, state), `the address of ${service} cannot be set`);
  },
  // What DHCP handed out is not ours, and changes by itself.
  holds: (state, meant) =>
    state.by === meant.by &&
    (meant.by === 'dhcp' || (state.address === meant.address && state.mask === meant.mask && (state.router ?? '') === (meant.router ?? ''))),
  label: ({ service }) => `address of ${service}`,
  show: showAddress,
  commands: ({ service }, state) => [['networksetup', ...argumentsOf(service, state)].map(shellWord).join(' ')],
  // It is kept in the system's configuration.
  reach: () => 'disk',
};

export function showAddress({ by, address, mask, router }: State): string {
  if (by === 'dhcp') return 'DHCP';
  return `${address ?? '?'} ${mask ?? '?'}${router === undefined ? '' : ` router ${router}`}`;
}

/** What `networksetup -getinfo` prints; undefined for what cannot be put back (BOOTP, off, DHCP with a manual address). */
export function parseAddress(text: string): State | undefined {
  const [first = ''] = text.split('\n');
  const field = (name: string): string | undefined => {
    const value = new RegExp(`^${name}: *(\\S+)$`, 'm').exec(text)?.[1];
    return value === undefined || value === 'none' || value === '(null)' ? undefined : value;
  };
  if (first.startsWith('DHCP Configuration')) return { by: 'dhcp' };
  if (!first.startsWith('Manual Configuration')) return undefined;
  const [address, mask, router] = [field('IP address'), field('Subnet mask'), field('Router')];
  if (address === undefined || mask === undefined) return undefined;
  return { by: 'manual', address, mask, ...(router === undefined ? {} : { router }) };
}

function argumentsOf(service: string, { by, address = '', mask = '', router }: State): string[] {
  return by === 'dhcp' ? ['-setdhcp', service] : ['-setmanual', service, address, mask, ...(router === undefined ? [] : [router])];
}
