import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import type { Bench } from './bench.js';

const LONG_MS = 3600e3;

export function clockBehaves(bench: () => Bench): void {
  describe('clock', () => {
    test('never goes back', () => {
      const { clock } = bench().ports;
      let last = clock.nowNs();
      for (let i = 0; i < 1000; i++) {
        const now = clock.nowNs();
        assert.ok(now >= last);
        last = now;
      }
    });

    test('is one clock in nanoseconds and milliseconds', () => {
      const { clock } = bench().ports;
      const earlierNs = clock.nowNs();
      const ms = clock.nowMs();
      const laterNs = clock.nowNs();
      assert.ok(ms >= Number(earlierNs) / 1e6 - 0.001 && ms <= Number(laterNs) / 1e6 + 0.001);
    });

    test('sleeps for as long as asked', async () => {
      const { clock } = bench().ports;
      const startMs = clock.nowMs();
      await bench().run(() => clock.sleep(20));
      assert.ok(clock.nowMs() - startMs >= 19);
    });

    test('sleeps no longer than until the signal aborts', async () => {
      const { clock } = bench().ports;
      const controller = new AbortController();
      await bench().run(async () => {
        const sleeping = clock.sleep(LONG_MS, controller.signal);
        controller.abort();
        await sleeping;
        await clock.sleep(LONG_MS, controller.signal);
      });
    });

    test('knows roughly which year it is', () => {
      assert.ok(bench().ports.clock.wallMs() > Date.UTC(2020, 0));
    });
  });
}

export function filesBehave(bench: () => Bench): void {
  describe('files', () => {
    const at = (name: string): string => `${bench().folder}/${name}`;

    test('a file that does not exist reads as undefined', async () => {
      assert.equal(await bench().ports.files.readText(at('missing')), undefined);
      assert.equal(await bench().ports.files.readText(at('no/such/folder')), undefined);
    });

    test('what was written is read again, and replaced whole', async () => {
      const { files } = bench().ports;
      await files.writeText(at('note'), 'long '.repeat(50_000));
      await files.writeText(at('note'), 'kurz: äöü €');
      assert.equal(await files.readText(at('note')), 'kurz: äöü €');
    });

    test('of two writers at once one wins whole', async () => {
      const { files } = bench().ports;
      const texts = ['a', 'b'].map((letter) => letter.repeat(300_000));
      await Promise.all(texts.map((text) => files.writeText(at('contested'), text)));
      assert.ok(texts.includes((await files.readText(at('contested'))) ?? ''));
    });

    test('what cannot be written is an io error that names the file', async () => {
      const { files } = bench().ports;
      await files.writeText(at('plain'), 'a file');
      await assert.rejects(
        () => files.writeText(at('plain/below'), 'x'),
        (error) => error instanceof TautlineError && error.code === 'io' && error.message.includes('plain/below'),
      );
      await assert.rejects(
        () => files.writeText(bench().folder, 'x'),
        (error) => error instanceof TautlineError && error.code === 'io',
      );
      assert.equal(await files.readText(at('plain')), 'a file');
    });
  });
}

export function commandsBehave(bench: () => Bench): void {
  describe('commands', () => {
    const run = (program: string, args: readonly string[], options: { timeoutMs?: number; signal?: AbortSignal } = {}) =>
      bench().run(() => bench().ports.commands.run(program, args, { timeoutMs: LONG_MS, ...options }));

    test('a program that is not there is missing', async () => {
      assert.deepEqual(await run('tautline-no-such-program', []), { outcome: 'missing' });
    });

    test('output and exit code come back', async () => {
      assert.deepEqual(await run('sh', ['-c', 'echo out; echo err >&2; exit 3']), {
        outcome: 'exited',
        code: 3,
        stdout: 'out\n',
        stderr: 'err\n',
      });
    });

    test('one that takes too long is cut short, and what it said is kept', async () => {
      const result = await run('sh', ['-c', 'echo began; exec sleep 600'], { timeoutMs: 300 });
      assert.equal(result.outcome, 'timeout');
      assert.equal(result.outcome === 'timeout' ? result.stdout : '', 'began\n');
    });

    test('an abort cuts it short too', async () => {
      const controller = new AbortController();
      controller.abort();
      assert.equal((await run('sh', ['-c', 'echo began; exec sleep 600'], { signal: controller.signal })).outcome, 'timeout');
    });
  });
}

export function namesBehave(bench: () => Bench): void {
  describe('names', () => {
    const lookup = (host: string, options: { family?: 4 | 6; timeoutMs?: number; signal?: AbortSignal } = {}) =>
      bench().run(() => bench().ports.names.lookup(host, { timeoutMs: 3000, ...options }));

    for (const [host, family] of [
      ['192.0.2.7', 4],
      ['2001:db8::7', 6],
    ] as const) {
      test(`the literal ${host} is itself`, async () => {
        const found = await lookup(host);
        assert.deepEqual(found.outcome === 'ok' ? found.addresses : found, [{ host, family }]);
      });
    }

    test('a literal of the other family is unknown', async () => {
      assert.equal((await lookup('192.0.2.7', { family: 6 })).outcome, 'unknown');
    });

    test('localhost has a loopback address', async () => {
      const found = await lookup('localhost');
      assert.ok(found.outcome === 'ok' && found.addresses.some(({ host }) => host === '127.0.0.1' || host === '::1'));
    });

    test('a name that nobody has is told with its name, and as no address', async () => {
      const found = await lookup('no-such-host.invalid');
      assert.ok(found.outcome !== 'ok' && found.reason.includes('no-such-host.invalid'), JSON.stringify(found));
      assert.ok(found.elapsedMs >= 0);
    });

    test('an aborted lookup ends', async () => {
      const controller = new AbortController();
      controller.abort();
      assert.equal((await lookup('no-such-host.invalid', { signal: controller.signal })).outcome, 'failed');
    });
  });
}

export function factsBehave(bench: () => Bench): void {
  describe('facts', () => {
    test('the host says what it is', async () => {
      const identity = await bench().run(() => bench().ports.facts.identity());
      assert.ok(identity.name !== '' && identity.os !== '' && identity.cpus >= 1 && identity.memoryBytes > 0);
    });

    test('one interface is the loopback, with a loopback address', async () => {
      const interfaces = await bench().run(() => bench().ports.facts.interfaces());
      const loopback = interfaces.find((one) => one.loopback);
      assert.ok(loopback?.addresses.some(({ address, scope }) => address === '127.0.0.1' && scope === 'host'));
      for (const { addresses } of interfaces) {
        for (const { address, family } of addresses) assert.equal(family, address.includes(':') ? 6 : 4);
      }
    });

    test('routes and resolvers are addresses', async () => {
      const { routes, resolvers } = await bench().run(async () => ({
        routes: await bench().ports.facts.defaultRoutes(),
        resolvers: await bench().ports.facts.resolvers(),
      }));
      for (const address of [...routes.map(({ gateway }) => gateway), ...resolvers]) assert.match(address, /^[0-9a-fA-F.:]+(%\w+)?$/);
    });
  });
}
