import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NetworkInterface } from '../../src/base/index.js';
import { assemblePeer, findTailnetHost, isAddress, isAliasOf, kindOfAddress, readSshAliases } from '../../src/paths/index.js';
import type { AddressKnowledge, FoundPath } from '../../src/paths/index.js';

function card(name: string, ...addresses: string[]): NetworkInterface {
  return {
    name,
    up: true,
    loopback: name === 'lo',
    addresses: addresses.map((text) => {
      const [address = '', prefix] = text.split('/');
      return { address, family: address.includes(':') ? 6 : 4, prefix: Number(prefix), scope: 'global' };
    }),
  };
}

const known: AddressKnowledge = {
  interfaces: [card('lo', '127.0.0.1/8', '::1/128'), card('eth0', '192.168.7.5/24', '203.0.113.10/28', '2001:db8:7::5/64')],
  tailnet: ['100.101.1.2', 'fd7a:115c:a1e0::2'],
};

describe('what lies between this host and an address', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['127.0.0.1', 'loopback'],
    ['127.0.1.1', 'loopback'],
    ['::1', 'loopback'],
    ['192.168.7.5', 'loopback'],
    ['2001:db8:7:0::5', 'loopback'],
    ['192.168.7.6', 'lan'],
    ['10.1.2.3', 'lan'],
    ['172.16.0.1', 'lan'],
    ['172.32.0.1', 'wan'],
    ['169.254.3.4', 'lan'],
    ['fe80::1%eth0', 'lan'],
    ['fd00::1', 'lan'],
    ['203.0.113.12', 'lan'],
    ['203.0.113.16', 'wan'],
    ['2001:db8:7::99', 'lan'],
    ['2001:db8:8::1', 'wan'],
    ['::ffff:192.168.7.9', 'lan'],
    ['100.101.1.2', 'tailscale'],
    ['fd7a:115c:a1e0::2', 'tailscale'],
    // Carriers use the range too: only who knows the address makes it a tailnet's.
    ['100.101.1.3', 'wan'],
    ['8.8.8.8', 'wan'],
    ['beta', 'other'],
  ];
  for (const [address, kind] of cases) test(`${address} is ${kind}`, () => assert.equal(kindOfAddress(address, known), kind));

  test("an interface of Tailscale's own makes the whole range a tailnet's", () => {
    const tunnelled = { interfaces: [card('tailscale0', '100.99.0.1/32', 'fd7a:115c:a1e0::9/128')], tailnet: [] };
    assert.equal(kindOfAddress('100.101.1.3', tunnelled), 'tailscale');
    assert.equal(kindOfAddress('fd7a:115c:a1e0:ab12::1', tunnelled), 'tailscale');
    assert.equal(kindOfAddress('100.101.1.3', { ...tunnelled, interfaces: [card('eth0', '100.99.0.1/10')] }), 'lan');
    assert.equal(kindOfAddress('100.101.1.3', { ...tunnelled, interfaces: [card('utun3', 'fe80::1/64')] }), 'wan');
  });

  test('what is no address is told from what is one', () => {
    for (const text of ['1.2.3.4', '::', '::1', 'fe80::1%eth0', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4', '2001:db8::1:2'])
      assert.equal(isAddress(text), true, text);
    for (const text of ['1.2.3', '1.2.3.256', 'beta', 'be::ta', '1:2:3', '1::2::3', '', ':', '1:2:3:4:5:6:7:8:9', '::1.2.3.999'])
      assert.equal(isAddress(text), false, text);
  });
});

describe('one peer out of what was found', () => {
  const at = (host: string, port?: number) => ({
    host,
    text: port === undefined ? host : `${host}:${port}`,
    ...(port === undefined ? {} : { port }),
  });
  const dns: FoundPath = { source: 'dns', target: at('beta'), addresses: ['192.168.7.9'] };
  const mdns: FoundPath = { source: 'mdns', target: at('beta.local'), addresses: ['192.168.7.9', 'fe80::9%eth0'] };
  const tailscale: FoundPath = { source: 'tailscale', target: at('100.101.1.2'), addresses: ['100.101.1.2', 'fd7a:115c:a1e0::2'] };
  const alias: FoundPath = { source: 'ssh', target: at('192.168.7.9'), addresses: ['192.168.7.9'], sshAlias: 'beta' };
  const vps: FoundPath = { source: 'ssh', target: at('198.51.100.7'), addresses: ['198.51.100.7'], sshAlias: 'beta-vps' };
  const jumped: FoundPath = { source: 'ssh', target: at('beta-in'), addresses: [], sshAlias: 'beta-in', proxied: true };

  test('the same address by several names is one path, which ssh knows by its alias', () => {
    const peer = assemblePeer({ name: 'beta' }, [alias, mdns, dns, tailscale, vps, jumped], known);
    assert.deepEqual(
      peer.paths.map(({ name, kind, source, sshAlias, target }) => [name, kind, source, sshAlias, target.host]),
      [
        ['lan', 'lan', 'dns', 'beta', 'beta'],
        ['tailscale', 'tailscale', 'tailscale', undefined, '100.101.1.2'],
        ['wan', 'wan', 'ssh', 'beta-vps', '198.51.100.7'],
        ['ssh', 'ssh', 'ssh', 'beta-in', 'beta-in'],
      ],
    );
    assert.equal(peer.defaultPath, 'lan');
  });

  test('a second path of a kind is called by its alias, else numbered', () => {
    const far: FoundPath = { source: 'ssh', target: at('198.51.100.8'), addresses: ['198.51.100.8'], sshAlias: 'beta-far' };
    const other: FoundPath = { source: 'mdns', target: at('beta.local'), addresses: ['192.168.7.77'] };
    const peer = assemblePeer({ name: 'beta' }, [dns, other, vps, far], known);
    assert.deepEqual(
      peer.paths.map(({ name }) => name),
      ['lan', 'lan-2', 'wan', 'beta-far'],
    );
  });

  test('a path alone is called default, and a link-local address beside another is no path of its own', () => {
    const link: FoundPath = { source: 'mdns', target: at('beta.local'), addresses: ['fe80::9%eth0'] };
    const peer = assemblePeer({ name: 'beta' }, [link, dns], known);
    assert.deepEqual(
      peer.paths.map(({ name, target }) => [name, target.host]),
      [['default', 'beta']],
    );
    const only = assemblePeer({ name: 'beta' }, [link], known);
    assert.deepEqual(
      only.paths.map(({ name, kind }) => [name, kind]),
      [['default', 'lan']],
    );
  });

  test('declared paths keep names, targets and order; what else was found is added under names of its own', () => {
    const declared: FoundPath[] = [
      { source: 'configuration', name: 'wan', target: at('10.0.0.9', 7300), addresses: ['10.0.0.9'] },
      { source: 'configuration', name: 'again', target: at('10.0.0.9', 7301), addresses: ['10.0.0.9'] },
    ];
    const same: FoundPath = { source: 'ssh', target: at('10.0.0.9'), addresses: ['10.0.0.9'], sshAlias: 'beta' };
    const peer = assemblePeer({ name: 'beta', defaultPath: 'again', keyFile: '/k' }, [vps, same, ...declared], known);
    assert.deepEqual(
      peer.paths.map(({ name, target, sshAlias, kind }) => [name, target.text, sshAlias, kind]),
      [
        ['wan', '10.0.0.9:7300', 'beta', 'lan'],
        ['again', '10.0.0.9:7301', undefined, 'lan'],
        ['beta-vps', '198.51.100.7', 'beta-vps', 'wan'],
      ],
    );
    assert.deepEqual([peer.defaultPath, peer.keyFile], ['again', '/k']);
  });

  test('a name with addresses of several kinds is as many paths', () => {
    const both: FoundPath = { source: 'dns', target: at('beta'), addresses: ['192.168.7.9', '2001:db8:7::9', '100.101.1.2'] };
    const peer = assemblePeer({ name: 'beta' }, [both], known);
    assert.deepEqual(
      peer.paths.map(({ name, target }) => [name, target.host]),
      [
        ['lan', '192.168.7.9'],
        ['tailscale', '100.101.1.2'],
      ],
    );
  });
});

describe('names out of an ssh configuration', () => {
  test('aliases, their host names and included files are read; patterns are no aliases', () => {
    const { aliases, includes } = readSshAliases(
      [
        '# Host nobody',
        'Include config.d/* ~/more',
        'Host beta "beta two" !not web-* ?x # Host comment',
        '  HostName=10.0.0.2',
        '  HostName 10.0.0.3',
        'HOST gamma\r',
        '\tUser me',
        'Match host beta exec "true"',
        '  HostName 10.9.9.9',
        'Host delta',
        '  Hostname %h.example.org',
      ].join('\n'),
    );
    assert.deepEqual(aliases, [
      { alias: 'beta', hostName: '10.0.0.2' },
      { alias: 'beta two', hostName: '10.0.0.2' },
      { alias: 'gamma' },
      { alias: 'delta', hostName: 'delta.example.org' },
    ]);
    assert.deepEqual(includes, ['config.d/*', '~/more']);
  });

  test('a peer has the aliases that begin with its name and a hyphen', () => {
    assert.deepEqual(
      ['beta', 'Beta', 'beta-vps', 'betamax', 'alpha-beta', 'beta.lan'].filter((alias) => isAliasOf(alias, 'beta')),
      ['beta', 'Beta', 'beta-vps'],
    );
  });
});

describe('hosts of a tailnet by name', () => {
  const host = (name: string, dnsName: string) => ({ name, dnsName, addresses: [], online: true });
  const tailnet = {
    self: undefined,
    peers: [host('Beta', 'beta-1.tail1.ts.net'), host('beta', 'beta.tail1.ts.net'), host('twin', ''), host('twin', 'twin-9.t'), host('solo', '')],
  };

  test('the unique name wins over one that others may share', () => {
    assert.equal(findTailnetHost(tailnet, 'BETA')?.dnsName, 'beta.tail1.ts.net');
    assert.equal(findTailnetHost(tailnet, 'beta-1.tail1.ts.net.')?.name, 'Beta');
    assert.equal(findTailnetHost(tailnet, 'twin'), undefined);
    assert.equal(findTailnetHost(tailnet, 'solo')?.name, 'solo');
    assert.equal(findTailnetHost(tailnet, 'nobody'), undefined);
  });
});
