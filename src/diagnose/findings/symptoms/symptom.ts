import type { Context, Noticed } from '../cause.js';

/** One thing that people notice, and from which figure on it is one. */
export interface Symptom<Id extends string = string> {
  readonly id: Id;
  readonly title: string;
  /** Where the threshold comes from. */
  readonly why: string;
  /**
   * `trouble`: it is wrong as such, and without a known cause a finding says so. `question`: it is asked of every
   * path, and only an answer with evidence of its own makes a finding.
   */
  readonly kind: 'trouble' | 'question';
  notice(context: Context): Omit<Noticed, 'symptom'>[];
}
