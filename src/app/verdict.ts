import { formatEndpoint } from '../base/index.js';
import { conclude } from '../diagnose/index.js';
import type { CheckDocument, Subject } from '../results/index.js';
import type { CheckRequest, Checked } from './check.js';
import { LAYER_PROBES } from './layers.js';
import type { NamedTarget } from './targets.js';

/**
 * The verdict is about the paths that one would use: where one of several is the best, a slower one beside it is
 * no failure; one that leads nowhere is. A path that certainly does not do what it is for fails, however good the
 * figures are that could be taken on it.
 */
export function verdictOf(
  judged: Pick<CheckDocument, 'subjects' | 'choices' | 'findings'>,
  checked: Checked,
  request: CheckRequest,
): CheckDocument['verdict'] {
  const overall = (judged.choices ?? []).filter(({ purpose }) => purpose === 'overall');
  const passedOver = (subject: Subject): boolean => {
    if (subject.kind === 'ssh' && judged.subjects.some((other) => other.peer === subject.peer && other.kind !== 'ssh')) return true;
    const best = overall.find(({ peer }) => peer === subject.peer)?.path;
    return best !== undefined && best !== subject.path && subject.measurements.some(({ outcome }) => outcome === 'ok') && !brokeOff(subject);
  };
  const verdict = conclude({
    subjects: judged.subjects.flatMap((subject, i) => (passedOver(subject) ? [] : [{ ...withoutLayers(subject), ...askedOf(checked.named[i]) }])),
    bands: request.bands,
    ...(checked.named.length > 0 ? { target: request.target ?? 'the peers' } : {}),
    interrupted: request.signal.aborted,
  });
  const relied = judged.subjects.filter((subject) => subject.role === 'target' && !passedOver(subject));
  const broken = (judged.findings ?? []).filter(
    ({ severity, confidence, symptoms, subject: peer, path }) =>
      severity === 'critical' &&
      confidence === 'certain' &&
      !symptoms.every((symptom) => JUDGED_BY_FIGURES.includes(symptom)) &&
      relied.some((subject) => subject.peer === peer && subject.path === path),
  );
  return {
    ...verdict,
    ...(broken.length > 0 && verdict.outcome !== 'unmeasured' ? { outcome: 'fail' as const, band: 'poor' as const } : {}),
    sentence: [
      ...broken.slice(0, 1).map(({ title, path, subject: peer }) => `${title} (${relied.length > 1 ? `${peer}/${path ?? ''}` : peer}).`),
      verdict.sentence,
      ...overall.map(({ peer, sentence }) => `For ${peer} ${sentence}.`),
    ].join(' '),
  };
}

/** Whether something answers, and until when, the verdict over the figures weighs itself. */
const JUDGED_BY_FIGURES: readonly string[] = ['no-answer', 'stopped-answering'];

/** A path that could not be measured to its end may be anything by now. */
function brokeOff({ measurements }: Subject): boolean {
  return measurements.some(
    ({ probe, outcome, partial }) => (BROKE_OFF.includes(outcome) && ['echo', 'http', 'throughput'].includes(probe)) || partial === true,
  );
}

const BROKE_OFF: readonly string[] = ['lost', 'timeout', 'refused'];

/** What a path consists of explains its figures; it is not one of them. */
function withoutLayers(subject: Subject): Subject {
  return { ...subject, measurements: subject.measurements.filter(({ probe }) => !LAYER_PROBES.includes(probe)) };
}

/** The port that a person named, as the measurements of it are called. */
function askedOf(named: NamedTarget | undefined): { asked?: string } {
  const port = named?.target.port;
  return named === undefined || port === undefined ? {} : { asked: formatEndpoint({ host: named.target.host, port }) };
}
