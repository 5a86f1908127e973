import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ChangeDocument, PlanDocument, StatusDocument } from '../../../src/results/index.js';
import { asNobody } from '../../lab/nobody.js';
import { Program, mustRun } from '../../lab/processes.js';
import type { Finished } from '../../lab/processes.js';
import { TAUTLINE } from '../../lab/tautline.js';
import { FOLDER, LAB } from '../../lab/tune-host.js';
import {
  ECN,
  CHANGES,
  IDLE,
  LOWAT,
  OWN,
  applyOwn,
  begun,
  documentOf,
  guards,
  journals,
  onHost,
  processes,
  refusal,
  until,
  whyNoTuneHost,
} from '../../lab/tune-lines.js';

const HOLD_LOCK = fileURLToPath(new URL('../../lab/hold-lock.js', import.meta.url));

describe('what goes wrong', { skip: whyNoTuneHost }, () => {
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
