import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import type { Names } from '../../src/base/index.js';
import { UdpResponder, limitsOf } from '../../src/serve/index.js';
import { SimNetwork, parseScenario } from '../../src/sim/index.js';
import type { HostSpec, Scenario } from '../../src/sim/index.js';
import { decodeServerDatagram, encodeHello } from '../../src/wire/index.js';
import { ECHO, exchange, pair } from './pair.js';

describe('scenarios', () => {
  const good = { hosts: { a: { addresses: ['10.0.0.1'] }, b: { addresses: ['10.0.0.2'] } }, paths: [{ from: 'a', to: 'b', delayMs: 1 }] };
  const errorOf = (input: unknown): TautlineError => {
    try {
      new SimNetwork(parseScenario(input)).host('a');
      return new TautlineError('usage', 'accepted');
    } catch (error) {
      assert.ok(error instanceof TautlineError);
      return error;
    }
  };

  test('plain data is a scenario', () => {
    assert.deepEqual(parseScenario(JSON.parse(JSON.stringify(good))), good);
  });

  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ['not an object', 7, /Expected Object/],
    ['no hosts', { paths: [] }, /hosts/],
    ['an unknown key', { ...good, paths: [{ from: 'a', to: 'b', latency: 3 }] }, /latency/],
    ['a negative delay', { ...good, paths: [{ from: 'a', to: 'b', delayMs: -1 }] }, /paths\.0\.delayMs/],
    ['a loss above one', { ...good, paths: [{ from: 'a', to: 'b', loss: 1.5 }] }, /paths\.0\.loss/],
    ['no rate at all', { ...good, paths: [{ from: 'a', to: 'b', rateBps: 0 }] }, /paths\.0\.rateBps/],
    ['an address that is none', { ...good, hosts: { a: { addresses: ['everywhere'] } } }, /not an IP address/],
    ['a path to nobody', { ...good, paths: [{ from: 'a', to: 'c' }] }, /'c'/],
    ['two paths between the same', { ...good, paths: [...good.paths, { from: 'b', to: 'a' }] }, /two paths/],
    ['two hosts with one address', { ...good, hosts: { a: { addresses: ['10.0.0.1'] }, b: { addresses: ['10.0.0.1'] } } }, /two hosts/],
    ['an event for nobody', { ...good, events: [{ atMs: 1, kill: 'c' }] }, /no host 'c'/],
    ['a port outside its range', { ...good, hosts: { ...good.hosts, c: { addresses: [], services: [{ kind: 'tcp-echo', port: 70_000 }] } } }, /port/],
  ];
  for (const [what, input, message] of bad) {
    test(`${what} is refused by name`, () => assert.match(errorOf(input).message, message));
  }

  test('an address of several wins over its host: two paths to one host', async () => {
    const network = new SimNetwork({
      hosts: {
        a: { addresses: ['10.0.0.1', '10.1.0.1'] },
        b: { addresses: ['10.0.0.2', '10.1.0.2'], services: [{ kind: 'tcp-discard', port: 9 }] },
      },
      paths: [
        { from: 'a', to: 'b', delayMs: 30 },
        { from: '10.1.0.1', to: '10.1.0.2', delayMs: 2 },
      ],
    });
    const took = async (host: string) => {
      const made = await network.run(network.ports('a').streams.connect({ remote: { host, port: 9, family: 4 }, timeoutMs: 1000 }));
      return [made.connectMs, made.outcome === 'ok' ? made.connection.local.host : ''];
    };
    assert.deepEqual(await took('10.0.0.2'), [60, '10.0.0.1']);
    assert.deepEqual(await took('10.1.0.2'), [4, '10.1.0.1']);
  });

  test('IPv6 alone works as well', async () => {
    const network = new SimNetwork({
      hosts: { a: { addresses: ['2001:db8::1'] }, b: { addresses: ['2001:db8::2'], services: [{ kind: 'udp-echo', port: 7 }] } },
      paths: [{ from: 'a', to: 'b', delayMs: 3 }],
    });
    assert.equal((await exchange(network, { count: 3 }, { host: '2001:db8::2', port: 7, family: 6 })).received, 3);
    assert.equal(
      (await network.run(network.ports('a').streams.connect({ remote: { host: '10.0.0.2', port: 1, family: 4 }, timeoutMs: 10 }))).outcome,
      'unreachable',
    );
  });
});

describe('names', () => {
  const world = (a: Partial<HostSpec>, dns: Partial<HostSpec> = {}, path = { delayMs: 4 }): SimNetwork =>
    new SimNetwork({
      hosts: {
        a: { addresses: ['10.0.0.1'], resolvers: ['10.0.0.53'], ...a },
        dns: { addresses: ['10.0.0.53'], services: [{ kind: 'dns', answerMs: 2 }], ...dns },
      },
      paths: [{ from: 'a', to: 'dns', ...path }],
      names: { 'Both.example': ['192.0.2.1', '2001:db8::1'], 'old.example': ['192.0.2.2'] },
    } satisfies Scenario);
  const lookup = (network: SimNetwork, name: string, options: Partial<Parameters<Names['lookup']>[1]> = {}) =>
    network.run(network.ports('a').names.lookup(name, { timeoutMs: 20_000, ...options }));

  test('a resolver is asked over the path, and its time counts', async () => {
    assert.deepEqual(await lookup(world({}), 'both.example'), {
      outcome: 'ok',
      addresses: [
        { host: '192.0.2.1', family: 4 },
        { host: '2001:db8::1', family: 6 },
      ],
      elapsedMs: 10,
    });
  });

  test('one family can be asked for', async () => {
    const found = await lookup(world({}), 'both.example', { family: 6 });
    assert.deepEqual(found.outcome === 'ok' && found.addresses, [{ host: '2001:db8::1', family: 6 }]);
    assert.equal((await lookup(world({}), 'old.example', { family: 6 })).outcome, 'unknown');
  });

  test('the hosts file goes before the resolver', async () => {
    const found = await lookup(world({ hosts: { 'old.example': ['10.9.9.9'] } }), 'old.example');
    assert.deepEqual(found, { outcome: 'ok', addresses: [{ host: '10.9.9.9', family: 4 }], elapsedMs: 0 });
  });

  test('an unknown name, a failing resolver, none, and a silent one are told apart', async () => {
    assert.equal((await lookup(world({}), 'nobody.example')).outcome, 'unknown');
    assert.equal((await lookup(world({}), `${'x'.repeat(64)}.example`)).outcome, 'unknown');
    assert.equal((await lookup(world({}, { services: [{ kind: 'dns', answers: 'servfail' }] }), 'old.example')).outcome, 'failed');
    assert.equal((await lookup(world({ resolvers: [] }), 'old.example')).outcome, 'failed');
    const silent = await lookup(world({}, { services: [{ kind: 'dns', answers: 'never' }] }), 'old.example', { timeoutMs: 8000 });
    assert.deepEqual([silent.outcome, silent.elapsedMs], ['timeout', 8000]);
    assert.equal(
      (await lookup(world({}, { services: [{ kind: 'dns', answers: 'garbled' }] }), 'old.example', { timeoutMs: 100 })).outcome,
      'timeout',
    );
  });

  test('a dead first resolver costs its five seconds', async () => {
    const network = world({ resolvers: ['10.0.0.99', '10.0.0.53'], gateway: '10.0.0.254' });
    const found = await lookup(network, 'old.example', { family: 4 });
    assert.deepEqual([found.outcome, found.elapsedMs], ['ok', 5010]);
  });
});

describe('the web', () => {
  const tls = { serverMs: 3, protocol: 'TLSv1.3', subject: 'web.example' } as const;
  const world = (service: object = {}): SimNetwork =>
    new SimNetwork(
      parseScenario({
        hosts: {
          a: { addresses: ['10.0.0.1'], hosts: { 'web.example': ['10.0.0.2'] } },
          web: {
            addresses: ['10.0.0.2'],
            services: [
              {
                kind: 'web',
                port: 80,
                protocol: 'h2',
                routes: { '/': { bytes: 100, serverMs: 7 }, '/large': { bytes: 'endless' }, '/upload': {}, '/small': { bytes: 1 } },
              },
              { kind: 'web', port: 443, tls, routes: { '/': { bytes: 200_000, serverMs: 7 } }, ...service },
            ],
          },
        },
        paths: [{ from: 'a', to: 'web', delayMs: 10 }],
      }),
    );
  const get = (network: SimNetwork, url: string, insecure = false) =>
    network.run(async () => {
      const client = network.ports('a').web.client();
      const outcome = await client.request({ url, method: 'GET', timeoutMs: 5000, insecure });
      client.close();
      return outcome;
    });
  const near = (actual: number | undefined, wanted: number): void =>
    assert.ok(actual !== undefined && Math.abs(actual - wanted) < 0.1, `${actual}, not ${wanted}`);

  test('each phase takes its round trips and the server its time', async () => {
    const plain = await get(world(), 'http://web.example/');
    assert.ok(plain.outcome === 'ok');
    near(plain.connectMs, 20);
    near(plain.ttfbMs, 27);
    near(plain.totalMs, 47);
    const secure = await get(world(), 'https://web.example/');
    assert.ok(secure.outcome === 'ok' && secure.tlsProtocol === 'TLSv1.3');
    near(secure.tlsMs, 23);
    near(secure.ttfbMs, 27);
    assert.equal(secure.bytes, 200_000);
    // 200 kB in slow start from ten segments: 10, 20, 40, 80 segments, three round trips after the first byte.
    near(secure.totalMs, 20 + 23 + 27 + 60);
  });

  test('TLS 1.2 takes two round trips', async () => {
    const secure = await get(world({ tls: { ...tls, protocol: 'TLSv1.2' } }), 'https://web.example/');
    assert.ok(secure.outcome === 'ok');
    near(secure.tlsMs, 43);
  });

  test('an untrusted certificate stops a request but for insecure ones, and never a measured handshake', async () => {
    const untrusted = { tls: { ...tls, authorizationError: 'CERT_HAS_EXPIRED' } };
    const stopped = await get(world(untrusted), 'https://web.example/');
    assert.ok(stopped.outcome === 'failed' && stopped.reason.includes('CERT_HAS_EXPIRED'));
    assert.equal((await get(world(untrusted), 'https://web.example/', true)).outcome, 'ok');
    const network = world(untrusted);
    const shaken = await network.run(network.ports('a').web.tls({ remote: { ...ECHO, port: 443 }, serverName: 'web.example', timeoutMs: 5000 }));
    assert.ok(shaken.outcome === 'ok' && !shaken.authorized && shaken.certificate?.subject === 'web.example');
    near(shaken.handshakeMs, 23);
  });

  test('a server that closes after each answer is connected to anew', async () => {
    const network = world({ closes: true });
    const reused = await network.run(async () => {
      const client = network.ports('a').web.client();
      const ask = () => client.request({ url: 'https://web.example/', method: 'GET', timeoutMs: 5000 });
      const both = [await ask(), await ask()];
      client.close();
      return both.map((one) => one.outcome === 'ok' && one.reused);
    });
    assert.deepEqual(reused, [false, false]);
  });

  test('a server that dies is a failure, one that says nothing a timeout', async () => {
    const dying = world();
    dying.timeline.at(30e6, () => dying.kill('web'));
    assert.equal((await get(dying, 'http://web.example/')).outcome, 'failed');
    const silent = world();
    silent.timeline.at(30e6, () => silent.kill('web', 'host'));
    assert.equal((await get(silent, 'http://web.example/')).outcome, 'timeout');
  });

  test('small requests on a loaded connection are answered beside the load', async () => {
    const network = world();
    const [first, second, bytes] = await network.run(async () => {
      const { web, clock } = network.ports('a');
      const load = await web.load({ url: 'http://web.example/large', direction: 'down', timeoutMs: 1000 });
      await clock.sleep(1000);
      const probes = [await load.selfProbeMs('http://web.example/small'), await load.selfProbeMs('http://web.example/small')];
      const moved = load.bytes();
      load.close();
      return [...probes, moved];
    });
    // 10 Gbit/s and a window of 6 MB: what is on the way takes 5 ms at most.
    for (const ms of [first, second]) assert.ok(ms !== undefined && ms >= 20 && ms < 30, `${ms}`);
    assert.ok((bytes ?? 0) > 100e6);
  });

  test('a load that is refused, answered by an error or cut off says so', async () => {
    const network = world();
    const start = (url: string) => network.run(network.ports('a').web.load({ url, direction: 'down', timeoutMs: 1000 }));
    assert.match((await start('http://web.example:81/large')).failure ?? '', /refuses/);
    const missing = await start('http://web.example/nothing');
    const cut = await start('http://web.example/large');
    await network.run(async () => {
      await network.ports('a').clock.sleep(100);
      network.kill('web');
      await network.ports('a').clock.sleep(100);
    });
    assert.match(missing.failure ?? '', /404/);
    assert.match(cut.failure ?? '', /closed the connection/);
  });
});

describe('what else a host has', () => {
  test('pings are answered by hosts that answer, where programs may ping', async () => {
    const ping = async (network: SimNetwork): Promise<number> =>
      network.run(async () => {
        const flow = await network.ports('a').datagrams.open({ protocol: 'icmp', remote: { ...ECHO, port: 0 } });
        const payload = new Uint8Array(64);
        payload[0] = 8;
        return (await flow.exchange({ payload, count: 4, intervalNs: 1e6, waitNs: 1e9, sequence: { offset: 6, width: 2 } })).received;
      });
    assert.equal(await ping(pair({ delayMs: 5 })), 4);
    assert.equal(await ping(pair({ delayMs: 5 }, { b: { icmp: 'silent' } })), 0);
    assert.equal(await ping(pair({ delayMs: 5, icmp: 'filtered' })), 0);
    await assert.rejects(ping(pair({}, { a: { mayPing: false } })), (error) => error instanceof TautlineError && error.code === 'permission');
  });

  test('a full disk and missing permission are errors with the right code, and keep the old text', async () => {
    const { files } = pair({}, { a: { files: { '/out/old': 'old' } } }).host('a');
    files.capacityBytes = 10;
    await assert.rejects(
      files.writeText('/out/old', 'much longer'),
      (error) => error instanceof TautlineError && error.code === 'io' && /full/.test(error.message),
    );
    files.break('/etc', 'write', 'permission');
    await assert.rejects(files.writeText('/etc/x', 'x'), (error) => error instanceof TautlineError && error.code === 'permission');
    files.break('/out', 'read', 'io');
    await assert.rejects(files.readText('/out/old'), (error) => error instanceof TautlineError && error.code === 'io');
    files.repair();
    assert.equal(await files.readText('/out/old'), 'old');
  });

  test('commands answer by script, and what was run can be asked', async () => {
    const network = pair({}, { a: { commands: [{ program: 'ping', args: ['-c'], stdout: 'three', takesMs: 3000 }] } });
    const { commands } = network.host('a');
    commands.script({ program: 'ping', args: ['-V'], stdout: 'version' });
    const [count, version] = await network.run(
      Promise.all([commands.run('ping', ['-c', '3'], { timeoutMs: 5000 }), commands.run('ping', ['-V'], { timeoutMs: 5000 })]),
    );
    assert.deepEqual(
      [count.outcome === 'exited' && count.stdout, version.outcome === 'exited' && version.stdout, network.nowMs],
      ['three', 'version', 3000],
    );
    assert.deepEqual(commands.ran, [
      ['ping', '-c', '3'],
      ['ping', '-V'],
    ]);
  });

  test('the log keeps what was said and when', async () => {
    const network = pair({});
    const { log, clock } = network.ports('a');
    log.info('first');
    await network.run(clock.sleep(5));
    log.warn('second');
    assert.deepEqual(network.host('a').log.lines, [
      { atMs: 0, level: 'info', message: 'first' },
      { atMs: 5, level: 'warn', message: 'second' },
    ]);
  });

  test('interfaces, route and resolvers are as declared', async () => {
    const { facts } = pair(
      {},
      { a: { gateway: '10.0.0.254', resolvers: ['10.0.0.53'], interfaces: [{ name: 'wlan0', addresses: ['10.0.0.1/16'], mtu: 1400 }] } },
    ).ports('a');
    assert.deepEqual((await facts.interfaces())[1], {
      name: 'wlan0',
      addresses: [{ address: '10.0.0.1', family: 4, prefix: 16, scope: 'global' }],
      mtu: 1400,
      up: true,
      loopback: false,
    });
    assert.deepEqual(await facts.defaultRoutes(), [{ gateway: '10.0.0.254', family: 4, interfaceName: 'wlan0' }]);
    assert.deepEqual(await facts.resolvers(), ['10.0.0.53']);
  });

  test('figures made here are told as simulated', () => {
    assert.equal(pair({}).ports('a').provenance, 'simulated');
  });

  test("serve's own responder answers inside, by the host's own wall clock", async () => {
    const network = pair({ delayMs: 5 });
    const responder = new UdpResponder({ secret: randomBytes(32), limits: limitsOf({}) });
    network.host('b').serveDatagrams(7227, responder);
    const nonce = new Uint8Array(16).fill(9);
    const hello = encodeHello(nonce);
    const log = await exchange(network, { payload: hello, count: 1, sequence: { offset: hello.length - 4, width: 4 } }, { ...ECHO, port: 7227 });
    const answer = decodeServerDatagram(log.bytes.subarray(0, log.length[0]));
    assert.ok(answer.kind === 'cookie');
    assert.deepEqual(answer.clientNonce, nonce);
    assert.equal(responder.counters()['cookies'], 1);
  });
});
