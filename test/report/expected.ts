import { readFileSync, writeFileSync } from 'node:fs';
import { REPORTS } from '../../src/report/index.js';
import { CHECK, FAILED, HOSTILE, MEASURE } from './documents.js';
import { LAYER_DOCUMENTS } from './layer-documents.js';
import { RICH } from './rich.js';

/** Every report whose whole text is committed, by the name of its file in expected/. */
export const EXPECTED: Readonly<Record<string, () => string>> = {
  'check-80.txt': () => REPORTS.text.render(CHECK, { color: false, width: 80 }),
  'check-120.txt': () => REPORTS.text.render(CHECK, { color: false, width: 120 }),
  'check-60.txt': () => REPORTS.text.render(CHECK, { color: false, width: 60 }),
  'expert-80.txt': () => REPORTS.text.render(RICH, { color: false, width: 80 }),
  'expert.md': () => REPORTS.markdown.render(RICH, { color: false, width: 80 }),
  'expert.csv': () => REPORTS.csv.render(RICH, { color: false, width: 80 }),
  'check.md': () => REPORTS.markdown.render(CHECK, { color: false, width: 80 }),
  'check.json': () => REPORTS.json.render(CHECK, { color: false, width: 80 }),
  'check.csv': () => REPORTS.csv.render(CHECK, { color: false, width: 80 }),
  'measure-80.txt': () => REPORTS.text.render(MEASURE, { color: false, width: 80 }),
  'measure-80-color.txt': () => REPORTS.text.render(MEASURE, { color: true, width: 80 }),
  'measure.md': () => REPORTS.markdown.render(MEASURE, { color: false, width: 80 }),
  'measure.json': () => REPORTS.json.render(MEASURE, { color: false, width: 80 }),
  'measure.csv': () => REPORTS.csv.render(MEASURE, { color: false, width: 80 }),
  'failed-80.txt': () => REPORTS.text.render(FAILED, { color: false, width: 80 }),
  'failed.md': () => REPORTS.markdown.render(FAILED, { color: false, width: 80 }),
  'layers-80.txt': () => LAYER_DOCUMENTS.map((document) => REPORTS.text.render(document, { color: false, width: 80 })).join('\n'),
  'layers.md': () => LAYER_DOCUMENTS.map((document) => REPORTS.markdown.render(document, { color: false, width: 80 })).join('\n'),
  'hostile-80.txt': () => REPORTS.text.render(HOSTILE, { color: false, width: 80 }),
  'hostile.md': () => REPORTS.markdown.render(HOSTILE, { color: false, width: 80 }),
  'hostile.csv': () => REPORTS.csv.render(HOSTILE, { color: false, width: 80 }),
};

export function readExpected(name: string): string {
  return readFileSync(place(name), 'utf8');
}

/** After a wanted change: `node -e "import('./.build/test/report/expected.js').then((m) => m.writeExpected())"`, then read the diff. */
export function writeExpected(): void {
  for (const [name, render] of Object.entries(EXPECTED)) writeFileSync(place(name), render());
}

function place(name: string): URL {
  return new URL(`../../../test/report/expected/${name}`, import.meta.url);
}
