import type { Advice } from '../results/index.js';

export const TERMS = { short: 'now', medium: 'then', long: 'later' } as const;
export const COSTS = { nothing: 'free', change: 'a setting', money: 'money' } as const;

export function speedsOf({ fromBps, toBps }: Advice): string {
  return `${plainSpeed(fromBps)} to ${plainSpeed(toBps)}`;
}

function plainSpeed(bps: number): string {
  return bps >= 1e9 ? `${Number((bps / 1e9).toPrecision(4))} Gbit/s` : `${Number((bps / 1e6).toPrecision(4))} Mbit/s`;
}

export function usdText([least, most]: readonly [number, number]): string {
  return least === most ? `$${least}` : `$${least} to $${most}`;
}

export function partText({ what, count, usd }: Advice['options'][number]['parts'][number]): string {
  return `${count} x ${what}, ${usdText(usd)}`;
}

/** How many times as fast, where that can be seen. */
export function factorOf(factor: number): string {
  return factor < 1.05 ? '' : ` (${factor >= 10 ? Math.round(factor) : Number(factor.toPrecision(2))} times as fast)`;
}
