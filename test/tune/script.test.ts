import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tuneScript } from '../../src/tune/index.js';
import type { Change } from '../../src/tune/index.js';

type Plan = Parameters<typeof tuneScript>[0];
const HOSTILE = `a\nreboot; echo hit >&2 #$(echo hit >&2)\`echo hit >&2\`'"\\`;

function script(changes: readonly Change[], text = 'plain', name = 'lab'): string {
  const planned = changes.map((change) => ({
    setting: { id: text, needs: { root: false } },
    step: { changes: [change], instance: text },
    why: text,
  }));
  return tuneScript({ planned, profile: { name, title: text } } as unknown as Plan, { identity: { name: text } } as Parameters<typeof tuneScript>[1]);
}

/** Runs it with a home folder of its own, as whoever runs the tests: `status` changes nothing. */
function run(text: string, argument: string): { status: number | null; stdout: string; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tautline-script-'));
  try {
    writeFileSync(join(folder, 's.sh'), text);
    const { status, stdout, stderr } = spawnSync('sh', ['s.sh', argument], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: folder },
    });
    return { status, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const CHANGES: readonly Change[] = [
  { place: { kind: 'kernel-value', path: `/proc/sys/${HOSTILE.replaceAll('\n', '')}` }, original: HOSTILE, desired: HOSTILE },
  { place: { kind: 'rings', interface: "$(hit)'" }, original: { rx: 1 }, desired: { rx: 2 } },
  {
    place: { kind: 'root-queue', interface: '-x;hit' },
    original: { queue: 'mq', byKernel: true, leaf: 'fq' },
    desired: { queue: 'fq', byKernel: false },
  },
  { place: { kind: 'latency-hold' }, original: null, desired: 10 },
];

describe('a plan as a shell script', () => {
  test('is POSIX shell that runs nothing of what others have named', () => {
    const profile = `lab-${process.pid}`;
    const { status, stdout, stderr } = run(script(CHANGES, HOSTILE, profile), 'status');
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'not applied\n', stderr: '' });
  });

  test('says how it is called when it is called otherwise', () => {
    const { status, stderr } = run(script([]), 'aply');
    assert.equal(status, 2);
    assert.match(stderr, /^usage: .*apply \| undo \[--force\] \| status\n$/);
  });

  test('names every place with what it holds and will hold, and what it does comes before what it needs for it', () => {
    const text = script([{ place: { kind: 'kernel-value', path: '/proc/sys/net/ipv4/tcp_rmem' }, original: '1 2 3', desired: '4 5 6' }]);
    assert.match(text, /# 1\. plain \(plain\): net\.ipv4\.tcp_rmem\n# +now: 1 2 3\n# +then: 4 5 6\n# +plain\n/);
    assert.ok(text.indexOf('set_1()') < text.indexOf('value() {'));
  });

  test('undoes in the reverse of the order in which it does', () => {
    const text = script(CHANGES);
    assert.match(text, /^STEPS='1 2 3 4'\nBACKWARDS='4 3 2 1'$/m);
  });
});
