import type { StatusDocument } from '../results/index.js';
import { planTune } from './plan.js';
import type { Profile } from './profile.js';
import type { HostView, Setting } from './setting.js';

/** How much of a profile holds on a host. */
export type Resemblance = StatusDocument['resembles'][number];

/**
 * How much of each profile holds here: plans each and counts what is there already, or better, against what would change.
 * What cannot be had on this host (absent, without effect, virtual) speaks neither for nor against a profile. The best
 * match comes first; of two that hold alike, the one that says more.
 */
export async function resembles(view: HostView, profiles: readonly Profile[], settings: readonly Setting[]): Promise<readonly Resemblance[]> {
  const once = settings.map(lookingOnce);
  const counted = await Promise.all(profiles.map((profile) => count(view, profile, once)));
  return counted
    .filter(({ of }) => of > 0)
    .toSorted((a, b) => b.holding / b.of - a.holding / a.of || b.of - a.of || (a.profile < b.profile ? -1 : 1));
}

async function count(view: HostView, profile: Profile, settings: readonly Setting[]): Promise<Resemblance> {
  const { planned, notDone } = await planTune(view, profile, settings);
  const holding = notDone.filter(({ reason }) => reason === 'already' || reason === 'would-lower').length;
  const denied = notDone.filter(({ reason, now, proposed }) => reason === 'managed' || (reason === 'read-only' && now !== proposed)).length;
  return { profile: profile.name, holding, of: holding + denied + planned.length };
}

/** Profiles ask the same of most settings: each looks once for each value. */
function lookingOnce(setting: Setting): Setting {
  const looked = new Map<string, ReturnType<Setting['plan']>>();
  return {
    ...setting,
    plan: (view, wanted, rules) => {
      const key = `${rules.exact ? 'exact' : ''} ${JSON.stringify(wanted)}`;
      const found = looked.get(key) ?? setting.plan(view, wanted, rules);
      looked.set(key, found);
      return found;
    },
  };
}
