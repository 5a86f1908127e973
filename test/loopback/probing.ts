import assert from 'node:assert/strict';
import * as v from 'valibot';
import { parseTarget } from '../../src/base/index.js';
import type { Ports } from '../../src/base/index.js';
import type { CommonOptions, Probe } from '../../src/probe/probe.js';
import { MeasurementSchema } from '../../src/results/index.js';
import type { Measurement } from '../../src/results/index.js';

/** Runs a probe over real sockets and checks that what it returns is a measurement. */
export async function measureHere<O extends CommonOptions>(
  probe: Probe<O>,
  ports: Ports,
  run: { target: string; options?: Partial<O>; signal?: AbortSignal; key?: Uint8Array },
): Promise<Measurement[]> {
  const measurements = await probe.run({
    target: parseTarget(run.target),
    path: 'default',
    options: { ...probe.defaults, ...run.options },
    ports,
    seed: 1,
    signal: run.signal ?? new AbortController().signal,
    onProgress: () => undefined,
    ...(run.key ? { key: run.key } : {}),
  });
  for (const measurement of measurements) {
    v.parse(MeasurementSchema, measurement);
    assert.ok(measurement.outcome === 'ok' || (measurement.reason ?? '').length > 10, JSON.stringify(measurement));
  }
  return measurements;
}

export function metric(measurements: readonly Measurement[], name: string): Measurement {
  const found = measurements.find((measurement) => measurement.metric === name);
  assert.ok(found, `${name} among ${measurements.map((measurement) => measurement.metric).join(', ')}`);
  return found;
}
