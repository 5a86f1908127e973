import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { DockerDetails, Measurement } from '../../src/results/index.js';
import { engineFolder, startEngine, whyNoEngine } from '../lab/engines.js';
import type { Engine } from '../lab/engines.js';
import { INTERFACE, whyNoNamespaces, withPath } from '../lab/namespaces.js';
import type { Namespace } from '../lab/namespaces.js';
import { measure } from '../lab/tautline.js';

const skip = (await whyNoNamespaces()) ?? (await whyNoEngine('docker')) ?? (await whyNoEngine('podman')) ?? false;
const SECOND_NS = 1e9;

/** Both engines in one network namespace, for as long as the tests of this file run. */
class Stage {
  readonly folder = engineFolder();
  docker: Engine | undefined;
  podman: Engine | undefined;
  near: Namespace | undefined;
  #leave: (() => void) | undefined;
  #left: Promise<void> | undefined;

  async enter(): Promise<void> {
    await new Promise<void>((entered, failed) => {
      this.#left = withPath(async ({ near }) => {
        this.near = near;
        const leaving = new Promise<void>((leave) => (this.#leave = leave));
        entered();
        await leaving;
      });
      this.#left.catch(failed);
    });
    const near = this.#space();
    // One that fails must not leave the other one without an owner.
    const started = await Promise.allSettled([
      startEngine('docker', near, this.folder.path).then((engine) => (this.docker = engine)),
      startEngine('podman', near, this.folder.path).then((engine) => (this.podman = engine)),
    ]);
    for (const one of started) if (one.status === 'rejected') throw one.reason as Error;
  }

  async leave(): Promise<void> {
    // Containers first: their control groups go only with them.
    for (const engine of [this.docker, this.podman]) {
      if (!engine) continue;
      const listed = (await engine.api('GET', '/containers/json?all=1').catch(() => [])) as { Id: string }[];
      await Promise.all(listed.map(({ Id }) => engine.api('DELETE', `/containers/${Id}?force=1`).catch(() => undefined)));
      await engine.stop();
    }
    this.#leave?.();
    await this.#left;
    this.folder.remove();
  }

  /** Runs the probe beside the engines, with their sockets where their own clients would be told them. */
  measure(args: readonly string[] = [], user: readonly string[] = []): ReturnType<typeof measure> {
    const environment = [
      'env',
      `DOCKER_HOST=unix://${this.docker?.socket}`,
      `CONTAINER_HOST=unix://${this.podman?.socket}`,
      'HOME=/nowhere',
      'XDG_RUNTIME_DIR=',
    ];
    return measure(['docker', 'local', ...args], (argv) => this.#space().inside([...user, ...environment, ...argv]));
  }

  #space(): Namespace {
    assert.ok(this.near, 'the namespace is there');
    return this.near;
  }
}

function container(image: string, command: readonly string[], more: Record<string, unknown> = {}): Record<string, unknown> {
  return { Image: image, Cmd: command, ...more };
}

const publish = (inside: number, outside: number, network: string): Record<string, unknown> => ({
  ExposedPorts: { [`${inside}/tcp`]: {} },
  HostConfig: { NetworkMode: network, PortBindings: { [`${inside}/tcp`]: [{ HostPort: String(outside) }] } },
});
const healthCheck = (command: readonly string[]): Record<string, unknown> => ({
  Healthcheck: { Test: ['CMD', ...command], Interval: SECOND_NS / 2, Timeout: SECOND_NS, Retries: 1 },
});

async function start(engine: Engine, name: string, spec: Record<string, unknown>): Promise<void> {
  await engine.api('POST', `/containers/create?name=${name}`, spec);
  await engine.api('POST', `/containers/${name}/start`);
}

async function network(engine: Engine, name: string, subnet: string, mtu?: number): Promise<void> {
  const options = mtu === undefined ? {} : { 'com.docker.network.driver.mtu': String(mtu) };
  await engine.api('POST', '/networks/create', { Name: name, Driver: 'bridge', Options: options, IPAM: { Config: [{ Subnet: subnet }] } });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not so after 20 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Inspected {
  readonly State: { readonly Status: string; readonly OOMKilled?: boolean; readonly Health?: { readonly Status: string } };
  readonly RestartCount?: number;
}

const inspect = (engine: Engine, name: string): Promise<Inspected> => engine.api('GET', `/containers/${name}/json`) as Promise<Inspected>;
const PAGE = ['httpd', '-f', '-p', '80', '-h', '/www'];

describe('docker: real engines', { skip }, () => {
  const stage = new Stage();
  let measurements: readonly Measurement[] = [];
  const of = (metric: string, part: string): Measurement => {
    const found = measurements.find((measurement) => measurement.metric === metric && measurement.target.includes(part));
    assert.ok(found, `no ${metric} of ${part} among ${JSON.stringify(measurements.map((one) => [one.metric, one.target, one.outcome, one.reason]))}`);
    return found;
  };
  const detailsOf = (engine: Engine | undefined): DockerDetails => of('docker.api', engine?.socket ?? '?').details as unknown as DockerDetails;

  before(async () => {
    await stage.enter();
    const { docker, podman } = stage;
    assert.ok(docker && podman);
    const [image, podmanImage] = await Promise.all([docker.importImage(), podman.importImage()]);
    await network(docker, 'small', '172.28.0.0/16', 1280);
    // The subnet of the namespace's own interface, in a larger range.
    await network(docker, 'wide', '10.77.0.0/16');
    await network(podman, 'pods', '172.30.0.0/24', 1300);
    await start(
      docker,
      'web',
      container(image, PAGE, { ...publish(80, 18_080, 'small'), ...healthCheck(['wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:80/']) }),
    );
    await start(docker, 'sick', container(image, ['sleep', '1000'], healthCheck(['false'])));
    await start(docker, 'store', container(image, ['nc', '-ll', '-p', '6379', '-e', 'cat'], publish(6379, 16_379, 'small')));
    await start(docker, 'loop', container(image, ['false'], { HostConfig: { NetworkMode: 'none', RestartPolicy: { Name: 'always' } } }));
    await start(docker, 'busy', container(image, ['sh', '-c', 'while :; do :; done'], { HostConfig: { NetworkMode: 'none' } }));
    await start(podman, 'page', container(podmanImage, PAGE, { ...publish(80, 18_081, 'pods'), ...healthCheck(['true']) }));
    await podman.api('GET', '/v4.0.0/libpod/containers/page/healthcheck');
    await until('web is healthy', async () => (await inspect(docker, 'web')).State.Health?.Status === 'healthy');
    await until('sick is not', async () => (await inspect(docker, 'sick')).State.Health?.Status === 'unhealthy');
    await until('loop was started again', async () => ((await inspect(docker, 'loop')).RestartCount ?? 0) > 0);
    const { code, document, stderr } = await stage.measure(['--path-mtu', '1290', '--stats', '--other-subnets', '172.30.0.128/25']);
    assert.equal(code, 0, stderr);
    measurements = document.measurements;
  });
  after(() => stage.leave());

  test('both are found, told apart and timed', () => {
    for (const engine of [stage.docker, stage.podman]) {
      const api = of('docker.api', engine?.socket ?? '?');
      assert.equal(api.outcome, 'ok');
      assert.ok((api.summary?.median ?? 0) > 0 && (api.summary?.median ?? 0) < 1000, `${api.summary?.median} ms`);
      assert.equal(detailsOf(engine).engine, engine?.kind);
      assert.match(detailsOf(engine).version ?? '', /^\d+\.\d+/);
    }
  });

  test('health, restarts and states are what the engines say', () => {
    const by = new Map(detailsOf(stage.docker).containers.map((one) => [one.name, one]));
    assert.deepEqual([by.get('web')?.state, by.get('web')?.health, by.get('web')?.restarts], ['running', 'healthy', 0]);
    assert.equal(by.get('sick')?.health, 'unhealthy');
    assert.ok((by.get('loop')?.restarts ?? 0) > 0);
    assert.match(of('docker.api', stage.docker?.socket ?? '?').reason ?? '', /unhealthy: sick/);
    const page = detailsOf(stage.podman).containers.find(({ name }) => name === 'page');
    assert.deepEqual([page?.state, page?.health, page?.networks], ['running', 'healthy', ['pods']]);
  });

  test('what a container computes shows in its processor share, and what it does not, does not', () => {
    const share = (name: string): number => detailsOf(stage.docker).containers.find((one) => one.name === name)?.cpuShare ?? Number.NaN;
    assert.ok(share('busy') > 0.1 && share('busy') < 1.5, `busy: ${share('busy')}`);
    assert.ok(share('sick') < share('busy') / 2, `sick: ${share('sick')}`);
    assert.ok((detailsOf(stage.docker).containers.find(({ name }) => name === 'web')?.memoryBytes ?? 0) > 10_000);
  });

  test("networks have the MTU and the interface that the kernel knows, and those above the path's are told", async () => {
    assert.ok(stage.near);
    for (const [engine, name, mtu] of [
      [stage.docker, 'small', 1280],
      [stage.docker, 'bridge', 1500],
      [stage.podman, 'pods', 1300],
    ] as const) {
      const found = detailsOf(engine).networks.find((one) => one.name === name);
      assert.equal(found?.mtu, mtu, name);
      const link = await stage.near.sh(`cat /sys/class/net/${found?.interfaceName}/mtu; ip -o addr show dev ${found?.interfaceName}`);
      assert.match(link, new RegExp(`^${mtu}\\n`), name);
      assert.ok(link.includes(found?.subnets[0]?.replace(/\.0\/.*/, '.1/') ?? '?'), `${name}: ${link}`);
    }
    assert.match(of('docker.api', stage.docker?.socket ?? '?').reason ?? '', /MTU above the path's 1290: .*bridge \(1500\)/);
  });

  test('overlapping subnets are found: with an interface of this host, and with what was handed in', () => {
    const docker = detailsOf(stage.docker).overlaps;
    assert.ok(
      docker.some((one) => one.subnet === '10.77.0.0/16' && one.with === `${stage.near?.address4}/24` && one.what === `interface ${INTERFACE}`),
      JSON.stringify(docker),
    );
    assert.ok(!docker.some(({ subnet }) => subnet === '172.28.0.0/16'), 'a network does not overlap itself');
    assert.deepEqual(detailsOf(stage.podman).overlaps, [{ subnet: '172.30.0.0/24', with: '172.30.0.128/25', what: 'a subnet that was given' }]);
  });

  test('published services are timed; the one that is not HTTP is only connected to', () => {
    for (const [name, port] of [
      ['web', 18_080],
      ['page', 18_081],
    ] as const) {
      const [connect, first] = [of('docker.connect', `${name} 127.0.0.1:${port}`), of('docker.ttfb', `${name} 127.0.0.1:${port}`)];
      assert.deepEqual(
        [connect.outcome, connect.summary?.n, first.outcome, first.summary?.n],
        ['ok', 5, 'ok', 5],
        `${connect.reason} ${first.reason}`,
      );
      assert.equal(first.details?.['status'], 200);
    }
    assert.equal(of('docker.connect', 'store 127.0.0.1:16379').outcome, 'ok');
    assert.ok(!measurements.some(({ metric, target }) => metric === 'docker.ttfb' && target.startsWith('store')));
    assert.match(JSON.stringify(of('docker.api', stage.docker?.socket ?? '?').details), /first byte of store 16379: no usual HTTP port/);
  });

  test('a user who may not open the socket is told what to do', async () => {
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const { code, document } = await stage.measure(['--socket', stage.docker?.socket ?? '?'], nobody);
    const [api] = document.measurements;
    assert.deepEqual([code, api?.outcome], [3, 'unchecked']);
    assert.match(api?.reason ?? '', /may not open .*EACCES.*join the group .*usermod -aG docker/);
  });

  test('an engine that hangs ends with the timeout, and the other one is still measured', async () => {
    stage.docker?.freeze();
    try {
      const { document } = await stage.measure(['--timeout', '2s']);
      measurements = document.measurements;
      const hung = of('docker.api', stage.docker?.socket ?? '?');
      assert.equal(hung.outcome, 'timeout');
      assert.match(hung.reason ?? '', /did not answer the request within 2000 ms; the engine hangs/);
      assert.equal(of('docker.api', stage.podman?.socket ?? '?').outcome, 'ok');
      assert.ok(document.durationMs < 20_000, `${document.durationMs} ms`);
    } finally {
      stage.docker?.thaw();
    }
  });

  test('an engine that has died left a socket that refuses', async () => {
    const { podman } = stage;
    assert.ok(podman);
    await podman.api('DELETE', '/containers/page?force=1');
    await podman.stop();
    const { document } = await stage.measure(['--socket', podman.socket]);
    const [api] = document.measurements;
    assert.equal(api?.outcome, 'refused');
    assert.match(api?.reason ?? '', /nobody listens on .*start the engine/);
  });
});
