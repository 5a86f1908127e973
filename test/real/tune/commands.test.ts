import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import type { ChangeDocument, PlanDocument, StatusDocument, TuneListDocument } from '../../../src/results/index.js';
import { whyNoNamespaces } from '../../lab/namespaces.js';
import { asNobody } from '../../lab/nobody.js';
import { Program, installed, mustRun } from '../../lab/processes.js';
import type { Finished } from '../../lab/processes.js';
import { TAUTLINE } from '../../lab/tautline.js';
import { FOLDER, HOME, LAB, withTuneHost } from '../../lab/tune-host.js';
import type { TuneHost } from '../../lab/tune-host.js';

const missing = await Promise.all(
  ['ethtool', 'unshare', 'nsenter', 'setpriv', 'setsid', 'script'].map(async (name) => ((await installed(name)) ? [] : [name])),
);
const skip = (await whyNoNamespaces()) ?? (missing.flat().length === 0 ? false : `${missing.flat().join(', ')} is missing`);
const HOLD_LOCK = fileURLToPath(new URL('../../lab/hold-lock.js', import.meta.url));

const LOWAT = '/proc/sys/net/ipv4/tcp_notsent_lowat';
const IDLE = '/proc/sys/net/ipv4/tcp_slow_start_after_idle';
const ECN = '/proc/sys/net/ipv4/tcp_ecn';
const CHANGES = `${FOLDER}/changes`;

/** Nothing of it reaches beyond the network namespace and the private home; offloads of a virtual interface are left alone. */
const OWN = `title: Own
about: For one host.
risk: low
settings:
  net.ipv4.tcp_notsent_lowat: 131072
  net.ipv4.tcp_slow_start_after_idle: 0
  offloads: { gro: on }
  ssh-client: 10m
`;
const KEYS = `title: Keys
about: Two values.
risk: low
settings:
  net.ipv4.tcp_notsent_lowat: 131072
  net.ipv4.tcp_ecn: 1
`;

/** A host with profiles of its own. */
function onHost(work: (host: TuneHost) => Promise<void>): () => Promise<void> {
  return () =>
    withTuneHost(async (host) => {
      await host.sh(`mkdir -p ${HOME}/.config/tautline/profiles`);
      host.write(`${HOME}/.config/tautline/profiles/own.yaml`, OWN);
      host.write(`${HOME}/.config/tautline/profiles/keys.yaml`, KEYS);
      await work(host);
    });
}

let valid: ValidateFunction;

/** The document of a command that ends with `code`; what it prints is what its schema says. */
async function documentOf<D>(finished: Promise<Finished>, code = 0): Promise<D> {
  const { code: ended, stdout, stderr } = await finished;
  assert.equal(ended, code, stdout + stderr);
  const document: unknown = JSON.parse(stdout);
  assert.ok(valid(document), JSON.stringify(valid.errors));
  return document as D;
}

/** What a command says that does nothing: on stderr alone, in a sentence or two. */
async function refusal(finished: Promise<Finished>, code: number): Promise<string> {
  const { code: ended, stdout, stderr } = await finished;
  assert.deepEqual([ended, stdout], [code, ''], stderr);
  assert.doesNotMatch(stderr, /\n\s+at |Error:|\[object/);
  return stderr;
}

const journals = (host: TuneHost): string[] => readdirSync(host.path(CHANGES)).filter((name) => name.endsWith('.jsonl'));
const journalOf = (host: TuneHost): string => host.path(`${CHANGES}/${journals(host)[0] ?? 'none'}`);
const applyOwn = (host: TuneHost, ...more: readonly string[]): Promise<Finished> => host.tune('apply', 'own', '--yes', '--json', ...more);

/** Waits for what another process does in its own time. */
async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  for (const endMs = performance.now() + timeoutMs; !(await holds());) {
    assert.ok(performance.now() < endMs, `not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Process numbers inside of those whose command line has all of these words. */
async function processes(host: TuneHost, ...words: readonly string[]): Promise<string[]> {
  const list = await host.sh('ps -eo pid=,args= -ww');
  return list
    .split('\n')
    .filter((line) => words.every((word) => line.includes(word)))
    .map((line) => line.trim().split(/\s+/)[0] ?? '');
}
const guards = (host: TuneHost): Promise<string[]> => processes(host, 'main.js', 'tune guard');

before(async () => {
  if (skip !== false) return;
  valid = new Ajv({ allErrors: true }).compile(JSON.parse(await mustRun([...TAUTLINE, 'export', 'schema'])) as object);
});

describe('the lines of tuning, as they are typed', { skip }, () => {
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

describe('a change that must be confirmed', { skip }, () => {
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

describe('what goes wrong', { skip }, () => {
  test(
    'without root: the plan says what needs it, an apply does the rest, and root’s own changes are pointed at',
    onHost(async (host) => {
      await asNobody(async (argv) => {
        const home = `${LAB}/user`;
        await host.sh(`install -d -m 755 -o 65534 -g 65534 ${home}`);
        host.write(`${LAB}/own.yaml`, OWN);
        const user = (...args: readonly string[]): Promise<Finished> =>
          host.run([
            'env',
            '-u',
            'TAUTLINE_TUNE_FOLDER',
            ...argv(['tune', ...args]).map((word) => (word.startsWith('HOME=') ? `HOME=${home}` : word)),
          ]);
        const plan = await documentOf<PlanDocument>(user('plan', './own.yaml', '--json'));
        assert.deepEqual(
          plan.changes.map(({ setting, possible, needsRoot }) => [setting, possible, needsRoot]),
          [
            ['net.ipv4.tcp_notsent_lowat', false, true],
            ['net.ipv4.tcp_slow_start_after_idle', false, true],
            ['ssh-client', true, false],
          ],
        );
        const applied = await documentOf<ChangeDocument>(user('apply', './own.yaml', '--yes', '--json'));
        assert.deepEqual([applied.state, applied.notDone.map(({ reason }) => reason)], ['applied', ['virtual-device', 'needs-root', 'needs-root']]);
        assert.match(host.read(`${home}/.ssh/config`), /ControlPersist/);
        assert.equal(await host.sh(`stat -c %u:%g:%a ${home}/.ssh/config`), '65534:65534:600\n');
        const text = await user('apply', './own.yaml', '--yes');
        assert.equal(text.code, 1, text.stdout);
        assert.match(text.stdout, /2 settings may not be changed by this user/);
        await documentOf<ChangeDocument>(user('rollback', '--json'));
        assert.equal(await host.sh(`ls -A ${home} | grep -v local || true`), '');

        await mustRun(host.inside(['env', '-u', 'TAUTLINE_TUNE_FOLDER', ...TAUTLINE, 'tune', 'apply', 'keys', '--yes']));
        const status = await documentOf<StatusDocument>(user('status', '--json'));
        assert.match(status.notes?.join() ?? '', /root has a record of changes of its own in \/var\/lib\/tautline/);
        assert.match((await user('rollback')).stdout, /NOTHING TO DO[^]*root has a record of changes/);
        assert.equal(await host.value(LOWAT), '131072');
      });
    }),
  );

  test(
    'a home that is not writable hinders what is there, and nothing else',
    onHost(async (host) => {
      await asNobody(async (argv) => {
        host.write(`${LAB}/own.yaml`, OWN);
        await host.sh(`install -d -m 755 ${LAB}/roots`);
        const user = (...args: readonly string[]): Promise<Finished> =>
          host.run([
            'env',
            '-u',
            'TAUTLINE_TUNE_FOLDER',
            `XDG_STATE_HOME=${LAB}/none`,
            ...argv(['tune', ...args]).map((word) => (word.startsWith('HOME=') ? `HOME=${LAB}/roots` : word)),
          ]);
        const plan = await documentOf<PlanDocument>(user('plan', './own.yaml', '--json'));
        assert.deepEqual(
          plan.changes.filter(({ setting }) => setting === 'ssh-client').map(({ possible }) => possible),
          [false],
        );
        const applied = await documentOf<ChangeDocument>(user('apply', './own.yaml', '--yes', '--json'), 1);
        assert.equal(applied.state, 'nothing-to-do');
      });
    }),
  );

  test(
    'a read-only /proc/sys: values cannot be written and are told, files are changed all the same',
    onHost(async (host) => {
      await host.sh('mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys');
      const at0 = await host.snapshot();
      const plan = await documentOf<PlanDocument>(host.tune('plan', 'own', '--json'));
      assert.deepEqual(
        plan.notDone.map(({ reason }) => reason),
        ['read-only', 'read-only', 'virtual-device'],
      );
      assert.deepEqual((await documentOf<ChangeDocument>(host.tune('apply', 'keys', '--yes', '--json'), 1)).state, 'nothing-to-do');
      const applied = await documentOf<ChangeDocument>(applyOwn(host));
      assert.deepEqual([applied.state, (await host.value(LOWAT)) === '131072'], ['applied', false]);
      await documentOf<ChangeDocument>(host.tune('rollback', '--json'));
      assert.equal(await host.snapshot(), at0);
    }),
  );

  test(
    'values that become read-only after an apply are kept, told, and put back once they can be',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      await documentOf<ChangeDocument>(applyOwn(host));
      await host.sh('mount --bind /proc/sys /proc/sys; mount -o remount,ro,bind /proc/sys');
      const half = await documentOf<ChangeDocument>(host.tune('rollback', '--json'), 1);
      assert.deepEqual([half.state, half.steps.filter(({ outcome }) => outcome === 'failed').length], ['conflicted', 2]);
      await host.sh('umount /proc/sys');
      await documentOf<ChangeDocument>(host.tune('rollback', '--json'));
      assert.equal(await host.snapshot(), at0);
    }),
  );

  test(
    'a key that is gone since is drift, and the roll-back puts back the rest',
    onHost(async (host) => {
      await documentOf<ChangeDocument>(applyOwn(host));
      // As after another kernel: nothing is where the key was.
      await host.sh(`mkdir ${LAB}/ipv4; for key in /proc/sys/net/ipv4/*; do name=\${key##*/}
        if [ -f $key ] && [ $name != tcp_notsent_lowat ]; then ln -s ${LAB}/real/$name ${LAB}/ipv4/$name; fi; done
        mkdir ${LAB}/real; mount --bind /proc/sys/net/ipv4 ${LAB}/real; mount --bind ${LAB}/ipv4 /proc/sys/net/ipv4`);
      const status = await documentOf<StatusDocument>(host.tune('status', '--json'), 1);
      assert.deepEqual(
        status.drift.map(({ place, found }) => [place, found]),
        [['net.ipv4.tcp_notsent_lowat', 'nothing']],
      );
      const undone = await documentOf<ChangeDocument>(host.tune('rollback', '--json'));
      assert.deepEqual(
        undone.steps.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'undone'),
        ['gone'],
      );
      assert.equal(await host.value(IDLE), '1');
      const plan = await documentOf<PlanDocument>(host.tune('plan', 'own', '--json'));
      assert.deepEqual(
        plan.notDone.map(({ setting, reason }) => [setting, reason]),
        [
          ['net.ipv4.tcp_notsent_lowat', 'absent'],
          ['offloads', 'virtual-device'],
        ],
      );
    }),
  );

  test(
    'profiles that are wrong are named by file and line, with the nearest name that exists; nothing is changed',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      const wrong = async (text: string): Promise<string> => {
        host.write(`${LAB}/wrong.yaml`, text);
        const planned = await refusal(host.tune('plan', './wrong.yaml'), 2);
        assert.equal(await refusal(host.tune('apply', './wrong.yaml', '--yes'), 2), planned);
        return planned;
      };
      assert.match(
        await wrong(OWN.replace('notsent_lowat', 'notsent_lowatt')),
        /wrong\.yaml:5\b[^]*tcp_notsent_lowatt[^]*did you mean 'net\.ipv4\.tcp_notsent_lowat'/,
      );
      assert.match(await wrong(OWN.replace('131072', 'plenty')), /wrong\.yaml:5\b[^]*plenty|wrong\.yaml:5\b/);
      assert.match(await wrong(OWN.replace('{ gro: on }', '{ gro: perhaps }')), /wrong\.yaml:7\b/);
      assert.match(await wrong(OWN.replace('settings:', 'extends: modrate\nsettings:')), /wrong\.yaml:4\b[^]*moderate/);
      assert.match(await wrong(OWN.replace('title: Own', 'title: [Own')), /wrong\.yaml:\d+/);
      assert.match(await wrong(`${OWN}  net.ipv4.tcp_ecn: 1\n  net.ipv4.tcp_ecn: 2\n`), /wrong\.yaml:10\b/);
      assert.match(await refusal(host.tune('plan', 'moderat'), 2), /moderat[^]*did you mean 'moderate'/);
      assert.match(await refusal(host.tune('plan', './none.yaml'), 2), /none\.yaml/);
      assert.equal(await host.snapshot(), at0);
      await assert.rejects(host.sh(`test -e ${FOLDER}`), 'not even a folder');
    }),
  );

  test(
    'of two at once the second does nothing and names the process of the first',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      await host.sh(`mkdir -m 700 ${FOLDER} ${CHANGES}`);
      const holder = new Program(host.inside([process.execPath, HOLD_LOCK, `${FOLDER}/lock`]));
      try {
        await holder.until((output) => output.includes('held\n'));
        const [pid = 'none'] = await processes(host, 'hold-lock.js');
        assert.match(await refusal(host.tune('apply', 'own', '--yes', '--json'), 3), new RegExp(`process ${pid} is changing this host already`));
        assert.match(await refusal(host.tune('rollback'), 3), new RegExp(`process ${pid}\\b`));
        assert.equal((await host.tune('status')).code, 0, 'looking needs no lock');
        assert.equal(await host.snapshot(), at0);
      } finally {
        holder.kill('SIGKILL');
        await holder.finished;
      }
      await documentOf<ChangeDocument>(applyOwn(host));
    }),
  );

  test(
    'of two that start together one applies, and the other is refused or finds nothing to do',
    onHost(async (host) => {
      const both = await Promise.all([applyOwn(host), applyOwn(host)]);
      const codes = both.map(({ code }) => code);
      assert.ok(codes.includes(0), JSON.stringify(both));
      assert.ok(
        codes.every((code) => code === 0 || code === 2 || code === 3),
        JSON.stringify(both),
      );
      assert.equal(journals(host).length, 1);
      assert.equal((await host.tune('verify')).code, 0);
    }),
  );

  test(
    'a disk that is full while journalling: nothing is applied, and nothing stays',
    onHost(async (host) => {
      await host.sh(
        `mkdir -m 700 ${FOLDER}; mount -t tmpfs -o size=16k,mode=700 lab ${FOLDER}; mkdir -m 700 ${CHANGES}; cat /dev/zero > ${FOLDER}/fill || true`,
      );
      const at0 = await host.snapshot();
      assert.match(await refusal(applyOwn(host), 3), /disk is full/);
      assert.equal(await host.snapshot(), at0);
      assert.deepEqual(journals(host), []);
      await host.sh(`rm ${FOLDER}/fill`);
      await documentOf<ChangeDocument>(host.tune('apply', 'keys', '--yes', '--json'));
      await host.sh(`cat /dev/zero > ${FOLDER}/fill || true`);
      const at1 = await host.snapshot();
      assert.match((await host.tune('apply', 'own', '--yes', '--json')).stderr, /disk is full/);
      assert.equal(await host.snapshot(), at1);
      // The journal's last page may have room for what is to be recorded; else that is told, and done again.
      const { code, stderr } = await host.tune('rollback', '--json');
      assert.ok(code === 0 || code === 3, stderr);
      assert.equal(await host.snapshot(), at0, 'everything that can be put back is');
      await host.sh(`rm ${FOLDER}/fill`);
      await documentOf<ChangeDocument>(host.tune('rollback', '--json'));
      assert.equal(await host.snapshot(), at0);
    }),
  );

  for (const [how, damage] of [
    ['a value in its first line was edited', (text: string) => text.replace('4294967295', '429496')],
    ['a later line was edited', (text: string) => text.replace(/("type":"doing","step":)1/, '$12')],
    ['a line is missing', (text: string) => text.split('\n').toSpliced(2, 1).join('\n')],
    ['its beginning is missing', (text: string) => text.split('\n').slice(1).join('\n')],
    ['something stands behind it', (text: string) => `${text}and so on\n`],
    ['it is something else', () => '\u0000\u0001\u0002\n\n'],
  ] as const) {
    test(
      `a journal is damaged (${how}): it is refused and explained, nothing is changed, and the status tells the rest`,
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

  test(
    'an interrupted apply, by Ctrl-C or by a kill, leaves the host as it was or as it can be finished or undone',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
        const running = host.startTune('apply', 'own', '--yes', '--json', '--confirm-within', '5m');
        let pid = '';
        await running.until(async () => ([pid = ''] = await processes(host, 'main.js', 'tune apply')) && pid !== '', 40_000);
        // Its first line is on the disk, and the guard that comes before the first change takes a moment to start.
        await running.until(() => begun(host) > 0, 40_000);
        await host.run(['kill', `-${signal.slice(3)}`, pid]);
        const { code, stdout, stderr } = await running.finished;
        const status = await documentOf<StatusDocument>(host.tune('status', '--json'), signal === 'SIGKILL' ? 1 : 0);
        if (signal === 'SIGKILL') {
          assert.equal(status.changes[0]?.state, 'applying');
          const finished = await documentOf<ChangeDocument>(host.tune('apply', '--continue', '--json'));
          assert.ok(['awaiting-confirmation', 'applied'].includes(finished.state));
          assert.equal(await host.value(LOWAT), '131072');
          await documentOf<ChangeDocument>(host.tune('rollback', '--json'));
        } else {
          assert.equal(code, 130, stdout + stderr);
          assert.deepEqual(status.changes, []);
        }
        assert.equal(await host.snapshot(), at0, signal);
        await until('no guard is left', async () => (await guards(host)).length === 0);
        await host.sh(`rm -r ${FOLDER}`);
      }
    }),
  );

  test(
    'lines that make no sense are refused with what to type instead',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      for (const [line, said] of [
        [['apply'], /no profile given[^]*tune plan/],
        [['apply', 'own'], /no terminal to ask on[^]*--yes/],
        [['apply', 'own', '--yes', '--confirm-within', 'soon'], /--confirm-within[^]*60s/],
        [['apply', 'own', '--yes', '--confirm-within', '0s'], /from 1s to 24h/],
        [['apply', 'own', '--yes', '--confirm-within', '9d'], /from 1s to 24h|--confirm-within/],
        [['apply', '--continue', '--persist'], /--persist/],
        [['apply', '--continue'], /no change was interrupted/],
        [['plan', 'own', '--interface', 'path9'], /no interface 'path9'[^]*path0|path1/],
        [['plan', 'own', '--json', '--script'], /--script/],
        [['plan', 'own', '--jsn'], /--jsn[^]*--json/],
        [['rollback', 'nothing-like-it'], /no change 'nothing-like-it'[^]*tune status/],
        [['rollback', 'x', '--all'], /--all/],
        [['confirm'], /no change awaits confirmation/],
        [['confirm', 'x'], /no change/],
        [['undo'], /unknown command 'tune undo'/],
        [[], /no command given/],
        [['try', 'own'], /--target/],
        [['try', 'own', '--target', 'http://10.77.0.2/'], /URL/],
        [['try', 'own', '--target', '10.77.0.1:7', '--blocks', '0'], /--blocks/],
      ] as const) {
        assert.match(await refusal(host.tune(...line), 2), said, line.join(' '));
      }
      assert.equal(await host.snapshot(), at0);
      await assert.rejects(host.sh(`test -e ${FOLDER}`), 'nothing is left in the folder of journals');
    }),
  );

  test(
    'a try whose target does not answer, or that is interrupted, changes nothing and leaves nothing behind',
    onHost(async (host) => {
      const at0 = await host.snapshot();
      const { code, stdout, stderr } = await host.tune('try', 'keys', '--target', '10.77.0.1:7227', '--json');
      assert.equal(code, 3, stdout + stderr);
      assert.match(stderr + stdout, /10\.77\.0\.1/);
      assert.equal(await host.snapshot(), at0);
      await assert.rejects(host.sh(`test -e ${FOLDER}`), 'no folder');

      const serve = new Program(host.inside([...TAUTLINE, 'serve']));
      try {
        await serve.until((output) => output.includes(':7227'));
        const running = host.startTune('try', 'keys', '--target', '127.0.0.1:7227', '--json');
        await running.until(async () => (await host.value(ECN)) === '1' || (await host.value(LOWAT)) === '131072', 60_000);
        const [pid = ''] = await processes(host, 'main.js', 'tune try');
        await host.run(['kill', '-INT', pid]);
        const ended = await running.finished;
        assert.equal(ended.code, 130, ended.stderr);
        assert.equal(await host.snapshot(), at0);
        assert.equal((await documentOf<StatusDocument>(host.tune('status', '--json'))).changes.length, 0);
      } finally {
        await serve.stop();
      }
    }),
  );
});

/** How many changes were begun, where there may be no folder yet. */
function begun(host: TuneHost): number {
  try {
    return journals(host).filter((name) => readFileSync(host.path(`${CHANGES}/${name}`), 'utf8').includes('\n')).length;
  } catch {
    return 0;
  }
}
