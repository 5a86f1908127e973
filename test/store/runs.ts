import type { CheckDocument, MeasureDocument, Measurement } from '../../src/results/index.js';

const head = {
  tool: { name: 'tautline', version: '0.1.0' },
  host: { name: 'alpha', os: 'Linux', kernel: '6.1', arch: 'x64', cpus: 2, cpuModel: 'c', memoryBytes: 1, node: 'v20', root: false },
  durationMs: 1000,
} as const;

export function figure(metric: string, median: number, more: Partial<Measurement> = {}): Measurement {
  const unit = metric.startsWith('throughput') ? 'bps' : 'ms';
  return {
    probe: 'echo',
    metric,
    target: '10.0.0.2:7227',
    path: 'default',
    outcome: 'ok',
    startedAt: '2026-11-20T10:00:00.000Z',
    durationMs: 100,
    provenance: 'measured',
    summary: {
      unit,
      n: 50,
      min: median,
      median,
      mean: median,
      p95: median,
      p99: median * 2,
      max: median * 3,
      stddev: 0,
      ci95: [median * 0.9, median * 1.1],
    },
    ...more,
  };
}

/** A run that started so many minutes after 10 o'clock. */
export function measured(minute: number, measurements: readonly Measurement[], more: Partial<MeasureDocument> = {}): MeasureDocument {
  return {
    schema: 'tautline.measure/1',
    ...head,
    startedAt: at(minute),
    probe: 'echo',
    target: 'beta',
    measurements: [...measurements],
    verdict: { outcome: 'pass', band: 'good', sentence: 'fine' },
    ...more,
  };
}

export function checked(minute: number, measurements: readonly Measurement[], more: Partial<CheckDocument> = {}): CheckDocument {
  return {
    schema: 'tautline.check/1',
    ...head,
    startedAt: at(minute),
    target: 'beta',
    depth: 'quick',
    subjects: [{ name: 'beta', role: 'target', address: '10.0.0.2', facts: {}, measurements: [...measurements] }],
    verdict: { outcome: 'pass', band: 'good', sentence: 'fine' },
    ...more,
  };
}

function at(minute: number): string {
  return new Date(Date.UTC(2026, 10, 20, 10, minute)).toISOString();
}
