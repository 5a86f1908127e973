import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Ajv } from 'ajv';
import { documentsJsonSchema } from '../../src/app/schema.js';
import { advise } from '../../src/diagnose/index.js';
import type { AdviceDocument, CheckDocument, HistoryDocument, MeasureDocument, Measurement } from '../../src/results/index.js';

const head = {
  tool: { name: 'tautline', version: '0.1.0' },
  host: { name: 'h', os: 'Linux', kernel: '6', arch: 'x64', cpus: 2, cpuModel: 'c', memoryBytes: 1, node: 'v20', root: false },
  startedAt: '2026-01-01T00:00:00.000Z',
  durationMs: 1,
} as const;
const measurement: Measurement = {
  probe: 'echo',
  metric: 'rtt',
  target: '10.0.0.1',
  path: 'default',
  outcome: 'ok',
  startedAt: head.startedAt,
  durationMs: 1,
  provenance: 'measured',
  summary: { unit: 'ms', n: 2, min: 1, median: 1, mean: 1, p95: 1, p99: 1, max: 1, stddev: 0, ci95: [1, 1] },
  loss: { sent: 2, received: 2, ratio: 0, ci95: [0, 0.6] },
  error: { value: 0.01, unit: 'ms', from: ['timer'] },
  details: { anything: [{ goes: null }] },
};
const measured: MeasureDocument = { schema: 'tautline.measure/1', ...head, probe: 'echo', target: '10.0.0.1', measurements: [measurement] };
const checked: CheckDocument = {
  schema: 'tautline.check/1',
  ...head,
  interrupted: true,
  depth: 'quick',
  subjects: [{ name: 's', role: 'self', facts: { a: 'b' }, measurements: [measurement] }],
  verdict: { outcome: 'pass', band: 'good', sentence: 'fine' },
};

const advised: AdviceDocument = { schema: 'tautline.advice/1', ...head, advice: advise({ fromBps: 1e9, toBps: 10e9 }) ?? assert.fail('advice') };
const listed: HistoryDocument = {
  schema: 'tautline.history/1',
  ...head,
  entries: [{ id: 'i', kind: 'check', startedAt: head.startedAt, figures: [{ subject: 's', path: 'p', metric: 'rtt', unit: 'ms', median: 1 }] }],
};

describe('the printed schema', async () => {
  const ajv = new Ajv({ strict: true, allErrors: true });
  const validate = ajv.compile(await documentsJsonSchema());

  test('accepts every kind of document as it is printed', () => {
    for (const document of [measured, checked, advised, listed])
      assert.ok(validate(JSON.parse(JSON.stringify(document))), JSON.stringify(validate.errors));
  });

  test('accepts a later release that says more', () => {
    assert.ok(validate({ ...measured, more: 1, measurements: [{ ...measurement, more: { a: 1 } }] }));
  });

  test('refuses what is no such document', () => {
    for (const document of [
      {},
      [],
      null,
      { ...measured, schema: 'tautline.measure/2' },
      { ...measured, measurements: [{ ...measurement, outcome: 'fine' }] },
      { ...checked, verdict: undefined },
      { ...measured, durationMs: '1' },
    ]) {
      assert.equal(validate(JSON.parse(JSON.stringify(document))), false, JSON.stringify(document).slice(0, 80));
    }
  });
});
