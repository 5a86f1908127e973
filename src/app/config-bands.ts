import { TautlineError, parseDurationMs, parseRateBps, parseSizeBytes } from '../base/index.js';
import { DEFAULT_BANDS, bandProblem, resolveBands, scaleOf } from '../diagnose/index.js';
import type { BandEdges, BandScale, Bands } from '../diagnose/index.js';
import { nearest } from './nearest.js';

type RawEdges = Readonly<Record<keyof BandEdges, string>>;
const EDGES = ['excellent', 'good', 'fair'] as const;

/**
 * The bands of the configuration, each edge in the unit of its metric (`2ms`, `400M`, `0.1%`, `2000`).
 * @throws TautlineError `config` that names the file and line
 */
export function readBands(raw: Readonly<Record<string, RawEdges>>, where: (path: readonly PropertyKey[], at: 'key' | 'value') => string): Bands {
  const overrides: Record<string, BandEdges> = {};
  for (const [metric, texts] of Object.entries(raw)) {
    const scale = scaleOf(metric, DEFAULT_BANDS);
    if (!scale) {
      const known = Object.keys(DEFAULT_BANDS);
      const guess = nearest(metric, known);
      const hint = guess === undefined ? `the metrics are ${known.join(', ')}` : `did you mean '${guess}'?`;
      throw new TautlineError('config', `${where(['bands', metric], 'key')}: bands: there is no metric '${metric}' to rate`, { hint });
    }
    const edges = Object.fromEntries(
      EDGES.map((edge) => [edge, readEdge(texts[edge], scale, () => `${where(['bands', metric, edge], 'value')}: bands.${metric}.${edge}`)]),
    ) as unknown as BandEdges;
    const problem = bandProblem(metric, edges);
    if (problem !== undefined) throw new TautlineError('config', `${where(['bands', metric], 'key')}: bands: ${problem}`);
    overrides[metric] = edges;
  }
  return resolveBands(overrides);
}

function readEdge(text: string, scale: BandScale, place: () => string): number {
  try {
    if (scale.unit === 'ms') return parseDurationMs(text);
    if (scale.unit === 'bps') return parseRateBps(text);
    if (scale.unit === 'bytes') return parseSizeBytes(text);
    if (scale.unit === 'ratio') return readRatio(text);
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value)) return value;
    throw new TautlineError('config', `'${text}' is not a number`, { hint: 'write for example 2000' });
  } catch (error) {
    if (!(error instanceof TautlineError)) throw error;
    throw new TautlineError('config', `${place()}: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

function readRatio(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text.trim());
  if (match) return Number(match[1]) / (match[2] === '%' ? 100 : 1);
  throw new TautlineError('config', `'${text}' is not a share`, { hint: 'write for example 0.1% or 0.001' });
}
