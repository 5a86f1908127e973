import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import type { Entry, ErrorCode, HostControl } from '../../src/base/index.js';

/** What the suite needs beside the port. */
export interface ControlBench {
  readonly control: HostControl;
  /** A folder that exists and is empty. */
  readonly folder: string;
  /** Whose process this is; root may give files away. */
  readonly user: { readonly ownerId: number; readonly groupId: number };
  /** A value that may be written, and holds `8`. */
  readonly value: string;
  /** A second name of the same file. */
  hardLink(path: string, other: string): Promise<void>;
  /** Another process takes the lock and keeps it until it is killed. */
  lockElsewhere(path: string): Promise<{ readonly pid: number; kill(): Promise<void> }>;
  /** Where idle states are held, in a bench that may try it. */
  readonly mayHold: boolean;
  close(): Promise<void>;
}

/** What every implementation of `HostControl` must do, but for interfaces, which need a kernel with some. */
export function controlBehaves(name: string, make: () => Promise<ControlBench>): void {
  describe(`control of ${name}`, () => {
    let made: ControlBench | undefined;
    let counter = 0;
    const bench = (): ControlBench => {
      assert.ok(made, 'the bench was set up');
      return made;
    };
    /** A path that nobody used. */
    const fresh = (what = 'thing'): string => `${bench().folder}/${what}-${++counter}`;
    const file = (text: string, extra: Partial<Extract<Entry, { kind: 'file' }>> = {}): Extract<Entry, { kind: 'file' }> => ({
      kind: 'file',
      bytesBase64: Buffer.from(text).toString('base64'),
      links: 1,
      mode: 0o644,
      ...bench().user,
      ...extra,
    });
    before(async () => {
      made = await make();
    });
    after(() => made?.close());

    test('where nothing is, there is nothing, and removing it is no failure', async () => {
      const { control } = bench();
      assert.equal(await control.readEntry(fresh()), undefined);
      assert.equal(await control.readEntry(`${fresh()}/below/nothing`), undefined);
      await control.removeEntry(fresh());
      await control.removeEntry(`${fresh()}/below/nothing`);
    });

    test('a file is put there whole, with mode, owner and times to the nanosecond', async () => {
      const { control } = bench();
      for (const [mode, modifiedNs, accessedNs] of [
        [0o644, '1700000000123456789', '1600000000987654321'],
        [0o600, '1', '999999999'],
        [0o7751, '4102444800000000001', '1700000000000000000'],
      ] as const) {
        const path = fresh();
        const entry = file(`mode ${mode}\n`, { mode, modifiedNs, accessedNs });
        await control.writeEntry(path, entry);
        assert.deepEqual(await control.readEntry(path), entry);
        assert.deepEqual(await control.readEntry(path), entry, 'reading changes no time');
      }
    });

    test('a file without times is of now', async () => {
      const { control } = bench();
      const path = fresh();
      await control.writeEntry(path, file('x', { modifiedNs: '5', accessedNs: '5' }));
      await control.writeEntry(path, file('x'));
      const found = await control.readEntry(path);
      assert.ok(found?.kind === 'file' && Number(found.modifiedNs) > 1.5e18, JSON.stringify(found));
    });

    test('every byte stays as it is', async () => {
      const { control } = bench();
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7) & 0xff));
      const path = fresh('bytes of ümlaut $x');
      await control.writeEntry(path, file('', { bytesBase64: bytes.toString('base64') }));
      const found = await control.readEntry(path);
      assert.ok(found?.kind === 'file' && Buffer.from(found.bytesBase64, 'base64').equals(bytes));
      await control.writeEntry(path, file(''));
      assert.equal(await control.readEntry(path).then((entry) => entry?.kind === 'file' && entry.bytesBase64), '');
    });

    test('replaced and put back, a file is the one it was', async () => {
      const { control } = bench();
      const path = fresh();
      await control.writeEntry(path, file('original\n', { mode: 0o640, modifiedNs: '1700000000123456789', accessedNs: '1700000001000000007' }));
      const original = await control.readEntry(path);
      assert.ok(original);
      await control.writeEntry(path, file('changed\n', { mode: 0o600 }));
      await control.removeEntry(path);
      await control.writeEntry(path, original);
      await control.writeEntry(path, original);
      assert.deepEqual(await control.readEntry(path), original);
    });

    test('owners are kept where one may give files away', async (t) => {
      const { control, user } = bench();
      if (user.ownerId !== 0) return t.skip('only root gives files to others');
      const path = fresh();
      await control.writeEntry(path, file('x', { ownerId: 12_345, groupId: 23_456, mode: 0o4711, modifiedNs: '7', accessedNs: '8' }));
      const found = await control.readEntry(path);
      assert.ok(found?.kind === 'file');
      assert.deepEqual([found.ownerId, found.groupId, found.mode, found.modifiedNs], [12_345, 23_456, 0o4711, '7']);
      await control.writeEntry(`${path}-link`, { kind: 'link', target: path, ownerId: 1, groupId: 2 });
      assert.deepEqual(await control.readEntry(`${path}-link`), { kind: 'link', target: path, ownerId: 1, groupId: 2 });
    });

    test('links are read and replaced themselves, not what they lead to', async () => {
      const { control, user } = bench();
      const [target, path] = [fresh('target'), fresh('link')];
      await control.writeEntry(target, file('kept\n'));
      await control.writeEntry(path, { kind: 'link', target, ...user });
      assert.deepEqual(await control.readEntry(path), { kind: 'link', target, ...user });
      await control.writeEntry(path, { kind: 'link', target: 'elsewhere', ...user });
      await control.writeEntry(path, file('plain\n'));
      assert.equal((await control.readEntry(path))?.kind, 'file');
      assert.equal(await text(control, target), 'kept\n');
      await control.writeEntry(path, { kind: 'link', target, ...user });
      await control.removeEntry(path);
      assert.equal(await control.readEntry(path), undefined);
      assert.equal(await text(control, target), 'kept\n');
    });

    test('a path is followed to where its links end, also where nothing is yet', async () => {
      const { control, user, folder } = bench();
      const [real, path, loop] = [fresh('real'), fresh('link'), fresh('loop')];
      await control.writeEntry(path, { kind: 'link', target: real.slice(folder.length + 1), ...user });
      assert.equal(await control.realPath(path), real);
      await control.writeEntry(real, { kind: 'folder', mode: 0o755, ...user });
      assert.equal(await control.realPath(`${path}/x/y`), `${real}/x/y`);
      assert.equal(await control.realPath(real), real);
      await control.writeEntry(loop, { kind: 'link', target: loop, ...user });
      await assert.rejects(control.realPath(loop), failsAs('io'));
    });

    test('a folder is made once, given its mode, and stays while something is in it', async () => {
      const { control, user } = bench();
      const path = fresh('folder');
      await control.writeEntry(path, { kind: 'folder', mode: 0o750, ...user });
      assert.deepEqual(await control.readEntry(path), { kind: 'folder', mode: 0o750, ...user });
      await control.writeEntry(`${path}/in`, file('x'));
      await control.writeEntry(path, { kind: 'folder', mode: 0o755, ...user });
      assert.deepEqual(await control.readEntry(path), { kind: 'folder', mode: 0o755, ...user });
      await control.removeEntry(path);
      assert.equal(await text(control, `${path}/in`), 'x');
      await control.removeEntry(`${path}/in`);
      await control.removeEntry(path);
      assert.equal(await control.readEntry(path), undefined);
    });

    test('a file never takes the place of a folder, nor a folder that of a file', async () => {
      const { control, user } = bench();
      const [folder, plain] = [fresh('folder'), fresh('plain')];
      await control.writeEntry(folder, { kind: 'folder', mode: 0o755, ...user });
      await control.writeEntry(plain, file('x'));
      await assert.rejects(control.writeEntry(folder, file('y')), failsAs('io'));
      await assert.rejects(control.writeEntry(plain, { kind: 'folder', mode: 0o755, ...user }), failsAs('io'));
      await assert.rejects(control.writeEntry(`${fresh('missing')}/below`, file('y')), failsAs('io'));
      assert.equal((await control.readEntry(folder))?.kind, 'folder');
      assert.equal(await text(control, plain), 'x');
    });

    test('names of one file are counted, and replacing one parts it from the others', async () => {
      const { control, hardLink } = bench();
      const [path, other] = [fresh(), fresh()];
      await control.writeEntry(path, file('both\n'));
      await hardLink(path, other);
      const found = await control.readEntry(other);
      assert.equal(found?.kind === 'file' && found.links, 2);
      await control.append(path, 'more\n');
      assert.equal(await text(control, other), 'both\nmore\n');
      await control.writeEntry(path, file('own\n'));
      assert.equal(await text(control, other), 'both\nmore\n');
      const after = await control.readEntry(other);
      assert.equal(after?.kind === 'file' && after.links, 1);
    });

    test('what a killed call left beside a path goes with the next one', async () => {
      const { control, folder } = bench();
      for (const next of ['write', 'remove'] as const) {
        const path = fresh();
        const left = `${folder}/.tautline-${path.slice(folder.length + 1)}.tmp`;
        await control.writeEntry(left, file('half of'));
        if (next === 'write') await control.writeEntry(path, file('whole'));
        else await control.removeEntry(path);
        assert.equal(await control.readEntry(left), undefined, next);
      }
    });

    test('text is added to a file, which is for its owner alone when it is made', async () => {
      const { control } = bench();
      const path = fresh('journal');
      await control.append(path, 'one\n');
      await control.append(path, 'zwei: ä\n');
      const found = await control.readEntry(path);
      assert.ok(found?.kind === 'file');
      assert.equal(found.mode, 0o600);
      assert.equal(await text(control, path), 'one\nzwei: ä\n');
      await assert.rejects(control.append(`${fresh('missing')}/below`, 'x'), failsAs('io'));
      await assert.rejects(control.append(bench().folder, 'x'), failsAs('io'));
    });

    test('a lock is held once, by whom it says, until it is released', async () => {
      const { control } = bench();
      const path = fresh('lock');
      const held = await control.lock(path);
      assert.ok('release' in held);
      const again = await control.lock(path);
      assert.ok('heldBy' in again && again.heldBy !== undefined && (await control.isAlive(again.heldBy)), JSON.stringify(again));
      await held.release();
      await held.release();
      const next = await control.lock(path);
      assert.ok('release' in next);
      await next.release();
    });

    test('a lock of another process names it, and is free once that one was killed', async () => {
      const { control, lockElsewhere } = bench();
      const path = fresh('lock');
      const other = await lockElsewhere(path);
      assert.deepEqual(await control.lock(path), { heldBy: other.pid });
      assert.equal(await control.isAlive(other.pid), true);
      await other.kill();
      assert.equal(await control.isAlive(other.pid), false);
      const held = await control.lock(path);
      assert.ok('release' in held);
      await held.release();
    });

    test('a value is read without its line end and written in place', async () => {
      const { control, value } = bench();
      assert.equal(await control.readValue(value), '8');
      assert.equal(await control.mayWrite(value), true);
      await control.writeValue(value, '9\n');
      assert.equal(await control.readValue(value), '9');
      await control.writeValue(value, '8\n');
    });

    test('a value that is not there is not made', async () => {
      const { control, value } = bench();
      const missing = `${value}-missing`;
      assert.equal(await control.readValue(missing), undefined);
      assert.equal(await control.readValue(`${value}/below`), undefined);
      assert.equal(await control.mayWrite(missing), false);
      await assert.rejects(control.writeValue(missing, '1\n'), failsAs('unsupported'));
      assert.equal(await control.readValue(missing), undefined);
    });

    test('idle states are held by a process that is found again, and let go', async (t) => {
      const { control, mayHold } = bench();
      if (!mayHold) return t.skip('processes cannot be looked up here: no /proc');
      assert.equal(await control.heldLatency(), undefined);
      const first = await control.holdLatency(25);
      const second = await control.holdLatency(3);
      assert.equal(await control.isAlive(first), true);
      assert.equal(await control.heldLatency(), 3, 'the least counts');
      await control.dropLatency();
      assert.equal(await control.heldLatency(), undefined);
      assert.deepEqual([await control.isAlive(first), await control.isAlive(second)], [false, false]);
      await control.dropLatency();
    });

    test('the host, its boot and its network are the same at every look', async () => {
      const { control } = bench();
      const place = await control.place();
      assert.ok(place.boot !== '' && place.network !== '', JSON.stringify(place));
      assert.deepEqual(await control.place(), place);
    });
  });
}

async function text(control: HostControl, path: string): Promise<string | undefined> {
  const found = await control.readEntry(path);
  return found?.kind === 'file' ? Buffer.from(found.bytesBase64, 'base64').toString('utf8') : undefined;
}

function failsAs(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof TautlineError && error.code === code;
}
