import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { configReference } from '../../src/app/config-reference.js';
import { loadConfig } from '../../src/app/config.js';
import { settings } from '../../src/app/config-schema.js';

const page = readFileSync(join(process.env['TAUTLINE_ROOT'] ?? process.cwd(), 'docs', 'configuration.md'), 'utf8');

test('the reference page is what the declarations say', () => {
  assert.ok(page === configReference(), 'docs/configuration.md is out of date: npm run build && node scripts/config-reference.mjs');
  for (const { path, env } of settings()) assert.ok(page.includes(`\`${path.join('.')}\``) && page.includes(`\`${env}\``), env);
});

test('the example on the reference page is a configuration that can be read', async () => {
  const example = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? '';
  const files = {
    readText: (path: string) => Promise.resolve(path === '/w/tautline.yaml' ? example : undefined),
    writeText: () => Promise.resolve(),
  };
  const config = await loadConfig({ files, flags: {}, env: {}, workingFolder: '/w', homeFolder: '/h' });
  assert.deepEqual(
    config.peers.map((peer) => peer.name),
    ['alpha', 'beta'],
  );
  assert.equal(config.limits.testMs, 30_000);
});
