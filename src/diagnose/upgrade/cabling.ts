import { cableCarries } from './cables.js';
import type { Cable } from './cables.js';
import type { Situation, UpgradeInput } from './input.js';
import type { PartId } from './prices.js';

/** One link: its speed, its length, and what its ends take. */
export interface Run {
  readonly bps: number;
  readonly metres: number;
  readonly ports: 'rj45' | 'sfp';
}

/** Where no distance was declared: across a room, or within a rack where the ports take direct attach cables. */
export function assumedMetres(ports: Run['ports']): number {
  return ports === 'sfp' ? 3 : 10;
}

/** What the hosts take, where nobody said: plugs as far as twisted pair goes. */
export function portsOf(input: UpgradeInput, { toBps, ends }: Situation): Run['ports'] {
  const cages = ends.some(({ link }) => /fibre|direct attach|DAC/i.test(link.port ?? ''));
  return input.ports ?? (toBps > 10e9 || cages ? 'sfp' : 'rj45');
}

/** The cheapest cable that carries it; undefined where the price list has none. */
export function cablingFor({ bps, metres, ports }: Run): PartId | undefined {
  return CABLING.find((one) => one.ports === ports && one.bpsMax >= bps && cableCarries(one.cable, bps, metres).carries)?.part;
}

const CABLING: readonly { readonly ports: Run['ports']; readonly bpsMax: number; readonly cable: Cable; readonly part: PartId }[] = [
  { ports: 'rj45', bpsMax: 2.5e9, cable: 'cat5e', part: 'patch-cat5e' },
  { ports: 'rj45', bpsMax: 10e9, cable: 'cat6a', part: 'patch-cat6a' },
  { ports: 'sfp', bpsMax: 10e9, cable: 'dac', part: 'dac-10g' },
  { ports: 'sfp', bpsMax: 25e9, cable: 'dac', part: 'dac-25g' },
  { ports: 'sfp', bpsMax: 100e9, cable: 'dac', part: 'dac-100g' },
  { ports: 'sfp', bpsMax: 10e9, cable: 'om3', part: 'optics-10g' },
  { ports: 'sfp', bpsMax: 25e9, cable: 'om3', part: 'optics-25g' },
  { ports: 'sfp', bpsMax: 100e9, cable: 'om3', part: 'optics-100g' },
];

/** Patch cables of a price list are up to so long; what is longer costs more. */
const PATCH_METRES_MAX = 10;
/** Of bulk cable, without the work of laying it: least and most. */
const USD_PER_METRE = [0.4, 1.5] as const;

/** What the length adds to the price of one cable of twisted pair. */
export function lengthUsd(part: PartId, metres: number): readonly [number, number] {
  const beyond = part.startsWith('patch') ? Math.max(0, metres - PATCH_METRES_MAX) : 0;
  return [Math.round(beyond * USD_PER_METRE[0]), Math.round(beyond * USD_PER_METRE[1])];
}
