import type { PlanDocument, ProfileChoice } from '../../results/index.js';
import { SETTINGS, adviseProfile, createView, planTune } from '../../tune/index.js';
import type { FullView, Profile, TunePlan, TunePorts } from '../../tune/index.js';
import { TautlineError } from '../../base/index.js';
import { documentHead } from '../head.js';
import type { Head } from '../head.js';
import { nearest } from '../nearest.js';
import { feasibility } from './plan-document.js';
import type { Feasible } from './plan-document.js';
import { loadProfile } from './profiles.js';
import type { LoadedProfile, ProfileSearch } from './profiles.js';
import type { TunePlanRequest, TuneScope } from './requests.js';

/** Everything that a plan shows and an apply carries out. */
export interface Prepared {
  readonly head: Head;
  readonly startedMs: number;
  readonly view: FullView;
  readonly profile: LoadedProfile;
  readonly choice: ProfileChoice;
  readonly plan: TunePlan;
  readonly steps: readonly Feasible[];
}

/** Looks at the host and plans; changes nothing. @throws TautlineError `config` for the profile, `usage` for an interface */
export async function prepare(ports: TunePorts, request: TunePlanRequest): Promise<Prepared> {
  const startedMs = ports.clock.nowMs();
  const [head, view] = await Promise.all([documentHead(ports), createView(ports, request)]);
  refuseUnknownInterfaces(view, request.interfaces ?? []);
  const advised = adviseProfile(view.environment);
  const profile = await loadProfile(ports.files, { ...searchOf(request, view), name: request.profile ?? advised.profile });
  const plan = await planTune(view, profile, SETTINGS);
  return {
    head,
    startedMs,
    view,
    profile,
    choice: choiceOf(profile, request.profile === undefined ? { chosen: 'advised', why: advised.why } : { chosen: 'asked', why: 'it was asked for' }),
    plan,
    steps: await feasibility(view, plan),
  };
}

export function searchOf({ profileFolders }: TuneScope, { platform }: Pick<FullView, 'platform'>): ProfileSearch {
  return { folders: profileFolders, settings: SETTINGS, platform };
}

export function environmentOf({ environment }: FullView): PlanDocument['environment'] {
  return { ...environment, evidence: [...environment.evidence] };
}

export function choiceOf(profile: Profile, how: Pick<ProfileChoice, 'chosen' | 'why'>): ProfileChoice {
  const { name, title, risk, exact, lineage } = profile;
  return { name, title, risk, exact, lineage: [...lineage], ...how };
}

function refuseUnknownInterfaces({ links }: FullView, asked: readonly string[]): void {
  const names = links.map(({ name }) => name);
  const unknown = asked.find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const guess = nearest(unknown, names);
  throw new TautlineError('usage', `there is no interface '${unknown}'`, {
    hint: guess === undefined ? `there are ${names.join(', ')}` : `did you mean '${guess}'?`,
  });
}
