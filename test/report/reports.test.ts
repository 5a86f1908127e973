import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import { CSV_HEADER, REPORTS, displayWidth } from '../../src/report/index.js';
import { CheckDocumentSchema, MeasureDocumentSchema } from '../../src/results/index.js';
import type { Measurement, ResultDocument } from '../../src/results/index.js';
import { CHECK, FAILED, HOSTILE, MEASURE, around, measurement } from './documents.js';
import { EXPECTED, readExpected } from './expected.js';
import { LAYER_DOCUMENTS } from './layer-documents.js';
import { RICH } from './rich.js';

const DOCUMENTS: readonly ResultDocument[] = [CHECK, MEASURE, FAILED, HOSTILE, RICH, ...LAYER_DOCUMENTS];
const text = (document: ResultDocument, width = 80, color = false): string => REPORTS.text.render(document, { color, width });
const plain = { color: false, width: 80 };

describe('reports', () => {
  for (const [name, render] of Object.entries(EXPECTED)) {
    it(`write ${name} as committed`, () => assert.equal(render(), readExpected(name)));
  }

  it('are made from documents that match their schema', () => {
    for (const document of DOCUMENTS) {
      const schema = document.schema === 'tautline.check/1' ? CheckDocumentSchema : MeasureDocumentSchema;
      assert.ok(v.safeParse(schema, document).success);
    }
  });

  it('let no control character through, in any format', () => {
    for (const document of DOCUMENTS) {
      for (const [name, report] of Object.entries(REPORTS)) {
        const found = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/.exec(
          report.render(document, plain),
        );
        assert.equal(found, null, `${name} lets U+${found?.[0].codePointAt(0)?.toString(16)} through`);
      }
    }
  });

  it('say that nothing was measured where nothing was', () => {
    const empty = { ...CHECK, subjects: [{ name: 'eth0', role: 'gateway' as const, facts: {}, measurements: [] }] };
    assert.match(text(empty), /eth0 \(gateway\)\n  nothing was measured here/);
    assert.match(REPORTS.markdown.render(empty, plain), /nothing was measured here/);
    assert.equal(REPORTS.csv.render(empty, plain), `${CSV_HEADER.join(',')}\r\n`);
    assert.match(text({ ...MEASURE, measurements: [] }), /nothing was measured here/);
  });
});

describe('text report', () => {
  it('stays within the width, from narrow to wide', () => {
    for (const document of DOCUMENTS) {
      for (const width of [50, 60, 72, 80, 100, 120, 200]) {
        for (const line of text(document, width).split('\n')) assert.ok(displayWidth(line) <= width, `${width}: ${line}`);
      }
    }
  });

  it('survives absurd widths', () => {
    for (const width of [0, 1, 39, 1e6]) assert.ok(text(CHECK, width).length > 500);
  });

  it('with colours is the same text as without', () => {
    for (const document of DOCUMENTS) {
      const colored = text(document, 100, true);
      assert.match(colored, /\u001b\[/);
      assert.equal(colored.replace(/\u001b\[[0-9;]*m/g, ''), text(document, 100));
    }
  });

  it('leaves the p99 out before the interval when room is scarce, and the figure never', () => {
    const heads = (width: number): string =>
      text(CHECK, width)
        .split('\n')
        .find((line) => /^ +median/.test(line)) ?? '';
    assert.match(heads(120), /median +± +95 % interval +p99 +lost\/n +rating/);
    assert.match(heads(76), /median +95 % interval +lost\/n +rating/);
    assert.match(heads(50), /median/);
  });

  it('shows the round trip without load before the one under it, beside its throughput, whichever came first', () => {
    const [load, idle, loaded] = MEASURE.measurements;
    assert.ok(load && idle && loaded);
    const rows = text({ ...MEASURE, measurements: [load, loaded, idle, { ...load }, { ...loaded }, { ...idle, summary: around('ms', 100, 50) }] })
      .split('\n')
      .filter((line) => /^ {2,4}(throughput up {3}|idle|under)/.test(line));
    assert.deepEqual(
      rows.map((line) => line.slice(0, 26).trim()),
      ['throughput up', 'idle', 'under upload +121.0 ms', 'throughput up', 'idle', 'under upload +21.40 ms'],
    );
  });

  it('says once what holds for a whole group', () => {
    const simulated = MEASURE.measurements.map((each) => ({ ...each, provenance: 'simulated' as const, path: 'lan' }));
    const report = text({ ...MEASURE, measurements: simulated });
    assert.match(report, /10\.7\.0\.2:7227 \(path lan, simulated\)/);
    assert.equal(report.match(/simulated/g)?.length, 1);
  });

  it('tells a cause that many errors share once, as it is where the error is largest', () => {
    const late = (value: number): Measurement =>
      measurement({
        probe: 'echo',
        metric: 'rtt',
        summary: around('ms', 1, 10),
        error: { value, unit: 'ms', from: [`timer: sends were up to ${value} ms late`] },
      });
    const report = text({ ...MEASURE, measurements: [late(0.01), late(0.03), late(0.02)] });
    assert.match(report, /± comes from timer: sends were up to 0\.03 ms late at worst\n/);
    assert.equal(report.match(/timer/g)?.length, 1);
  });

  it('shows an impossible figure as an error and gives it no stars, whatever its rating says', () => {
    const impossible = measurement({
      probe: 'throughput',
      metric: 'throughput.up',
      summary: around('bps', 2e9, 10),
      ceiling: { value: 1e9, unit: 'bps', why: 'the link' },
      rating: { band: 'excellent', stars: 5 },
    });
    for (const format of ['text', 'markdown'] as const) {
      const report = REPORTS[format].render({ ...MEASURE, measurements: [impossible] }, plain);
      assert.match(report.replace(/\s+/g, ' '), /impossible: the ceiling is 1\.000 Gbit\/s \(the link\)/);
      assert.doesNotMatch(report, /★/);
    }
    assert.match(REPORTS.csv.render({ ...MEASURE, measurements: [impossible] }, plain), /,true,excellent,5,/);
  });
});

describe('reports of what an expert would say', () => {
  const said = text(RICH, 80);

  it('put the verdict first, then findings, then the choice of path, then figures, then what is open', () => {
    const parts = ['GOOD: beta', 'findings', 'which path', 'beta, lan (target', 'not checked', 'a faster link'].map((part) =>
      said.indexOf(`\n${part}`),
    );
    assert.deepEqual(
      parts,
      [...parts].sort((a, b) => a - b),
    );
    assert.ok(parts.every((place) => place > 0));
  });

  it('tell each finding with its strongest evidence and what to type', () => {
    assert.match(said, /1\. CRITICAL The VPN goes through a relay.*\n.*certain\)\n +the client says: relayed by fra\n +-> See why/);
    assert.match(said, /\n +tailscale netcheck\n/);
    assert.match(REPORTS.markdown.render(RICH, plain), /to do: .*: `tailscale netcheck`/);
  });

  it('say that nothing was found only where somebody looked', () => {
    assert.match(text({ ...RICH, findings: [] }), /\nfindings: none\n/);
    assert.doesNotMatch(text(CHECK), /findings/);
  });

  it('name what is left out of a terminal', () => {
    const many = Array.from({ length: 12 }, () => RICH.findings ?? [])
      .flat()
      .slice(0, 12);
    assert.match(text({ ...RICH, findings: many }), /4 more: --html report\.html shows them all/);
  });

  it('keep a command as it is in Markdown, backticks included', () => {
    const [first] = RICH.findings ?? [];
    assert.ok(first);
    const findings = [{ ...first, next: [{ text: 'try', command: 'echo `id` | tee <x>', costs: 'nothing' as const }] }];
    assert.ok(REPORTS.markdown.render({ ...RICH, findings }, plain).includes('``echo `id` | tee <x>``'));
  });

  it('write packet sizes in bytes', () => assert.match(said, /path MTU 1280 B up;/));

  it('give each record of the CSV its path, its lowest limit and its findings', () => {
    const [head = [], ...records] = parseCsv(REPORTS.csv.render(RICH, plain));
    const of = (record: readonly string[], column: string): string => record[head.indexOf(column)] ?? '';
    const up = records.find((record) => of(record, 'metric') === 'throughput.up' && of(record, 'path') === 'wan');
    assert.ok(up);
    assert.deepEqual(
      [of(up, 'peer'), of(up, 'path_kind'), of(up, 'limit'), of(up, 'limit_kind'), of(up, 'findings')],
      ['beta', 'wan', 'window', 'configured', 'bufferbloat'],
    );
    assert.equal(of(records.find((record) => of(record, 'metric') === 'rtt') ?? [], 'limit'), '');
  });
});

describe('csv report', () => {
  it('has one record a measurement, each with as many fields as the header', () => {
    for (const document of DOCUMENTS) {
      const count =
        document.schema === 'tautline.check/1' ? document.subjects.flatMap(({ measurements }) => measurements).length : document.measurements.length;
      const records = parseCsv(REPORTS.csv.render(document, plain));
      assert.equal(records.length, count + 1);
      for (const record of records) assert.equal(record.length, CSV_HEADER.length);
    }
  });

  it('starts no field of text with a formula', () => {
    const fields = parseCsv(REPORTS.csv.render(HOSTILE, plain)).flat();
    assert.ok(fields.some((field) => field.startsWith("'@SUM")) && fields.some((field) => field === "'+lan"));
    for (const field of fields) assert.ok(!/^[=+@-]/.test(field) || Number.isFinite(Number(field)), field);
  });

  it('keeps negative numbers numbers', () => {
    const negative = measurement({ probe: 'echo', metric: 'delay.up', summary: { ...around('ms', 1, 10), min: -0.25 } });
    assert.match(REPORTS.csv.render({ ...MEASURE, measurements: [negative] }, plain), /,10,-0\.25,1,/);
  });
});

describe('json report', () => {
  it('is the document itself', () => {
    for (const document of DOCUMENTS) assert.deepEqual(JSON.parse(REPORTS.json.render(document, plain)), document);
  });

  it('does not depend on the order in which a document was put together', () => {
    const shuffled = {
      ...CHECK,
      subjects: CHECK.subjects.map((subject) => reversed({ ...subject, measurements: subject.measurements.map(reversed) })),
    };
    assert.equal(REPORTS.json.render(reversed(shuffled), plain), REPORTS.json.render(CHECK, plain));
  });

  it('keeps what a newer release added', () => {
    const newer = { ...MEASURE, weather: { sky: 'clear' } };
    assert.deepEqual(JSON.parse(REPORTS.json.render(newer, plain)), newer);
  });
});

function reversed<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).reverse()) as T;
}

/** A reader of RFC 4180, written apart from the writer. */
function parseCsv(csv: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < csv.length; i++) {
    const character = csv[i];
    if (quoted) {
      if (character !== '"') field += character;
      else if (csv[i + 1] === '"') field += csv[i++];
      else quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === ',' || character === '\r') {
      record.push(field);
      field = '';
      if (character === '\r') {
        assert.equal(csv[++i], '\n');
        records.push(record);
        record = [];
      }
    } else field += character;
  }
  assert.equal(field + record.join(''), '');
  return records;
}
