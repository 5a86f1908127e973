import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChangeDocument, PlanDocument, StatusDocument, TuneListDocument } from '../../../src/results/index.js';
import { Program } from '../../lab/processes.js';
import { TAUTLINE } from '../../lab/tautline.js';
import { HOME, LAB } from '../../lab/tune-host.js';
import type { TuneHost } from '../../lab/tune-host.js';
import { IDLE, KEYS, LOWAT, applyOwn, documentOf, guards, onHost, processes, refusal, until, whyNoTuneHost } from '../../lab/tune-lines.js';

describe('the lines of tuning, as they are typed', { skip: whyNoTuneHost }, () => {
  test(
    'list, plan, apply, status, verify, rollback: each tells what it did, and at the end the host is as it was to the byte',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      const list = await documentOf<TuneListDocument>(host.tune('list', '--json'));
      assert.ok(list.profiles.some(({ name }) => name === 'own') && list.profiles.filter(({ advised }) => advised !== undefined).length === 1);
      const plan = await documentOf<PlanDocument>(host.tune('plan', 'own', '--json'));
      assert.deepEqual(
        plan.changes.map(({ setting, possible }) => [setting, possible]),
        [
          ['net.ipv4.tcp_notsent_lowat', true],
          ['net.ipv4.tcp_slow_start_after_idle', true],
          ['ssh-client', true],
        ],
      );
      // The default of the advised profile is shown and never made here.
      await documentOf<PlanDocument>(host.tune('plan', '--json'));
      assert.equal(await host.snapshot(), at0, 'planning changes nothing');

      const applied = await documentOf<ChangeDocument>(applyOwn(host));
      assert.deepEqual([applied.state, applied.persisted, applied.notDone.map(({ reason }) => reason)], ['applied', false, ['virtual-device']]);
      assert.deepEqual([await host.value(LOWAT), await host.value(IDLE)], ['131072', '0']);
      assert.match(host.read(`${HOME}/.ssh/config`), /ControlPersist 10m/);
      const at1 = await host.snapshot();

      const again = await documentOf<ChangeDocument>(applyOwn(host));
      assert.deepEqual([again.state, again.change, again.verdict.outcome], ['nothing-to-do', undefined, 'pass']);
      assert.equal((await documentOf<StatusDocument>(host.tune('status', '--json'))).verdict.outcome, 'pass');
      assert.equal((await documentOf<StatusDocument>(host.tune('verify', '--json'))).changes[0]?.id, applied.change);
      assert.equal(await host.snapshot(), at1, 'looking changes nothing');

      const undone = await documentOf<ChangeDocument>(host.tune('rollback', '--json'));
      assert.deepEqual([undone.state, undone.change], ['rolled-back', applied.change]);
      assert.equal(await host.snapshot(), at0);
      assert.deepEqual((await documentOf<StatusDocument>(host.tune('status', '--json'))).changes, []);
      const nothing = await documentOf<ChangeDocument>(host.tune('rollback', '--json'));
      assert.deepEqual([nothing.state, nothing.verdict.outcome], ['nothing-to-do', 'pass']);
    }),
  );

  test(
    'drift is told by exit code 1; what somebody else changed is kept, and put back by force',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      const { change = '' } = await documentOf<ChangeDocument>(applyOwn(host));
      await host.setValue(LOWAT, '65536');
      const status = await documentOf<StatusDocument>(host.tune('status', '--json'), 1);
      assert.deepEqual(
        status.drift.map(({ applied, found }) => [applied, found]),
        [['131072', '65536']],
      );
      assert.match((await host.tune('verify')).stdout, /^DRIFT: one of the places that were changed no longer holds/m);
      const conflict = await documentOf<ChangeDocument>(host.tune('rollback', change.slice(0, 18), '--json'), 1);
      assert.deepEqual([conflict.state, conflict.steps.filter(({ outcome }) => outcome === 'conflict').length], ['conflicted', 1]);
      assert.deepEqual([await host.value(LOWAT), await host.value(IDLE)], ['65536', '1']);
      await documentOf<ChangeDocument>(host.tune('rollback', change, '--force', '--json'));
      assert.equal(await host.snapshot(), at0);
    }),
  );

  test(
    'several changes are put back together, the newest first, and an older one of the same place waits for the newer',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      const first = await documentOf<ChangeDocument>(host.tune('apply', 'keys', '--yes', '--json'));
      host.write(`${LAB}/more.yaml`, KEYS.replace('131072', '65536').replace('risk: low', 'risk: low\nexact: true'));
      await documentOf<ChangeDocument>(host.tune('apply', './more.yaml', '--yes', '--json'));
      assert.equal(await host.value(LOWAT), '65536');
      const kept = await documentOf<ChangeDocument>(host.tune('rollback', first.change ?? '', '--json'), 1);
      assert.match(kept.steps.find(({ outcome }) => outcome === 'conflict')?.why ?? '', /later change .* roll that one back first/);
      assert.equal(await host.value(LOWAT), '65536');
      await documentOf<ChangeDocument>(host.tune('rollback', '--all', '--json'));
      assert.equal(await host.snapshot(), at0);
    }),
  );

  test(
    '--persist writes files of its own, also for what an earlier apply has changed already, and a roll-back leaves none of them',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      await documentOf<ChangeDocument>(host.tune('apply', 'keys', '--yes', '--json'));
      const kept = await documentOf<ChangeDocument>(host.tune('apply', 'keys', '--yes', '--persist', '--json'));
      assert.deepEqual([kept.state, kept.persisted], ['applied', true]);
      assert.match(host.read('/etc/sysctl.d/90-tautline.conf'), /^net\.ipv4\.tcp_notsent_lowat *= *131072$/m);
      assert.match(host.read('/etc/sysctl.d/90-tautline.conf'), /^net\.ipv4\.tcp_ecn *= *1$/m);
      await documentOf<ChangeDocument>(host.tune('rollback', '--all', '--json'));
      assert.equal(await host.snapshot(), at0);
    }),
  );

  test(
    'the shell script of a plan does and undoes what the engine does, and its status tells which',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      const { stdout, code } = await host.tune('plan', 'own', '--script');
      assert.equal(code, 0);
      host.write(`${LAB}/plan.sh`, stdout);
      const look = async (): Promise<string> => (await host.snapshot()).replace(/^.*(?:tautline-script| \d+\.\d+$).*\n/gm, '');
      assert.match(await host.sh(`sh ${LAB}/plan.sh status`), /not applied/);
      await host.sh(`sh ${LAB}/plan.sh apply`);
      const byScript = await look();
      assert.deepEqual([await host.value(LOWAT), await host.value(IDLE)], ['131072', '0']);
      assert.match(await host.sh(`sh ${LAB}/plan.sh status`), /^as applied: /m);
      await host.sh(`sh ${LAB}/plan.sh undo`);
      assert.equal(await host.snapshot(), at0);
      await documentOf<ChangeDocument>(applyOwn(host));
      assert.equal(await look(), byScript);
      await documentOf<ChangeDocument>(host.tune('rollback', '--json'));
      assert.equal(await host.snapshot(), at0);
    }),
  );
});

describe('a change that must be confirmed', { skip: whyNoTuneHost }, () => {
  const within = (host: TuneHost, time: string, ...more: readonly string[]): Promise<ChangeDocument> =>
    documentOf<ChangeDocument>(host.tune('apply', 'own', '--yes', '--confirm-within', time, '--json', ...more));

  test(
    'is undone when nobody does, and nothing of it runs on',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      const { state, confirmBefore } = await within(host, '3s');
      assert.deepEqual([state, confirmBefore !== undefined, await host.value(LOWAT)], ['awaiting-confirmation', true, '131072']);
      assert.equal((await guards(host)).length, 1);
      await until('the guard undoes it and ends', async () => (await guards(host)).length === 0);
      assert.equal(await host.snapshot(), at0);
      assert.match(await refusal(host.tune('confirm', '--json'), 2), /no change awaits confirmation/);
      assert.equal(await host.snapshot(), at0);
    }),
  );

  test(
    'is kept when somebody does in time, and the guard ends',
    onHost(async (host) => {
      const { change } = await within(host, '5m');
      const waiting = await documentOf<StatusDocument>(host.tune('status', '--json'));
      assert.deepEqual([waiting.changes[0]?.state, waiting.changes[0]?.confirmBefore !== undefined], ['awaiting-confirmation', true]);
      const confirmed = await documentOf<ChangeDocument>(host.tune('confirm', '--json'));
      assert.deepEqual([confirmed.state, confirmed.change], ['applied', change]);
      await until('the guard ends', async () => (await guards(host)).length === 0);
      assert.equal(await host.value(LOWAT), '131072');
    }),
  );

  for (const [how, signal] of [
    ['hung up', 'HUP'],
    ['killed with all that belongs to it', 'KILL'],
  ] as const) {
    test(
      `is undone though the session that made it is ${how}, terminal and all`,
      onHost(async (host) => {
        const at0 = await host.snapshot();
        // `script` gives it a terminal of its own, as a login has, and the shell stays as the head of its session.
        const line = `${TAUTLINE.join(' ')} tune apply own --yes --confirm-within 6s; echo APPLIED; sleep 300`;
        const login = new Program(host.inside(['script', '-qec', line, '/dev/null']));
        try {
          await login.until((output) => output.includes('APPLIED'), 40_000);
          const [guard] = await guards(host);
          assert.ok(guard !== undefined, 'a guard runs');
          // A terminal that is closed hangs up whoever it controls; then the rest of the session.
          const sessions = (await host.sh('ps -eo sid=,pid=,args= -ww')).split('\n').map((each) => each.trim().split(/\s+/));
          const session = sessions.find((words) => words.includes('300'))?.[0] ?? '';
          assert.notEqual(session, '', 'the session of the login');
          assert.equal(
            sessions.some(([sid, pid]) => sid === session && pid === guard),
            false,
            'the guard is in a session of its own',
          );
          for (const [sid, pid = ''] of sessions) if (sid === session && pid !== '') await host.run(['kill', `-${signal}`, pid]);
          for (const pid of await processes(host, 'script', '-qec')) await host.run(['kill', '-KILL', pid]);
          await login.finished;
          assert.deepEqual([await guards(host), await host.value(LOWAT)], [[guard], '131072']);
          await until('the guard undoes it', async () => (await guards(host)).length === 0);
          assert.equal(await host.snapshot(), at0);
        } finally {
          await login.stop();
        }
      }),
    );
  }

  test(
    'is undone by the next command that writes when the guard was killed too',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      await within(host, '3s');
      for (const pid of await guards(host)) await host.sh(`kill -KILL ${pid}`);
      await until('its time is over', async () => (await host.tune('verify')).code === 1);
      const late = await refusal(host.tune('confirm', '--json'), 2);
      assert.match(late, /was not confirmed before .*, and was rolled back/);
      assert.equal(await host.snapshot(), at0);
      await within(host, '3s');
      for (const pid of await guards(host)) await host.sh(`kill -KILL ${pid}`);
      await until('its time is over', async () => (await host.tune('verify')).code === 1);
      await documentOf<ChangeDocument>(host.tune('apply', 'keys', '--yes', '--json'));
      assert.deepEqual([await host.value(LOWAT), await host.value(IDLE)], ['131072', '1']);
    }),
  );

  test(
    'outlives a boot only once it is confirmed',
    onHost(async (host) => {
      const file = '/etc/sysctl.d/90-tautline.conf';
      const waiting = await within(host, '5m', '--persist');
      assert.ok(waiting.steps.some(({ outcome, place }) => outcome === 'waiting' && place === file));
      await assert.rejects(host.sh(`test -e ${file}`));
      const confirmed = await documentOf<ChangeDocument>(host.tune('confirm', '--json'));
      assert.equal(confirmed.persisted, true);
      assert.match(host.read(file), /tcp_notsent_lowat/);
    }),
  );

  test(
    'keeps the next change out until it is decided',
    onHost(async (host) => {
      await within(host, '5m');
      const said = await refusal(host.tune('apply', 'keys', '--yes', '--json'), 2);
      assert.match(said, /awaits its confirmation[^]*tune rollback[^]*tune confirm/);
      await documentOf<ChangeDocument>(host.tune('rollback', '--json'));
      await until('the guard ends', async () => (await guards(host)).length === 0);
    }),
  );
});
