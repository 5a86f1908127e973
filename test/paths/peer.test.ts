import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choosePath, definePeer, findPeer } from '../../src/paths/index.js';

const beta = definePeer('beta', { paths: { lan: '10.0.0.2', vpn: '100.64.0.2:7000' }, defaultPath: 'vpn' });

test('the default path is the one named so, else the first', () => {
  assert.equal(choosePath(beta).name, 'vpn');
  assert.equal(choosePath(definePeer('a', { paths: { x: '10.0.0.1', y: '10.0.0.2' } })).name, 'x');
  assert.equal(choosePath(beta, 'lan').target.host, '10.0.0.2');
});

test('a path that does not exist is an error that lists the others', () => {
  assert.throws(() => choosePath(beta, 'wan'), { code: 'usage', message: "peer 'beta' has no path 'wan'", hint: 'its paths are lan, vpn' });
  assert.throws(() => definePeer('b', { paths: {} }), { code: 'config' });
  assert.throws(() => definePeer('b', { paths: { lan: '10.0.0.1' }, defaultPath: 'x' }), { code: 'config' });
});

test('a peer is found by its name, alone or with a path', () => {
  assert.equal(findPeer([beta], 'beta')?.path, undefined);
  assert.equal(findPeer([beta], 'beta/lan')?.path?.name, 'lan');
  assert.equal(findPeer([beta], 'betamax'), undefined);
  assert.throws(() => findPeer([beta], 'beta/wan'), { code: 'usage' });
});
