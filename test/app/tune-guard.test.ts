import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { aloneOnHost } from '../../src/app/tune/try-switch.js';
import { tuneGuard } from '../../src/app/tune/guard.js';
import { TautlineError } from '../../src/base/index.js';
import { simTuneHost } from '../../src/sim/index.js';
import type { SimTuneHost } from '../../src/sim/index.js';
import { applyChange, standingChanges } from '../../src/tune/index.js';
import type { TunePorts } from '../../src/tune/index.js';

const FOLDER = '/var/lib/tautline';
const IDLE = '/proc/sys/net/ipv4/tcp_slow_start_after_idle';
const HOUR_MS = 3_600_000;

function host(): SimTuneHost {
  return simTuneHost({ name: 'lab', host: { addresses: ['10.0.0.1'] }, values: { [IDLE]: '1' }, folders: { '/var/lib': 0o755 } });
}

/** A change that is to be confirmed within a minute. */
async function begun({ ports }: SimTuneHost): Promise<string> {
  const place = { kind: 'kernel-value', path: IDLE } as const;
  const report = await applyChange(ports, {
    folder: FOLDER,
    profile: 'lab',
    persist: false,
    confirmWithinMs: 60_000,
    steps: [{ setting: 'net.ipv4.tcp_slow_start_after_idle', place, original: '1', desired: '0' }],
  });
  assert.equal(report.state, 'awaiting-confirmation');
  return report.change ?? '';
}

/** How long the guard of a change waits until it ends. */
async function guarded(made: SimTuneHost, change: string, ports: TunePorts): Promise<number> {
  const startedMs = made.ports.clock.nowMs();
  const watch = { folder: FOLDER, change, ready: () => Promise.resolve(), signal: new AbortController().signal };
  await made.run(() => tuneGuard(ports, watch));
  return made.ports.clock.nowMs() - startedMs;
}

describe('the guard of a change that nobody confirms', () => {
  test('undoes it in time also where the wall clock is set back while it waits', async () => {
    const made = host();
    const change = await begun(made);
    const { clock } = made.ports;
    const startedMs = clock.nowMs();
    const setBack = Object.create(clock, {
      wallMs: { value: () => clock.wallMs() - (clock.nowMs() - startedMs > 5000 ? HOUR_MS : 0) },
      nowMs: { value: () => clock.nowMs() },
      sleep: { value: (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal) },
    }) as TunePorts['clock'];
    const tookMs = await guarded(made, change, { ...made.ports, clock: setBack });
    assert.ok(tookMs >= 59_000 && tookMs < 62_000, `it waited ${tookMs} ms`);
    assert.equal(await made.ports.control.readValue(IDLE), '1');
    assert.deepEqual(await standingChanges(made.ports, FOLDER), []);
  });

  test('goes on after it could not read the journals for a while', async () => {
    const made = host();
    const change = await begun(made);
    made.access.break(`${FOLDER}/changes`, 'read', () => new TautlineError('io', 'cannot read the journals: too many open files'));
    const { clock } = made.ports;
    let looks = 0;
    const mended = Object.create(clock, {
      sleep: {
        value: (ms: number, signal?: AbortSignal) => {
          if (++looks === 3) made.access.repair();
          return clock.sleep(ms, signal);
        },
      },
      nowMs: { value: () => clock.nowMs() },
      wallMs: { value: () => clock.wallMs() },
    }) as TunePorts['clock'];
    await guarded(made, change, { ...made.ports, clock: mended });
    assert.ok(looks > 3, `it looked ${looks} times`);
    assert.equal(await made.ports.control.readValue(IDLE), '1');
  });
});

describe('an experiment', () => {
  test('locks nothing in a folder of another user, where the lock may be another name of any file', async () => {
    const made = host();
    made.machine.tree.put('/home', { kind: 'folder', mode: 0o755, ownerId: 0, groupId: 0 });
    made.machine.tree.put('/home/mallory', { kind: 'folder', mode: 0o755, ownerId: 1000, groupId: 1000 });
    const before = made.snapshot();
    await assert.rejects(
      () => aloneOnHost(made.ports, '/home/mallory', () => Promise.resolve()),
      (error) => error instanceof TautlineError && /belongs to user 1000/.test(error.message),
    );
    assert.equal(made.snapshot(), before);
  });
});
