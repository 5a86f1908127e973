import type { Place, PlaceKind, PlaceOf, PlaceRef, PlaceStates } from '../place.js';
import type { TunePorts } from '../ports.js';
import { channelsPlace } from './channels.js';
import { coalescingPlace } from './coalescing.js';
import { entryPlace } from './entry.js';
import { forwardingPlace } from './forwarding.js';
import { kernelValuePlace } from './kernel-value.js';
import { latencyHoldPlace } from './latency-hold.js';
import { macosAddressPlace } from './macos-address.js';
import { macosMediaPlace } from './macos-media.js';
import { macosSysctlPlace } from './macos-sysctl.js';
import { nftTablePlace } from './nft-table.js';
import { offloadsPlace } from './offloads.js';
import { ringsPlace } from './rings.js';
import { rootQueuePlace } from './root-queue.js';
import { tailscalePrefPlace } from './tailscale-pref.js';

/** Every kind of place. A new kind is one file beside this one and a line here. */
const PLACES: { readonly [K in PlaceKind]: Place<K> } = {
  'kernel-value': kernelValuePlace,
  entry: entryPlace,
  offloads: offloadsPlace,
  coalescing: coalescingPlace,
  rings: ringsPlace,
  channels: channelsPlace,
  'root-queue': rootQueuePlace,
  forwarding: forwardingPlace,
  'latency-hold': latencyHoldPlace,
  'nft-table': nftTablePlace,
  'tailscale-pref': tailscalePrefPlace,
  'macos-sysctl': macosSysctlPlace,
  'macos-media': macosMediaPlace,
  'macos-address': macosAddressPlace,
};

/** What places of this kind hold; of a reference that may be of any kind, whatever any of them may hold. */
export type StateOf<R extends PlaceRef> = PlaceStates[R['kind']];

/** What is there now; undefined where this host has no such place. */
export function readPlace<R extends PlaceRef>(ports: TunePorts, ref: R): Promise<StateOf<R> | undefined> {
  return placeFor(ref).read(ports, ref);
}

/** Puts the value there, to apply as well as to undo. @throws TautlineError */
export function writePlace<R extends PlaceRef>(ports: TunePorts, ref: R, state: StateOf<R>): Promise<void> {
  return placeFor(ref).write(ports, ref, state);
}

/** Whether what is there is what was meant. */
export function placeHolds<R extends PlaceRef>(ref: R, state: StateOf<R>, meant: StateOf<R>): boolean {
  return placeFor(ref).holds(state, meant);
}

export function labelOf(ref: PlaceRef): string {
  return placeFor(ref).label(ref);
}

/** @param beside a second state that this one is shown next to, so that what differs can be told */
export function showState<R extends PlaceRef>(ref: R, state: StateOf<R>, beside?: StateOf<R>): string {
  return placeFor(ref).show(state, beside);
}

/** Shell lines that put the value there without Tautline. */
export function commandsOf<R extends PlaceRef>(ref: R, state: StateOf<R>): readonly string[] {
  return placeFor(ref).commands(ref, state);
}

export function reachOf(ref: PlaceRef): ReturnType<Place<PlaceKind>['reach']> {
  return placeFor(ref).reach(ref);
}

/** One kind's functions behind the types of all: a reference and its state always come from the same change, and so are of one kind. */
interface AnyPlace<R extends PlaceRef> {
  read(ports: TunePorts, ref: R): Promise<StateOf<R> | undefined>;
  write(ports: TunePorts, ref: R, state: StateOf<R>): Promise<void>;
  holds(state: StateOf<R>, meant: StateOf<R>): boolean;
  label(ref: R): string;
  show(state: StateOf<R>, beside?: StateOf<R>): string;
  commands(ref: R, state: StateOf<R>): readonly string[];
  reach(ref: PlaceOf<PlaceKind>): ReturnType<Place<PlaceKind>['reach']>;
}

function placeFor<R extends PlaceRef>(ref: R): AnyPlace<R> {
  return PLACES[ref.kind] as unknown as AnyPlace<R>;
}
