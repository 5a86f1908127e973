import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { PAGE_BYTES_MAX, REPORTS } from '../../src/report/index.js';
import { CheckDocumentSchema } from '../../src/results/index.js';
import type { CheckDocument, ResultDocument } from '../../src/results/index.js';
import { CHECK, FAILED, HOSTILE, MEASURE, around, measurement } from './documents.js';
import { PATHS, RICH, pathSubject } from './rich.js';

const page = (document: ResultDocument): string => REPORTS.html.render(document, { color: false, width: 80 });

const SIX_PATHS: CheckDocument = {
  ...RICH,
  subjects: [...PATHS, ...PATHS].map((path, i) => pathSubject({ ...path, path: `${path.path}-${i}`, hops: 30 })),
};
const EMPTY: CheckDocument = { ...CHECK, subjects: [], verdict: { outcome: 'unmeasured', sentence: 'nothing could be measured' } };
const BARE: CheckDocument = {
  ...CHECK,
  subjects: [
    {
      name: 'x',
      role: 'target',
      facts: {},
      measurements: [measurement({ probe: 'tcp', metric: 'connect', outcome: 'timeout', reason: 'no answer' })],
    },
  ],
};
const DOCUMENTS: Readonly<Record<string, ResultDocument>> = { RICH, SIX_PATHS, CHECK, EMPTY, BARE, MEASURE, FAILED, HOSTILE };

describe('html report', () => {
  it('is tried with documents that match their schema', () => {
    for (const document of [RICH, SIX_PATHS, EMPTY, BARE]) assert.ok(v.safeParse(CheckDocumentSchema, document).success);
  });

  for (const [name, document] of Object.entries(DOCUMENTS)) {
    it(`is whole and well-formed for ${name}`, () => {
      const html = page(document);
      const tags = tagsOf(html);
      assert.deepEqual(unbalanced(tags), []);
      const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
      assert.deepEqual(ids, [...new Set(ids)], 'an id stands for one element');
      for (const [, target] of html.matchAll(/href="#([^"]*)"/g)) assert.ok(ids.includes(target), `nothing has the id ${target}`);
      assert.ok(html.startsWith('<!DOCTYPE html>') && html.endsWith('</html>\n'));
      assert.doesNotMatch(html.replace(DATA, ''), /undefined|NaN|\[object|Infinity/);
    });

    it(`brings nothing in and lets nothing out for ${name}`, () => {
      const html = page(document).replace(DATA, '');
      assert.doesNotMatch(html, /<(?:img|link|iframe|object|embed|base|form|image|use)\b/i);
      assert.doesNotMatch(html, /\s(?:src|style|on\w+|xlink:href)=/i);
      assert.match(
        html,
        /Content-Security-Policy" content="default-src &#39;none&#39;; script-src &#39;sha256-[\w+/=]+&#39;; style-src &#39;sha256-/,
      );
    });

    it(`holds the document itself for programs, for ${name}`, () => assert.deepEqual(JSON.parse(DATA.exec(page(document))?.[1] ?? ''), document));
  }

  it('leaves the document out, and says so, where the page would become too large', () => {
    const long = measurement({
      probe: 'echo',
      metric: 'rtt',
      summary: around('ms', 1, 9),
      details: { samples: Array.from({ length: 300_000 }, (_, i) => i) },
    });
    const html = page({ ...MEASURE, measurements: [long] });
    assert.ok(html.length < 50_000);
    assert.match(html, /would be larger than 1 MB: use --json/);
    assert.doesNotMatch(html, DATA);
  });

  it('of a thorough check of three paths is far below that size', () => {
    assert.ok(page(RICH).length < PAGE_BYTES_MAX / 3);
    assert.ok(page(SIX_PATHS).length < PAGE_BYTES_MAX);
  });
});

describe('html report: what it says', () => {
  const html = page(RICH);
  const text = textOf(html);

  it('the verdict comes first, then the paths, then the findings', () => {
    const places = ['class="verdict', 'id="paths"', 'id="findings"', 'id="latency"', 'id="ceilings"', 'id="figures"'].map((each) =>
      html.indexOf(each),
    );
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
    assert.ok(places.every((place) => place >= 0));
  });

  it('each path shows what lies on it, what it is worth, and whether it was chosen', () => {
    for (const part of ['✓ best overall', 'relay', '11 routers', 'dashed' /* in the style of tunnels */, '1280 B', '1500 B'])
      assert.ok(html.includes(part), part);
    assert.match(text, /tailscale0 tunnel, 1\.000 Gbit\/s fra relay core0\.example\.net core1\.example\.net beta/);
    assert.match(text, /round trip 38\.42 ms n 1600, 95 %: 37\.65–39\.38/);
    assert.match(text, /lowest limit up 95\.68 Mbit\/s receive window of 212 kB over a round trip of 1\.97 ms \(configured\)/);
  });

  it('each finding has its evidence, what was ruled out, what could not be looked at, and what to type', () => {
    for (const { title, evidence, ruledOut, unchecked = [], next } of RICH.findings ?? []) {
      const words = [
        title,
        ...evidence.map((each) => each.text),
        ...ruledOut.map(({ why }) => why),
        ...unchecked.map(({ why }) => why),
        ...next.map((each) => each.text),
      ];
      for (const each of words) assert.ok(text.includes(each), each);
      for (const { command } of next) if (command !== undefined) assert.ok(html.includes(`<code>${command}</code>`), command);
    }
    assert.match(text, /round trip under upload 312\.0 ms, 14\.10 ms idle without the cause 20\.00 ms/);
  });

  it('nothing found is told as such, and documents that did not look say nothing', () => {
    assert.match(textOf(page({ ...RICH, findings: [] })), /Nothing was found that limits or endangers/);
    assert.doesNotMatch(page(CHECK), /id="findings"/);
  });

  it('every picture has a sentence for those who do not see it, and the figures in a table', () => {
    const pictures = [...html.matchAll(/<svg class="chart" role="img" aria-label="([^"]*)"/g)].map(([, label]) => label ?? '');
    assert.ok(pictures.length >= 3 + 6 + 6 + 1, String(pictures.length));
    for (const label of pictures) assert.match(label, /\d/);
    for (const [figure] of html.matchAll(/<figure>.*?<\/figure>/gs))
      if (!figure.includes('Ratios of paths')) assert.match(figure, /<details>.*<table>/s);
    assert.doesNotMatch(html, /<th(?! scope=)(?!ead)/);
  });

  it('comparisons, advice and what was not checked are there', () => {
    for (const each of [
      'Two turns are too few',
      '0.4300–0.4700',
      'needs it',
      '180–420',
      '2 × module (20–60)',
      'no Docker socket',
      'set DOCKER_HOST',
      '9f86d081884c',
    ])
      assert.ok(text.includes(each), each);
  });

  it('bounds far above all that was reached stay out of the picture and in the table', () => {
    const [first, ...others] = RICH.subjects;
    assert.ok(first);
    const far = { id: 'receive-window', kind: 'configured' as const, direction: 'both' as const, bps: 4e13, why: 'a window of 6 MB over 1 us' };
    const said = page({ ...RICH, subjects: [{ ...first, limits: [...(first.limits ?? []), far] }, ...others] });
    assert.equal(said.replace(DATA, '').match(/>receive-window</g)?.length, 2, 'in the tables of both directions');
    assert.match(said, /and 1 far above/);
  });

  it('an impossible figure is a measuring error wherever it stands, and has no stars', () => {
    const impossible = {
      ...RICH,
      subjects: [{ ...CHECK.subjects[0], measurements: (CHECK.subjects[0]?.measurements ?? []).filter(({ metric }) => metric === 'throughput.up') }],
    } as CheckDocument;
    const said = textOf(page(impossible));
    assert.match(said, /measuring error: nothing above 941\.5 Mbit\/s is possible/);
    assert.match(said, /impossible: the ceiling is 941\.5 Mbit\/s/);
    assert.doesNotMatch(page(impossible).replace(DATA, ''), /<s>[^<]*<\/s>[^★]{0,200}★/s);
  });

  it('draws what a probe kept of its samples, and nothing where that is not what it should be', () => {
    const echo = (details: Record<string, unknown>): string =>
      page({ ...MEASURE, measurements: [measurement({ probe: 'echo', metric: 'rtt', summary: around('ms', 1, 9), details })] });
    assert.match(echo({ distribution: { values: [0.9, 1, 1.1], counts: [2, 5, 2] } }), /id="latency"/);
    for (const distribution of [
      { values: [1, 2], counts: [1] },
      { values: ['1', '2'], counts: [1, 1] },
      { values: [0, -1], counts: [1, 1] },
      'x',
      undefined,
    ])
      assert.doesNotMatch(echo({ distribution }), /id="latency"/);
  });
});

describe('html report: a load in several turns', () => {
  const overTime = (medianMs: number) => ({ unit: 'ms', startMs: 250, stepMs: 250, medians: [medianMs, medianMs, medianMs], maxima: [99, 99, 99] });
  const course = Array.from({ length: 8 }, (_, i) => ({ startMs: i * 250, endMs: (i + 1) * 250, bps: (i + 1) * 1e6 }));
  const joined = (turns: unknown): string =>
    page({
      ...MEASURE,
      measurements: [
        measurement({
          probe: 'throughput',
          metric: 'throughput.up',
          summary: around('bps', 4e6, 8),
          details: { omittedMs: 250, intervals: [...course, { startMs: 2000, endMs: 2001, bps: 9e12 }], turns },
        }),
        measurement({
          probe: 'throughput',
          metric: 'rtt.loaded.up',
          summary: around('ms', 3, 8),
          details: {
            turns: [
              { turn: 0, overTime: overTime(31) },
              { turn: 1, overTime: overTime(47) },
            ],
          },
        }),
      ],
    });
  const html = joined([
    { turn: 0, offsetMs: 0, omittedMs: 250 },
    { turn: 1, offsetMs: 1000, omittedMs: 250 },
  ]);

  it('stands on one time axis, each turn at its place', () => {
    assert.equal(html.match(/class="turn"/g)?.length, 1);
    assert.equal(html.match(/class="omitted"/g)?.length, 2);
    assert.match(textOf(html), /0\.25 s 2\.000 Mbit\/s 31\.00 ms 0\.50 s/);
    assert.match(textOf(html), /1\.25 s 6\.000 Mbit\/s 47\.00 ms 1\.50 s/);
  });

  it('leaves out the moment at the end in which a held-back burst arrived', () => assert.doesNotMatch(html.replace(DATA, ''), /9\.000 Tbit|10 T/));

  it('is drawn without round trips where the turns cannot be told apart', () => {
    for (const turns of [undefined, 'x', [null, { turn: 'a' }]]) assert.match(textOf(joined(turns)), /Under load/);
  });
});

describe('html report: hostile text', () => {
  it('is text everywhere: in elements, attributes, pictures and the embedded document', () => {
    const attack = `"'><svg/onload=alert(1)></script><script>alert(2)</script><!--]]>&lt;\u202e\u0000\u009b`;
    assert.deepEqual(tagsOf(page(renamed(RICH, attack))), tagsOf(page(renamed(RICH, 'benign'))));
    assert.deepEqual(JSON.parse(DATA.exec(page(renamed(RICH, attack)))?.[1] ?? ''), renamed(RICH, attack));
  });

  it('never changes what the page consists of, whatever it is', () => {
    const usual = tagsOf(page(renamed(RICH, 'benign')));
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => assert.deepEqual(tagsOf(page(renamed(RICH, `${text}.`))), usual)),
      { seed: 3, numRuns: 25 },
    );
  });
});

const DATA = /<script type="application\/json" id="document">(.*?)<\/script>/s;

/** The document with something before every text that a peer, a person or a program could have chosen. */
function renamed(document: CheckDocument, before: string): CheckDocument {
  const KEYS = [
    'name',
    'peer',
    'path',
    'against',
    'better',
    'address',
    'target',
    'title',
    'text',
    'why',
    'reason',
    'sentence',
    'command',
    'hint',
    'what',
    'subject',
    'interface',
    'relay',
    'driver',
    'software',
  ];
  const change = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') return KEYS.includes(key) ? before + value : value;
    if (Array.isArray(value)) return value.map((each) => change(each, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, name === 'tool' ? each : change(each, name)]));
  };
  return change(document, '') as CheckDocument;
}

/** Tags in order, without their attributes: what a page consists of. A reader of HTML apart from the writer. */
function tagsOf(html: string): string[] {
  const tags: string[] = [];
  const raw = html.replace(/(<(script|style)[^>]*>).*?(<\/\2>)/gs, '$1$3');
  for (const [, close, name, rest] of raw.matchAll(/<(\/?)([a-zA-Z!][\w-]*)((?:[^>"]|"[^"]*")*)>/g))
    tags.push(`${close}${name}${(rest ?? '').trim().endsWith('/') ? '/' : ''}`);
  assert.equal((raw.match(/</g) ?? []).length, tags.length, 'every < begins a tag');
  return tags;
}

function unbalanced(tags: readonly string[]): string[] {
  const VOID = ['!DOCTYPE', 'meta', 'br'];
  const open: string[] = [];
  for (const tag of tags) {
    if (tag.endsWith('/') || VOID.includes(tag)) continue;
    if (!tag.startsWith('/')) open.push(tag);
    else if (open.pop() !== tag.slice(1)) return [...open, tag];
  }
  return open;
}

/** What a reader sees, in one line. */
function textOf(html: string): string {
  return html
    .replace(/<(script|style|title)[^>]*>.*?<\/\1>/gs, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#39;/g, "'")
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
    .replace(/ ([,.;])/g, '$1');
}
