import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseContainers, parseInspection, parseNetworks, parseUsage, parseVersion } from '../../src/probe/docker-format.js';
import { parseNetcheck } from '../../src/probe/tailscale-netcheck.js';
import { parseTailscaleText } from '../../src/probe/tailscale-status.js';

const ID = 'a'.repeat(64);
const NAMES = ['evil.example', '-f', '10.0.0.1;id', '10.0.0.0/8', 'fe80::1%eth0;x', '999.1.1.1', '10.0.0.1\n'];

describe('what programs of this host answer', () => {
  it('gives addresses to connect to only where these are addresses', () => {
    for (const IP of NAMES) {
      const found = parseContainers([{ Id: ID, State: 'running', Ports: [{ IP, PrivatePort: 80, PublicPort: 80, Type: 'tcp' }] }]);
      assert.deepEqual(found?.containers[0]?.ports, [], IP);
    }
    const good = ['0.0.0.0', '::', '127.0.0.1', '10.1.2.3', ''].map((IP) => ({ IP, PrivatePort: 80, PublicPort: 80, Type: 'tcp' }));
    assert.equal(parseContainers([{ Id: ID, State: 'running', Ports: good }])?.containers[0]?.ports.length, good.length);
    const status = parseTailscaleText(
      JSON.stringify({ BackendState: 'Running', Peer: { k: { HostName: 'x', TailscaleIPs: [...NAMES, '100.64.0.2', 'fd7a:115c:a1e0::2', 7] } } }),
      {},
    );
    assert.deepEqual(status?.peers[0]?.addresses, ['100.64.0.2', 'fd7a:115c:a1e0::2']);
  });

  it('never throws and stays small, whatever it is and whatever its keys are called', () => {
    const key = fc.oneof(
      fc.constantFrom(
        'Id',
        'Names',
        'Ports',
        'IP',
        'NetworkSettings',
        'Networks',
        'IPAM',
        'Config',
        'Options',
        'State',
        'Health',
        'Peer',
        'BackendState',
      ),
      fc.constantFrom(
        '__proto__',
        'constructor',
        'toString',
        'HostName',
        'TailscaleIPs',
        'RegionLatency',
        'UDP',
        'Version',
        'ApiVersion',
        'Components',
      ),
    );
    const { json } = fc.letrec<{ json: unknown }>((tie) => ({
      json: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom(null, true, -1, 1e308, '', ID, 'x'.repeat(5000), 'Running'),
        fc.array(tie('json'), { maxLength: 4 }),
        fc.array(fc.tuple(key, tie('json')), { maxLength: 6 }).map((entries) => {
          const text = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
          return JSON.parse(`{${text}}`) as unknown;
        }),
      ),
    }));
    fc.assert(
      fc.property(json, (value) => {
        const answers = [parseVersion, parseContainers, parseNetworks, parseInspection, parseUsage].map((parse) => parse(value));
        const text = JSON.stringify(value);
        answers.push(parseTailscaleText(text, {}) as never, parseNetcheck(text) as never);
        assert.ok((JSON.stringify(answers) ?? '').length < 100_000);
        assert.equal(({} as { polluted?: unknown }).polluted, undefined);
        assert.deepEqual(Object.keys(Object.prototype), []);
      }),
      { numRuns: 1000 },
    );
  });
});
