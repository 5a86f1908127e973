import type { Limit } from '../results/index.js';
import type { PathEvidence } from './evidence.js';

/** What bounds a path's throughput in each direction, the lowest bound first. */
export function limitsOf(_evidence: PathEvidence): Limit[] {
  return [];
}
