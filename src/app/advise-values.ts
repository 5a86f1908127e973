import { TautlineError, parseDurationMs, parseRateBps } from '../base/index.js';
import { CABLES, DISKS, LINK_SPEEDS, speedName } from '../diagnose/index.js';
import type { Cable, UpgradeInput } from '../diagnose/index.js';
import { nearest } from './nearest.js';

/*
 * What the flags of `advise` take. Everything is checked against what can be: a slip such as --from 1M for 1G
 * would otherwise give confident nonsense.
 */

/** `1G`, `2.5G`, `10GbE`: a speed that Ethernet has. */
export function speedOf(flag: string, text: string): number {
  const bps = named(flag, () => parseRateBps(text.trim().replace(/(?:bE|BASE-?TX?)$/i, '')));
  if (LINK_SPEEDS.includes(bps)) return bps;
  throw new TautlineError('usage', `${flag}: ${speedName(bps)} is no speed of an Ethernet link`, {
    hint: `links run at ${LINK_SPEEDS.map((speed) => speedName(speed).replace(/ (.)bit\/s$/, '$1')).join(', ')}; what was measured goes to --measured`,
  });
}

/** A measured rate of payload. */
export function goodputOf(flag: string, text: string): number {
  const bps = rateOf(flag, text);
  if (bps >= 1000 && bps <= 1e12) return bps;
  throw new TautlineError('usage', `${flag}: ${text} is no rate that a link shows`, { hint: 'write for example 945M (bits per second) or 118MB/s' });
}

/** Bits per second (`945M`), or bytes per second (`3GB/s`). */
export function rateOf(flag: string, text: string): number {
  const bytes = /^(\d+(?:\.\d+)?)\s*(k|K|M|G|T)B\/s$/.exec(text.trim());
  return named(flag, () => parseRateBps(bytes ? `${bytes[1]}${bytes[2]}` : text)) * (bytes ? 8 : 1);
}

export function durationOf(flag: string, text: string): number {
  return named(flag, () => parseDurationMs(text));
}

const HOSTS_MAX = 64;

export function hostsOf(text: string): number {
  if (/^\d+$/.test(text) && Number(text) >= 2 && Number(text) <= HOSTS_MAX) return Number(text);
  throw new TautlineError('usage', `--hosts: '${text}' is not a whole number from 2 to ${HOSTS_MAX}`, {
    hint: 'how many hosts are to be connected, for example 3',
  });
}

const METRES_MAX = 10_000;

export function metresOf(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\s*(m|km|ft)$/.exec(text.trim()) ?? [];
  const metres = Number(count) * (unit === 'km' ? 1000 : unit === 'ft' ? 0.3048 : 1);
  if (metres > 0 && metres <= METRES_MAX) return metres;
  throw new TautlineError('usage', `--distance: '${text}' is no length of a cable`, { hint: 'write for example 30m, 0.2km or 100ft, at most 10km' });
}

export function cableOf(text: string): Cable {
  const name = text.toLowerCase().replace(/[\s.-]/g, '');
  const found = CABLES.find((cable) => cable === name);
  if (found) return found;
  const guess = nearest(name, CABLES);
  throw new TautlineError('usage', `--cable: there is no cable '${text}'`, {
    hint: guess === undefined ? `the cables are ${CABLES.join(', ')}` : `did you mean '${guess}'?`,
  });
}

export function portsOf(text: string): 'rj45' | 'sfp' {
  if (text === 'rj45' || text === 'sfp') return text;
  throw new TautlineError('usage', `--ports: '${text}' is neither rj45 nor sfp`, {
    hint: 'rj45 takes a plug of twisted pair, sfp a module or a direct attach cable',
  });
}

/** `nvme`, `sata`, `hdd`, or a rate such as `3GB/s`. */
export function diskOf(text: string): NonNullable<UpgradeInput['disk']> {
  const known = DISKS[text.toLowerCase()];
  if (known) return known;
  if (/^[a-z]+$/i.test(text)) {
    const guess = nearest(text, Object.keys(DISKS));
    throw new TautlineError('usage', `--disk: there is no disk '${text}'`, {
      hint: guess === undefined ? 'write nvme, sata, hdd or a rate such as 3GB/s' : `did you mean '${guess}'?`,
    });
  }
  const bps = rateOf('--disk', text);
  if (bps >= 1e6 && bps <= 1e12) return { bps, name: 'the disk' };
  throw new TautlineError('usage', `--disk: ${text} is no rate of a disk`, { hint: 'write for example 3GB/s' });
}

/** `vpn=2G`: something else that bounds the path, by name. */
export function boundOf(text: string): { readonly what: string; readonly bps: number } {
  const [, name, value] = /^([\w][\w .-]{0,40})=(.+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new TautlineError('usage', `--limit: '${text}' is not a name and a rate`, { hint: 'write for example --limit vpn=2G or --limit core=40G' });
  }
  return { what: name === 'core' ? 'one core' : name, bps: goodputOf(`--limit ${name}`, value) };
}

/** An error of a parser, with the flag before it. */
export function named<T>(flag: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TautlineError)) throw error;
    throw new TautlineError(error.code, `${flag}: ${error.message}`, { ...(error.hint === undefined ? {} : { hint: error.hint }), cause: error });
  }
}
