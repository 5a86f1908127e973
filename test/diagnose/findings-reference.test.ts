import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FINDING_GRAPH, findingsReference } from '../../src/diagnose/index.js';

const page = readFileSync(join(process.env['TAUTLINE_ROOT'] ?? process.cwd(), 'docs', 'findings.md'), 'utf8');

describe('the graph of findings', () => {
  test('is what the reference page says', () => {
    assert.ok(page === findingsReference(), 'docs/findings.md is out of date: npm run build && node scripts/findings-reference.mjs');
  });

  test('names every cause and symptom once, and leads from each symptom to a cause', () => {
    const causes = FINDING_GRAPH.causes.map(({ id }) => id);
    const symptoms = FINDING_GRAPH.symptoms.map(({ id }) => id);
    assert.equal(new Set(causes).size, causes.length);
    assert.equal(new Set(symptoms).size, symptoms.length);
    for (const id of symptoms)
      assert.ok(
        FINDING_GRAPH.causes.some(({ explains }) => explains.includes(id)),
        id,
      );
    for (const { id, explains } of FINDING_GRAPH.causes)
      for (const symptom of explains) assert.ok(symptoms.includes(symptom), `${id} explains ${symptom}`);
  });
});
