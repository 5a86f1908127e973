import type { Profile, ProfileFile, WantedSetting } from './profile.js';

/**
 * A profile with everything inherited. `chain` is the profile itself, then what it extends, then what that extends.
 *
 * 1. The profile furthest up comes first; each below puts its settings over it, key by key and whole.
 * 2. A setting keeps its place in the order, which is that in which the furthest profile named it.
 * 3. `value: null` takes a setting away; one further down may name it again.
 * 4. `exact` is not inherited: values are lowered only where the very profile that was chosen says so.
 */
export function inheritProfile(chain: readonly [ProfileFile, ...ProfileFile[]]): Profile {
  const [own] = chain;
  const settings = new Map<string, { readonly wanted: WantedSetting; readonly from: string }>();
  for (const file of chain.toReversed()) {
    for (const [id, wanted] of Object.entries(file.settings)) {
      if (wanted.value === null) settings.delete(id);
      else settings.set(id, { wanted, from: file.name });
    }
  }
  return {
    name: own.name,
    title: own.title,
    about: own.about,
    risk: own.risk,
    exact: own.exact === true,
    lineage: chain.map(({ name }) => name),
    settings: [...settings].map(([id, { wanted, from }]) => ({ id, wanted, from })),
  };
}
