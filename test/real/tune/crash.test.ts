import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { installed, run } from '../../lab/processes.js';
import type { CrashSummary } from '../../lab/tune-crash-lab.js';

const LAB = fileURLToPath(new URL('../../lab/tune-crash-lab.js', import.meta.url));
const NAMESPACES = ['unshare', '--net', '--mount', '--pid', '--fork', '--mount-proc', '--propagation', 'private'];

const whyNot = await whyNotHere();

describe('a change of a real host whose process is killed', { skip: whyNot ?? false, concurrency: true }, () => {
  for (const phase of ['apply', 'roll back'] as const) {
    test(`at any write of ${phase} is put back to the byte${phase === 'apply' ? ', or finished when told so,' : ''} and leaves nothing behind`, async (t) => {
      const scratch = mkdtempSync(join(tmpdir(), 'tautline-crash-'));
      try {
        // As process 1 a shell waits for whatever is left without a parent.
        const argv = [...NAMESPACES, 'sh', '-c', '"$@"; exit $?', 'sh', process.execPath, LAB, scratch, phase];
        const { code, stdout, stderr, elapsedMs } = await run(argv, { timeoutMs: 300_000 });
        assert.equal(code, 0, stderr);
        const { writes, kills, resumed, failure } = JSON.parse(stdout) as CrashSummary;
        assert.equal(failure, undefined);
        assert.ok(writes.length > 60 && kills > writes.length, `${writes.length} writes, ${kills} kills`);
        assert.equal(resumed > 0, phase === 'apply');
        t.diagnostic(`${writes.length} writes, ${kills} kills, ${resumed} of them finished afterwards, in ${(elapsedMs / 1000).toFixed(0)} s`);
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
    });
  }
});

async function whyNotHere(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'namespaces need root, on Linux';
  for (const program of ['unshare', 'ip']) if (!(await installed(program))) return `${program} is missing (packages util-linux and iproute2)`;
  if (!existsSync('/dev/cpu_dma_latency')) return 'there is no /dev/cpu_dma_latency to mount a file over';
  const tried = await run([...NAMESPACES, 'true']);
  return tried.code === 0 ? undefined : `namespaces cannot be made here: ${tried.stderr.trim()}`;
}
