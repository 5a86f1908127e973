import type { Measurement } from './measurement.js';

/**
 * Whether a figure lies above what is physically possible. Such a figure is a measuring error (timed at the
 * sender, bytes counted twice, MiB taken for MB), is shown as one, and is neither rated nor compared.
 * @returns how far above, as a factor > 1, or undefined where the figure is possible or nothing bounds it
 */
export function aboveCeiling(measurement: Pick<Measurement, 'summary' | 'ceiling'>): number | undefined {
  const { summary, ceiling } = measurement;
  if (!summary || !ceiling || summary.unit !== ceiling.unit || !(ceiling.value > 0)) return undefined;
  const factor = summary.median / ceiling.value;
  return factor > 1 ? factor : undefined;
}
