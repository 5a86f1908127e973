import type { StatusDocument } from '../../results/index.js';
import { SETTINGS, checkHost, createView, findDrift, labelOf, resembles, showState, standingChanges } from '../../tune/index.js';
import type { Drift, StandingChange, TunePorts } from '../../tune/index.js';
import { documentHead } from '../head.js';
import { environmentOf, searchOf } from './prepare.js';
import { listProfiles } from './profiles.js';
import type { LoadedProfile } from './profiles.js';
import type { TuneStatusRequest } from './requests.js';
import { rootsOwn } from './roots-own.js';

/** What is in force, what no longer holds what was applied, and how the host looks beside the profiles. */
export async function tuneStatus(ports: TunePorts, request: TuneStatusRequest): Promise<StatusDocument> {
  const startedMs = ports.clock.nowMs();
  const [head, view, standing] = await Promise.all([documentHead(ports), createView(ports, request), standingChanges(ports, request.folder)]);
  const profiles = (await listProfiles(ports.files, searchOf(request, view))).filter((profile): profile is LoadedProfile => !('problem' in profile));
  const damaged = standing.flatMap(({ id, damaged: why }) => (why === undefined ? [] : [{ id, why, advice: DAMAGE_ADVICE }]));
  const notes = await rootsOwn(ports, request);
  const drift = (await findDrift(ports, standing)).map(driftOf);
  return {
    schema: 'tautline.status/1',
    ...head,
    durationMs: ports.clock.nowMs() - startedMs,
    environment: environmentOf(view),
    changes: standing.flatMap((change) => (change.damaged === undefined ? [changeOf(change)] : [])),
    ...(damaged.length === 0 ? {} : { damaged }),
    drift,
    checks: [...(await checkHost(view))],
    resembles: [...(await resembles(view, profiles, SETTINGS))],
    ...(notes.length === 0 ? {} : { notes: [...notes] }),
    verdict: verdictOf(ports, standing, drift.length),
  };
}

const DAMAGE_ADVICE =
  'Nothing is done by it any more. What was there before stands in its first line ("original" of each step): put it back by hand, then move the file elsewhere.';

type Readable = Extract<StandingChange, { damaged?: undefined }>;

function changeOf(change: Readable): StatusDocument['changes'][number] {
  const { id, profile, state, appliedAt, persisted, confirmBefore, steps } = change;
  return { id, profile, state, appliedAt, persisted, ...(confirmBefore === undefined ? {} : { confirmBefore }), places: steps.length };
}

function driftOf({ change, step, applied, found }: Drift): StatusDocument['drift'][number] {
  return {
    setting: step.setting,
    place: labelOf(step.place),
    applied: showState(step.place, applied),
    found: found === undefined ? 'nothing' : showState(step.place, found),
    why: found === undefined ? `it is gone since change ${change}` : `somebody changed it since change ${change}`,
  };
}

function verdictOf(ports: TunePorts, standing: readonly StandingChange[], drifted: number): StatusDocument['verdict'] {
  const changes = standing.filter((change): change is Readable => change.damaged === undefined);
  const unfinished = changes.find(({ state }) => state === 'applying' || state === 'rolling-back');
  if (unfinished)
    return { outcome: 'fail', sentence: `change ${unfinished.id} was interrupted: 'tautline tune rollback ${unfinished.id}' undoes it` };
  const overdue = changes.find(({ confirmBefore }) => confirmBefore !== undefined && ports.clock.wallMs() >= Date.parse(confirmBefore));
  if (overdue)
    return {
      outcome: 'fail',
      sentence: `nobody confirmed change ${overdue.id} in time, and it is still there: 'tautline tune rollback ${overdue.id}' undoes it`,
    };
  if (drifted > 0) {
    const sentence = `${drifted === 1 ? 'one of the places that were changed no longer holds' : `${drifted} of the places that were changed no longer hold`} what was applied`;
    return { outcome: 'fail', sentence };
  }
  const conflicted = changes.find(({ state }) => state === 'conflicted');
  if (conflicted) return { outcome: 'fail', sentence: `change ${conflicted.id} could not be rolled back whole: somebody changed a part of it since` };
  const unknown = standing.length - changes.length;
  if (unknown > 0) {
    const sentence = `${unknown === 1 ? 'a journal' : `${unknown} journals`} cannot be believed, so whether all holds that was applied cannot be told`;
    return { outcome: 'unmeasured', sentence };
  }
  const [newest] = changes;
  if (!newest) return { outcome: 'pass', sentence: 'nothing is applied here' };
  return {
    outcome: 'pass',
    sentence: `${newest.profile} is in force and everything holds${changes.length > 1 ? `, over ${changes.length === 2 ? 'an earlier change' : `${changes.length - 1} earlier changes`}` : ''}`,
  };
}
