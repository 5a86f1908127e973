import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findingsOf } from '../../src/diagnose/index.js';
import type { PathEvidence } from '../../src/diagnose/index.js';
import { PATH_CASES } from './cases-paths.js';
import { SERVICE_CASES } from './cases-services.js';
import { evidence, path } from './given.js';

const EVIL = '$(id);id';
/** What peers, engines, clients of a VPN and configurations name; other fields are words of this program or figures. */
const NAMED = new Set(['name', 'peer', 'address', 'alias', 'host', 'image', 'interfaceName', 'socket', 'endpoint', 'relay']);

function named(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => named(each));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([each, inner]) => [each, named(inner, each)]));
  return typeof value === 'string' && NAMED.has(key) ? `${value}${EVIL}` : value;
}

/** What a shell would see of a line outside of single quotes. */
const bare = (command: string): string => command.replaceAll(/'[^']*'/g, '');

describe('commands that findings offer for pasting', () => {
  test('run nothing of what somebody else has named', () => {
    let commands = 0;
    const open: string[] = [];
    for (const { id, path: broken } of [...PATH_CASES, ...SERVICE_CASES]) {
      for (const os of ['linux', 'darwin']) {
        const spoilt = named(path(broken)) as PathEvidence;
        const own = path({ address: `10.0.0.2${EVIL}` });
        for (const { next } of findingsOf({ ...evidence(spoilt, own), os } as never)) {
          for (const { command } of next) {
            if (command === undefined) continue;
            commands++;
            if (/\$\(|;id/.test(bare(command))) open.push(`${id}: ${command}`);
          }
        }
      }
    }
    assert.deepEqual(open, []);
    assert.ok(commands > 40, `${commands} commands were seen`);
  });
});
