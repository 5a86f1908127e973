import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/app/nearest.js';

test('a slip of the finger finds the word that was meant, and another word finds none', () => {
  const known = ['ping', 'echo', 'tcp', 'dns', 'tls', 'http', 'throughput', 'responsiveness'];
  assert.equal(nearest('ecco', known), 'echo');
  assert.equal(nearest('ehco', known), 'echo');
  assert.equal(nearest('troughputt', known), 'throughput');
  assert.equal(nearest('Ping', known), 'ping');
  assert.equal(nearest('resp', known), 'responsiveness');
  assert.equal(nearest('traceroute', known), undefined);
  assert.equal(nearest('x', []), undefined);
});
