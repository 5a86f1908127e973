import type { Advice, WorkloadVerdict } from '../../results/index.js';
import { formatQuantity } from '../../base/index.js';

/** Something that bounds how fast data moves. `rank` of its own: the lowest bound decides. */
export interface Bound {
  /** As a person would say it: `the 1 Gbit/s link`. */
  readonly what: string;
  readonly bps: number;
}

/** One link as work sees it. */
export interface Carrier {
  readonly linkBps: number;
  readonly rttMs: number;
  /** What bounds every transfer over it: the link itself, a window, encryption. */
  readonly bounds: readonly Bound[];
  /** What bounds reading a file at one end and writing it at the other. */
  readonly disks: readonly Bound[];
}

export interface Carriers {
  readonly now: Carrier;
  readonly after: Carrier;
}

/** What stands for a key of a declaration (`model=10GB,within=30s`). */
export interface WorkloadKey {
  readonly takes: 'size' | 'rate' | 'duration' | 'count' | 'share';
  readonly help: string;
  readonly min: number;
  readonly max: number;
  /** Without one the key may be left out, and the kind says what that means. */
  readonly default?: number;
  readonly required?: boolean;
}

export type WorkloadValues = Readonly<Record<string, number>>;
export type Outcome = Advice['workloads'][number]['now'];

export interface Judged {
  readonly title: string;
  readonly now: Outcome;
  readonly after: Outcome;
  readonly factor: number;
  readonly verdict: WorkloadVerdict;
  readonly why: string;
  readonly assumed?: readonly string[];
}

/** A kind of work: what a person declares of it, and what a link is to it. A new kind is one file and one line in the registry. */
export interface WorkloadKind {
  readonly id: string;
  readonly title: string;
  /** The key that stands for the kind's own name: `model=10GB` sets `size`. */
  readonly main: string;
  readonly keys: Readonly<Record<string, WorkloadKey>>;
  readonly example: string;
  judge(values: WorkloadValues, carriers: Carriers): Judged;
  /** How much of it a link is sufficient for, by the need that is stated. */
  readonly sufficient: { readonly need: string; upTo(carrier: Carrier): string };
}

export interface DeclaredWorkload {
  readonly kind: WorkloadKind;
  /** By key, defaults filled in. */
  readonly values: WorkloadValues;
  /** Keys that were not given and that a default stands for. */
  readonly defaulted: readonly string[];
}

/** Smaller gains are lost in what varies anyway. */
export const FACTOR_MIN = 1.1;

/** The lowest bound, and the one that is reached next. */
export function lowest(bounds: readonly Bound[]): { readonly bound: Bound; readonly next: Bound | undefined } {
  const [bound = { what: 'nothing known', bps: Number.POSITIVE_INFINITY }, next] = [...bounds].sort((a, b) => a.bps - b.bps);
  return { bound, next };
}

/** `met` is whether the stated need is met; undefined where none was stated. */
export function verdictOf(factor: number, met: { readonly now: boolean; readonly after: boolean } | undefined): WorkloadVerdict {
  if (factor < FACTOR_MIN) return met?.now === true ? 'sufficient now' : 'changes nothing';
  if (met?.now === true) return 'sufficient now';
  return met?.after === true ? 'needs it' : 'helps';
}

/** A declared figure as a person would write it: `10 GB` and not `10.00 GB`. */
export function plainQuantity(value: number, unit: string): string {
  return formatQuantity(value, unit)
    .replace(/(\.\d*?)0+(?= )/, '$1')
    .replace(/\.(?= )/, '');
}

/** `850 ms`, `85.0 s`, `23.5 min`, `4.72 h`. */
export function durationText(seconds: number): string {
  if (seconds < 1) return plainQuantity(seconds * 1000, 'ms');
  const [size, name] = seconds < 120 ? [seconds, 's'] : seconds < 7200 ? [seconds / 60, 'min'] : [seconds / 3600, 'h'];
  return `${Number(size.toPrecision(3))} ${name}`;
}

/** Bytes a second, as people compare it to disks: `117.7 MB/s`. */
export function byteRateText(bps: number): string {
  return `${plainQuantity(bps / 8, 'bytes')}/s`;
}

export function factorText(factor: number): string {
  return `${factor >= 10 ? Math.round(factor) : Number(factor.toPrecision(2))} times`;
}
