import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { documentsJsonSchema } from '../../src/app/index.js';
import { EXPERIMENT_CSV_HEADER, TUNE_REPORTS, displayWidth, experimentCsv, renderExperimentHtml } from '../../src/report/index.js';
import { NOT_DONE_REASONS } from '../../src/results/index.js';
import type { PlanDocument, TuneDocument } from '../../src/results/index.js';
import { HOSTILE_PLAN, LARGE_PLAN, NOTHING_TO_CHANGE, PLAN, notDone, planned } from './tune-documents.js';
import {
  APPLIED,
  CONFIRMED,
  CONFLICTED,
  DRIFTED,
  EXPERIMENT,
  FAILED_CHANGE,
  HOSTILE_OUTCOMES,
  INTERRUPTED,
  KEPT_EXPERIMENT,
  LIST,
  NOTHING_DONE,
  STATUS,
  UNTOUCHED,
} from './tune-outcomes.js';

const SOUND: readonly TuneDocument[] = [
  ...[PLAN, NOTHING_TO_CHANGE, LARGE_PLAN],
  ...[APPLIED, CONFIRMED, FAILED_CHANGE, CONFLICTED, INTERRUPTED, NOTHING_DONE],
  ...[STATUS, DRIFTED, UNTOUCHED, LIST, EXPERIMENT, KEPT_EXPERIMENT],
];
const ALL: readonly TuneDocument[] = [...SOUND, HOSTILE_PLAN, ...HOSTILE_OUTCOMES];
const plain = { color: false, width: 80 };
const CHANGED = [APPLIED, CONFIRMED, FAILED_CHANGE, CONFLICTED, INTERRUPTED, NOTHING_DONE] as const;
const text = (documents: readonly TuneDocument[], options: Parameters<typeof TUNE_REPORTS.text>[1] = plain): string =>
  documents.map((document) => TUNE_REPORTS.text(document, options)).join('\n');

/** Whole texts that are committed: TAUTLINE_EXPECT=write takes what is printed now; look at the diff before you commit it. */
const EXPECTED: Readonly<Record<string, () => string>> = {
  'tune-plan-80.txt': () => text([PLAN]),
  'tune-plan-120.txt': () => text([PLAN], { color: false, width: 120, all: true }),
  'tune-plan-80-color.txt': () => text([PLAN], { color: true, width: 80 }),
  'tune-plan-large-80.txt': () => text([LARGE_PLAN, NOTHING_TO_CHANGE]),
  'tune-plan-hostile-80.txt': () => text([HOSTILE_PLAN]),
  'tune-plan.md': () => TUNE_REPORTS.markdown(PLAN, plain),
  'tune-change-80.txt': () => text(CHANGED, { ...plain, sudo: true }),
  'tune-change.md': () => CHANGED.map((document) => TUNE_REPORTS.markdown(document, plain)).join('\n'),
  'tune-status-80.txt': () => text([STATUS, DRIFTED, UNTOUCHED]),
  'tune-verify-80.txt': () => text([DRIFTED], { ...plain, driftOnly: true }),
  'tune-status.md': () => TUNE_REPORTS.markdown(DRIFTED, plain),
  'tune-list-80.txt': () => text([LIST]),
  'tune-list-all-120.txt': () => text([LIST], { color: false, width: 120, all: true }),
  'tune-list.md': () => TUNE_REPORTS.markdown(LIST, plain),
  'tune-try-80.txt': () => text([EXPERIMENT, KEPT_EXPERIMENT]),
  'tune-try-120.txt': () => text([EXPERIMENT], { color: false, width: 120 }),
  'tune-try.md': () => TUNE_REPORTS.markdown(EXPERIMENT, plain),
  'tune-try.csv': () => experimentCsv(EXPERIMENT),
};

describe('reports of tuning', () => {
  for (const [name, render] of Object.entries(EXPECTED)) {
    test(`${name} is as it was last read over`, () => {
      const place = new URL(`../../../test/report/expected/${name}`, import.meta.url);
      if (process.env['TAUTLINE_EXPECT'] === 'write') writeFileSync(place, render());
      assert.equal(render(), readFileSync(place, 'utf8'));
    });
  }

  test('only commands, which are to be copied, are wider than the terminal', () => {
    for (const width of [40, 60, 80, 120])
      for (const document of ALL)
        for (const all of [false, true])
          for (const line of TUNE_REPORTS.text(document, { color: false, width, all }).split('\n'))
            assert.ok(displayWidth(line) <= width || /^ +\$ /.test(line), `${width}: ${line}`);
  });

  test('no line of a plan is too wide, whatever words it is made of', () => {
    const word = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.string({ minLength: 60, maxLength: 200 }),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.constantFrom('日本語の設定', 'a b c', '-> ->', 'e\u0301\u0301', '$& $1'),
    );
    const document = fc
      .record({
        changes: fc.array(
          fc.record({ setting: word, group: word, now: word, proposed: word, why: word, instance: word, possible: fc.boolean() }).map(planned),
          { maxLength: 4 },
        ),
        notDone: fc.array(
          fc
            .tuple(fc.constantFrom(...NOT_DONE_REASONS), word, word, word, word)
            .map(([reason, setting, why, now, proposed]) => notDone(reason, setting, why, { now, proposed })),
          { maxLength: 8 },
        ),
        managers: fc.array(fc.record({ who: word, what: word, advice: word }), { maxLength: 2 }),
      })
      .map((parts): PlanDocument => ({ ...PLAN, ...parts }));
    fc.assert(
      fc.property(document, fc.integer({ min: 40, max: 130 }), fc.boolean(), (plan, width, all) => {
        for (const line of TUNE_REPORTS.text(plan, { color: false, width, all }).split('\n'))
          assert.ok(displayWidth(line) <= width || /^ +\$ /.test(line), `${width}: ${line}`);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test('colours change nothing but colours', () => {
    for (const document of ALL)
      assert.equal(
        text([document], { color: true, width: 80 }).replace(new RegExp('\u001b\\[[\\d;]*m', 'g'), ''),
        text([document], { color: false, width: 80 }),
      );
  });

  test('names, values and messages from elsewhere reach no terminal and no page as anything but text', () => {
    for (const document of [HOSTILE_PLAN, ...HOSTILE_OUTCOMES]) {
      for (const render of [TUNE_REPORTS.text, TUNE_REPORTS.markdown, TUNE_REPORTS.json])
        for (const all of [false, true])
          assert.doesNotMatch(render(document, { ...plain, all }), new RegExp('[\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f\\u202e]'));
      const markdown = TUNE_REPORTS.markdown(document, plain);
      for (const line of markdown.split('\n')) assert.doesNotMatch(line.replace(/(`+)(?:(?!\1).)*\1/g, ''), /<b>|[^\\]\|=1|\]\(javascript/);
      if (document.schema === 'tautline.experiment/1')
        assert.doesNotMatch(experimentCsv(document).replaceAll('\r\n', ''), new RegExp('[\\u0000-\\u001f\\u202e]'));
    }
  });

  test('commands to type next quote what others have named', () => {
    for (const document of [HOSTILE_PLAN, ...HOSTILE_OUTCOMES])
      for (const [, line = ''] of text([document]).matchAll(/^ +\$ (.*)$/gm)) assert.doesNotMatch(line.replace(/'[^']*'/g, ''), /[`|<>]/, line);
  });

  test('the documents are what the schema declares', async () => {
    const validate = new Ajv({ strict: false, allErrors: true }).compile(await documentsJsonSchema());
    for (const document of ALL) assert.ok(validate(JSON.parse(TUNE_REPORTS.json(document, plain))), JSON.stringify(validate.errors?.slice(0, 3)));
  });

  test('JSON is the document', () => {
    for (const document of ALL) assert.deepEqual(JSON.parse(TUNE_REPORTS.json(document, plain)), JSON.parse(JSON.stringify(document)));
  });
});

describe('a plan for people', () => {
  test('tells every setting that is not done, folded or with --all each of them', () => {
    const whole = text([PLAN], { ...plain, all: true });
    for (const { setting } of PLAN.notDone) assert.ok(whole.includes(setting), setting);
    const folded = text([PLAN]);
    assert.match(folded, /Already so \(7\)/);
    assert.ok(folded.split('\n').length < 95 && folded.length < whole.length);
  });

  test('tells forty interfaces that need the same in a few lines', () => {
    assert.ok(text([LARGE_PLAN]).split('\n').length < 80);
    const whole = text([LARGE_PLAN], { ...plain, all: true }).replace(/\s+/g, '');
    for (const { instance = '' } of LARGE_PLAN.changes) assert.ok(whole.includes(instance), instance);
  });

  test('offers the next command by sudo where a change needs root, as it was asked, and none where nothing can be done', () => {
    assert.match(text([PLAN]), /\$ sudo tautline tune apply moderate --confirm-within 60s/);
    const asked = { profile: '/etc/tautline/my own.yaml', flags: ['--interface', 'eth1'] };
    assert.match(
      text([PLAN], { ...plain, repeat: asked }),
      /\$ sudo tautline tune apply '\/etc\/tautline\/my own\.yaml' --confirm-within 60s --interface eth1/,
    );
    assert.match(text([LARGE_PLAN]), /\$ tautline tune apply ai-cluster/);
    assert.doesNotMatch(text([NOTHING_TO_CHANGE]), /Next|\$ /);
  });
});

describe('an experiment for sceptics', () => {
  test('gives every run in Markdown and CSV', () => {
    const runs = EXPERIMENT.groups.flatMap(({ figures }) => figures.flatMap((figure) => figure.runs));
    const records = experimentCsv(EXPERIMENT).trimEnd().split('\r\n');
    assert.equal(records.length, 1 + runs.length);
    for (const record of records) assert.equal(record.split(',').length, EXPERIMENT_CSV_HEADER.length, record);
    const told = [...TUNE_REPORTS.markdown(EXPERIMENT, plain).matchAll(/[AB] (?:\d|the peer refused)/g)];
    assert.equal(told.length, runs.length);
  });

  test('is a page that draws every run that was measured, and has each in a table', () => {
    const page = renderExperimentHtml(EXPERIMENT);
    const runs = EXPERIMENT.groups.flatMap(({ figures }) => figures.flatMap((figure) => figure.runs));
    const drawn = runs.filter(({ value }) => value !== undefined);
    const ratios = EXPERIMENT.groups.flatMap(({ figures }) => figures.filter(({ ratio }) => ratio !== undefined));
    assert.equal([...page.matchAll(/<circle /g)].length, drawn.length + ratios.length);
    assert.equal([...page.matchAll(/<td class="figure">\d+<\/td><td>(?:with|without)<\/td>|<td>(?:with|without)<\/td>/g)].length, runs.length);
    assert.doesNotMatch(page.replace(/<script type="application\/json".*?<\/script>/s, ''), /undefined|NaN|\[object|Infinity/);
  });

  test('is a page in which nothing that others named is markup', () => {
    for (const document of [...HOSTILE_OUTCOMES, EXPERIMENT]) {
      if (document.schema !== 'tautline.experiment/1') continue;
      const page = renderExperimentHtml(document).replace(/<(script|style)[^>]*>.*?<\/\1>/gs, '');
      assert.doesNotMatch(page, /<b>|<img|\u001b|\u202e/);
      const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
      assert.equal(new Set(ids).size, ids.length);
      for (const [, target] of page.matchAll(/href="#([^"]*)"/g)) assert.ok(ids.includes(target), target);
    }
  });

  test('does not call it a help where no group is kept', () => {
    const none = EXPERIMENT.groups.map((group) => ({ ...group, decision: 'no measurable change' as const }));
    assert.match(text([{ ...EXPERIMENT, groups: none }]), /^NO MEASURABLE CHANGE: /m);
    const harm = EXPERIMENT.groups.map((group) => ({ ...group, decision: 'reject' as const }));
    assert.match(text([{ ...EXPERIMENT, groups: harm }]), /^HARMS: /m);
  });
});
