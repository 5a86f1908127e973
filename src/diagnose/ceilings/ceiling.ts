import type { Limit } from '../../results/index.js';
import type { PathEvidence } from '../evidence.js';
import { familyOf, finite, mtuOf, throughputOf } from '../path-figures.js';
import type { Direction } from '../path-figures.js';
import { TIMESTAMP_BYTES } from './framing.js';
import type { Framing } from './framing.js';

/** One reason why a path cannot be faster. Each looks at one direction and answers with none, one or several bounds. */
export type Ceiling = (evidence: PathEvidence, direction: Direction) => Limit[];

/** How packets of the path's connections are made up, as far as is known. */
export function framingOf(evidence: PathEvidence, direction: Direction): Framing & { readonly timestampsKnown: boolean } {
  const family = familyOf(evidence);
  const said = mtuOf(evidence, direction).bytes;
  // Segments larger than that MTU were sent: it is not the one of this connection.
  const mss = finite(throughputOf(evidence, direction)?.details.perStream?.[0]?.mssBytes) ?? 0;
  const bare = said - (family === 4 ? 40 : 60);
  const mtuBytes = mss > bare ? mss + said - bare + TIMESTAMP_BYTES : said;
  const { timestamps, known } = timestampsOf(evidence, direction, { mtuBytes, family });
  return { mtuBytes, family, timestamps, timestampsKnown: known };
}

/**
 * Whether segments carry timestamps. The connection's own segment size tells (tcpi_snd_mss is without options: 1448
 * with, 1460 without); else both ends must say yes. Where that is not known they are taken to be missing, since a
 * physical bound must not be too low.
 */
function timestampsOf(evidence: PathEvidence, direction: Direction, framing: { mtuBytes: number; family: 4 | 6 }) {
  const mss = throughputOf(evidence, direction)?.details.perStream?.[0]?.mssBytes;
  const bare = framing.mtuBytes - (framing.family === 4 ? 40 : 60);
  if (mss === bare || mss === bare - TIMESTAMP_BYTES) return { timestamps: mss !== bare, known: true };
  const said = [evidence.near?.tcp?.timestamps, evidence.far?.tcp?.timestamps];
  if (said.includes(false)) return { timestamps: false, known: true };
  return said.every((each) => each === true) ? { timestamps: true, known: true } : { timestamps: false, known: false };
}
