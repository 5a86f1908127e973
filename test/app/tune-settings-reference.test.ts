import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tuneSettingsReference } from '../../src/app/tune/settings-reference.js';
import { parseProfileFile } from '../../src/app/tune/profile-file.js';
import { SETTINGS } from '../../src/tune/index.js';

const ROOT = process.env['TAUTLINE_ROOT'] ?? process.cwd();
const docs = (name: string): string => readFileSync(join(ROOT, 'docs', name), 'utf8');

describe('the pages about tuning', () => {
  test('have a table of all settings that is what the settings declare', () => {
    const page = docs('tune-settings.md');
    assert.ok(page === tuneSettingsReference(), 'docs/tune-settings.md is out of date: npm run build && node scripts/settings-reference.mjs');
    assert.ok(SETTINGS.length > 0);
    for (const { id } of SETTINGS) assert.ok(page.includes(`| \`${id}\` |`), id);
  });

  test('show a profile of one’s own that can be read', async () => {
    const example = /```yaml\n([^]*?)```/.exec(docs('tune.md'))?.[1] ?? '';
    const profile = await parseProfileFile(example, '/etc/tautline/profiles/edge.yaml', SETTINGS);
    assert.equal(profile.extends, 'moderate');
    assert.equal(profile.settings['net.core.default_qdisc']?.value, null);
  });

  test('have as many cells in every row as the table has columns', () => {
    for (const name of ['tune-settings.md', 'tune.md']) {
      const rows = docs(name)
        .split('\n')
        .filter((line) => line.startsWith('|'));
      const cells = (line: string): number => line.replace(/\\\|/g, '').split('|').length;
      let columns = 0;
      for (const [i, row] of rows.entries()) {
        if (/^\|[ -:|]+\|$/.test(row)) columns = cells(rows[i - 1] ?? '');
        else if (columns > 0 && !/^\|[ -:|]+\|$/.test(rows[i + 1] ?? '')) assert.equal(cells(row), columns, row);
      }
      assert.ok(columns > 0, name);
    }
  });
});
