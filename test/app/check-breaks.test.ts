import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Ports } from '../../src/base/index.js';
import { check } from '../../src/app/check.js';
import { resolveBands } from '../../src/diagnose/index.js';
import { definePeer } from '../../src/paths/index.js';
import type { Subject } from '../../src/results/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { Scenario } from '../../src/sim/index.js';
import { runCheck } from './sim-check.js';
import { serveOn } from './sim-serve.js';

const beta = definePeer('beta', { paths: { lan: '10.1.0.2', vpn: '10.2.0.2' }, defaultPath: 'lan' });
const lan = { from: 'laptop', to: '10.1.0.2', delayMs: 0.5, rateBps: 500e6 } as const;
const vpn = { from: 'laptop', to: '10.2.0.2', delayMs: 2, rateBps: 100e6 } as const;
const scenario: Scenario = {
  seed: 1,
  hosts: { laptop: { addresses: ['10.1.0.9', '10.2.0.9'] }, server: { addresses: ['10.1.0.2', '10.2.0.2'] } },
  paths: [lan, vpn],
};
const both = { target: 'beta', peers: [beta], depth: 'quick' } as const;

/** When the latency has been measured in its turns, and the throughput of both paths has begun. */
const AMID_MS = 8000;

const swallowed = (to: string, atMs = AMID_MS): Scenario => ({
  ...scenario,
  events: [
    { atMs, from: 'laptop', to, change: { blackhole: true } },
    { atMs, from: to, to: 'laptop', change: { blackhole: true } },
  ],
});

const figure = (subject: Subject | undefined, name: string) => subject?.measurements.find(({ probe, metric }) => `${probe} ${metric}` === name);

describe('a path that falls silent while it is measured', () => {
  test('keeps what it had given, leaves the other path as it is, and is named', async () => {
    const { document, virtualMs } = await runCheck(swallowed('10.2.0.2'), both);
    const [first, second] = document.subjects;
    assert.equal(figure(first, 'throughput throughput.up')?.outcome, 'ok');
    assert.equal(figure(first, 'throughput throughput.up')?.partial, undefined);
    assert.equal(figure(second, 'echo rtt')?.summary?.n, figure(first, 'echo rtt')?.summary?.n);
    assert.equal(figure(second, 'throughput throughput.up')?.outcome, 'timeout');
    const [finding] = document.findings ?? [];
    assert.deepEqual([finding?.id, finding?.path], ['peer-stopped', 'vpn'], JSON.stringify(document.findings));
    assert.notEqual(document.verdict.outcome, 'pass', 'a path that broke is not passed over as merely the slower one');
    assert.deepEqual(
      document.unchecked?.map(({ what }) => what),
      ['path MTU of beta/vpn'],
    );
    const whole = await runCheck(scenario, both);
    assert.ok(virtualMs < whole.virtualMs + 20_000, `${virtualMs} ms instead of ${whole.virtualMs}`);
  });

  test('is recommended for nothing, however good it was before', async () => {
    const { document } = await runCheck(swallowed('10.1.0.2'), both);
    assert.ok(
      document.choices?.every(({ path }) => path !== 'lan'),
      JSON.stringify(document.choices),
    );
    assert.match(document.choices?.[0]?.sentence ?? '', /lan stopped answering/);
  });

  test('and with the other one too, nothing is recommended', async () => {
    const { events = [] } = swallowed('10.1.0.2');
    const { document } = await runCheck({ ...scenario, events: [...events, ...(swallowed('10.2.0.2').events ?? [])] }, both);
    assert.ok(document.choices?.every(({ path }) => path === undefined));
    assert.deepEqual(
      document.findings?.filter(({ id }) => id === 'peer-stopped').map(({ path }) => path),
      ['lan', 'vpn'],
    );
  });
});

describe('a service that ends while it is measured', () => {
  test('is told from a path that breaks', async () => {
    const { document } = await runCheck({ ...scenario, events: [{ atMs: AMID_MS, kill: 'server', how: 'process' }] }, both);
    const stopped = document.findings?.filter(({ id }) => id === 'peer-stopped') ?? [];
    assert.deepEqual(
      stopped.map(({ path }) => path),
      ['lan', 'vpn'],
    );
    assert.match(stopped[0]?.title ?? '', /service/);
    assert.ok(figure(document.subjects[0], 'echo rtt')?.summary);
  });
});

describe('a target that no route leads to', () => {
  test('is no peer that is down', async () => {
    const { document } = await runCheck(scenario, { target: '10.9.9.9' });
    assert.equal(document.verdict.outcome, 'unmeasured');
    assert.equal(document.findings?.[0]?.title, 'This host has no route to the peer', JSON.stringify(document.findings));
  });
});

describe('a target that never answers', () => {
  test('does not take much longer than one that does', async () => {
    const deaf = { ...scenario, hosts: { ...scenario.hosts, laptop: { ...scenario.hosts['laptop'], addresses: ['10.1.0.9'], gateway: '10.1.0.1' } } };
    const { document, virtualMs } = await runCheck(deaf, { target: '10.9.9.9' });
    assert.equal(document.verdict.outcome, 'unmeasured');
    assert.ok(virtualMs < 7000, `${virtualMs} ms`);
  });
});

describe('a wall clock that is set while a check runs', () => {
  for (const [name, stepMs] of [
    ['back', -3_600_000],
    ['forward', 86_400_000],
  ] as const) {
    test(`${name} changes no figure`, async () => {
      const whole = await runCheck(scenario, both);
      const network = new SimNetwork(scenario);
      serveOn(network.host('server'), { port: 7227 });
      const ports = withSteps(network.ports('laptop'), stepMs);
      const document = await network.run(() =>
        check(ports, {
          ...both,
          bands: resolveBands({}),
          seed: 1,
          signal: new AbortController().signal,
          progress: { planned: () => undefined, update: () => undefined },
          startSelf: () => Promise.reject(new Error('not here')),
        }),
      );
      const figures = (subjects: readonly Subject[]) =>
        subjects.flatMap(({ measurements }) =>
          measurements.map(({ metric, outcome, durationMs, summary }) => ({ metric, outcome, durationMs, summary })),
        );
      assert.deepEqual(figures(document.subjects), figures(whole.document.subjects));
      assert.equal(document.durationMs, whole.document.durationMs);
      assert.deepEqual(document.findings, whole.document.findings);
      assert.equal(document.verdict.sentence, whole.document.verdict.sentence);
    });
  }
});

/** The wall clock is set at four moments; the monotonic one is not, as on every system. */
function withSteps(ports: Ports, stepMs: number): Ports {
  const { clock } = ports;
  const startMs = clock.nowMs();
  const steps = (): number => Math.min(4, Math.floor((clock.nowMs() - startMs) / 4000));
  return {
    ...ports,
    clock: {
      nowMs: () => clock.nowMs(),
      nowNs: () => clock.nowNs(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
      wallMs: () => clock.wallMs() + stepMs * steps(),
    },
  };
}
