import { GROUPS, nearest } from '../app/index.js';
import { TautlineError, parseDurationMs } from '../base/index.js';
import type { CommonFlags } from './common-options.js';

export interface TuneFlags extends CommonFlags {
  readonly all?: boolean;
}

export interface PlanFlags extends TuneFlags {
  readonly script?: boolean;
  readonly interface?: readonly string[];
}

export interface ApplyFlags extends TuneFlags {
  readonly yes?: boolean;
  readonly persist?: boolean;
  readonly confirmWithin?: number;
  readonly continue?: boolean;
  readonly interface?: readonly string[];
}

export interface RollbackFlags extends TuneFlags {
  readonly force?: boolean;
}

export interface TryFlags extends TuneFlags {
  readonly target: string;
  readonly setting?: readonly TriedSetting[];
  readonly keep?: boolean;
  readonly blocks?: number;
  readonly time?: number;
  readonly groups?: readonly string[];
  readonly interface?: readonly string[];
}

/** `--setting KEY=VALUE`; what it may be is for the setting itself to say. */
export interface TriedSetting {
  readonly id: string;
  readonly value: string;
}

export interface GuardFlags {
  readonly folder: string;
}

/** Longer than this nobody waits for a person, and a guard that waits for years is one that was forgotten. */
const TIME_MS_MAX = 24 * 3_600_000;

export function positiveMs(flag: string): (text: string) => number {
  return (text) => {
    let ms: number;
    try {
      ms = parseDurationMs(text);
    } catch (error) {
      if (!(error instanceof TautlineError)) throw error;
      throw new TautlineError('usage', `${flag}: ${error.message}`, { hint: 'write for example 60s or 5m', cause: error });
    }
    if (ms >= 1000 && ms <= TIME_MS_MAX) return ms;
    throw new TautlineError('usage', `${flag}: it must be from 1s to 24h, got '${text}'`, { hint: 'write for example 60s or 5m' });
  };
}

const BLOCKS_MAX = 1000;

export function countOf(flag: string): (text: string) => number {
  return (text) => {
    if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= BLOCKS_MAX) return Number(text);
    throw new TautlineError('usage', `${flag}: '${text}' is not a whole number from 1 to ${BLOCKS_MAX}`, { hint: 'write for example 8' });
  };
}

/** @throws TautlineError `usage` */
export function settingOf(text: string, before: readonly TriedSetting[] | undefined): readonly TriedSetting[] {
  const at = text.indexOf('=');
  const [id, value] = [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  if (at > 0 && id !== '' && value !== '') return [...(before ?? []), { id, value }];
  throw new TautlineError('usage', `--setting: '${text}' lacks ${at > 0 ? 'a value' : 'a name and a value'}`, {
    hint: 'write for example --setting net.ipv4.tcp_congestion_control=bbr',
  });
}

/** @throws TautlineError `usage` that names the nearest group */
export function groupsOf(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !(GROUPS as readonly string[]).includes(name));
  if (unknown === undefined) return [...new Set(names)];
  const guess = nearest(unknown, GROUPS);
  throw new TautlineError('usage', `--groups: there is no group '${unknown}'`, {
    hint: guess === undefined ? `the groups are ${GROUPS.join(', ')}` : `did you mean '${guess}'?`,
  });
}

/** A profile's file as the person wrote it is relative to where they are; a name is left as it is. */
export function profileOf(text: string, workingFolder: string): string {
  const isFile = text.includes('/') || /\.ya?ml$/i.test(text);
  return !isFile || text.startsWith('/') ? text : `${workingFolder.replace(/\/$/, '')}/${text.replace(/^(?:\.\/)+/, '')}`;
}
