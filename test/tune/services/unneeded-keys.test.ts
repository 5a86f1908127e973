import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { COMMENT_MARK, commentOut } from '../../../src/tune/text/comment-out.js';
import { applyAndUndo, changing, leftFor, planOn, served, textAt } from './served-host.js';

const LOCAL = '/etc/sysctl.d/99-local.conf';
const TEXT =
  '# ours\nvm.swappiness = 10\nnet.ipv4.tcp_low_latency = 1\r\n\nnet.ipv4.tcp_delack_min=5\nnet.ipv4.tcp_sack = 1\nnet.netfilter.nf_conntrack_max = 1\nnet.ipv4.tcp_tw_recycle = 1';

describe('lines of sysctl files that do nothing', () => {
  test('are told with their place and reason, and nothing else is asked for', async () => {
    const { view } = await served({ files: { [LOCAL]: TEXT } });
    const steps = await planOn(view, 'unneeded-keys', 'tell');
    assert.deepEqual(
      steps.map((step) => [step.instance, step.verdict === 'not-done' ? step.reason : '']),
      [
        [`${LOCAL}:3`, 'no-effect'],
        [`${LOCAL}:5`, 'absent'],
        [`${LOCAL}:8`, 'absent'],
      ],
    );
    assert.match(leftFor(steps[0], 'no-effect'), /since Linux 4\.14/);
  });

  test('are commented out in place where a profile asks for it, every other byte kept', async () => {
    const { host, view } = await served({ files: { [LOCAL]: { text: TEXT, mode: 0o640, ownerId: 7 } } });
    const steps = await planOn(view, 'unneeded-keys', 'comment-out');
    await applyAndUndo(host, steps, async () => {
      const text = (await textAt(host, LOCAL)) ?? '';
      assert.equal(uncomment(text), TEXT);
      assert.deepEqual(
        text.split('\n').filter((line) => line.startsWith('# tautline: ')),
        ['# tautline: net.ipv4.tcp_low_latency = 1\r', '# tautline: net.ipv4.tcp_delack_min=5', '# tautline: net.ipv4.tcp_tw_recycle = 1'],
      );
      leftFor((await planOn(view, 'unneeded-keys', 'comment-out'))[0], 'already');
    });
  });

  test('of the distribution are its own matter', async () => {
    const { view } = await served({ files: { '/usr/lib/sysctl.d/50-default.conf': 'net.ipv4.tcp_tw_recycle = 0\n' } });
    leftFor((await planOn(view, 'unneeded-keys', 'comment-out'))[0], 'already');
  });

  test('cannot be told in a container, which sees few keys', async () => {
    const { view } = await served({ files: { [LOCAL]: TEXT }, environment: { kind: 'container' } });
    assert.match(leftFor((await planOn(view, 'unneeded-keys', 'comment-out'))[0], 'not-applicable'), /container/);
  });

  test('are one file where Debian links sysctl.conf into sysctl.d', async () => {
    const { host, view } = await served({
      files: { '/etc/sysctl.conf': 'net.ipv4.tcp_low_latency=1\n' },
      symlinks: { '/etc/sysctl.d/99-sysctl.conf': '../sysctl.conf' },
    });
    const steps = await planOn(view, 'unneeded-keys', 'comment-out');
    assert.equal(steps.length, 1);
    assert.equal(changing(steps[0]).instance, '/etc/sysctl.conf');
    await applyAndUndo(host, steps, async () => {
      assert.equal(await textAt(host, '/etc/sysctl.conf'), '# tautline: net.ipv4.tcp_low_latency=1\n');
      assert.equal((await host.control.readEntry('/etc/sysctl.d/99-sysctl.conf'))?.kind, 'link');
    });
  });

  test('come back to the byte, whatever is in the file', () => {
    const lines = fc.array(
      fc.oneof(
        fc.constantFrom('a = 1', 'a = 1\r', '', '# x', '\t b=2 '),
        fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      ),
    );
    fc.assert(
      fc.property(lines, fc.array(fc.integer({ min: 1, max: 12 })), (parts, numbers) => {
        const text = parts.join('\n');
        assert.equal(uncomment(commentOut(text, numbers)), text);
      }),
      { numRuns: 1000 },
    );
  });
});

/** As a person would with an editor. */
function uncomment(text: string): string {
  return text
    .split('\n')
    .map((line) => (line.startsWith(COMMENT_MARK) ? line.slice(COMMENT_MARK.length) : line))
    .join('\n');
}
