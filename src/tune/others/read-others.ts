import type { TunePorts } from '../ports.js';
import type { SettingOwner } from '../setting.js';
import type { Found } from './found.js';
import { findLeftBehind } from './left-behind.js';
import { findLimits } from './limits-files.js';
import { findNetworkFiles } from './network-files.js';
import { quietFiles } from './quiet-files.js';
import { findServices, ufwSysctlFile } from './services.js';
import { decidingLine, isPattern, parseSysctlFile, readSysctlFiles } from './sysctl-files.js';
import type { SysctlLine } from './sysctl-files.js';
import { readTuned } from './tuned.js';
import type { TunedState } from './tuned.js';

/** Who else sets values on this host. */
export interface Managers {
  /** By a sysctl's name, or the id of a setting that is none (`cpu-governor`). Distribution defaults and Tautline's own files are nobody. */
  managedBy(key: string): SettingOwner | undefined;
  /** All of it, for people: what each sets and what to do about it. */
  readonly found: readonly Pick<Found, 'who' | 'what' | 'advice'>[];
}

/** Finds out, from files alone, who else sets kernel values, offloads, governors and limits here. It starts no program. */
export async function readManagers(ports: Pick<TunePorts, 'files'>): Promise<Managers> {
  const files = quietFiles(ports);
  const [sysctls, tuned, ufwFile, services, network, limits, left] = await Promise.all([
    readSysctlFiles(files),
    readTuned(files),
    ufwSysctlFile(files),
    findServices(files),
    findNetworkFiles(files),
    findLimits(files),
    findLeftBehind(files),
  ]);
  const ufwLines = ufwFile === undefined ? [] : parseSysctlFile((await files.text(ufwFile)) ?? '', ufwFile);
  const wishes = sysctls.filter(({ from }) => from === 'administrator');
  const known = new Set(left.map(({ who }) => who));
  const found = [
    ...left,
    ...sysctlEntries(wishes, known),
    ...ufwEntries(ufwLines),
    ...tunedEntries(tuned, wishes),
    ...services,
    ...network,
    ...limits,
  ];
  const decided = new Map([...left, ...network, ...services].flatMap(({ decides }) => [...(decides ?? [])]));
  return {
    // UFW writes last at boot; TuneD lets sysctl.d win (reapply_sysctl in tuned-main.conf), so it is asked last.
    managedBy: (key) =>
      managerOf(ufwLines, key) ?? managerOf(wishes, key) ?? decided.get(key) ?? (tuned?.running === true ? tuned.values.get(key) : undefined),
    found: found.map(({ who, what, advice }) => ({ who, what, advice })),
  };
}

function managerOf(lines: readonly SysctlLine[], key: string): SettingOwner | undefined {
  const line = decidingLine(lines, key);
  return line?.value === undefined ? undefined : { who: `${line.file}:${line.line}`, value: line.value };
}

function sysctlEntries(lines: readonly SysctlLine[], known: ReadonlySet<string>): Found[] {
  const files = [...new Set(lines.map(({ file }) => file))].filter((file) => !known.has(file));
  return files.map((file) => ({
    who: file,
    what: `sets ${nameKeys(lines.filter((line) => line.file === file))}`,
    advice: 'what it sets stays as it says, since it would come back at the next boot; take a line away there to let a profile decide',
  }));
}

function ufwEntries(lines: readonly SysctlLine[]): Found[] {
  const [first] = lines;
  if (!first) return [];
  return [
    {
      who: `UFW (${first.file})`,
      what: `sets ${nameKeys(lines)} whenever the firewall starts, after sysctl.d was read`,
      advice: 'what it sets stays as it says; change it there',
    },
  ];
}

function tunedEntries(tuned: TunedState | undefined, wishes: readonly SysctlLine[]): Found[] {
  if (!tuned) return [];
  const who = `TuneD profile ${tuned.profile}`;
  if (!tuned.running) {
    return [
      { who, what: 'is chosen in /etc/tuned/active_profile, but TuneD neither runs nor starts at boot', advice: 'nothing to do: it sets nothing' },
    ];
  }
  const keys = [...tuned.values.keys()].filter((key) => decidingLine(wishes, key) === undefined);
  const missing = tuned.missing.length === 0 ? '' : `; its profile ${tuned.missing.join(', ')} could not be read`;
  return [
    {
      who,
      what: `${keys.length === 0 ? 'sets nothing that a profile of Tautline sets' : `sets ${nameSome(keys)}`}${missing}`,
      advice:
        "what it sets is left to it, since it sets it again at each start; 'sudo tuned-adm off' hands all of it over, or write the values into a TuneD profile of your own",
    },
  ];
}

function nameKeys(lines: readonly SysctlLine[]): string {
  return nameSome([...new Set(lines.filter(({ value }) => value !== undefined).map(({ key }) => displayed(key)))]);
}

/** The path as people write it, with dots. */
function displayed(path: string): string {
  return isPattern(path) || !path.includes('.') ? path.replaceAll('/', '.') : path;
}

const NAMED_MAX = 8;

function nameSome(names: readonly string[]): string {
  const more = names.length - NAMED_MAX;
  return more > 1 ? `${names.slice(0, NAMED_MAX).join(', ')} and ${more} more` : names.join(', ');
}
