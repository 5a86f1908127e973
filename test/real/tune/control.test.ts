import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createHostPorts } from '../../../src/host/index.js';
import { loadLibc, memory } from '../../../src/host/libc/index.js';
import { installed, mustRun } from '../../lab/processes.js';

const PROGRAM = join(import.meta.dirname, '../../lab/control-program.js');

interface Answer {
  readonly value?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
}

/** What the calls come to in a process that `around` is put before. */
async function calls(around: readonly string[], list: readonly (readonly [string, ...unknown[]])[]): Promise<readonly Answer[]> {
  return JSON.parse(await mustRun([...around, process.execPath, PROGRAM, JSON.stringify(list)])) as Answer[];
}

const skip = process.getuid?.() === 0 ? false : 'namespaces need root';

describe('control of a real host', { skip }, () => {
  let scratch = '';
  before(() => {
    scratch = mkdtempSync(join(tmpdir(), 'tautline-control-'));
  });
  after(() => rmSync(scratch, { recursive: true, force: true }));
  const file = (text: string, mode = 0o644) =>
    ({ kind: 'file', bytesBase64: Buffer.from(text).toString('base64'), links: 1, mode, ownerId: 0, groupId: 0 }) as const;

  test('values of a network namespace are set there and nowhere else', async () => {
    const ecn = '/proc/sys/net/ipv4/tcp_ecn';
    const ours = readFileSync(ecn, 'utf8');
    const inside = await calls(
      ['unshare', '-n'],
      [
        ['writeValue', ecn, '1\n'],
        ['readValue', ecn],
        ['writeValue', '/proc/sys/net/ipv4/tcp_rmem', '4096 131072 1048576\n'],
        ['readValue', '/proc/sys/net/ipv4/tcp_rmem'],
        ['writeValue', ecn, '77\n'],
        ['writeValue', '/proc/sys/net/ipv4/tcp_congestion_control', 'nosuch\n'],
        ['mayWrite', '/proc/sys/net/core/rmem_max'],
        ['writeValue', '/proc/sys/net/core/rmem_max', '4194304\n'],
        ['readValue', '/proc/sys/net/core/default_qdisc'],
        ['writeValue', '/proc/sys/net/ipv4/tcp_delack_min', '1\n'],
        ['place'],
      ],
    );
    const [, ecnNow, , rmem, beyond, nosuch, may, rmemMax, absent, missing, place] = inside;
    assert.equal(ecnNow?.value, '1');
    assert.equal(rmem?.value, '4096\t131072\t1048576');
    assert.deepEqual([beyond?.code, nosuch?.code, missing?.code, rmemMax?.code], ['unsupported', 'unsupported', 'unsupported', 'permission']);
    assert.match(beyond?.message ?? '', /'77' to .*tcp_ecn.*EINVAL/);
    assert.deepEqual([may?.value, absent?.value], [false, undefined]);
    const [outside] = await calls([], [['place']]);
    assert.notDeepEqual(place?.value, outside?.value);
    assert.equal(readFileSync(ecn, 'utf8'), ours);
  });

  test('files are neither made nor removed through a link that another user put in the way, and are through root’s own', async () => {
    const [target, theirs, ours] = [join(scratch, 'target'), join(scratch, 'theirs'), join(scratch, 'ours')];
    mkdirSync(target);
    symlinkSync(target, theirs);
    lchownSync(theirs, 12_345, 12_345);
    symlinkSync(target, ours);
    writeFileSync(join(target, 'there'), '');
    const [made, removed, folder, through] = await calls(
      [],
      [
        ['writeEntry', join(theirs, 'new'), file('evil\n')],
        ['removeEntry', join(theirs, 'there')],
        ['writeEntry', join(theirs, 'folder'), { kind: 'folder', mode: 0o755, ownerId: 0, groupId: 0 }],
        ['writeEntry', join(ours, 'own'), file('fine\n')],
      ],
    );
    for (const refused of [made, removed, folder]) {
      assert.equal(refused?.code, 'permission');
      assert.match(refused?.message ?? '', /theirs is a link that user 12345 made/);
    }
    assert.equal(through?.code, undefined);
    assert.deepEqual(readdirSync(target).toSorted(), ['own', 'there']);
    assert.equal(existsSync(join(target, 'new')), false);
  });

  test('a read-only /proc/sys, as containers have it, is told as such', async () => {
    const around = [
      'unshare',
      '-mn',
      '--propagation',
      'private',
      'sh',
      '-c',
      'mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && exec "$@"',
      'sh',
    ];
    const [may, refused] = await calls(around, [
      ['mayWrite', '/proc/sys/net/ipv4/tcp_ecn'],
      ['writeValue', '/proc/sys/net/ipv4/tcp_ecn', '1\n'],
    ]);
    assert.equal(may?.value, false);
    assert.equal(refused?.code, 'permission');
    assert.match(refused?.message ?? '', /read-only \(EROFS\)/);
    assert.match(refused?.hint ?? '', /container/);
  });

  test('a full disk keeps what was added before, whole, and no trace of what it could not take', async () => {
    const disk = join(scratch, 'disk');
    const around = [
      'unshare',
      '-m',
      '--propagation',
      'private',
      'sh',
      '-c',
      `mkdir ${disk} && mount -t tmpfs -o size=16k tmpfs ${disk} && exec "$@"`,
      'sh',
    ];
    const line = `${'x'.repeat(2999)}\n`;
    const answers = await calls(around, [
      ...Array.from({ length: 8 }, () => ['append', `${disk}/journal`, line] as const),
      ['writeEntry', `${disk}/other`, file('y'.repeat(10_000))],
      ['readEntry', `${disk}/other`],
      ['readEntry', `${disk}/.tautline-other.tmp`],
      ['readEntry', `${disk}/journal`],
    ]);
    const added = answers.slice(0, 8).filter(({ code }) => code === undefined).length;
    assert.ok(added >= 4 && added < 8, `${added} lines fitted`);
    assert.deepEqual([...new Set(answers.slice(added, 9).map(({ code }) => code))], ['io']);
    assert.match(answers[8]?.message ?? '', /the disk is full/);
    assert.deepEqual([answers[9]?.value, answers[10]?.value], [undefined, undefined]);
    const { bytesBase64 } = answers[11]?.value as { readonly bytesBase64: string };
    assert.equal(Buffer.from(bytesBase64, 'base64').toString(), line.repeat(added));
  });

  test('an immutable file stays as it is, and why is said', async (t) => {
    const path = join(scratch, 'immutable');
    writeFileSync(path, 'kept\n');
    if (!(await installed('chattr'))) return t.skip('chattr is missing (package e2fsprogs)');
    try {
      execFileSync('chattr', ['+i', path], { stdio: 'ignore' });
    } catch {
      return t.skip('this file system has no immutable files');
    }
    try {
      const { control } = createHostPorts();
      const before = readdirSync(scratch);
      await assert.rejects(control.writeEntry(path, file('changed\n')), { code: 'permission', hint: /immutable/ });
      await assert.rejects(control.removeEntry(path), { code: 'permission' });
      assert.equal(readFileSync(path, 'utf8'), 'kept\n');
      assert.deepEqual(readdirSync(scratch), before);
    } finally {
      execFileSync('chattr', ['-i', path]);
    }
  });

  test('extended attributes and access lists outlive a change and its undoing', async (t) => {
    const libc = loadLibc();
    if (!libc?.fsetxattr || !libc.fgetxattr) return t.skip('the functions of libc cannot be called here');
    const path = join(scratch, 'attributes');
    writeFileSync(path, 'original\n');
    chmodSync(path, 0o640);
    // struct posix_acl_xattr: version 2, then tag, permissions and id of each (linux/posix_acl_xattr.h).
    const list = memory(4 + 5 * 8);
    const view = new DataView(list.buffer);
    view.setUint32(0, 2, true);
    for (const [i, [tag, permissions, id]] of [
      [0x01, 6, 0xffffffff],
      [0x02, 4, 12_345],
      [0x04, 4, 0xffffffff],
      [0x10, 4, 0xffffffff],
      [0x20, 0, 0xffffffff],
    ].entries()) {
      view.setUint16(4 + 8 * i, tag ?? 0, true);
      view.setUint16(6 + 8 * i, permissions ?? 0, true);
      view.setUint32(8 + 8 * i, id ?? 0, true);
    }
    const attributes = { 'user.tautline': memory(3).fill(7), 'system.posix_acl_access': list };
    const fd = openSync(path, 'r+');
    for (const [name, value] of Object.entries(attributes)) {
      if (libc.fsetxattr(fd, name, value, value.length, 0) !== 0) {
        closeSync(fd);
        return t.skip(`this file system does not take ${name} (${libc.errnoName(libc.errno())})`);
      }
    }
    closeSync(fd);
    const { control } = createHostPorts();
    const original = await control.readEntry(path);
    assert.ok(original);
    const read = (): unknown => {
      const opened = openSync(path, 'r');
      const found = Object.keys(attributes).map((name) => {
        const value = memory(64);
        const size = libc.fgetxattr?.(opened, name, value, value.length) ?? -1;
        return size < 0 ? undefined : [...value.subarray(0, size)];
      });
      closeSync(opened);
      return found;
    };
    const wanted = Object.values(attributes).map((value) => [...value]);
    assert.deepEqual(read(), wanted);
    await control.writeEntry(path, { ...original, ...(original.kind === 'file' ? { bytesBase64: btoa('changed\n') } : {}) });
    assert.deepEqual(read(), wanted, 'after the change');
    await control.writeEntry(path, original);
    assert.deepEqual(read(), wanted, 'after the undoing');
    assert.deepEqual(await control.readEntry(path), original);
  });

  test('a guard leads a session of its own, holds nothing of its starter, and no hang-up ends it', async () => {
    const [started] = await calls(['setsid', '-w'], [['startGuard', ['guard', 'true'], 10_000]]);
    const pid = started?.value as number;
    assert.equal(typeof pid, 'number', JSON.stringify(started));
    const { control } = createHostPorts();
    try {
      assert.equal(await control.isAlive(pid), true, 'its starter has ended');
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      assert.equal(Number(fields[3]), pid, 'it leads its session');
      assert.deepEqual(
        ['0', '1', '2'].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)),
        ['/dev/null', '/dev/null', '/dev/null'],
      );
      const ignored = BigInt(`0x${/^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'}`);
      assert.equal(ignored & 1n, 1n, 'it takes SIGHUP for itself');
      process.kill(pid, 'SIGHUP');
      process.kill(pid, 'SIGHUP');
      // It writes every 20 ms to where nobody reads: long enough to have died of either.
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.equal(await control.isAlive(pid), true);
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });

  test('a guard that fails, or never gets ready, is told with what it said, and none is left', async () => {
    const [broken, silent] = await calls(
      [],
      [
        ['startGuard', ['guard', 'broken'], 10_000],
        ['startGuard', ['guard', 'silent'], 700],
      ],
    );
    assert.equal(broken?.code, 'io');
    assert.match(broken?.message ?? '', /no such change/);
    assert.equal(silent?.code, 'io');
    assert.match(silent?.message ?? '', /not ready within 700 ms/);
    const left = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && commandLine(name).includes(`${PROGRAM}\0guard\0silent`));
    assert.deepEqual(left, []);
  });

  test('reading a file leaves its times, although it is read', async () => {
    const path = join(scratch, 'times');
    const { control } = createHostPorts();
    // Read longer ago than a day, so that relatime would set it.
    await control.writeEntry(path, { ...file('x\n'), modifiedNs: '1700000000123456789', accessedNs: '1600000000000000001' });
    await control.readEntry(path);
    assert.equal(statSync(path, { bigint: true }).atimeNs, 1_600_000_000_000_000_001n);
    assert.equal(statSync(path, { bigint: true }).mtimeNs, 1_700_000_000_123_456_789n);
  });
});

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
