import type { StatusDocument } from '../../results/index.js';
import { SETTINGS, checkHost, createView, findDrift, labelOf, resembles, showState, standingChanges } from '../../tune/index.js';
import type { Drift, StandingChange, TunePorts } from '../../tune/index.js';
import { documentHead } from '../head.js';
import { environmentOf, searchOf } from './prepare.js';
import { listProfiles } from './profiles.js';
import type { LoadedProfile } from './profiles.js';
import type { TuneStatusRequest } from './requests.js';

/** What is in force, what no longer holds what was applied, and how the host looks beside the profiles. */
export async function tuneStatus(ports: TunePorts, request: TuneStatusRequest): Promise<StatusDocument> {
  const startedMs = ports.clock.nowMs();
  const [head, view, standing] = await Promise.all([documentHead(ports), createView(ports, request), standingChanges(ports, request.folder)]);
  const profiles = (await listProfiles(ports.files, searchOf(request, view))).filter((profile): profile is LoadedProfile => !('problem' in profile));
  const drift = (await findDrift(ports, standing)).map(driftOf);
  return {
    schema: 'tautline.status/1',
    ...head,
    durationMs: ports.clock.nowMs() - startedMs,
    environment: environmentOf(view),
    changes: standing.flatMap((change) => (change.damaged === undefined ? [changeOf(change)] : [])),
    drift,
    checks: [...(await checkHost(view))],
    resembles: [...(await resembles(view, profiles, SETTINGS))],
    verdict: verdictOf(ports, standing, drift.length),
  };
}

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
  const damaged = standing.find((change) => change.damaged !== undefined);
  if (damaged?.damaged !== undefined) return { outcome: 'fail', sentence: damaged.damaged };
  const changes = standing.filter((change): change is Readable => change.damaged === undefined);
  const [newest] = changes;
  if (!newest) return { outcome: 'pass', sentence: 'nothing is applied here' };
  const unfinished = changes.find(({ state }) => state === 'applying' || state === 'rolling-back');
  if (unfinished)
    return { outcome: 'fail', sentence: `change ${unfinished.id} was interrupted: 'tautline tune rollback ${unfinished.id}' undoes it` };
  const overdue = changes.find(({ confirmBefore }) => confirmBefore !== undefined && ports.clock.wallMs() >= Date.parse(confirmBefore));
  if (overdue)
    return {
      outcome: 'fail',
      sentence: `nobody confirmed change ${overdue.id} in time, and it is still there: 'tautline tune rollback ${overdue.id}' undoes it`,
    };
  if (drifted > 0) return { outcome: 'fail', sentence: `${drifted} of the places that were changed no longer hold what was applied` };
  const conflicted = changes.find(({ state }) => state === 'conflicted');
  if (conflicted) return { outcome: 'fail', sentence: `change ${conflicted.id} could not be rolled back whole: somebody changed a part of it since` };
  return {
    outcome: 'pass',
    sentence: `${newest.profile} is in force and everything holds${changes.length > 1 ? `, over ${changes.length - 1} earlier` : ''}`,
  };
}
