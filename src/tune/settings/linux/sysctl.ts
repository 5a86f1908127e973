import type { Effect, Group, Source } from '../../setting.js';

/** One key of /proc/sys, as data; `sysctl-setting.ts` makes a setting of it. */
export interface Sysctl {
  /** Its own name; the path below /proc/sys is the same with slashes. */
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  /** `namespace`: every network namespace has its own; `host`: one for the whole kernel, seen or written in its first namespace only. */
  readonly reach: 'namespace' | 'host';
  readonly form: SysctlForm;
  readonly better: Better;
  readonly effect: Effect;
  readonly why: string;
  readonly sources: readonly Source[];
  /** A value as a profile writes it. */
  readonly example: string | number | boolean;
  /** The first release that has it, and what removed it. */
  readonly since?: `${number}.${number}`;
  readonly removed?: { readonly in?: `${number}.${number}`; readonly why: string };
  /** From this release on it does nothing; without a release it never did what it is said to do. */
  readonly inert?: { readonly since?: `${number}.${number}`; readonly why: string };
  /** Why it is better left to the kernel, whatever a profile says unless it says `exact`. */
  readonly leaveAlone?: string;
  /** A socket buffer: what it bounds at some round trips is worked out. */
  readonly buffer?: true;
  readonly notes?: readonly string[];
  readonly moves?: readonly string[];
}

export type SysctlForm =
  | { readonly kind: 'integer'; readonly min: number; readonly max: number | 'int64'; readonly unit?: string }
  /** Least, default, most: each no smaller than the one before. */
  | { readonly kind: 'sizes'; readonly unit: 'bytes' | 'pages' }
  /** First and last port. */
  | { readonly kind: 'ports' }
  | { readonly kind: 'word'; readonly words: readonly string[] }
  | { readonly kind: 'switch' };

/**
 * Which way a profile may move a value that is there already: up only, down only, apart only (a range), by adding bits, or
 * any way where values have no order.
 */
export type Better = 'higher' | 'lower' | 'wider' | 'bits' | 'neither';
