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
