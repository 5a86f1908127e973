import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createHostPorts } from '../../src/host/index.js';
import type { HostPorts } from '../../src/host/index.js';
import { sshProbe } from '../../src/probe/ssh.js';
import type { SshOptions } from '../../src/probe/ssh.js';
import type { Measurement, SshDetails } from '../../src/results/index.js';
import { Program, mustRun } from '../lab/processes.js';
import { listenOn, slowToGreet, socketFolder, whyNoSshd, withSshd } from '../lab/sshd.js';
import type { SshLab } from '../lab/sshd.js';
import { measureHere, metric } from '../loopback/probing.js';

const skip = (await whyNoSshd()) ?? false;
const median = (measurement: Measurement): number => measurement.summary?.median ?? Number.NaN;
const detailsOf = (measurements: readonly Measurement[]): SshDetails => Object.assign({}, ...measurements.map((each) => each.details)) as SshDetails;

describe('a real SSH server', { skip }, () => {
  let ports: HostPorts;
  before(() => {
    ports = createHostPorts({ logLevel: 'none' });
  });
  after(() => ports.close());

  /** Logs in as the lab's configuration says; its own and nobody else's files are used. */
  const measure = (lab: Pick<SshLab, 'configFile'>, options: Partial<SshOptions> & { target?: string } = {}): Promise<Measurement[]> => {
    const { target = 'beta', ...rest } = options;
    return measureHere(sshProbe, ports, { target, options: { intervalMs: 20, timeoutMs: 8000, sshConfig: lab.configFile, ...rest } });
  };
  const state = (measurements: readonly Measurement[]): string => measurements.map(({ metric: name, outcome }) => `${name} ${outcome}`).join(', ');

  test('is logged in at by key; the phases add up to less than the login, and the key is the one that ssh-keygen shows', async () => {
    await withSshd({}, async (lab) => {
      await lab.trust();
      const known = await readFile(lab.knownHosts, 'utf8');
      const found = await measure(lab);
      assert.equal(state(found), 'ssh.connect ok, ssh.banner ok, ssh.kex ok, ssh ok, ssh.multiplexed unchecked');
      const details = detailsOf(found);
      assert.deepEqual(
        [details.fingerprint, details.signature, details.hostKey, details.hostKeyBits],
        [lab.fingerprint, 'right', 'ssh-ed25519', 256],
      );
      assert.match(details.software ?? '', /^OpenSSH_/);
      const phases = ['ssh.connect', 'ssh.banner', 'ssh.kex'].reduce((sum, name) => sum + median(metric(found, name)), 0);
      const login = median(metric(found, 'ssh'));
      assert.ok(phases > 0 && phases < login, `phases ${phases} ms, login ${login} ms`);
      for (const name of ['ssh.connect', 'ssh.banner', 'ssh.kex', 'ssh'])
        assert.ok((metric(found, name).error?.value ?? 0) > 0, `${name} has an error of its own`);
      assert.deepEqual([metric(found, 'ssh').summary?.n, metric(found, 'ssh.kex').loss?.ratio], [3, 0]);
      assert.equal(await readFile(lab.knownHosts, 'utf8'), known, 'nothing is written down');
    });
  });

  for (const [hostKey, hostKeyBits, kex, type] of [
    ['ed25519', undefined, 'curve25519-sha256@libssh.org', 'ssh-ed25519'],
    ['ecdsa', 256, 'ecdh-sha2-nistp256', 'ecdsa-sha2-nistp256'],
    ['ecdsa', 384, 'ecdh-sha2-nistp384', 'ecdsa-sha2-nistp384'],
    ['ecdsa', 521, 'ecdh-sha2-nistp521', 'ecdsa-sha2-nistp521'],
    ['rsa', 2048, 'diffie-hellman-group14-sha256', 'ssh-rsa'],
    ['rsa', 3072, 'diffie-hellman-group16-sha512', 'ssh-rsa'],
  ] as const) {
    test(`with ${kex} and a host key of ${type} proves its key`, async () => {
      const bits = hostKeyBits === undefined ? {} : { hostKeyBits };
      await withSshd({ hostKey, ...bits, server: [`KexAlgorithms ${kex}`] }, async (lab) => {
        const found = await measure(lab, { logins: 0, count: 2 });
        assert.equal(state(found), 'ssh.connect ok, ssh.banner ok, ssh.kex ok', metric(found, 'ssh.kex').reason);
        const details = detailsOf(found);
        assert.deepEqual([details.kex, details.hostKey, details.signature, details.fingerprint], [kex, type, 'right', lab.fingerprint]);
        if (hostKeyBits !== undefined) assert.equal(details.hostKeyBits, hostKeyBits);
      });
    });
  }

  test('that has nothing in common with us is told, and ssh itself still logs in', async () => {
    await withSshd({ server: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'] }, async (lab) => {
      await lab.trust();
      const found = await measure(lab, { logins: 1 });
      assert.equal(metric(found, 'ssh.kex').outcome, 'lost');
      assert.match(metric(found, 'ssh.kex').reason ?? '', /no key exchange in common with us \(it offers sntrup761x25519-sha512@openssh\.com/);
      assert.deepEqual([metric(found, 'ssh.banner').outcome, metric(found, 'ssh').outcome], ['ok', 'ok']);
    });
  });

  test('with a running master answers commands over it, faster than a fresh login', async () => {
    await withSshd({}, async (lab) => {
      await lab.trust();
      const socket = join(await socketFolder(lab), 'cm-%r@%h:%p');
      await lab.configure('Host *', `  ControlPath ${socket}`, '  ControlPersist 10m', 'Host beta');
      const master = new Program(['ssh', '-F', lab.configFile, '-o', 'BatchMode=yes', '-NM', '-o', 'ControlPersist=no', 'beta']);
      try {
        const path = join(lab.folder, 'c', `cm-root@127.0.0.1:${lab.port}`);
        await master.until(() => exists(path));
        const found = await measure(lab);
        assert.deepEqual([metric(found, 'ssh').outcome, metric(found, 'ssh.multiplexed').outcome], ['ok', 'ok'], metric(found, 'ssh').reason);
        const [fresh, over] = [median(metric(found, 'ssh')), median(metric(found, 'ssh.multiplexed'))];
        assert.ok(over < fresh, `over the master ${over} ms, fresh ${fresh} ms`);
        assert.deepEqual(detailsOf(found).multiplexing, { configured: true, running: true, socket: path, persist: '600' });
        assert.ok(master.running, 'the master goes on');

        master.kill('SIGKILL');
        await master.finished;
        const later = await measure(lab, { count: 1, logins: 1 });
        assert.deepEqual(detailsOf(later).staleSockets, [path]);
        assert.match(metric(later, 'ssh').reason ?? '', /is gone: remove its socket with 'rm /);
        assert.deepEqual([metric(later, 'ssh').outcome, metric(later, 'ssh.multiplexed').outcome], ['ok', 'unchecked']);
        assert.ok(await exists(path), 'it is left for the person to remove');
      } finally {
        await master.stop();
      }
    });
  });

  test('with a key that others may read logs nobody in, and the key is named', async () => {
    await withSshd({}, async (lab) => {
      await lab.trust();
      await chmod(lab.privateKey, 0o644);
      const found = await measure(lab, { count: 1 });
      assert.equal(metric(found, 'ssh').outcome, 'unchecked');
      assert.match(metric(found, 'ssh').reason ?? '', /others may read it; take that away with 'chmod 600 /);
      assert.deepEqual(
        detailsOf(found)
          .keys?.map(({ path, fix }) => [path, fix])
          .filter(([path]) => path === lab.privateKey),
        [[lab.privateKey, `chmod 600 ${lab.privateKey}`]],
      );
      assert.equal(metric(found, 'ssh.kex').outcome, 'ok');
    });
  });

  test('whose key is not known, is another than the known one, or is taken untried', async () => {
    await withSshd({}, async (lab) => {
      const unknown = await measure(lab, { count: 1 });
      assert.match(metric(unknown, 'ssh').reason ?? '', /host key of beta is not known here yet/);
      await lab.configure('Host *', '  StrictHostKeyChecking accept-new', 'Host beta');
      const taken = await measure(lab, { count: 1, logins: 1 });
      assert.equal(metric(taken, 'ssh').outcome, 'ok', metric(taken, 'ssh').reason);
      assert.equal(await exists(lab.knownHosts), false, 'a measurement accepts no key for the person');
      await lab.configure();
      await writeFile(lab.knownHosts, `[127.0.0.1]:${lab.port} ${(await readFile(`${lab.privateKey}.pub`, 'utf8')).trim()}\n`);
      const changed = await measure(lab, { count: 1 });
      assert.equal(metric(changed, 'ssh').outcome, 'refused');
      const said = metric(changed, 'ssh').reason ?? '';
      assert.match(said, /not the one on record/);
      // What it advises does what it says.
      const [, record = ''] = /ssh-keygen -R ['"]?(\[[^\]]+\]:\d+)/.exec(said) ?? [];
      await mustRun(['ssh-keygen', '-f', lab.knownHosts, '-R', record]);
      assert.equal((await readFile(lab.knownHosts, 'utf8')).trim(), '');
    });
  });

  test('that wants a password asks nobody for it, and says what it takes', async () => {
    await withSshd({ server: ['PubkeyAuthentication no', 'PasswordAuthentication yes', 'PermitRootLogin yes'] }, async (lab) => {
      await lab.trust();
      const asked = join(lab.folder, 'asked');
      const helper = join(lab.folder, 'ask');
      await writeFile(helper, `#!/bin/sh\ntouch ${asked}\necho secret\n`, { mode: 0o700 });
      const before = { ...process.env };
      Object.assign(process.env, { SSH_ASKPASS: helper, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':9' });
      try {
        const found = await measure(lab, { count: 1 });
        assert.equal(metric(found, 'ssh').outcome, 'unchecked');
        assert.match(metric(found, 'ssh').reason ?? '', /no login without a password: .*takes password/);
        // The ssh that a jump starts hears nothing of BatchMode.
        await lab.configure('Host behind', '  HostName 127.0.0.1', `  ProxyCommand ssh -F ${lab.configFile} -W %h:%p beta`);
        const jumped = await measure(lab, { target: 'behind', count: 1 });
        assert.equal(state(jumped).split(', ')[0], 'ssh.kex unsupported');
        assert.notEqual(metric(jumped, 'ssh').outcome, 'ok');
      } finally {
        for (const name of ['SSH_ASKPASS', 'SSH_ASKPASS_REQUIRE', 'DISPLAY']) {
          if (before[name] === undefined) delete process.env[name];
          else process.env[name] = before[name];
        }
      }
      assert.equal(await exists(asked), false, 'no program was started to ask');
    });
  });

  test('that is slow to greet is timed apart from its key exchange', async () => {
    await withSshd({}, async (lab) => {
      const relay = await slowToGreet(lab.port, 1200);
      try {
        const found = await measure(lab, { target: `127.0.0.1:${relay.port}`, logins: 0, count: 2 });
        assert.ok(median(metric(found, 'ssh.banner')) > 1200, `${median(metric(found, 'ssh.banner'))} ms`);
        assert.ok(median(metric(found, 'ssh.kex')) < 1000, `${median(metric(found, 'ssh.kex'))} ms`);
        assert.ok(median(metric(found, 'ssh.connect')) < 1000);
      } finally {
        await relay.close();
      }
    });
  });

  test('that is none: closed, silent, noisy, or of another protocol', async () => {
    const config = { configFile: '/dev/null' };
    const closed = await listenOn(() => undefined);
    await closed.close();
    const refused = await measure(config, { target: `127.0.0.1:${closed.port}`, count: 1 });
    assert.equal(metric(refused, 'ssh.connect').outcome, 'refused');
    const silent = await listenOn((socket) => socket.resume());
    const noisy = await listenOn((socket) => socket.write(randomBytes(40_000)));
    const other = await listenOn((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    try {
      const mute = await measure(config, { target: `127.0.0.1:${silent.port}`, count: 1, timeoutMs: 500 });
      assert.deepEqual([metric(mute, 'ssh.connect').outcome, metric(mute, 'ssh.banner').outcome], ['ok', 'timeout']);
      for (const { port } of [noisy, other]) {
        const found = await measure(config, { target: `127.0.0.1:${port}`, count: 1, timeoutMs: 2000 });
        assert.equal(metric(found, 'ssh.banner').outcome, 'lost', metric(found, 'ssh.banner').reason);
      }
    } finally {
      for (const server of [silent, noisy, other]) await server.close();
    }
  });
});

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
