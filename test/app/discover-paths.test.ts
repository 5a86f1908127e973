import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { discoverPaths } from '../../src/app/discover-paths.js';
import type { DiscoveredPaths } from '../../src/app/discover-paths.js';
import { TautlineError } from '../../src/base/index.js';
import type { Ports } from '../../src/base/index.js';
import { definePeer } from '../../src/paths/index.js';
import type { Peer } from '../../src/paths/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { HostSpec, Scenario } from '../../src/sim/index.js';

const HOME = '/home/me';
type Program = NonNullable<HostSpec['commands']>[number];

/** What `ssh -G` prints for an alias. */
function resolves(alias: string, lines: readonly string[]): Program {
  return { program: 'ssh', args: ['-T', '-G', '--', alias], stdout: `user me\n${lines.join('\n')}\n`, takesMs: 8 };
}

const tailscale: Program = {
  program: 'tailscale',
  args: ['status', '--json'],
  stdout: JSON.stringify({
    Version: '1.90.2',
    BackendState: 'Running',
    Self: { HostName: 'laptop', DNSName: 'laptop.tail.ts.net.', TailscaleIPs: ['100.64.0.9'], Online: true },
    Peer: {
      'nodekey:1': { HostName: 'beta', DNSName: 'beta.tail.ts.net.', TailscaleIPs: ['100.64.0.2', 'fd7a:115c:a1e0::2'], Online: true },
      'nodekey:2': { HostName: 'gone', DNSName: 'gone.tail.ts.net.', TailscaleIPs: ['100.64.0.7'], Online: false },
    },
  }),
  takesMs: 20,
};

function scenario(laptop: Partial<HostSpec> = {}): Scenario {
  return {
    hosts: {
      laptop: {
        addresses: ['10.0.0.9'],
        interfaces: [{ name: 'eth0', addresses: ['10.0.0.9/24'] }],
        resolvers: ['10.0.0.53'],
        files: {
          [`${HOME}/.ssh/config`]:
            'Include conf.d/*.conf\nHost beta\n HostName 10.0.0.2\nHost beta-in\n HostName inner\nHost big-box\n HostName 10.0.0.2\nHost *\n User me\n',
          [`${HOME}/.ssh/conf.d/a.conf`]: 'Host beta-vps\n HostName vps.example.org\nHost unrelated\n HostName 10.9.9.9\n',
        },
        commands: [
          resolves('beta', ['hostname 10.0.0.2', 'port 22']),
          resolves('beta-in', ['hostname inner', 'port 22', 'proxyjump beta']),
          resolves('beta-vps', ['hostname vps.example.org', 'port 2222']),
          resolves('big-box', ['hostname 10.0.0.2', 'port 22']),
          tailscale,
        ],
        ...laptop,
      },
      beta: { addresses: ['10.0.0.2'], mdns: 'beta.local' },
      resolver: { addresses: ['10.0.0.53'], services: [{ kind: 'dns', answerMs: 1 }] },
    },
    paths: [
      { from: 'laptop', to: 'beta', delayMs: 1 },
      { from: 'laptop', to: 'resolver', delayMs: 1 },
    ],
    names: { beta: ['10.0.0.2'], 'vps.example.org': ['198.51.100.7'] },
  };
}

interface Ask {
  readonly peers?: readonly Peer[];
  readonly family?: 4 | 6;
  readonly signal?: AbortSignal;
  readonly ports?: Partial<Ports>;
}

async function discover(
  text: string,
  where: Scenario = scenario(),
  ask: Ask = {},
): Promise<DiscoveredPaths & { tookMs: number; network: SimNetwork }> {
  const network = new SimNetwork(where);
  const found = await network.run(() =>
    discoverPaths(
      { ...network.ports('laptop'), ...ask.ports },
      {
        text,
        peers: ask.peers ?? [],
        signal: ask.signal ?? new AbortController().signal,
        homeFolder: HOME,
        ...(ask.family === undefined ? {} : { family: ask.family }),
      },
    ),
  );
  return { ...found, tookMs: network.nowMs, network };
}

function brief({ peer }: DiscoveredPaths): (string | undefined)[][] {
  return peer.paths.map(({ name, kind, source, sshAlias, target }) => [name, kind, source, target.host, sshAlias]);
}

describe('every path to a name', () => {
  test('is found with DNS, mDNS, the Tailscale client and the ssh configuration; one address is one path', async () => {
    const found = await discover('beta');
    assert.deepEqual(brief(found), [
      ['lan', 'lan', 'dns', 'beta', 'beta'],
      ['tailscale', 'tailscale', 'tailscale', '100.64.0.2', undefined],
      ['ssh', 'ssh', 'ssh', 'beta-in', 'beta-in'],
      ['wan', 'wan', 'ssh', 'vps.example.org', 'beta-vps'],
    ]);
    assert.equal(found.peer.defaultPath, 'lan');
    assert.deepEqual(found.unchecked, []);
    const asked = found.network.host('laptop').commands.ran.map((line) => line.at(-1));
    assert.ok(!asked.includes('unrelated'), 'aliases of other hosts are not asked about');
  });

  test('an alias that is called otherwise belongs to the machine that it leads to', async () => {
    const files = { [`${HOME}/.ssh/config`]: 'Host big-box\n HostName 10.0.0.2\n' };
    const found = await discover('beta', scenario({ files }));
    assert.deepEqual(brief(found)[0], ['lan', 'lan', 'dns', 'beta', 'big-box']);
  });

  test('a name that only neighbours know is found by mDNS', async () => {
    const where = { ...scenario({ files: {}, commands: [] }), names: {} };
    assert.deepEqual(brief(await discover('beta', where)), [['default', 'lan', 'mdns', 'beta.local', undefined]]);
    assert.deepEqual(brief(await discover('beta.local', where)), [['default', 'lan', 'mdns', 'beta.local', undefined]]);
  });

  test('only addresses of the family that was asked for are taken', async () => {
    const found = await discover('beta', scenario({ files: {} }), { family: 6 });
    assert.deepEqual(brief(found), [['default', 'tailscale', 'tailscale', 'fd7a:115c:a1e0::2', undefined]]);
  });

  test('a name that nobody knows stays as it was typed', async () => {
    const found = await discover('nobody');
    assert.deepEqual(brief(found), [['default', undefined, 'typed', 'nobody', undefined]]);
  });

  test('an address, a place with a port and a URL are taken as they are', async () => {
    for (const [text, kind] of [
      ['10.0.0.2', 'lan'],
      ['100.64.0.2', 'wan'],
      ['beta:7300', 'lan'],
      ['http://beta/', 'lan'],
    ] as const) {
      const found = await discover(text);
      assert.deepEqual(
        found.peer.paths.map((path) => [path.name, path.kind, path.source, path.target.text]),
        [['default', kind, 'typed', text]],
      );
      assert.deepEqual(found.network.host('laptop').commands.ran, [], 'nobody is asked');
    }
  });

  test('what is no target is an error of the person who typed it', async () => {
    await assert.rejects(discover('no such:thing:'), (error) => error instanceof TautlineError && error.code === 'usage');
  });
});

describe('a configured peer', () => {
  const beta = definePeer('beta', { paths: { cable: '10.0.0.2:7300', vpn: '100.64.0.2' }, defaultPath: 'vpn', keyFile: '/k' });

  test('keeps its paths, which learn their kind and alias, and gets what else is there', async () => {
    const found = await discover('beta', scenario(), { peers: [beta] });
    assert.deepEqual(brief(found), [
      ['cable', 'lan', 'configuration', '10.0.0.2', 'beta'],
      ['vpn', 'tailscale', 'configuration', '100.64.0.2', undefined],
      ['ssh', 'ssh', 'ssh', 'beta-in', 'beta-in'],
      ['wan', 'wan', 'ssh', 'vps.example.org', 'beta-vps'],
    ]);
    assert.deepEqual([found.peer.defaultPath, found.peer.keyFile, found.peer.paths[0]?.target.port], ['vpn', '/k', 7300]);
  });

  test('of which one path is named is not looked at further', async () => {
    const found = await discover('beta/cable', scenario(), { peers: [beta] });
    assert.deepEqual(brief(found), [['cable', 'lan', 'configuration', '10.0.0.2', undefined]]);
    assert.deepEqual(found.network.host('laptop').commands.ran, []);
  });

  test('may have a path that only ssh knows the address of', async () => {
    const remote = definePeer('remote', { paths: { far: 'beta-vps', inner: 'beta-in' } });
    const found = await discover('remote', scenario(), { peers: [remote] });
    assert.deepEqual(brief(found), [
      ['far', 'wan', 'configuration', 'vps.example.org', 'beta-vps'],
      ['inner', 'ssh', 'configuration', 'beta-in', 'beta-in'],
    ]);
  });
});

describe('whoever cannot be asked is left out and named', () => {
  const withPrograms = (...programs: Program[]): Scenario => scenario({ commands: programs });
  const what = (found: DiscoveredPaths): string[] => found.unchecked.map((each) => `${each.what}: ${each.why}`);

  test('ssh and a Tailscale client that hang cost no more than the time', async () => {
    const hung = { takesMs: 3_600_000 };
    const found = await discover('beta', withPrograms({ program: 'ssh', ...hung }, { program: 'tailscale', ...hung }));
    assert.deepEqual(brief(found), [['default', 'lan', 'dns', 'beta', undefined]]);
    assert.ok(found.tookMs <= 1500, `${found.tookMs} ms`);
    assert.equal(what(found).filter((line) => line.startsWith('tailscale:')).length, 1, what(found).join('\n'));
    assert.ok(
      what(found).some((line) => /^ssh: .*did not/.test(line)),
      what(found).join('\n'),
    );
  });

  test('a missing ssh program is said once, and only where an alias would have needed it', async () => {
    const found = await discover('beta', withPrograms());
    assert.deepEqual(
      what(found).filter((line) => line.startsWith('ssh:')),
      ['ssh: there is no ssh program here: install the OpenSSH client'],
    );
    const other = await discover('gamma', withPrograms());
    assert.deepEqual(what(other), []);
  });

  test('a Tailscale client that is logged out, and a peer that is offline', async () => {
    const out = { ...tailscale, stdout: JSON.stringify({ BackendState: 'NeedsLogin', Peer: {} }) };
    assert.ok(what(await discover('beta', withPrograms(out))).some((line) => /^tailscale: .*not connected \(NeedsLogin\)/.test(line)));
    const offline = await discover('gone');
    assert.ok(
      what(offline).some((line) => /^tailscale: .*gone \(100\.64\.0\.7\).*offline/.test(line)),
      what(offline).join('\n'),
    );
  });

  test('a resolver that does not answer leaves what the others know', async () => {
    const where = scenario({ resolvers: ['10.0.0.99'], gateway: '10.0.0.1' });
    const found = await discover('beta', where);
    assert.ok(found.tookMs <= 1500, `${found.tookMs} ms`);
    assert.deepEqual(brief(found)[0], ['lan', 'lan', 'mdns', 'beta.local', 'beta']);
    assert.ok(
      what(found).some((line) => line.startsWith('dns: ')),
      what(found).join('\n'),
    );
  });

  test('a configuration that may not be read', async () => {
    const denied = {
      status: () => Promise.resolve(undefined),
      readText: () => Promise.reject(new TautlineError('permission', 'cannot read /home/me/.ssh/config: permission denied')),
    };
    const network = new SimNetwork(scenario());
    const files = Object.assign(Object.create(network.ports('laptop').files), denied) as Ports['files'];
    const found = await discover('beta', scenario(), { ports: { files } });
    assert.ok(what(found).includes('ssh: cannot read /home/me/.ssh/config: permission denied'));
  });

  test('a configuration that is a pipe, which nobody may ever write to', async () => {
    const piped = {
      status: () => Promise.resolve({ kind: 'other', sizeBytes: 0, modifiedMs: 0, mode: 0o600 }),
      readText: () => new Promise(() => undefined),
    };
    const network = new SimNetwork(scenario());
    const files = Object.assign(Object.create(network.ports('laptop').files), piped) as Ports['files'];
    const found = await discover('beta', scenario(), { ports: { files } });
    assert.ok(
      what(found).some((line) => /^ssh: cannot read .*\.ssh\/config: it is a pipe/.test(line)),
      what(found).join('\n'),
    );
  });

  test('an abort ends it at once with what there is', async () => {
    const found = await discover('beta', scenario(), { signal: AbortSignal.abort() });
    assert.equal(found.peer.name, 'beta');
    assert.ok(found.tookMs < 100, `${found.tookMs} ms`);
  });
});
