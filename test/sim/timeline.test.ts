import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SimNetwork } from '../../src/sim/index.js';

const empty = (): SimNetwork => new SimNetwork({ hosts: { a: { addresses: ['10.0.0.1'] } }, paths: [] });

describe('virtual time', () => {
  test('a year of sleep takes no time, and every sleeper wakes at its hour', async () => {
    const network = empty();
    const { clock } = network.ports('a');
    const woke: string[] = [];
    const day = async (name: string, days: number): Promise<void> => {
      await clock.sleep(days * 24 * 3600e3);
      woke.push(`${name} ${network.nowMs / 24 / 3600e3}`);
    };
    await network.run(() => Promise.all([day('late', 365), day('early', 1), day('middle', 7)]), { limitMs: 400 * 24 * 3600e3 });
    assert.deepEqual(woke, ['early 1', 'middle 7', 'late 365']);
  });

  test('things at the same time happen in the order in which they were asked for', async () => {
    const network = empty();
    const { clock } = network.ports('a');
    const order: number[] = [];
    await network.run(() => Promise.all([1, 2, 3, 4, 5].map((n) => clock.sleep(10).then(() => order.push(n)))));
    assert.deepEqual(order, [1, 2, 3, 4, 5]);
  });

  test('time stands still while code has something left to do', async () => {
    const network = empty();
    const { clock } = network.ports('a');
    const seen: number[] = [];
    await network.run(async () => {
      const tick = (async () => {
        for (let i = 0; i < 5; i++) {
          await clock.sleep(1);
          // However many steps a consequence takes, it comes before the next event.
          for (let step = 0; step < 100; step++) await Promise.resolve();
          seen.push(network.nowMs);
        }
      })();
      await Promise.all([tick, clock.sleep(100)]);
    });
    assert.deepEqual(seen, [1, 2, 3, 4, 5]);
  });

  test('work that nothing can end is told, not waited for', async () => {
    await assert.rejects(() => empty().run(new Promise(() => {}), { patienceMs: 0 }), /stuck at 0 ms/);
  });

  test('what takes real time, such as loading a module, is waited for', async () => {
    const network = empty();
    const loaded = await network.run(async () => {
      const { clock } = network.ports('a');
      await clock.sleep(5);
      const zlib = await import('node:zlib');
      const packed = await new Promise<Uint8Array>((resolve, reject) => zlib.gzip('x', (error, bytes) => (error ? reject(error) : resolve(bytes))));
      await clock.sleep(5);
      return packed.length;
    });
    assert.ok(loaded > 0);
    assert.equal(network.nowMs, 10);
  });

  test('work that goes on for ever is cut at the limit', async () => {
    const network = empty();
    const { clock } = network.ports('a');
    const forever = async (): Promise<never> => {
      for (;;) await clock.sleep(1000);
    };
    await assert.rejects(() => network.run(forever, { limitMs: 60_000 }), /ran for 60000 ms/);
  });

  test('an error of the work comes out', async () => {
    await assert.rejects(() => empty().run(() => Promise.reject(new Error('no'))), /^Error: no$/);
  });

  test('clocks of two hosts have different origins, wrong wall clocks, and drift as declared', async () => {
    const network = new SimNetwork({
      startedAt: '2026-05-01T12:00:00Z',
      hosts: { exact: { addresses: ['10.0.0.1'] }, wrong: { addresses: ['10.0.0.2'], clock: { offsetMs: -2500, driftPpm: 100 } } },
      paths: [],
    });
    const exact = network.ports('exact').clock;
    const wrong = network.ports('wrong').clock;
    assert.notEqual(exact.nowNs(), wrong.nowNs());
    assert.equal(exact.wallMs(), Date.parse('2026-05-01T12:00:00Z'));
    assert.equal(wrong.wallMs(), Date.parse('2026-05-01T12:00:00Z') - 2500);
    const [exactNs, wrongNs] = [exact.nowNs(), wrong.nowNs()];
    await network.run(() => exact.sleep(10_000));
    assert.equal(exact.nowNs() - exactNs, 10_000_000_000n);
    assert.equal(wrong.nowNs() - wrongNs, 10_001_000_000n);
  });
});
