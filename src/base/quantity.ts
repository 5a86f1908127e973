import { formatBytes, formatMs, formatRate } from './units.js';

/** Writes a share of one as a percentage: `0 %`, `0.04 %`, `12.5 %`. */
export function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return '-';
  const percent = ratio * 100;
  const size = Math.abs(percent);
  if (size === 0) return '0 %';
  if (size < 0.001) return `${percent.toExponential(0)} %`;
  return `${percent.toFixed(size >= 99.95 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)} %`;
}

/** Writes a figure with the unit that result documents name (`ms`, `bps`, `pps`, `rpm`, `ratio`, `count`, `bytes`), for people. */
export function formatQuantity(value: number, unit: string): string {
  if (!Number.isFinite(value)) return '-';
  switch (unit) {
    case 'ms':
      return formatMs(value);
    case 'bps':
      return formatRate(value);
    case 'bytes':
      return formatBytes(value);
    case 'ratio':
      return formatRatio(value);
    case 'rpm':
      return `${Math.round(value)} RPM`;
    case 'pps':
      return formatRate(value).replace(/bit\/s$/, 'pkt/s');
    default:
      return unit === 'count' ? `${Number(value.toFixed(2))}` : `${value} ${unit}`;
  }
}
