import type { Finding, Limit, NextStep, Severity } from '../../results/index.js';
import type { Evidence, PathEvidence } from '../evidence.js';
import type { Direction } from '../path-figures.js';
import type { SymptomId } from './symptoms/index.js';

export type EvidenceItem = Finding['evidence'][number];

/** Something that was noticed on a path, with the figure that shows it and what it is compared to. */
export interface Noticed {
  readonly symptom: SymptomId;
  readonly direction?: Direction;
  readonly evidence: EvidenceItem;
}

/** What a symptom or a cause is judged by: one path with all that is known, and the others of the same check. */
export interface Context {
  readonly path: PathEvidence;
  readonly limits: readonly Limit[];
  /** Other paths to the same peer. */
  readonly siblings: readonly PathEvidence[];
  readonly all: Evidence;
  /** The operating system of the end that measured, for the commands of next steps. */
  readonly os: 'linux' | 'darwin';
  /** Not the paths but this host itself: its containers, resolvers, links. */
  readonly isHost: boolean;
}

/** What a cause is judged by beyond the path: the symptoms that it could explain there. */
export interface Case extends Context {
  readonly noticed: readonly Noticed[];
}

export type Step = NextStep & {
  /** The probe that does the same: where it ran, the step is not proposed again. */
  readonly sameAs?: string;
};

export interface Supported {
  readonly state: 'supported';
  /** `shown`: the evidence shows this very thing. `fits`: it fits, and a rival could look the same. */
  readonly proof: 'shown' | 'fits';
  readonly evidence: readonly EvidenceItem[];
  readonly next: readonly Step[];
  /** How much of what was noticed this explains, 0..1; default 1. */
  readonly share?: number;
  readonly severity?: Severity;
  readonly title?: string;
  /** Of those that it could explain; default: all that were noticed. */
  readonly symptoms?: readonly SymptomId[];
  /** Whose it is: this path's, or of one end whatever the path; then it is told once. Default `path`. */
  readonly of?: 'path' | 'near' | 'far';
}

export type Judgement =
  | Supported
  | { readonly state: 'excluded'; readonly why: string }
  /** What would have to be known, and why it is not. */
  | { readonly state: 'unknown'; readonly why: string };

/** One cause of symptoms: a node of the graph. It looks at evidence and says whether it is that, and what to do. */
export interface Cause {
  readonly id: string;
  readonly title: string;
  readonly severity: Severity;
  readonly explains: readonly SymptomId[];
  /** What tells it from others, and what mends it: in words, for the reference page. */
  readonly check: string;
  readonly fix: string;
  /** Of two that fit equally well the more specific one is named first; default 0. */
  readonly specificity?: number;
  judge(facts: Case): Judgement;
}

export function excluded(why: string): Judgement {
  return { state: 'excluded', why };
}

export function unknown(why: string): Judgement {
  return { state: 'unknown', why };
}
