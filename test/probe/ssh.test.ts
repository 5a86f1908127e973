import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GREETED, HOME, SOCKET, failed, measure, median, reason, told, withSockets } from './ssh-bench.js';
import { SshServer, serveSsh } from './ssh-server.js';

describe('the phases of a fresh connection', () => {
  test('follow each other, with what the server is', async () => {
    const { found, details, servers } = await measure();
    assert.deepEqual(told(found), { 'ssh.connect': 'ok', 'ssh.banner': 'ok', 'ssh.kex': 'ok', ssh: 'ok', 'ssh.multiplexed': 'unchecked' });
    // One way is 5 ms: a round trip for the connection, one way for the greeting, one round trip after it for the keys.
    assert.ok(Math.abs(median(found, 'ssh.connect') - 10) < 1, `${median(found, 'ssh.connect')} ms`);
    assert.ok(median(found, 'ssh.banner') < 11, `${median(found, 'ssh.banner')} ms`);
    assert.ok(median(found, 'ssh.kex') >= 10 && median(found, 'ssh.kex') < 22, `${median(found, 'ssh.kex')} ms`);
    assert.ok(Math.abs(median(found, 'ssh') - 120) < 1);
    assert.deepEqual([found.get('ssh.kex')?.summary?.n, found.get('ssh')?.summary?.n, found.get('ssh.kex')?.provenance], [5, 3, 'simulated']);
    assert.deepEqual(
      [details.alias, details.host, details.port, details.user, details.software],
      ['beta', '10.0.0.2', 22, 'me', 'TestServer_1.0 for tests'],
    );
    assert.deepEqual(
      [details.kex, details.kexPreferred, details.hostKey, details.signature],
      ['curve25519-sha256', 'mlkem768x25519-sha256', 'ssh-ed25519', 'right'],
    );
    assert.match(details.fingerprint ?? '', /^SHA256:/);
    assert.ok(
      servers.every(({ goodbye }) => goodbye !== undefined),
      'the server is told that this was no login',
    );
  });

  test('the program is asked once how long it takes to start: that is the error of a login', async () => {
    const { found } = await measure();
    assert.equal(found.get('ssh')?.error?.value, 6);
  });

  test('a port that nobody listens on', async () => {
    const { found } = await measure({ server: 'none' });
    assert.deepEqual(told(found), { 'ssh.connect': 'refused', 'ssh.banner': 'unchecked', 'ssh.kex': 'unchecked', ssh: 'unchecked' });
    assert.match(reason(found, 'ssh.banner'), /^not reached: .*refuses/);
    assert.match(reason(found, 'ssh'), /^no login was tried: .*refuses/);
  });

  test('a server that never identifies itself', async () => {
    const { found, ran } = await measure({ server: 'mute', options: { timeoutMs: 400 } });
    assert.deepEqual(told(found), { 'ssh.connect': 'ok', 'ssh.banner': 'timeout', 'ssh.kex': 'unchecked', ssh: 'unchecked' });
    assert.match(reason(found, 'ssh.banner'), /accepted, but the server has not identified itself within 400 ms/);
    assert.ok(!ran.some(({ args }) => args.includes('true')), 'no login is tried where none can succeed');
  });

  test('a server that is slow to identify itself is timed, and the key exchange apart from it', async () => {
    const { found } = await measure({
      server: (connection) => {
        const server = new SshServer();
        void (async () => {
          const hello = await connection.read();
          // As long as a lookup of the client's name that nobody answers.
          await connection.read({ timeoutMs: 2000 });
          await connection.write(server.greeting());
          await connection.write(server.receive(hello ?? new Uint8Array(0)));
          for (let bytes = await connection.read(); bytes; bytes = await connection.read()) await connection.write(server.receive(bytes));
        })().catch(() => undefined);
      },
      options: { count: 2 },
    });
    assert.ok(median(found, 'ssh.banner') > 2000, `${median(found, 'ssh.banner')} ms`);
    assert.ok(median(found, 'ssh.kex') < 30, `${median(found, 'ssh.kex')} ms`);
  });

  test('a server of another protocol, and one that closes at once', async () => {
    const other = await measure({ server: (connection) => void connection.write(new TextEncoder().encode('220 mail ready\r\n'.repeat(80))) });
    assert.equal(other.found.get('ssh.banner')?.outcome, 'lost');
    assert.match(reason(other.found, 'ssh.banner'), /does not identify itself as SSH but says '220 mail ready/);
    const closing = await measure({ server: (connection) => connection.close() });
    assert.equal(closing.found.get('ssh.banner')?.outcome, 'lost');
    assert.match(reason(closing.found, 'ssh.banner'), /closed the connection before it had identified itself: .*MaxStartups/);
    const said = await measure({
      server: (connection) => void connection.write(new TextEncoder().encode('Too many users')).then(() => connection.close()),
    });
    assert.match(reason(said.found, 'ssh.banner'), /identified itself after it said 'Too many users'/);
  });

  test('a server that does not hold the key that it shows', async () => {
    const { found, details } = await measure({ server: { forges: true } });
    assert.equal(found.get('ssh.kex')?.outcome, 'lost');
    assert.match(reason(found, 'ssh.kex'), /signature of the key exchange is wrong/);
    assert.equal(found.get('ssh.banner')?.outcome, 'ok', 'the figures before it stand');
    assert.equal(details.signature, undefined);
  });

  test('connections that a busy server drops are counted, and the others stand', async () => {
    const { found } = await measure({
      server: (connection, number) => (number % 2 === 0 ? connection.close() : void serveSsh(connection)),
      options: { count: 6 },
    });
    assert.deepEqual([found.get('ssh.banner')?.outcome, found.get('ssh.banner')?.loss?.sent, found.get('ssh.banner')?.loss?.received], ['ok', 6, 3]);
    assert.match(reason(found, 'ssh.banner'), /3 of 6 identifications failed/);
    assert.deepEqual([found.get('ssh.kex')?.loss?.sent, found.get('ssh.kex')?.loss?.received], [3, 3]);
  });

  test('an abort in the middle keeps what was measured', async () => {
    const { found } = await measure({
      signal: (network) => {
        const stop = new AbortController();
        network.timeline.after(500e6, () => stop.abort());
        return stop.signal;
      },
    });
    assert.deepEqual([found.get('ssh.kex')?.outcome, found.get('ssh.kex')?.partial], ['ok', true]);
    assert.match(reason(found, 'ssh.kex'), /interrupted after \d of 5/);
    assert.equal(found.get('ssh')?.outcome, 'unchecked');
  });
});

describe('logins by the ssh program', () => {
  test('can ask nobody anything: no terminal, no window, no password', async () => {
    const { ran } = await measure({ script: { settings: [`controlpath ${SOCKET}`], masters: { [SOCKET]: GREETED } }, prepare: withSockets(SOCKET) });
    for (const { args, options } of ran) {
      assert.equal(options.terminal, 'none', args.join(' '));
      assert.deepEqual(
        Object.entries(options.environment ?? {}).map(([name, value]) => `${name}=${value}`),
        ['SSH_ASKPASS=undefined', 'SSH_ASKPASS_REQUIRE=never', 'DISPLAY=undefined', 'WAYLAND_DISPLAY=undefined'],
      );
    }
    const logins = ran.filter(({ args }) => args.at(-1) === 'true');
    assert.equal(logins.length, 6);
    for (const { args } of logins) {
      for (const needed of ['BatchMode=yes', 'NumberOfPasswordPrompts=0', 'ControlMaster=no', 'ClearAllForwardings=yes', 'UpdateHostKeys=no']) {
        assert.ok(args.includes(needed), `${needed} in ${args.join(' ')}`);
      }
      assert.deepEqual(args.slice(-3), ['--', 'beta', 'true']);
    }
  });

  test('with a port, a family and a configuration file are made with these', async () => {
    const { ran } = await measure({ target: 'beta:22', options: { family: 4, sshConfig: '/etc/own' } });
    for (const { args } of ran) assert.ok(args.join(' ').includes('-F /etc/own -4 -p 22 -- beta'), args.join(' '));
  });

  test('write no host key down where the configuration takes every one', async () => {
    const { ran } = await measure({ script: { settings: ['stricthostkeychecking accept-new', `userknownhostsfile ${HOME}/a ${HOME}/b`] } });
    const login = ran.find(({ args }) => args.at(-1) === 'true');
    assert.ok(login?.args.includes(`UserKnownHostsFile=/dev/null ${HOME}/a ${HOME}/b`));
  });

  const refusals: readonly { name: string; said: string; outcome: string; reason: RegExp }[] = [
    {
      name: 'an unknown host key',
      said: 'Host key verification failed.\r\n',
      outcome: 'unchecked',
      reason: /host key of beta is not known here yet.*'ssh beta'.*accept it/,
    },
    {
      name: 'a changed host key',
      said: '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n',
      outcome: 'refused',
      reason: /not the one on record for beta.*ssh-keygen -R 10\.0\.0\.2'/,
    },
    {
      name: 'no key that fits',
      said: 'me@10.0.0.2: Permission denied (publickey,password).\n',
      outcome: 'unchecked',
      reason: /without a password.*takes publickey,password.*ssh-copy-id beta/,
    },
    {
      name: 'a key that others may read',
      said: "@ WARNING: UNPROTECTED PRIVATE KEY FILE! @\nPermissions 0644 for '/k/id' are too open.\nme@x: Permission denied (publickey).\n",
      outcome: 'unchecked',
      reason: /passes over \/k\/id because others may read it.*chmod 600 \/k\/id/,
    },
    {
      name: 'a configuration that others may write',
      said: 'Bad owner or permissions on /home/me/.ssh/config\n',
      outcome: 'unchecked',
      reason: /chmod go-w \/home\/me\/\.ssh\/config/,
    },
    {
      name: 'something new',
      said: 'the moon is in the wrong house\u001b[2J\n',
      outcome: 'lost',
      reason: /'ssh beta' failed: the moon is in the wrong house \[2J$/,
    },
  ];
  for (const refusal of refusals) {
    test(`that fail for ${refusal.name} say so, are not repeated, and leave the other figures`, async () => {
      const { found, ran } = await measure({ script: { login: failed(refusal.said) } });
      assert.equal(found.get('ssh')?.outcome, refusal.outcome);
      assert.match(reason(found, 'ssh'), refusal.reason);
      assert.equal(ran.filter(({ args }) => args.at(-1) === 'true').length, 1);
      assert.equal(found.get('ssh.kex')?.outcome, 'ok');
    });
  }

  test('that do not end, without an ssh program, or not wanted', async () => {
    const hung = await measure({ script: { login: { outcome: 'timeout', stdout: '', stderr: '' } } });
    assert.deepEqual([hung.found.get('ssh')?.outcome, /within 5000 ms.*security key/.test(reason(hung.found, 'ssh'))], ['timeout', true]);
    const missing = await measure({ script: { missing: true }, target: '10.0.0.2' });
    assert.deepEqual(told(missing.found), { 'ssh.connect': 'ok', 'ssh.banner': 'ok', 'ssh.kex': 'ok', ssh: 'unsupported' });
    const none = await measure({ options: { logins: 0 } });
    assert.deepEqual([...none.found.keys()], ['ssh.connect', 'ssh.banner', 'ssh.kex']);
  });

  test('over another host are timed as a whole', async () => {
    const { found, details } = await measure({ script: { settings: ['proxyjump bastion'] }, server: 'none' });
    assert.deepEqual(told(found), { 'ssh.kex': 'unsupported', ssh: 'ok', 'ssh.multiplexed': 'unchecked' });
    assert.equal(details.proxy, 'ProxyJump bastion');
  });
});
