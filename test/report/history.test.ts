import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { advise, WORKLOAD_KINDS } from '../../src/diagnose/index.js';
import { ADVICE_REPORTS, HISTORY_CSV_HEADER, HISTORY_REPORTS, displayWidth } from '../../src/report/index.js';
import type { AdviceDocument, HistoryDocument, HistoryEntry } from '../../src/results/index.js';
import { declared, host } from '../diagnose/upgrade/hosts.js';

const head = {
  tool: { name: 'tautline', version: '0.1.0' },
  host: { name: 'alpha', os: 'Linux', kernel: '6.1', arch: 'x64', cpus: 2, cpuModel: 'c', memoryBytes: 1, node: 'v20', root: false },
  startedAt: '2026-11-21T08:00:00.000Z',
  durationMs: 12,
} as const;

const DAYS = 9;

function entry(day: number, more: Partial<HistoryEntry> = {}): HistoryEntry {
  const rtt = 0.4 + 0.02 * day + (day >= 5 ? 0.5 : 0);
  return {
    id: `202611${10 + day}T070000000Z-check-${String(day).repeat(10)}`,
    kind: 'check',
    startedAt: `2026-11-${10 + day}T07:00:00.000Z`,
    target: 'beta',
    fingerprint: (day >= 5 ? 'b' : 'a').repeat(64),
    verdict: { outcome: 'pass', band: day >= 5 ? 'fair' : 'excellent', sentence: 's' },
    findings: day >= 5 ? ['high-latency'] : [],
    figures: [
      { subject: 'beta', path: 'lan', metric: 'rtt', unit: 'ms', median: rtt, p99: rtt * 2 },
      { subject: 'beta', path: 'lan', metric: 'throughput.down', unit: 'bps', median: 938e6 },
    ],
    ...more,
  };
}

const CHANGE = ['kernel 6.1.0 -> 6.2.0', 'eth0 mtu 1500 -> 1280'];
const entries = Array.from({ length: DAYS }, (_, day) => entry(day, day === 5 ? { changed: CHANGE } : {}));
const LIST: HistoryDocument = { schema: 'tautline.history/1', ...head, folder: '/home/me/.local/state/tautline/runs', entries, more: true };
const PLOT: HistoryDocument = {
  ...LIST,
  plot: {
    subject: 'beta',
    path: 'lan',
    metric: 'rtt',
    unit: 'ms',
    points: entries.flatMap(({ id, startedAt, figures, changed }) => [
      { id, startedAt, median: figures[0]?.median ?? 0, ...(changed ? { changed } : {}) },
    ]),
    leftOut: [{ id: 'x', why: 'lost' }],
  },
  others: [
    { subject: 'beta', path: 'vpn', metric: 'rtt', n: 4 },
    { subject: 'beta', path: 'lan', metric: 'throughput.down', n: 9 },
  ],
};

const HOSTILE: HistoryDocument = {
  ...LIST,
  entries: [entry(1, { target: '\u001b[2Jevil\u0007|<b>=1+1', findings: ['\u202egnp', '@me'], changed: ['\u001b]0;title\u0007'] })],
  skipped: [{ file: '\u001b[31mred.txt', why: 'its name' }],
};

const ADVICE: AdviceDocument = {
  schema: 'tautline.advice/1',
  ...head,
  advice:
    advise({
      near: host('alpha'),
      far: host('beta'),
      measured: { bps: 938e6, rttMs: 0.4 },
      today: '2026-11-21',
      workloads: [declared('model', { size: 10e9 }), declared('ray'), declared('gradients', { size: 100e6 }), declared('audio')],
    }) ?? assert.fail('advice'),
};

const options = { color: false, width: 80 };
/** Whole texts that are committed: TAUTLINE_EXPECT=write takes what is printed now; look at the diff before you commit it. */
const EXPECTED: Readonly<Record<string, () => string>> = {
  'history-80.txt': () => HISTORY_REPORTS.text(LIST, options),
  'history-120.txt': () => HISTORY_REPORTS.text(LIST, { ...options, width: 120 }),
  'history-plot-80.txt': () => HISTORY_REPORTS.text(PLOT, options),
  'history-plot-ascii.txt': () => HISTORY_REPORTS.text(PLOT, { ...options, unicode: false }),
  'history.md': () => HISTORY_REPORTS.markdown(LIST, options),
  'history.csv': () => HISTORY_REPORTS.csv(LIST, options),
  'advice-80.txt': () => ADVICE_REPORTS.text(ADVICE, options),
  'advice.md': () => ADVICE_REPORTS.markdown(ADVICE, options),
};

describe('the history and the advice', () => {
  for (const [name, render] of Object.entries(EXPECTED)) {
    test(`${name} is as it was last read over`, () => {
      const place = new URL(`../../../test/report/expected/${name}`, import.meta.url);
      if (process.env['TAUTLINE_EXPECT'] === 'write') writeFileSync(place, render());
      assert.equal(render(), readFileSync(place, 'utf8'));
    });
  }

  for (const width of [40, 60, 80, 100]) {
    test(`no line of the history is wider than ${width} columns`, () => {
      for (const document of [LIST, PLOT, HOSTILE, { ...LIST, entries: [] }])
        for (const unicode of [true, false])
          for (const line of HISTORY_REPORTS.text(document, { color: false, width, unicode }).split('\n'))
            assert.ok(displayWidth(line) <= width, line);
    });
  }

  test('only commands, which are to be copied, are wider than the terminal in advice', () => {
    for (const line of ADVICE_REPORTS.text(ADVICE, options).split('\n')) assert.ok(displayWidth(line) <= 80 || /^ +\$ /.test(line), line);
  });

  test('an empty history says what to do', () => {
    assert.match(HISTORY_REPORTS.text({ ...LIST, entries: [] }, options), /No run is kept in \/home\/me.*'tautline check'/s);
  });

  test('names from elsewhere reach no terminal, page or spreadsheet as anything but text', () => {
    for (const render of [HISTORY_REPORTS.text, HISTORY_REPORTS.markdown, HISTORY_REPORTS.csv, HISTORY_REPORTS.json]) {
      const text = render(HOSTILE, options);
      assert.doesNotMatch(text, new RegExp('[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u202e]'));
    }
    assert.doesNotMatch(HISTORY_REPORTS.markdown(HOSTILE, options), /<b>|\|=1/);
  });

  test('CSV has the same columns in every record', () => {
    const records = HISTORY_REPORTS.csv({ ...LIST, entries: [...entries, entry(3, { figures: [] })] }, options)
      .trimEnd()
      .split('\r\n');
    assert.equal(records[0], HISTORY_CSV_HEADER.join(','));
    for (const record of records) assert.equal(record.split(',').length, HISTORY_CSV_HEADER.length, record);
    assert.equal(records.length, 1 + DAYS * 2 + 1);
  });

  test('JSON is the document', () => {
    assert.deepEqual(JSON.parse(HISTORY_REPORTS.json(PLOT, options)), JSON.parse(JSON.stringify(PLOT)));
    assert.deepEqual(JSON.parse(ADVICE_REPORTS.json(ADVICE, options)), JSON.parse(JSON.stringify(ADVICE)));
  });

  test('advice tells every kind of work what each link is sufficient for', () => {
    const text = ADVICE_REPORTS.text(ADVICE, options);
    for (const { title } of WORKLOAD_KINDS) assert.ok(text.includes(title), title);
  });
});
