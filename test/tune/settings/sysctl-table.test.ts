import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SETTINGS } from '../../../src/tune/settings/registry.js';
import { betterOf, parseSysctl, takesAway } from '../../../src/tune/settings/linux/sysctl-value.js';
import { SYSCTLS } from '../../../src/tune/settings/linux/sysctls.js';
import type { Better, Sysctl } from '../../../src/tune/settings/linux/sysctl.js';
import { KERNEL_6_18 } from './kernel-6-18.js';
import { planOn, viewOf } from './tuned-host.js';

describe('the table of sysctls', () => {
  test('gives every key a source, a reason and an example that it takes itself', () => {
    for (const row of SYSCTLS) {
      assert.ok(row.sources.length > 0, `${row.id} has no source`);
      assert.ok(
        row.sources.every(({ title, url }) => title !== '' && (url === undefined || url.startsWith('https://'))),
        row.id,
      );
      assert.match(row.why, /\.$/, `${row.id}: the reason is a sentence`);
      const parsed = parseSysctl(row.form, row.example);
      assert.ok('value' in parsed, `${row.id} does not take its example ${String(row.example)}: ${JSON.stringify(parsed)}`);
      assert.deepEqual(parseSysctl(row.form, parsed.value), parsed, `${row.id} reads what it writes`);
    }
  });

  test('takes what the kernel itself has there', () => {
    const known = SYSCTLS.filter(({ id }) => KERNEL_6_18[id] !== undefined);
    assert.ok(known.length > 30, `only ${known.length} keys of the table were recorded`);
    for (const row of known) assert.ok('value' in parseSysctl(row.form, KERNEL_6_18[row.id]), `${row.id} does not take ${KERNEL_6_18[row.id]}`);
  });

  test('never takes anything from a current kernel by its own examples', async () => {
    const view = await viewOf();
    for (const row of SYSCTLS) {
      for (const step of await planOn(view, row.id, row.example)) {
        if (step.verdict === 'change') assert.ok(!takesAway(row.better, step.now, step.proposed), `${row.id}: ${step.now} -> ${step.proposed}`);
      }
    }
  });

  test('refuses what is no value of a key, and says what is wanted', () => {
    const wrong: readonly unknown[] = [
      null,
      undefined,
      {},
      [],
      [[1]],
      'x',
      '',
      '1 2 3 4',
      -1,
      1.5,
      Number.NaN,
      2 ** 60,
      'x'.repeat(5000),
      [1, 2, 'x'],
      true,
    ];
    for (const row of SYSCTLS) {
      for (const value of wrong.filter((one) => one !== true || row.form.kind !== 'switch')) {
        const parsed = parseSysctl(row.form, value);
        assert.ok('problem' in parsed && parsed.problem.length < 300, `${row.id} takes ${JSON.stringify(value)}`);
      }
    }
    for (const sizes of ['3 2 1', [4096, 100, 200], '1 2', 4096, [1, 2, 2 ** 31]]) {
      assert.ok('problem' in parseSysctl({ kind: 'sizes', unit: 'bytes' }, sizes), JSON.stringify(sizes));
    }
    for (const ports of ['60000 1024', '0 10', '1024 70000']) assert.ok('problem' in parseSysctl({ kind: 'ports' }, ports), ports);
  });
});

describe('the better of what is there and what is wanted', () => {
  const numbers = fc.integer({ min: 1, max: 3 }).chain((length) => {
    const one = fc.array(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), { minLength: length, maxLength: length });
    return fc.tuple(one, one);
  });

  test('takes nothing away, and is one of the two in every part', () => {
    for (const better of ['higher', 'lower', 'wider'] as const satisfies readonly Better[]) {
      fc.assert(
        fc.property(numbers, ([now, wanted]) => {
          const best = betterOf(better, now.join(' '), wanted.join(' ')).split(' ').map(BigInt);
          for (const [index, one] of best.entries()) {
            const up = better === 'higher' || (better === 'wider' && index > 0);
            const [have = 0n, want = 0n] = [now[index], wanted[index]];
            assert.ok(one === have || one === want);
            assert.ok(up ? one >= have : one <= have);
          }
        }),
      );
    }
  });

  test('of rising sizes rises too', () => {
    const sizes = fc
      .array(fc.integer({ min: 1, max: 2 ** 31 - 1 }), { minLength: 3, maxLength: 3 })
      .map((all) => all.toSorted((a, b) => a - b).join(' '));
    fc.assert(
      fc.property(sizes, sizes, (now, wanted) => {
        assert.ok('value' in parseSysctl({ kind: 'sizes', unit: 'bytes' }, betterOf('higher', now, wanted)));
      }),
    );
  });

  test('adds bits, and takes what is wanted where there is no order or no number', () => {
    assert.equal(betterOf('bits', '5', '2'), '7');
    assert.equal(betterOf('neither', '1', '0'), '0');
    assert.equal(betterOf('higher', 'unlimited', '5'), '5');
  });
});

describe('the settings', () => {
  test('have names of their own and all that is told of them', () => {
    const ids = SETTINGS.map(({ id }) => id);
    assert.deepEqual([...new Set(ids)], ids, 'no name twice');
    for (const { id, title, why, takes, sources, platforms } of SETTINGS) {
      assert.ok(title !== '' && takes !== '' && sources.length > 0 && platforms.length > 0, id);
      assert.match(why, /\.$/, id);
    }
  });

  test('say what is wrong with a value instead of failing', () => {
    for (const setting of SETTINGS) {
      for (const value of [null, undefined, Symbol.iterator.description, { a: { b: 1 } }, [[]], -5, '\u0000', 10n]) {
        const parsed = setting.parse(value);
        assert.ok('problem' in parsed ? parsed.problem !== '' : setting.write(parsed.value) !== undefined, setting.id);
      }
    }
  });

  test('are read again as they are written', () => {
    const examples: Readonly<Record<string, unknown>> = {
      ...Object.fromEntries(SYSCTLS.map((row: Sysctl) => [row.id, row.example])),
      'queue-discipline': 'fq',
      offloads: { gro: 'on', lro: 'off' },
      coalescing: { 'adaptive-rx': 'off', 'rx-usecs': 0 },
      rings: { rx: 4096, tx: 'max' },
      queues: 'cpus',
      rps: 'all',
      xps: '0-3',
      'irq-affinity': '2-5',
      'cpu-governor': 'performance',
      'cpu-latency': 1,
      'transparent-hugepages': { enabled: 'madvise', defrag: 'never' },
    };
    for (const setting of SETTINGS.filter(({ id }) => Object.hasOwn(examples, id))) {
      const parsed = setting.parse(examples[setting.id]);
      assert.ok('value' in parsed, `${setting.id}: ${JSON.stringify(parsed)}`);
      assert.deepEqual(setting.parse(setting.write(parsed.value)), parsed, setting.id);
    }
  });
});
