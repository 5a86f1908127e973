import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError } from '../../../src/base/index.js';
import { simTuneHost } from '../../../src/sim/tune-host.js';
import type { SimTuneHost, TuneHostSpec } from '../../../src/sim/tune-host.js';
import { confirmChange, resumeApply, rollBack, standingChanges } from '../../../src/tune/index.js';
import { textFile } from '../../../src/tune/places/entry.js';
import { MEANT, SPEC, applyOn, stepsFor } from './bench.js';

const EVIL = '/home/mallory/project/.tune';
const USER = { ownerId: 1000, groupId: 1000 };

/** What a user has made ready in a folder of their own: a valid journal whose originals are what root is to write. */
async function bait(): Promise<{ readonly id: string; readonly text: string }> {
  const host = simTuneHost(SPEC);
  const place = { kind: 'entry', path: '/etc/cron.d/evil' } as const;
  const original = textFile('* * * * * root id > /tmp/pwned\n', { mode: 0o644 });
  host.machine.tree.put('/etc/cron.d', { kind: 'folder', mode: 0o755, ownerId: 0, groupId: 0 });
  await host.ports.control.writeEntry(place.path, original);
  const { change: id = '' } = await applyOn(host, { steps: [{ setting: 'persist', place, original, desired: { kind: 'nothing' } }] });
  const found = host.machine.tree.at(`/var/lib/tautline/changes/${id}.jsonl`);
  assert.ok(found?.kind === 'file');
  return { id, text: new TextDecoder().decode(found.bytes) };
}

interface Owners {
  readonly folder: { readonly ownerId: number; readonly mode?: number };
  readonly changes: { readonly ownerId: number; readonly mode?: number };
  readonly journal: { readonly ownerId: number; readonly mode?: number };
}

async function baited(
  { folder, changes, journal }: Owners,
  user?: TuneHostSpec['user'],
): Promise<{ readonly host: SimTuneHost; readonly id: string }> {
  const { id, text } = await bait();
  const host = simTuneHost({ ...SPEC, ...(user ? { user } : {}) });
  const { tree } = host.machine;
  const made = (path: string, { ownerId, mode = 0o700 }: Owners['folder']): void =>
    tree.put(path, { kind: 'folder', mode, ownerId, groupId: ownerId });
  made('/etc/cron.d', { ownerId: 0, mode: 0o755 });
  made('/home', { ownerId: 0, mode: 0o755 });
  made('/home/mallory', { ownerId: 0, mode: 0o755 });
  made('/home/mallory/project', { ownerId: 0, mode: 0o755 });
  made(EVIL, folder);
  made(`${EVIL}/changes`, changes);
  const path = `${EVIL}/changes/${id}.jsonl`;
  host.machine.tree.put(path, {
    ...fileOf(host),
    bytes: new TextEncoder().encode(text),
    mode: journal.mode ?? 0o600,
    ownerId: journal.ownerId,
    groupId: 0,
  });
  return { host, id };
}

function fileOf(host: SimTuneHost) {
  const node = host.machine.tree.at('/etc/docker/daemon.json');
  assert.ok(node?.kind === 'file');
  return node;
}

const root = { ownerId: 0 };

async function refusedBy(host: SimTuneHost, id: string, message: RegExp): Promise<void> {
  const before = host.snapshot();
  const calls = [
    () => rollBack(host.ports, { folder: EVIL, force: true, reason: 'asked' }),
    () => rollBack(host.ports, { folder: EVIL, force: true, reason: 'asked', change: id }),
    () => confirmChange(host.ports, { folder: EVIL }),
    () => resumeApply(host.ports, { folder: EVIL, change: id }),
    async () => await applyOn(host, { folder: EVIL, steps: await stepsFor(host.ports, MEANT.slice(0, 1)) }),
  ];
  for (const call of calls) {
    await assert.rejects(call, (error) => error instanceof TautlineError && message.test(error.message));
    assert.equal(host.snapshot(), before);
  }
}

describe('journals that somebody else could have written', () => {
  test('would be carried out if they were one’s own', async () => {
    const { host } = await baited({ folder: root, changes: root, journal: root });
    assert.equal((await rollBack(host.ports, { folder: EVIL, force: false, reason: 'asked' })).state, 'rolled-back');
    assert.ok(host.machine.tree.at('/etc/cron.d/evil'), 'the bait is a journal that works');
  });

  const folders: Readonly<Record<string, Owners>> = {
    'in a folder of another user': { folder: USER, changes: USER, journal: USER },
    'in a folder of another user, though the file is root’s': { folder: USER, changes: root, journal: root },
    'in a folder below root’s that another user has': { folder: root, changes: USER, journal: root },
    'in a folder that others may write to': { folder: { ...root, mode: 0o777 }, changes: root, journal: root },
    'in a folder of journals that a group may write to': { folder: root, changes: { ...root, mode: 0o770 }, journal: root },
  };
  for (const [where, owners] of Object.entries(folders)) {
    test(`${where} are not carried out by root`, async () => {
      const { host, id } = await baited(owners);
      await refusedBy(host, id, /not believed: \S+ (?:belongs to user 1000|may be written by others)/);
      await assert.rejects(() => standingChanges(host.ports, EVIL), /not believed/);
    });
  }

  test('below a folder that another user may rename are not carried out by root', async () => {
    const { host, id } = await baited({ folder: root, changes: root, journal: root });
    host.machine.tree.put('/home/mallory', { kind: 'folder', mode: 0o755, ...USER });
    await refusedBy(host, id, /not believed: \/home\/mallory belongs to user 1000/);
  });

  test('are believed below a sticky folder, where only owners rename', async () => {
    const { host } = await baited({ folder: root, changes: root, journal: root });
    host.machine.tree.put('/home/mallory', { kind: 'folder', mode: 0o1777, ownerId: 0, groupId: 0 });
    assert.equal((await rollBack(host.ports, { folder: EVIL, force: false, reason: 'asked' })).state, 'rolled-back');
  });

  for (const [what, journal] of Object.entries({ 'of another user': USER, 'that others may write to': { ...root, mode: 0o666 } })) {
    test(`are damaged where a single file is one ${what}`, async () => {
      const { host, id } = await baited({ folder: root, changes: root, journal });
      await refusedBy(host, id, /is damaged: it (?:belongs to user 1000|may be written by others)/);
    });
  }

  test('are not carried out by a user either, where others may write to the folder', async () => {
    const { host, id } = await baited({ folder: { ...USER, mode: 0o777 }, changes: USER, journal: USER }, USER);
    await refusedBy(host, id, /may be written by others/);
  });
});
