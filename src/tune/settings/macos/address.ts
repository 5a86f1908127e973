import { showAddress } from '../../places/macos-address.js';
import { placeHolds, readPlace } from '../../places/registry.js';
import type { PlaceStates } from '../../place.js';
import type { HostView, Setting, Source, Step } from '../../setting.js';
import { notDone, STAYS } from '../steps.js';
import { readService } from './service.js';

interface Wanted {
  readonly service: string;
  readonly address: PlaceStates['macos-address'];
}

const NETWORKSETUP: Source = {
  title: 'networksetup(8), -setmanual',
  url: 'https://support.apple.com/guide/remote-desktop/about-networksetup-apdd0c5a2d5/mac',
};

/** A fixed address of a network service, for two hosts that are joined by a cable. */
export const macosAddress: Setting<Wanted> = {
  id: 'macos-address',
  title: 'Address of a network service',
  platforms: ['macos'],
  effect: 'risky',
  scope: 'interface',
  group: 'link',
  needs: { root: true },
  sources: [NETWORKSETUP],
  why: 'Two hosts that are joined by a cable have nobody who gives them addresses: each needs one of the same subnet. It makes nothing faster by itself.',
  takes: 'a mapping of `service`, `address`, `mask` and perhaps `router`, or of `service` and `by: dhcp`',
  parse(value) {
    const read = readService(value, ['address', 'mask', 'router', 'by']);
    if ('problem' in read) return read;
    const { address, mask, router, by } = read.more;
    if (by === 'dhcp' && address === undefined) return { value: { service: read.service, address: { by: 'dhcp' } } };
    if (by !== undefined) return { problem: "'by' is dhcp and stands alone, or is left out" };
    if (!isAddress(address) || !isMask(mask)) return { problem: 'an IPv4 address and a mask such as 255.255.255.0 are expected' };
    if (router !== undefined && !isAddress(router)) return { problem: 'the router is an IPv4 address' };
    return { value: { service: read.service, address: { by: 'manual', address, mask, ...(router === undefined ? {} : { router }) } } };
  },
  write: ({ service, address }) => `${showAddress(address)} for ${service}`,
  plan: async (view, wanted) => [await planAddress(view, wanted)],
};

async function planAddress(view: HostView, { service, address }: Wanted): Promise<Step> {
  const place = { kind: 'macos-address', service } as const;
  const shown = { instance: service, proposed: showAddress(address) };
  const now = await readPlace(view.ports, place);
  if (!now) {
    return notDone(
      'absent',
      `'${service}' is no network service, or has its address in a way that could not be put back (BOOTP, off): networksetup -getinfo '${service}' shows it`,
      shown,
    );
  }
  const both = { ...shown, now: showAddress(now) };
  if (placeHolds(place, now, address)) return notDone('already', `it is ${showAddress(now)} already`, both);
  return {
    verdict: 'change',
    ...both,
    why: macosAddress.why,
    changes: [{ place, original: now, desired: address }],
    persist: STAYS,
    notes: ['connections through this service end: apply it with --confirm-within when you are connected through it'],
  };
}

function isAddress(value: unknown): value is string {
  if (typeof value !== 'string' || !/^\d{1,3}(?:\.\d{1,3}){3}$/.test(value)) return false;
  return value.split('.').every((part) => Number(part) <= 255);
}

/** Ones first, then zeros. */
function isMask(value: unknown): value is string {
  if (!isAddress(value)) return false;
  const bits = value.split('.').map((part) => Number(part).toString(2).padStart(8, '0'));
  return /^1+0*$/.test(bits.join(''));
}
