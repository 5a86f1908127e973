import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import { parseTarget } from '../../src/base/index.js';
import { dockerProbe, socketsOf } from '../../src/probe/docker.js';
import type { DockerOptions } from '../../src/probe/docker.js';
import { MeasurementSchema } from '../../src/results/index.js';
import type { DockerDetails, Measurement } from '../../src/results/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { HostSpec } from '../../src/sim/index.js';
import type { WebRoute } from '../../src/sim/scenario.js';

const SOCKET = '/var/run/docker.sock';
const PODMAN_SOCKET = '/run/podman/podman.sock';
const DOCKER_VERSION = { Version: '27.1.0', ApiVersion: '1.46', Components: [{ Name: 'Engine', Version: '27.1.0' }] };
const PODMAN_VERSION = { Version: '5.2.0', ApiVersion: '1.41', Components: [{ Name: 'Podman Engine', Version: '5.2.0' }] };

interface Fake {
  readonly path?: string;
  readonly version?: unknown;
  readonly containers?: readonly { readonly id: string; readonly listed: Record<string, unknown>; readonly inspected?: Record<string, unknown> }[];
  readonly networks?: readonly Record<string, unknown>[];
  readonly routes?: Readonly<Record<string, WebRoute>>;
  readonly permitted?: boolean;
}

/** An engine's socket, with the answers that its API would give. */
function engine(fake: Fake = {}): NonNullable<HostSpec['services']>[number] {
  const json = (value: unknown): WebRoute => ({ body: JSON.stringify(value) });
  const { containers = [], networks = [] } = fake;
  return {
    kind: 'web',
    socketPath: fake.path ?? SOCKET,
    ...(fake.permitted === undefined ? {} : { permitted: fake.permitted }),
    routes: {
      '/_ping': { body: 'OK', serverMs: 1 },
      '/version': json(fake.version ?? DOCKER_VERSION),
      '/containers/json': json(containers.map(({ id, listed }) => ({ Id: id, ...listed }))),
      '/networks': json(networks),
      ...Object.fromEntries(containers.map(({ id, inspected = {} }) => [`/containers/${id}/json`, json({ Id: id, State: {}, ...inspected })])),
      ...Object.fromEntries(networks.map((network) => [`/networks/${String(network['Id'])}`, json(network)])),
      ...fake.routes,
    },
  };
}

const id = (n: number): string => n.toString(16).padStart(4, '0').repeat(16);
const bridge = (n: number, name: string, subnet: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  Id: id(n),
  Name: name,
  Driver: 'bridge',
  Scope: 'local',
  IPAM: { Config: [{ Subnet: subnet }] },
  Options: {},
  ...more,
});
const running = (name: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  Names: [`/${name}`],
  Image: 'image',
  State: 'running',
  Ports: [],
  ...more,
});
const published = (port: number, inside: number): Record<string, unknown> => ({ IP: '0.0.0.0', PrivatePort: inside, PublicPort: port, Type: 'tcp' });

interface Setting {
  readonly services?: HostSpec['services'];
  readonly host?: Partial<HostSpec>;
  readonly options?: Partial<DockerOptions>;
  readonly target?: string;
  readonly abortAtMs?: number;
  readonly peer?: Partial<HostSpec>;
}

async function measure({ services = [], host = {}, options = {}, target = 'local', abortAtMs, peer = {} }: Setting): Promise<Measurement[]> {
  const network = new SimNetwork({
    hosts: { alpha: { addresses: ['10.0.0.1'], services, ...host }, beta: { addresses: ['10.0.0.2'], ...peer } },
    paths: [{ from: 'alpha', to: 'beta', delayMs: 2 }],
  });
  const controller = new AbortController();
  if (abortAtMs !== undefined) network.timeline.after(abortAtMs * 1e6, () => controller.abort());
  const measurements = await network.run(() =>
    dockerProbe.run({
      target: parseTarget(target),
      path: 'default',
      options: { ...dockerProbe.defaults, ...options },
      ports: network.ports('alpha'),
      seed: 1,
      signal: controller.signal,
      onProgress: () => {},
    }),
  );
  for (const measurement of measurements) v.parse(MeasurementSchema, measurement);
  return measurements;
}

const detailsOf = (measurement: Measurement | undefined): DockerDetails => measurement?.details as unknown as DockerDetails;
const brief = (measurements: readonly Measurement[]): string[][] => measurements.map(({ metric, target, outcome }) => [metric, target, outcome]);

describe('what an engine runs', () => {
  const containers = [
    {
      id: id(1),
      listed: running('web', { Ports: [published(8080, 80)], NetworkSettings: { Networks: { front: {} } } }),
      inspected: {
        State: { OOMKilled: false, Health: { Status: 'unhealthy' } },
        RestartCount: 3,
        NetworkSettings: { Networks: { front: {}, back: {} } },
      },
    },
    {
      id: id(2),
      listed: { Names: ['/job'], Image: 'image', State: 'exited', Ports: null },
      inspected: { State: { OOMKilled: true }, RestartCount: 0 },
    },
  ];
  const networks = [
    bridge(11, 'front', '172.18.0.0/16', { Options: { 'com.docker.network.driver.mtu': '1280' } }),
    bridge(12, 'back', '172.19.0.0/16'),
  ];

  test('containers are told with their health, restarts, ends by the memory killer, networks and ports', async () => {
    const [api] = await measure({ services: [engine({ containers, networks })] });
    const details = detailsOf(api);
    assert.deepEqual(
      details.containers.map(({ name, state, health, restarts, oomKilled, networks: on }) => [name, state, health, restarts, oomKilled, on]),
      [
        ['web', 'running', 'unhealthy', 3, false, ['front', 'back']],
        ['job', 'exited', undefined, 0, true, []],
      ],
    );
    assert.deepEqual(details.containers[0]?.ports, [{ host: '0.0.0.0', published: 8080, inside: 80, protocol: 'tcp' }]);
    assert.equal(api?.reason, 'unhealthy: web; killed for want of memory: job');
    assert.deepEqual([details.engine, details.version, details.socket], ['docker', '27.1.0', SOCKET]);
  });

  test("the engine's own answer is timed", async () => {
    const [api] = await measure({ services: [engine()], options: { count: 7 } });
    assert.equal(api?.summary?.n, 7);
    assert.ok((api?.summary?.median ?? 0) >= 1 && (api?.summary?.median ?? 0) < 1.5, `the server took 1 ms, measured ${api?.summary?.median}`);
  });

  test("a network's MTU is the one it was made with, else its interface's, else the bridge's usual one", async () => {
    const [api] = await measure({
      services: [
        engine({
          containers,
          networks: [
            ...networks,
            bridge(13, 'third', '172.20.0.0/16'),
            bridge(14, 'vlan', '10.9.0.0/24', { Driver: 'macvlan', Options: { parent: 'eth1' } }),
          ],
        }),
      ],
      host: {
        interfaces: [
          { name: 'eth0', addresses: ['10.0.0.1/24'] },
          { name: `br-${id(13).slice(0, 12)}`, addresses: ['172.20.0.1/16'], mtu: 1400 },
          { name: 'eth1', addresses: [], mtu: 9000 },
        ],
      },
      options: { pathMtuBytes: 1300 },
    });
    const { networks: found, pathMtuBytes } = detailsOf(api);
    assert.deepEqual(
      found.map(({ name, mtu, interfaceName, containers: on }) => [name, mtu, interfaceName, on]),
      [
        ['front', 1280, undefined, ['web']],
        ['back', 1500, undefined, ['web']],
        ['third', 1400, `br-${id(13).slice(0, 12)}`, []],
        ['vlan', 9000, 'eth1', []],
      ],
    );
    assert.equal(pathMtuBytes, 1300);
    assert.match(api?.reason ?? '', /MTU above the path's 1300: back \(1500\), third \(1400\), vlan \(9000\)/);
  });

  test("subnets that other interfaces, routes, the other engine or the peer's containers have too are told, the network's own are not", async () => {
    const route = ['Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT'];
    route.push('eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0', 'wg0\t000013AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0');
    route.push(`br-${id(11).slice(0, 12)}\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0`);
    const six = `fd000000000000010000000000000000 40 ${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00000100 00000001 00000000 00000001     wg0`;
    const measurements = await measure({
      services: [
        engine({ networks: [...networks, bridge(15, 'six', 'fd00:0:0:1::/64'), bridge(16, 'lan', '10.0.0.0/16')] }),
        engine({ path: PODMAN_SOCKET, version: PODMAN_VERSION, networks: [bridge(21, 'pods', '172.18.0.0/24')] }),
      ],
      host: {
        interfaces: [
          { name: 'eth0', addresses: ['10.0.0.1/24'] },
          { name: `br-${id(11).slice(0, 12)}`, addresses: ['172.18.0.1/16'] },
        ],
        files: { '/proc/net/route': `${route.join('\n')}\n`, '/proc/net/ipv6_route': `${six}\n` },
      },
      options: { otherSubnets: [{ subnet: '172.16.0.0/12', what: 'containers of beta' }] },
    });
    const [docker, podman] = measurements.map(detailsOf);
    assert.deepEqual(docker?.overlaps, [
      { subnet: '172.18.0.0/16', with: '172.18.0.0/24', what: 'podman network pods' },
      { subnet: '172.18.0.0/16', with: '172.16.0.0/12', what: 'containers of beta' },
      { subnet: '172.19.0.0/16', with: '172.19.0.0/16', what: 'route by wg0' },
      { subnet: '172.19.0.0/16', with: '172.16.0.0/12', what: 'containers of beta' },
      { subnet: 'fd00:0:0:1::/64', with: 'fd00:0:0:1:0:0:0:0/64', what: 'route by wg0' },
      { subnet: '10.0.0.0/16', with: '10.0.0.1/24', what: 'interface eth0' },
    ]);
    assert.deepEqual(podman?.engine, 'podman');
    assert.ok(podman?.overlaps.some(({ what }) => what === 'docker network front'));
  });

  test("the engine's own network, which every host has with the same subnet, does not overlap the peer's", async () => {
    const standard = bridge(11, 'bridge', '172.17.0.0/16', { Options: { 'com.docker.network.bridge.default_bridge': 'true' } });
    const otherSubnets = ['172.17.0.0/16', '172.16.0.0/12'].map((subnet) => ({ subnet, what: 'beta' }));
    const [api] = await measure({ services: [engine({ networks: [standard, bridge(12, 'made', '172.17.0.0/16')] })], options: { otherSubnets } });
    assert.deepEqual(detailsOf(api).overlaps, [
      { subnet: '172.17.0.0/16', with: '172.16.0.0/12', what: 'beta' },
      { subnet: '172.17.0.0/16', with: '172.17.0.0/16', what: 'beta' },
      { subnet: '172.17.0.0/16', with: '172.16.0.0/12', what: 'beta' },
    ]);
  });

  test('a processor share is made of two readings, and memory is what cannot be given up', async () => {
    const usage = {
      read: '2026-01-01T00:00:01Z',
      cpu_stats: { cpu_usage: { total_usage: 5e9 } },
      memory_stats: { usage: 5000, limit: 10_000, stats: { inactive_file: 2000 } },
    };
    const [api] = await measure({
      services: [engine({ containers, routes: { [`/containers/${id(1)}/stats`]: { body: JSON.stringify(usage) } } })],
      options: { stats: true },
    });
    const web = detailsOf(api).containers[0];
    // The scripted engine says the same time twice, of which no share can be made.
    assert.deepEqual([web?.cpuShare, web?.memoryBytes, web?.memoryLimitBytes], [undefined, 3000, 10_000]);
  });
});

describe('published services', () => {
  const services = (): NonNullable<HostSpec['services']> => [
    { kind: 'web', port: 8080, routes: { '/': { bytes: 100, serverMs: 30 } } },
    { kind: 'tcp-discard', port: 5432 },
    { kind: 'web', port: 7000, routes: { '/': { status: 503 } } },
  ];
  const health = { Config: { Healthcheck: { Test: ['CMD-SHELL', 'curl -f http://localhost:7777/health'] } } };
  const containers = [
    { id: id(1), listed: running('web', { Ports: [published(8080, 80), { ...published(8080, 80), IP: '::' }] }) },
    { id: id(2), listed: running('db', { Ports: [published(5432, 5432), { IP: '0.0.0.0', PrivatePort: 53, PublicPort: 53, Type: 'udp' }] }) },
    { id: id(3), listed: running('odd', { Ports: [published(7000, 7777)] }), inspected: health },
    { id: id(4), listed: running('gone', { Ports: [published(9999, 80), { PrivatePort: 1234, Type: 'tcp' }] }) },
    { id: id(5), listed: { Names: ['/stopped'], State: 'exited', Ports: [published(8081, 80)] } },
  ];

  test('are connected to once each; what speaks HTTP is asked for its first byte, and nothing is sent to the others', async () => {
    const measurements = await measure({ services: [engine({ containers }), ...services()] });
    assert.deepEqual(brief(measurements), [
      ['docker.api', `docker ${SOCKET}`, 'ok'],
      ['docker.connect', 'web 127.0.0.1:8080', 'ok'],
      ['docker.ttfb', 'web 127.0.0.1:8080', 'ok'],
      ['docker.connect', 'db 127.0.0.1:5432', 'ok'],
      ['docker.connect', 'odd 127.0.0.1:7000', 'ok'],
      ['docker.ttfb', 'odd 127.0.0.1:7000', 'ok'],
      ['docker.connect', 'gone 127.0.0.1:9999', 'refused'],
    ]);
    const [api, , first] = measurements;
    assert.ok(Math.abs((first?.summary?.median ?? 0) - 30) < 1, `the server took 30 ms, measured ${first?.summary?.median}`);
    assert.deepEqual(first?.details, {
      container: 'web',
      published: 8080,
      inside: 80,
      remote: '127.0.0.1:8080',
      url: 'http://127.0.0.1:8080/',
      status: 200,
    });
    assert.match(measurements[5]?.reason ?? '', /answers HTTP 503: this is the time of its error/);
    const untried = (api?.details?.['untried'] ?? []) as string[];
    assert.match(untried.join('\n'), /db 53\/udp: only TCP/);
    assert.match(untried.join('\n'), /first byte of db 5432: no usual HTTP port/);
  });

  test('a server that speaks first is not taken for HTTP, though its port is', async () => {
    const network = new SimNetwork({
      hosts: { alpha: { addresses: ['10.0.0.1'], services: [engine({ containers: containers.slice(0, 1) })] } },
      paths: [],
    });
    const heard: number[] = [];
    network.host('alpha').listen(8080, {
      onConnection: (connection) =>
        void connection.write(new TextEncoder().encode('220 ready\r\n')).then(async () => {
          for (let part = await connection.read(); part; part = await connection.read()) heard.push(part.length);
        }),
    });
    const measurements = await network.run(() =>
      dockerProbe.run({
        target: parseTarget('local'),
        path: 'default',
        options: dockerProbe.defaults,
        ports: network.ports('alpha'),
        seed: 1,
        signal: new AbortController().signal,
        onProgress: () => {},
      }),
    );
    assert.deepEqual(
      measurements.map(({ metric }) => metric),
      ['docker.api', 'docker.connect'],
    );
    assert.match(JSON.stringify(measurements[0]?.details), /the server speaks first/);
    assert.deepEqual(heard, [], 'not a byte was sent');
  });

  test('more than twenty are not all tried, and it is said', async () => {
    const many = Array.from({ length: 25 }, (_, i) => ({ id: id(i + 1), listed: running(`c${i}`, { Ports: [published(10_000 + i, 5432)] }) }));
    const measurements = await measure({ services: [engine({ containers: many })] });
    assert.equal(measurements.filter(({ metric }) => metric === 'docker.connect').length, 20);
    assert.match(JSON.stringify(measurements[0]?.details), /5 services beyond the first 20/);
  });

  test("of another host's engine, whose socket was forwarded, they are tried at that host", async () => {
    const bound = { ...published(6379, 6379), IP: '127.0.0.1' };
    const fake = engine({
      path: '/tmp/beta.sock',
      containers: [{ id: id(1), listed: running('web', { Ports: [published(8080, 80), bound] }) }],
      networks: [bridge(1, 'lan', '10.0.0.0/16')],
    });
    const measurements = await measure({
      services: [fake],
      options: { socket: '/tmp/beta.sock' },
      target: '10.0.0.2',
      peer: { services: [{ kind: 'web', port: 8080, routes: { '/': {} } }] },
    });
    assert.deepEqual(brief(measurements).slice(1), [
      ['docker.connect', 'web 10.0.0.2:8080', 'ok'],
      ['docker.ttfb', 'web 10.0.0.2:8080', 'ok'],
    ]);
    assert.match(JSON.stringify(measurements[0]?.details), /bound to 127.0.0.1 of the engine's host/);
    assert.deepEqual(detailsOf(measurements[0]).overlaps, [], "its networks are not compared with this host's interfaces");
  });
});

describe('engines that cannot be asked', () => {
  test('none at all: unsupported, with what to do', async () => {
    const [api] = await measure({});
    assert.equal(api?.outcome, 'unsupported');
    assert.match(api?.reason ?? '', /no container engine listens here: there is no socket at \/var\/run\/docker\.sock.*start Docker or Podman/);
  });

  test('another host, without its socket: unsupported, run it there', async () => {
    const [api] = await measure({ services: [engine()], target: '10.0.0.2' });
    assert.equal(api?.outcome, 'unsupported');
    assert.match(api?.reason ?? '', /run `tautline measure docker local` on 10\.0\.0\.2/);
  });

  test('this host by its name or one of its addresses is this host', async () => {
    for (const target of ['alpha', '10.0.0.1', 'localhost', '127.0.0.1'])
      assert.equal((await measure({ services: [engine()], target }))[0]?.outcome, 'ok', target);
  });

  const cases: [string, Fake, string, RegExp][] = [
    ['no permission', { permitted: false }, 'unchecked', /may not open \/var\/run\/docker\.sock .*or run as root; for Docker .*usermod -aG docker/],
    ['a socket that hangs', { routes: { '/_ping': { serverMs: 3600e3 } } }, 'timeout', /within 3000 ms; the engine hangs/],
    ['HTML in place of an answer', { routes: { '/_ping': { body: '<html>hello</html>' } } }, 'unsupported', /is no container engine/],
    ['HTML in place of JSON', { routes: { '/version': { body: '<html>hello</html>' } } }, 'unsupported', /not in JSON \(<html>hello/],
    ['an error page', { routes: { '/_ping': { status: 404, body: 'not here' } } }, 'unsupported', /no container engine: .*HTTP 404 \(not here\)/],
    ['another API', { version: { name: 'something' } }, 'unsupported', /does not say its version/],
    [
      'an engine that refuses',
      { routes: { '/_ping': { status: 403, body: 'authorization denied by plugin' } } },
      'unchecked',
      /authorization denied by plugin/,
    ],
  ];
  for (const [what, fake, outcome, reason] of cases) {
    test(what, async () => {
      const measurements = await measure({ services: [engine(fake)] });
      assert.deepEqual(brief(measurements), [['docker.api', SOCKET, outcome]]);
      assert.match(measurements[0]?.reason ?? '', reason);
    });
  }

  test('one whose program has ended: refused, start it', async () => {
    const network = new SimNetwork({ hosts: { alpha: { addresses: ['10.0.0.1'], services: [engine()] } }, paths: [] });
    network.kill('alpha');
    const [api] = await network.run(() =>
      dockerProbe.run({
        target: parseTarget('local'),
        path: 'default',
        options: dockerProbe.defaults,
        ports: network.ports('alpha'),
        seed: 1,
        signal: new AbortController().signal,
        onProgress: () => {},
      }),
    );
    assert.equal(api?.outcome, 'refused');
    assert.match(api?.reason ?? '', /nobody listens on .*start the engine/);
  });

  test('Podman hangs and Docker answers: both are told', async () => {
    const measurements = await measure({ services: [engine(), engine({ path: PODMAN_SOCKET, routes: { '/_ping': { serverMs: 3600e3 } } })] });
    assert.deepEqual(brief(measurements), [
      ['docker.api', `docker ${SOCKET}`, 'ok'],
      ['docker.api', PODMAN_SOCKET, 'timeout'],
    ]);
  });

  test('two sockets of one engine are one engine', async () => {
    const networks = [bridge(1, 'a', '172.18.0.0/16')];
    const measurements = await measure({
      services: [engine({ networks, version: PODMAN_VERSION }), engine({ path: PODMAN_SOCKET, networks, version: PODMAN_VERSION })],
    });
    assert.deepEqual(brief(measurements), [['docker.api', `podman ${SOCKET}`, 'ok']]);
  });
});

describe('engines that answer badly', () => {
  const two = [1, 2].map((n) => ({ id: id(n), listed: running(`c${n}`) }));

  test('a hang in the middle costs one timeout, and what was read stays', async () => {
    const many = Array.from({ length: 12 }, (_, i) => ({ id: id(i + 1), listed: running(`c${i}`) }));
    const routes = Object.fromEntries(many.map((container) => [`/containers/${container.id}/json`, { serverMs: 3600e3 }]));
    const [api] = await measure({ services: [engine({ containers: many, networks: [bridge(1, 'a', '172.18.0.0/16')], routes })] });
    assert.equal(api?.outcome, 'ok');
    assert.deepEqual([detailsOf(api).containers.length, detailsOf(api).networks.length], [12, 1]);
    assert.match(api?.reason ?? '', /not read: container: 12 of 12 answers did not come/);
    assert.ok((api?.durationMs ?? 0) < 2 * 3000, `${api?.durationMs} ms`);
  });

  test('a container that has gone meanwhile is no failure', async () => {
    const [api] = await measure({ services: [engine({ containers: two, routes: { [`/containers/${id(1)}/json`]: { status: 404, body: '{}' } } })] });
    assert.deepEqual([api?.outcome, api?.reason], ['ok', undefined]);
  });

  test('names of 100 kB, ids that are paths, ports that are none: nothing of it gets far', async () => {
    const long = 'x'.repeat(100_000);
    const hostile = [
      { id: '../../networks', listed: running('path') },
      { id: id(7), listed: running(long, { Image: long, Ports: [{ PrivatePort: 99_999, Type: 'tcp' }, 'port', null, published(8080, 80)] }) },
    ];
    const [api] = await measure({ services: [engine({ containers: hostile, networks: [bridge(1, long, long)] })] });
    const { containers, networks } = detailsOf(api);
    assert.deepEqual(
      containers.map(({ name }) => name.length),
      [256],
    );
    assert.deepEqual(
      containers[0]?.ports.map(({ published: port }) => port),
      [8080],
    );
    assert.ok((networks[0]?.name.length ?? 0) <= 256 && (networks[0]?.subnets[0]?.length ?? 0) <= 256);
  });

  test('lists without end are cut, and it is said', async () => {
    const many = Array.from({ length: 300 }, (_, i) => ({ id: id(i + 1), listed: { Names: [`/c${i}`], State: 'exited' } }));
    const [api] = await measure({ services: [engine({ containers: many })] });
    assert.equal(detailsOf(api).containers.length, 200);
    assert.match(api?.reason ?? '', /100 containers beyond the first 200/);
  });

  test('lists that are none are told, and the rest stands', async () => {
    const [api] = await measure({
      services: [engine({ routes: { '/containers/json': { body: '{"message":"busy"}' }, '/networks': { status: 500, body: 'oops' } } })],
    });
    assert.equal(api?.outcome, 'ok');
    assert.match(api?.reason ?? '', /containers: the answer is no list, networks: .*HTTP 500 \(oops\)/);
  });

  test('an abort gives what there is, as partial', async () => {
    const early = await measure({ services: [engine()], abortAtMs: 0 });
    assert.deepEqual([early[0]?.outcome, early[0]?.partial], ['unchecked', true]);
    const containers = [{ id: id(1), listed: running('web', { Ports: [published(8080, 80)] }) }];
    const late = await measure({
      services: [engine({ containers }), { kind: 'web', port: 8080, routes: { '/': { serverMs: 100 } } }],
      abortAtMs: 700,
    });
    assert.deepEqual([late[0]?.outcome, late[0]?.partial, late.length > 1], ['ok', true, true]);
  });
});

test('sockets are looked for where the engines and their own clients have them', () => {
  assert.deepEqual(socketsOf({ socket: '/tmp/s', environment: { DOCKER_HOST: 'unix:///x' } }), ['/tmp/s']);
  assert.deepEqual(socketsOf({ environment: { DOCKER_HOST: 'unix:///x/y', HOME: '/home/me', XDG_RUNTIME_DIR: '/run/user/1000' } }), [
    '/x/y',
    SOCKET,
    '/home/me/.docker/run/docker.sock',
    '/run/user/1000/docker.sock',
    '/run/user/1000/podman/podman.sock',
    PODMAN_SOCKET,
  ]);
  assert.deepEqual(
    socketsOf({ environment: { DOCKER_HOST: 'tcp://10.0.0.9:2375' } }),
    [SOCKET, PODMAN_SOCKET],
    'an engine across the network is not this host',
  );
});

test('flags that make no sense are refused in words', () => {
  const parse = (key: string, text: string): unknown => dockerProbe.flags.find((flag) => flag.key === key)?.parse(text);
  assert.equal(parse('socket', 'unix:///run/x.sock'), '/run/x.sock');
  assert.throws(() => parse('socket', 'tcp://10.0.0.1:2375'), /not the path of a socket/);
  assert.throws(() => parse('pathMtuBytes', '10'), /MTU cannot be 10 bytes/);
  assert.deepEqual(parse('otherSubnets', '172.18.0.0/16, fd00::/64'), [
    { subnet: '172.18.0.0/16', what: 'a subnet that was given' },
    { subnet: 'fd00::/64', what: 'a subnet that was given' },
  ]);
  assert.throws(() => parse('otherSubnets', '172.18.0.0/16,x'), /'x' is not a subnet/);
});
