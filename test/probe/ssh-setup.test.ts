import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GREETED, HOME, SOCKET, failed, measure, median, reason, withSockets } from './ssh-bench.js';

describe('what ssh keeps on this host', () => {
  const configured = [`controlpath ${SOCKET}`, 'controlmaster auto', 'controlpersist 600'];

  test('a running master is used, by its own socket and nothing else', async () => {
    const odd = `${HOME}/.ssh/100%-me@10.0.0.2:22`;
    const { found, ran, details } = await measure({
      script: { settings: [`controlpath ${odd}`, 'controlpersist 600'], masters: { [odd.replace('%', '%%')]: GREETED } },
      prepare: withSockets(odd),
    });
    assert.deepEqual([found.get('ssh.multiplexed')?.outcome, median(found, 'ssh.multiplexed')], ['ok', 30]);
    const over = ran.filter(({ args }) => args.at(-1) === 'true' && args.includes(`ControlPath=${odd.replace('%', '%%')}`));
    assert.equal(over.length, 3);
    for (const { args } of over) assert.ok(args.includes('ProxyCommand=false'), 'a master that has gone must not become a login');
    assert.deepEqual(details.multiplexing, { configured: true, running: true, socket: odd, persist: '600' });
  });

  test('without a master, and without multiplexing, it is said how to have one', async () => {
    const idle = await measure({ script: { settings: configured } });
    assert.match(reason(idle.found, 'ssh.multiplexed'), /set up \(.*\), but no master is running: 'ssh -fNM beta'/);
    const plain = await measure();
    assert.match(reason(plain.found, 'ssh.multiplexed'), /not set up: .*ControlPath/);
    assert.deepEqual(plain.details.multiplexing, { configured: false, running: false });
  });

  test("sockets of masters that are gone are named with the command that removes them, those of other hosts' too, and strangers' left alone", async () => {
    const other = `${HOME}/.ssh/cm-you@10.0.0.3:22`;
    const strangers = `${HOME}/.ssh/agent.sock`;
    const gone = failed(`Control socket connect(x): Connection refused`);
    const { found, details, ran } = await measure({
      script: { settings: configured, masters: { [SOCKET]: gone, [other]: gone, [strangers]: gone } },
      prepare: withSockets(SOCKET, other, strangers),
    });
    assert.deepEqual(details.staleSockets, [SOCKET, other]);
    assert.match(reason(found, 'ssh'), /master of .*cm-you@10\.0\.0\.3:22 is gone: remove its socket with 'rm /);
    assert.ok(!ran.some(({ args }) => args.includes(`ControlPath=${strangers}`)));
    assert.equal(details.multiplexing?.running, false);
  });

  test('a master that hangs is told from one that is gone', async () => {
    const { found, details } = await measure({
      script: { settings: configured, masters: { [SOCKET]: { outcome: 'timeout', stdout: '', stderr: '' } } },
      prepare: withSockets(SOCKET),
    });
    assert.deepEqual(details.staleSockets, []);
    assert.match(reason(found, 'ssh'), /does not answer: end it with 'ssh -O exit/);
  });

  test('keys and their folder that others may use are named with the command that closes them', async () => {
    const { found, details } = await measure({
      script: {
        settings: [
          'identityfile ~/.ssh/id_open',
          'identityfile ~/.ssh/id_good',
          'identityfile ~/.ssh/id_theirs',
          'identityfile ~/.ssh/agent.pub',
          'identityfile ~/.ssh/none',
          'compression yes',
        ],
      },
      prepare: (network) => {
        const { files } = network.host('client');
        const at = (name: string, mode: number, ownerId = 1000): void => {
          void files.writeText(`${HOME}/.ssh/${name}`, 'key');
          files.describe(`${HOME}/.ssh/${name}`, { mode, ownerId });
        };
        at('id_open', 0o640);
        at('id_good', 0o600);
        at('id_theirs', 0o600, 1001);
        at('agent.pub', 0o644);
        files.describe(`${HOME}/.ssh`, { mode: 0o775, ownerId: 1000 });
      },
    });
    assert.deepEqual(details.keys, [
      {
        path: `${HOME}/.ssh/id_open`,
        problem: 'may be read or written by others (mode 0640), so ssh does not use it',
        fix: `chmod 600 ${HOME}/.ssh/id_open`,
      },
      { path: `${HOME}/.ssh/id_good` },
      {
        path: `${HOME}/.ssh/id_theirs`,
        problem: 'belongs to the user with id 1001, not to you (1000)',
        fix: `sudo chown 1000 ${HOME}/.ssh/id_theirs`,
      },
      { path: `${HOME}/.ssh`, problem: 'may be written by others (mode 0775): they could change what ssh does', fix: `chmod 700 ${HOME}/.ssh` },
    ]);
    assert.match(reason(found, 'ssh'), /compression is on: on a fast network it only slows down/);
    assert.equal(found.get('ssh')?.outcome, 'ok');
    assert.equal(details.compression, true);
  });
});
