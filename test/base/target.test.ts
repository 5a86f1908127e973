import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError, formatEndpoint, parseTarget } from '../../src/base/index.js';

describe('targets', () => {
  const good: readonly (readonly [string, { host: string; port?: number; url?: string }])[] = [
    ['10.0.0.1', { host: '10.0.0.1' }],
    ['10.0.0.1:7227', { host: '10.0.0.1', port: 7227 }],
    ['db.example.org:5432', { host: 'db.example.org', port: 5432 }],
    [' beta ', { host: 'beta' }],
    ['::1', { host: '::1' }],
    ['fe80::1%eth0', { host: 'fe80::1%eth0' }],
    ['::ffff:10.0.0.1', { host: '::ffff:10.0.0.1' }],
    ['[::1]:7227', { host: '::1', port: 7227 }],
    ['[fd00::2]', { host: 'fd00::2' }],
    ['https://example.org/x?y', { host: 'example.org', port: 443, url: 'https://example.org/x?y' }],
    ['http://[::1]:8080/', { host: '::1', port: 8080, url: 'http://[::1]:8080/' }],
  ];
  for (const [text, expected] of good) {
    test(`'${text}' is understood`, () => {
      assert.deepEqual(parseTarget(text), { text, ...expected });
    });
  }

  for (const text of [
    '',
    '   ',
    'ftp://x',
    'http://',
    'a b',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '10.0.0.1:x',
    ':7227',
    '[::1',
    '[example]',
    '[::1]:',
    'host/path',
    'a:b:c',
    '-oProxyCommand=x',
    'x'.repeat(254),
  ]) {
    test(`'${text.slice(0, 20)}' is refused with an example`, () => {
      assert.throws(
        () => parseTarget(text),
        (error) => {
          assert.ok(error instanceof TautlineError);
          assert.equal(error.code, 'usage');
          assert.match(error.message, /is not a target/);
          assert.match(error.hint ?? '', /10\.0\.0\.1/);
          return true;
        },
      );
    });
  }

  test('an endpoint is written as it can be read', () => {
    assert.equal(formatEndpoint({ host: '::1', port: 1 }), '[::1]:1');
    assert.equal(formatEndpoint({ host: '10.0.0.1', port: 7227 }), '10.0.0.1:7227');
  });
});
