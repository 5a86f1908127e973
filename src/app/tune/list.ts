import type { TuneListDocument } from '../../results/index.js';
import { SETTINGS, adviseProfile, createView } from '../../tune/index.js';
import type { TunePorts } from '../../tune/index.js';
import { documentHead } from '../head.js';
import { listedSetting } from './listed-setting.js';
import { searchOf } from './prepare.js';
import { listProfiles } from './profiles.js';
import type { ListedProfile } from './profiles.js';
import type { TuneListRequest } from './requests.js';

/** Profiles and settings that there are, with what each is worth. */
export async function tuneList(ports: TunePorts, request: TuneListRequest): Promise<TuneListDocument> {
  const startedMs = ports.clock.nowMs();
  const [head, view] = await Promise.all([documentHead(ports), createView(ports, request)]);
  const advised = adviseProfile(view.environment);
  const profiles = await listProfiles(ports.files, searchOf(request, view));
  return {
    schema: 'tautline.tune-list/1',
    ...head,
    durationMs: ports.clock.nowMs() - startedMs,
    profiles: profiles.map((profile) => entryOf(profile, advised)),
    settings: SETTINGS.map(listedSetting),
  };
}

function entryOf(profile: ListedProfile, advised: { readonly profile: string; readonly why: string }): TuneListDocument['profiles'][number] {
  const { name, file } = profile;
  if ('problem' in profile) return { name, title: 'cannot be used', about: profile.problem, risk: '', exact: false, lineage: [], settings: 0, file };
  const { title, about, risk, exact, lineage, settings } = profile;
  return {
    name,
    title,
    about,
    risk,
    exact,
    lineage: [...lineage],
    settings: settings.length,
    file,
    ...(name === advised.profile ? { advised: advised.why } : {}),
  };
}
