import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { commandsOf, labelOf, placeHolds, reachOf, showState } from '../../src/tune/index.js';
import { textFile, textOf } from '../../src/tune/places/entry.js';
import { sysctlName, sysctlPath } from '../../src/tune/places/kernel-value.js';

const value = (path: string) => ({ kind: 'kernel-value', path }) as const;
const entry = (path: string) => ({ kind: 'entry', path }) as const;

describe('a kernel value', () => {
  test('is called by its sysctl name, or by its path where it has none', () => {
    assert.equal(labelOf(value('/proc/sys/net/ipv4/tcp_rmem')), 'net.ipv4.tcp_rmem');
    assert.equal(labelOf(value('/proc/sys/net/ipv4/conf/eth0.100/rp_filter')), 'net.ipv4.conf.eth0/100.rp_filter');
    assert.equal(labelOf(value('/sys/kernel/mm/transparent_hugepage/enabled')), '/sys/kernel/mm/transparent_hugepage/enabled');
  });

  test('has one path by either way of writing its name', () => {
    for (const name of ['net.ipv4.conf.eth0/100.rp_filter', 'net/ipv4/conf/eth0.100/rp_filter']) {
      assert.equal(sysctlPath(name), '/proc/sys/net/ipv4/conf/eth0.100/rp_filter');
    }
    assert.equal(sysctlName(sysctlPath('vm.stat_interval')), 'vm.stat_interval');
  });

  test('holds what was meant however the kernel spaces it or fills a mask', () => {
    const ref = value('/proc/irq/24/smp_affinity');
    assert.ok(placeHolds(ref, '00000000,00000002', '2'));
    assert.ok(placeHolds(ref, '4096\t131072 16777216', '4096 131072 16777216'));
    assert.ok(placeHolds(ref, '0', '00000000'));
    assert.ok(!placeHolds(ref, '00000002,00000000', '2'));
    assert.ok(!placeHolds(ref, '20', '2'));
    assert.ok(!placeHolds(ref, '0-3', '3'));
  });

  test('below /proc/sys/net and of an interface is bound to its network namespace', () => {
    for (const path of ['/proc/sys/net/ipv4/tcp_rmem', '/proc/sys/net/core/default_qdisc', '/sys/class/net/eth0/queues/rx-0/rps_cpus']) {
      assert.equal(reachOf(value(path)), 'network', path);
    }
    for (const path of ['/proc/sys/vm/swappiness', '/proc/irq/24/smp_affinity', '/sys/kernel/mm/transparent_hugepage/enabled']) {
      assert.equal(reachOf(value(path)), 'machine', path);
    }
  });

  test('is written by a shell as it is, whatever it holds', () => {
    assert.deepEqual(commandsOf(value('/proc/sys/net/ipv4/tcp_rmem'), '4096 131072 16777216'), [
      "printf '%s\\n' '4096 131072 16777216' > /proc/sys/net/ipv4/tcp_rmem",
    ]);
    assert.deepEqual(commandsOf(value('/sys/x'), '$(reboot)'), ["printf '%s\\n' '$(reboot)' > /sys/x"]);
  });
});

describe('a file', () => {
  test('holds what was meant by content, mode and owner, and not by its times', () => {
    const meant = textFile('a\n', { mode: 0o644 });
    const ref = entry('/etc/x');
    assert.ok(placeHolds(ref, { ...meant, modifiedNs: '1', accessedNs: '2' }, { ...meant, modifiedNs: '3' }));
    assert.ok(!placeHolds(ref, textFile('b\n', { mode: 0o644 }), meant));
    assert.ok(!placeHolds(ref, textFile('a\n', { mode: 0o600 }), meant));
    assert.ok(!placeHolds(ref, textFile('a\n', { mode: 0o644, ownerId: 7 }), meant));
    assert.ok(!placeHolds(ref, { kind: 'nothing' }, meant));
    assert.ok(placeHolds(ref, { kind: 'nothing' }, { kind: 'nothing' }));
  });

  test('is shown by its size, and beside another by what differs', () => {
    const ref = entry('/etc/x');
    assert.equal(showState(ref, textFile('abc', { mode: 0o644 })), 'a file of 3 bytes');
    assert.equal(
      showState(ref, textFile('abd', { mode: 0o600 }), textFile('abc', { mode: 0o644 })),
      'a file of 3 bytes, of other content, mode 0600',
    );
    assert.equal(showState(ref, { kind: 'nothing' }), 'nothing');
  });

  test('that is no UTF-8 is not taken for text', () => {
    assert.equal(textOf({ ...textFile('', { mode: 0o644 }), bytesBase64: '//4=' }), undefined);
    assert.equal(textOf(textFile('\uFEFFhä\n', { mode: 0o644 })), '\uFEFFhä\n');
  });

  test('is made, replaced and removed by a shell to the byte', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tautline-places-'));
    try {
      const path = join(folder, "it's a $file");
      const meta = { mode: 0o640, ownerId: process.getuid?.() ?? 0, groupId: process.getgid?.() ?? 0 };
      const texts = [
        'plain\n',
        'END_OF_FILE\n$(id) `id` \\ \'"\n',
        'no end of line',
        '',
        '\n\n',
        'tab\there\n',
        'esc\x1b[31m\n',
        'nul\0\n',
        '\u202ehidden\n',
        'äöü\n',
      ];
      for (const text of texts) {
        sh(commandsOf(entry(path), { ...textFile(text, meta), modifiedNs: '1700000000123456789' }));
        assert.equal(readFileSync(path, 'utf8'), text);
        const found = statSync(path, { bigint: true });
        assert.equal(Number(found.mode) & 0o7777, 0o640);
        assert.equal(found.mtimeNs, 1_700_000_000_123_456_789n);
      }
      sh(commandsOf(entry(path), { kind: 'nothing' }));
      assert.throws(() => statSync(path), /ENOENT/);
      const below = entry(join(folder, 'd'));
      sh(commandsOf(below, { ...meta, kind: 'folder', mode: 0o750 }));
      assert.equal(statSync(below.path).mode & 0o7777, 0o750);
      sh(commandsOf(entry(join(folder, 'd/l')), { ...meta, kind: 'link', target: '/no where' }));
      sh(commandsOf(below, { kind: 'nothing' }));
      assert.ok(statSync(below.path).isDirectory(), 'a folder with something in it stays');
      sh(commandsOf(entry(join(folder, 'd/l')), { kind: 'nothing' }));
      sh(commandsOf(below, { kind: 'nothing' }));
      assert.throws(() => statSync(below.path), /ENOENT/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function sh(commands: readonly string[]): void {
  execFileSync('sh', ['-eu', '-c', commands.join('\n')], { stdio: ['ignore', 'ignore', 'inherit'] });
}
