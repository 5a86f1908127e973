import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { ChangeDocument, PlanDocument, StatusDocument } from '../../../src/results/index.js';
import { CHANGES, IDLE, applyOwn, documentOf, journalOf, journals, onHost, refusal, whyNoTuneHost } from '../../lab/tune-lines.js';

describe('a journal that cannot be believed', { skip: whyNoTuneHost }, () => {
  for (const [how, damage] of [
    ['a value in its first line was edited', (text: string) => text.replace('4294967295', '429496')],
    ['a later line was edited', (text: string) => text.replace(/("type":"doing","step":)1/, '$12')],
    ['a line is missing', (text: string) => text.split('\n').toSpliced(2, 1).join('\n')],
    ['its beginning is missing', (text: string) => text.split('\n').slice(1).join('\n')],
    ['something stands behind it', (text: string) => `${text}and so on\n`],
    ['it is something else', () => '\u0000\u0001\u0002\n\n'],
  ] as const) {
    test(
      `is damaged (${how}): it is refused and explained, nothing is changed, and the status tells the rest`,
      onHost(async (host) => {
        await documentOf<ChangeDocument>(applyOwn(host));
        const path = journalOf(host);
        const text = readFileSync(path, 'utf8');
        assert.notEqual(damage(text), text);
        writeFileSync(path, damage(text));
        const at1 = await host.snapshot();
        for (const line of [
          ['rollback'],
          ['rollback', '--force'],
          ['rollback', '--all'],
          ['apply', 'keys', '--yes'],
          ['apply', '--continue'],
          ['confirm'],
        ]) {
          const said = await refusal(host.tune(...line), 3);
          assert.match(said, /journal \S+\.jsonl is damaged: [^]*nothing was changed/, line.join(' '));
        }
        const status = await documentOf<StatusDocument>(host.tune('status', '--json'), 3);
        assert.deepEqual([status.damaged?.length, status.changes.length, status.checks.length > 5], [1, 0, true]);
        assert.match((await host.tune('status')).stdout, /DAMAGED JOURNAL[^]*Journals that cannot be believed[^]*put it back by hand/);
        assert.equal((await documentOf<PlanDocument>(host.tune('plan', 'own', '--json'))).standing?.state, 'damaged');
        assert.deepEqual([await host.snapshot(), readFileSync(path, 'utf8')], [at1, damage(text)]);
        writeFileSync(path, text);
        await documentOf<ChangeDocument>(host.tune('rollback', '--json'));
      }),
    );
  }

  test(
    'a sound change beside a damaged journal is shown, and rolled back by its name alone',
    onHost(async (host) => {
      await documentOf<ChangeDocument>(host.tune('apply', 'keys', '--yes', '--json'));
      const { change = '' } = await documentOf<ChangeDocument>(applyOwn(host));
      const first = host.path(`${CHANGES}/${journals(host).find((name) => !name.startsWith(change)) ?? 'none'}`);
      appendFileSync(first, 'x\n');
      const status = await documentOf<StatusDocument>(host.tune('status', '--json'), 3);
      assert.deepEqual([status.changes.map(({ id }) => id), status.damaged?.length, status.drift], [[change], 1, []]);
      await refusal(host.tune('rollback'), 3);
      await documentOf<ChangeDocument>(host.tune('rollback', change, '--json'));
      assert.equal(await host.value(IDLE), '1');
    }),
  );

  test(
    'a line that a crash tore is taken as never written; a copied or renamed journal is not believed',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      await documentOf<ChangeDocument>(applyOwn(host));
      const path = journalOf(host);
      copyFileSync(path, path.replace('-own-', '-other-'));
      assert.match(await refusal(host.tune('rollback'), 3), /the file was renamed or copied/);
      await host.sh(`rm ${CHANGES}/*-other-*`);
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, text.slice(0, -20));
      assert.equal((await documentOf<StatusDocument>(host.tune('status', '--json'), 1)).changes[0]?.state, 'applying');
      await documentOf<ChangeDocument>(host.tune('rollback', '--json'));
      assert.equal(await host.snapshot(), at0);
    }),
  );
});
