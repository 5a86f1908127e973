/** The unit that a figure is written in: what to divide by, and the name. */
export interface QuantityScale {
  readonly factor: number;
  readonly name: string;
}

/**
 * The scale that suits `value`, so that several figures can be written in one unit: microseconds below 1 ms,
 * seconds from 10 s on, decimal prefixes for rates and sizes, per cent for shares.
 */
export function quantityScale(value: number, unit: string): QuantityScale {
  const size = Math.abs(value);
  const steps = STEPS[unit];
  if (!steps) return { factor: unit === 'ratio' ? 0.01 : 1, name: NAMES[unit] ?? unit };
  if (unit === 'ms' && size === 0) return { factor: 1, name: 'ms' };
  const [, factor, name] = steps.find(([limit]) => size >= limit) ?? [0, 1, unit];
  return { factor, name };
}

/** A figure in a scale, without the unit's name: four significant digits at most, no more than three decimals. */
export function inScale(value: number, { factor, name }: QuantityScale): string {
  if (!Number.isFinite(value)) return '-';
  const scaled = value / factor;
  const size = Math.abs(scaled);
  if (name === '%' && size > 0 && size < 0.001) return scaled.toExponential(0);
  if (name === 'RPM' || size === 0 || size >= 1000) return scaled.toFixed(0);
  if (Number.isInteger(scaled) && (name === '' || name === 'B')) return String(scaled);
  return scaled.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3);
}

/** Writes a figure with the unit that result documents name (`ms`, `bps`, `pps`, `rpm`, `ratio`, `count`, `bytes`), for people. */
export function formatQuantity(value: number, unit: string): string {
  if (!Number.isFinite(value)) return '-';
  const scale = quantityScale(value, unit);
  return `${inScale(value, scale)} ${scale.name}`.trimEnd();
}

/** Writes a share of one as a percentage: `0 %`, `0.040 %`, `12.50 %`. */
export function formatRatio(ratio: number): string {
  return formatQuantity(ratio, 'ratio');
}

type Step = readonly [from: number, factor: number, name: string];

function decimal(unit: string): readonly Step[] {
  return [
    [1e12, 1e12, `T${unit}`],
    [1e9, 1e9, `G${unit}`],
    [1e6, 1e6, `M${unit}`],
    [1e3, 1e3, `k${unit}`],
    [0, 1, unit],
  ];
}

const STEPS: Readonly<Record<string, readonly Step[]>> = {
  ms: [
    [10_000, 1000, 's'],
    [1, 1, 'ms'],
    [0, 0.001, 'us'],
  ],
  bps: decimal('bit/s'),
  pps: decimal('pkt/s'),
  bytes: decimal('B'),
};
const NAMES: Readonly<Record<string, string>> = { ratio: '%', rpm: 'RPM', count: '' };
