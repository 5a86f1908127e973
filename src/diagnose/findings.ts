import type { Finding } from '../results/index.js';
import type { Evidence } from './evidence.js';

/** What is wrong and why, the most important first; empty when nothing is. */
export function findingsOf(_evidence: Evidence): Finding[] {
  return [];
}
