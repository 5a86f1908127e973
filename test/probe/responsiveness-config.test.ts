import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResponsivenessConfig } from '../../src/probe/responsiveness-config.js';

const URLS = { large_download_url: 'https://x.example/large', small_download_url: 'https://x.example/small', upload_url: 'https://x.example/up' };

function why(document: unknown): string {
  const parsed = parseResponsivenessConfig(typeof document === 'string' ? document : JSON.stringify(document));
  return parsed.ok ? 'accepted' : parsed.why;
}

test('a configuration is read, with names that are not known left alone', () => {
  const parsed = parseResponsivenessConfig(JSON.stringify({ version: 1, urls: { ...URLS, more: 1 }, test_endpoint: 'edge.example', future: [] }));
  assert.deepEqual(parsed, {
    ok: true,
    urls: { small: 'https://x.example/small', large: 'https://x.example/large', upload: 'https://x.example/up', endpoint: 'edge.example' },
  });
});

test('the older names are understood', () => {
  const parsed = parseResponsivenessConfig(
    JSON.stringify({
      version: 1,
      urls: {
        small_https_download_url: 'https://x.example/s',
        large_https_download_url: 'https://x.example/l',
        https_upload_url: 'https://x.example/u',
      },
    }),
  );
  assert.ok(parsed.ok && parsed.urls.upload === 'https://x.example/u');
});

test('what the draft calls invalid is refused, with the reason', () => {
  assert.match(why('<html>'), /not JSON/);
  assert.match(why('[1]'), /not a JSON object/);
  assert.match(why({ version: 2, urls: URLS }), /version is 2/);
  assert.match(why({ urls: URLS }), /version is undefined/);
  assert.match(why({ version: 1 }), /no urls/);
  assert.match(why({ version: 1, urls: { ...URLS, upload_url: undefined } }), /does not name all/);
  assert.match(why({ version: 1, urls: { ...URLS, upload_url: 'file:///etc/passwd' } }), /does not name all/);
  assert.match(why({ version: 1, urls: { ...URLS, upload_url: 42 } }), /does not name all/);
  assert.match(why({ version: 1, urls: { ...URLS, upload_url: 'https://y.example/up' } }), /not all on one host/);
});
