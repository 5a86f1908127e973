import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkFigure, measureIn, scenarioFiles } from './scenario-file.js';

for (const [name, file] of scenarioFiles()) {
  describe(`${name}: ${file.what}`, () => {
    for (const measure of file.measure) {
      test(`${measure.probe}: ${measure.what}`, async () => {
        const measurements = await measureIn(file, measure);
        for (const [metric, figures] of Object.entries(measure.expect)) {
          const measurement = measurements.find((one) => one.metric === metric);
          assert.ok(measurement, `no '${metric}' among ${measurements.map((one) => one.metric).join(', ')}`);
          assert.equal(measurement.provenance, 'simulated');
          for (const [place, expected] of Object.entries({ outcome: 'ok', ...figures })) checkFigure(measurement, place, expected);
        }
      });
    }
  });
}

describe('measuring in a scenario', () => {
  test('gives the same figures to the last digit when done again, and others with another seed', async () => {
    const [, file] = scenarioFiles().find(([name]) => name === 'mobile.json') ?? [];
    const cases = (file?.measure ?? []).filter(({ probe, key }) => ['echo', 'throughput'].includes(probe) && key === file?.key);
    assert.ok(file && cases.length > 0);
    for (const measure of cases) {
      const first = await measureIn(file, measure, 7);
      assert.deepEqual(await measureIn(file, measure, 7), first);
      assert.notDeepEqual(await measureIn(file, measure, 8), first);
    }
  });
});
