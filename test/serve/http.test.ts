import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { answerHttp, createHttpResponder, limitsOf } from '../../src/serve/index.js';
import type { HttpContext } from '../../src/serve/index.js';
import type { HttpAsk, HttpReply } from '../../src/wire/index.js';

const OPEN: HttpContext = { limits: limitsOf({ httpBytesMax: 1_000_000 }), software: 'tautline test' };
const KEYED: HttpContext = { ...OPEN, checkTicket: (client, ticket) => client === '10.0.0.1' && ticket === 'good' };

function ask(method: string, target: string, rest: Partial<HttpAsk> = {}): HttpAsk {
  return { method, target, authority: '10.0.0.2:7227', ticket: undefined, client: '10.0.0.1', ...rest };
}

function textOf(reply: HttpReply): string {
  assert.equal(reply.body.kind, 'bytes');
  return new TextDecoder().decode(reply.body.kind === 'bytes' ? reply.body.bytes : undefined);
}

test('each path has its answer', () => {
  assert.match(textOf(answerHttp(ask('GET', '/'), OPEN)), /^tautline test: .*tautline check/);
  assert.deepEqual(answerHttp(ask('GET', '/small'), OPEN).body, { kind: 'bytes', bytes: new Uint8Array(1) });
  assert.deepEqual(answerHttp(ask('GET', '/large?x=1'), OPEN).body, { kind: 'zeros', bytes: 1_000_000 });
  assert.deepEqual(answerHttp(ask('HEAD', '/bytes/12'), OPEN).body, { kind: 'zeros', bytes: 12 });
  assert.equal(answerHttp(ask('GET', '/bytes/12'), OPEN).headers['content-length'], '12');
  assert.deepEqual(answerHttp(ask('POST', '/upload'), OPEN).body, { kind: 'sink', bytesMax: 1_000_000 });
});

test('what is not there, not allowed or too much is refused by its own status', () => {
  const status = (method: string, target: string, rest?: Partial<HttpAsk>): number => answerHttp(ask(method, target, rest), OPEN).status;
  assert.equal(status('GET', '/nope'), 404);
  assert.equal(status('GET', ''), 404);
  assert.equal(status('GET', '/bytes/'), 404);
  assert.equal(status('GET', '/bytes/-1'), 404);
  assert.equal(status('GET', '/bytes/1e9'), 404);
  assert.equal(status('GET', '/__proto__'), 404);
  assert.equal(status('GET', 'constructor'), 404);
  assert.equal(status('DELETE', '/small'), 405);
  assert.equal(status('GET', '/upload'), 405);
  assert.equal(status('GET', '/bytes/1000001'), 413);
  assert.equal(status('POST', '/upload', { contentLength: 1_000_001 }), 413);
});

test('with a key, only the two harmless paths need no ticket', () => {
  const status = (target: string, rest?: Partial<HttpAsk>): number =>
    answerHttp(ask(target === '/upload' ? 'POST' : 'GET', target, rest), KEYED).status;
  for (const target of ['/', '/small']) assert.equal(status(target), 200, target);
  for (const target of ['/large', '/bytes/1', '/upload', '/.well-known/nq']) {
    assert.equal(status(target), 401, target);
    assert.equal(status(target, { ticket: 'bad' }), 401, target);
    assert.equal(status(target, { ticket: 'good', client: '10.0.0.9' }), 401, target);
    assert.equal(status(target, { ticket: 'good' }), 200, target);
  }
});

test('the configuration names this server as the client called it', () => {
  const reply = answerHttp(ask('GET', '/.well-known/nq'), OPEN);
  assert.equal(reply.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(textOf(reply)), {
    version: 1,
    urls: {
      large_download_url: 'http://10.0.0.2:7227/large',
      small_download_url: 'http://10.0.0.2:7227/small',
      upload_url: 'http://10.0.0.2:7227/upload',
    },
  });
  assert.match(
    textOf(answerHttp(ask('GET', '/.well-known/nq', { authority: 'rpm.example.org', secure: true }), OPEN)),
    /https:\/\/rpm\.example\.org\/large/,
  );
  assert.match(textOf(answerHttp(ask('GET', '/.well-known/nq', { authority: '[fd00::1]:7227' }), OPEN)), /http:\/\/\[fd00::1\]:7227\/large/);
});

test('the configuration repeats nothing that is not a host and port', () => {
  for (const authority of [undefined, '', 'a b', 'evil"/', 'x/y', 'x@y', 'x:port', 'x:123456', 'a'.repeat(300)]) {
    assert.equal(answerHttp(ask('GET', '/.well-known/nq', { authority }), OPEN).status, 400, authority);
  }
});

test('any request gets an answer whose length is declared where it has one', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.option(fc.string(), { nil: undefined }), (method, target, authority) => {
      const reply = answerHttp(ask(method, target, { authority }), OPEN);
      assert.ok(reply.status >= 200 && reply.status < 600);
      if (reply.body.kind === 'bytes') assert.equal(reply.headers['content-length'], String(reply.body.bytes.length));
      for (const [name, value] of Object.entries(reply.headers)) assert.ok(/^[a-z-]+$/.test(name) && !/[\r\n]/.test(value));
    }),
  );
});

test('the responder tells clients apart by address, an IPv6 /64 as one', () => {
  const responder = createHttpResponder(OPEN);
  assert.equal(responder.clientOf('10.0.0.1'), '10.0.0.1');
  assert.equal(responder.clientOf('::ffff:10.0.0.1'), '10.0.0.1');
  assert.equal(responder.clientOf('2001:db8::1'), responder.clientOf('2001:db8::ffff'));
  assert.notEqual(responder.clientOf('2001:db8::1'), responder.clientOf('2001:db8:0:1::1'));
  assert.equal(responder.refuse('client').status, 429);
  assert.equal(responder.refuse('all').status, 503);
  assert.equal(new TextDecoder().decode(responder.uploadReceipt(12)), '{"bytes":12}\n');
});
