import { formatQuantity } from '../../base/index.js';
import { tcpShare } from '../ceilings/framing.js';

/** Speeds that Ethernet can negotiate, in bits per second. */
export const LINK_SPEEDS: readonly number[] = [10e6, 100e6, 1e9, 2.5e9, 5e9, 10e9, 25e9, 40e9, 50e9, 100e9, 200e9, 400e9];

export const MTU_STANDARD = 1500;

/** The most TCP payload that a link can carry: 941.5 Mbit/s on 1 Gbit/s at MTU 1500 with timestamps, 949.3 without. */
export function goodputCeilingBps(linkBps: number, options: { readonly mtu?: number; readonly timestamps?: boolean } = {}): number {
  return linkBps * tcpShare({ mtuBytes: options.mtu ?? MTU_STANDARD, family: 4, timestamps: options.timestamps !== false });
}

/** `10 Gbit/s`, without the decimals of a measured figure. */
export function speedName(bps: number): string {
  const steps: readonly (readonly [number, string])[] = [
    [1e9, 'Gbit/s'],
    [1e6, 'Mbit/s'],
  ];
  const [factor, name] = steps.find(([size]) => bps >= size) ?? [1, 'bit/s'];
  const scaled = bps / factor;
  return Number.isInteger(scaled * 10) ? `${scaled} ${name}` : formatQuantity(bps, 'bps');
}

/** The name of the copper standard of a speed, as data sheets write it. */
export function copperName(bps: number): string {
  const short = bps >= 1e9 ? (bps === 1e9 ? '1000' : `${bps / 1e9}G`) : `${bps / 1e6}`;
  return `${short}BASE-T`;
}
