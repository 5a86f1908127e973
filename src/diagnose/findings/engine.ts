import { shellWord } from '../../base/index.js';
import { CONFIDENCES, SEVERITIES } from '../../results/index.js';
import type { Confidence, Finding, Severity } from '../../results/index.js';
import { limitsOf } from '../ceilings/index.js';
import type { Evidence, PathEvidence } from '../evidence.js';
import { finite } from '../path-figures.js';
import type { Case, Cause, Context, EvidenceItem, Judgement, Noticed, Step, Supported } from './cause.js';
import { CAUSES } from './causes/index.js';
import { SYMPTOMS } from './symptoms/index.js';
import type { SymptomId } from './symptoms/index.js';

/** What concerns this host whatever the path is judged as a path of this name. */
const HOST = 'this host';
/** A finding tells the first of these; the rest would be read by nobody. */
const EVIDENCE_MAX = 8;
const NEXT_MAX = 6;

/**
 * What is wrong and why, the most important first; empty when nothing is. Rules:
 * 1. Symptoms are collected from figures, each with a threshold that noise does not reach.
 * 2. Every cause that could explain a symptom is judged: supported, excluded by a figure, or not to be told.
 * 3. `certain`: the evidence shows this very cause. `likely`: it fits, and every rival is excluded. `possible`: it
 *    fits, and a rival is not excluded. Nothing else is called a cause.
 * 4. Trouble that no cause explains is a finding `unknown`, with what was excluded and what was not looked at.
 * 5. What belongs to one end is told once, however many paths show it; and a symptom on several counts once.
 * 6. Order: severity, confidence, the share of the symptoms explained, specificity.
 */
export function findingsOf(evidence: Evidence): Finding[] {
  const contexts = contextsOf(evidence);
  const ranked = contexts.flatMap(findingsOn);
  return merged(ranked)
    .sort(byImportance)
    .map(({ finding }) => finding);
}

interface Ranked {
  readonly finding: Finding;
  readonly share: number;
  readonly specificity: number;
  /** Findings with the same key are one. */
  readonly key: string;
}

function contextsOf(evidence: Evidence): Context[] {
  const near = evidence.paths.find((path) => path.near)?.near;
  const host: PathEvidence = { peer: HOST, path: '', kind: 'other', measurements: evidence.host };
  const contextOf = (path: PathEvidence, isHost: boolean): Context => ({
    path,
    limits: isHost ? [] : limitsOf(path),
    siblings: isHost ? [] : evidence.paths.filter((other) => other !== path && other.peer === path.peer),
    all: evidence,
    os: /darwin|macos/i.test((path.near ?? near)?.os ?? '') ? 'darwin' : 'linux',
    isHost,
  });
  return [...evidence.paths.map((path) => contextOf(path, false)), ...(evidence.host.length > 0 ? [contextOf(host, true)] : [])];
}

interface Judged {
  readonly cause: Cause;
  readonly noticed: readonly Noticed[];
  readonly judgement: Judgement;
}

function findingsOn(context: Context): Ranked[] {
  const noticed = SYMPTOMS.flatMap((symptom) => symptom.notice(context).map((each): Noticed => ({ symptom: symptom.id, ...each })));
  const judged = CAUSES.flatMap((cause): Judged[] => {
    const own = noticed.filter(({ symptom }) => cause.explains.includes(symptom));
    if (own.length === 0) return [];
    const facts: Case = { ...context, noticed: own };
    return [{ cause, noticed: own, judgement: cause.judge(facts) }];
  });
  const supported = judged.flatMap((each) => {
    const { judgement } = each;
    return judgement.state === 'supported' ? [{ ...each, judgement }] : [];
  });
  const explained = new Set(supported.flatMap(({ noticed: own, judgement }) => judgement.symptoms ?? own.map(({ symptom }) => symptom)));
  const findings = supported.map((each) => rankedFinding(context, each, judged));
  const open = noticed.filter(({ symptom }) => isTrouble(symptom) && !explained.has(symptom));
  return [...findings, ...unknowns(context, open, judged)];
}

function rankedFinding(context: Context, { cause, noticed, judgement }: Judged & { judgement: Supported }, judged: readonly Judged[]): Ranked {
  const symptoms = [...new Set(judgement.symptoms ?? noticed.map(({ symptom }) => symptom))];
  const rivals = judged.filter(
    (other) => other.cause !== cause && other.noticed.some(({ symptom }) => symptoms.includes(symptom) && isTroubleOrAlone(symptom, symptoms)),
  );
  const confidence = confidenceOf(judgement, rivals);
  const telling = noticed.filter(({ symptom }) => symptoms.includes(symptom) && (isTrouble(symptom) || NAMED_QUESTIONS.has(symptom)));
  const of = judgement.of ?? 'path';
  const subject = of === 'near' || context.isHost ? HOST : context.path.peer;
  const path = of === 'path' && !context.isHost && context.path.path !== '' ? { path: context.path.path } : {};
  const unchecked = rivals.flatMap(({ cause: { id }, judgement: other }) => (other.state === 'unknown' ? [{ id, why: other.why }] : []));
  return {
    key: [cause.id, subject, path.path ?? '', of === 'path' ? '' : (judgement.title ?? '')].join('\n'),
    share: judgement.share ?? 1,
    specificity: cause.specificity ?? 0,
    finding: {
      id: cause.id,
      title: judgement.title ?? cause.title,
      severity: judgement.severity ?? cause.severity,
      confidence,
      subject,
      ...path,
      symptoms,
      evidence: distinct([...telling.map(({ evidence }) => evidence), ...judgement.evidence])
        .slice(0, EVIDENCE_MAX)
        .map(plain),
      ruledOut: rivals.flatMap(({ cause: { id }, judgement: other }) => (other.state === 'excluded' ? [{ id, why: other.why }] : [])),
      ...(unchecked.length > 0 ? { unchecked } : {}),
      next: stepsOf(context, judgement.next),
    },
  };
}

/** These say with their own figure what was noticed; the others only ask. */
const NAMED_QUESTIONS: ReadonlySet<SymptomId> = new Set<SymptomId>(['worse-than-other-path', 'clock', 'slow-responder']);

function isTrouble(id: SymptomId): boolean {
  return SYMPTOMS.find((symptom) => symptom.id === id)?.kind === 'trouble';
}

/** A question that every path is asked makes rivals only of those who answer nothing else. */
function isTroubleOrAlone(id: SymptomId, symptoms: readonly SymptomId[]): boolean {
  return isTrouble(id) || !symptoms.some(isTrouble);
}

function confidenceOf(judgement: Supported, rivals: readonly Judged[]): Confidence {
  if (judgement.proof === 'shown') return 'certain';
  const open = rivals.some(({ judgement: other }) => other.state === 'unknown' || other.state === 'supported');
  return open ? 'possible' : 'likely';
}

/** A look that was taken already is not proposed again, nor the same step twice. */
function stepsOf({ path, all }: Context, steps: readonly Step[]): Finding['next'] {
  const ran = new Set([...path.measurements, ...all.host].filter(({ outcome }) => outcome === 'ok').map(({ probe }) => probe));
  const open = steps.filter(({ sameAs, costs }) => costs !== 'nothing' || sameAs === undefined || !ran.has(sameAs));
  const shown = open.map(({ text, command, costs }) => ({ text, ...(command === undefined ? {} : { command }), costs }));
  return distinct(shown)
    .toSorted((a, b) => COSTS.indexOf(a.costs) - COSTS.indexOf(b.costs))
    .slice(0, NEXT_MAX);
}

const COSTS: readonly Step['costs'][] = ['nothing', 'change', 'money'];

/** Figures of a document that was tampered with may be no numbers; the words stay. */
function plain({ value, expected, ...words }: EvidenceItem): EvidenceItem {
  return {
    ...words,
    ...(finite(value) === undefined ? {} : { value: value as number }),
    ...(finite(expected) === undefined ? {} : { expected: expected as number }),
  };
}

function distinct<T extends { readonly text: string }>(items: readonly T[]): T[] {
  return items.filter(({ text }, i) => items.findIndex((other) => other.text === text) === i);
}

/** One finding for each thing that was noticed and that nothing explains. */
function unknowns(context: Context, open: readonly Noticed[], judged: readonly Judged[]): Ranked[] {
  const ids = [...new Set(open.map(({ symptom }) => symptom))];
  return ids.map((id): Ranked => {
    const own = open.filter(({ symptom }) => symptom === id);
    const candidates = judged.filter(({ noticed }) => noticed.some(({ symptom }) => symptom === id));
    const unchecked = candidates.flatMap(({ cause, judgement }) => (judgement.state === 'unknown' ? [{ id: cause.id, why: judgement.why }] : []));
    const title = SYMPTOMS.find((symptom) => symptom.id === id)?.title ?? id;
    const subject = context.isHost ? HOST : context.path.peer;
    return {
      key: ['unknown', id, subject, context.path.path].join('\n'),
      share: 0,
      specificity: 0,
      finding: {
        id: 'unknown',
        title: `Cause unknown: ${title}`,
        severity: 'warning',
        confidence: 'possible',
        subject,
        ...(context.path.path === '' ? {} : { path: context.path.path }),
        symptoms: [id],
        evidence: own.map(({ evidence }) => plain(evidence)).slice(0, EVIDENCE_MAX),
        ruledOut: candidates.flatMap(({ cause, judgement }) => (judgement.state === 'excluded' ? [{ id: cause.id, why: judgement.why }] : [])),
        ...(unchecked.length > 0 ? { unchecked } : {}),
        next: unknownNext(context, unchecked),
      },
    };
  });
}

const PLAIN_NAME = /^[\w.:-]+$/;

function nameOf({ peer, address }: Context['path']): string[] {
  return PLAIN_NAME.test(peer) ? [peer] : address === undefined ? [] : [shellWord(address)];
}

/** What was not looked at; where all was, whether it comes back, and with more samples. */
function unknownNext({ path, isHost }: Context, unchecked: readonly { readonly id: string; readonly why: string }[]): Finding['next'] {
  if (unchecked.length > 0)
    return unchecked.slice(0, NEXT_MAX).map(({ id, why }) => ({ text: `look whether it is ${id}: ${why}`, costs: 'nothing' as const }));
  return [
    {
      text: 'measure again at another hour and for longer; what stays is in the path, and what goes was what others did on it',
      command: ['tautline check', ...(isHost ? [] : nameOf(path)), '--thorough'].join(' '),
      costs: 'nothing',
    },
    { text: 'see when it began, and what changed on this host then', command: 'tautline history --plot', costs: 'nothing' },
  ];
}

/** Findings of the same thing become one, with all symptoms and figures; the worst and the surest word counts. */
function merged(ranked: readonly Ranked[]): Ranked[] {
  const byKey = new Map<string, Ranked>();
  for (const each of ranked) {
    const first = byKey.get(each.key);
    byKey.set(each.key, first ? join(first, each) : each);
  }
  return [...byKey.values()];
}

function join(a: Ranked, b: Ranked): Ranked {
  const { path: _, ...shared } = a.finding;
  const samePath = a.finding.path === b.finding.path && a.finding.path !== undefined;
  return {
    ...a,
    share: Math.max(a.share, b.share),
    finding: {
      ...shared,
      ...(samePath ? { path: a.finding.path } : {}),
      severity: first(SEVERITIES, a.finding.severity, b.finding.severity),
      confidence: first(CONFIDENCES, a.finding.confidence, b.finding.confidence),
      symptoms: [...new Set([...a.finding.symptoms, ...b.finding.symptoms])],
      evidence: distinct([...a.finding.evidence, ...b.finding.evidence]).slice(0, EVIDENCE_MAX),
      ruledOut: a.finding.ruledOut.filter(({ id }) => b.finding.ruledOut.some((other) => other.id === id)),
      next: distinct([...a.finding.next, ...b.finding.next]).slice(0, NEXT_MAX),
    },
  };
}

function first<T>(order: readonly T[], a: T, b: T): T {
  return order.indexOf(a) <= order.indexOf(b) ? a : b;
}

function byImportance(a: Ranked, b: Ranked): number {
  const rank = (severity: Severity): number => SEVERITIES.indexOf(severity);
  return (
    rank(a.finding.severity) - rank(b.finding.severity) ||
    CONFIDENCES.indexOf(a.finding.confidence) - CONFIDENCES.indexOf(b.finding.confidence) ||
    b.share - a.share ||
    b.specificity - a.specificity
  );
}
