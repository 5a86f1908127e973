import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import { TautlineError, parseTarget } from '../../src/base/index.js';
import type { Ports } from '../../src/base/index.js';
import { dnsProbe } from '../../src/probe/dns.js';
import { httpProbe } from '../../src/probe/http.js';
import type { CommonOptions, Probe } from '../../src/probe/probe.js';
import { responsivenessProbe } from '../../src/probe/responsiveness.js';
import { tcpProbe } from '../../src/probe/tcp.js';
import { tlsProbe } from '../../src/probe/tls.js';
import { MeasurementSchema } from '../../src/results/index.js';
import type { Measurement } from '../../src/results/index.js';
import { createHttpResponder, limitsOf } from '../../src/serve/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { Scenario } from '../../src/sim/index.js';

/** A client 10 ms from a server on which everything listens somewhere. */
const SCENARIO: Scenario = {
  hosts: {
    client: { addresses: ['10.0.0.1', 'fd00::1'], resolvers: ['10.0.0.2'] },
    server: {
      addresses: ['10.0.0.2', 'fd00::2'],
      services: [
        { kind: 'dns' },
        { kind: 'dns', port: 5301, answers: 'servfail' },
        { kind: 'dns', port: 5302, answers: 'garbled' },
        { kind: 'dns', port: 5303, answers: 'never' },
        { kind: 'tcp-echo', port: 7 },
        { kind: 'tcp-discard', port: 9 },
        { kind: 'silent', protocol: 'tcp', port: 81 },
        { kind: 'web', port: 80, routes: { '/': { bytes: 1000, serverMs: 3 }, '/broken': { status: 503 }, '/moved': { status: 301 } } },
        { kind: 'web', port: 82, routes: { '/': { bytes: 10 } }, closes: true },
        { kind: 'web', port: 443, tls: { protocol: 'TLSv1.3' }, routes: { '/': { bytes: 1000 } } },
        { kind: 'web', port: 444, tls: { protocol: 'TLSv1.2', authorizationError: 'CERT_HAS_EXPIRED' }, routes: { '/': { bytes: 1000 } } },
      ],
    },
    mute: { addresses: ['10.0.0.3'], closedPorts: 'drop', services: [] },
  },
  paths: [
    { from: 'client', to: 'server', delayMs: 5, rateBps: 100e6, queueMs: 20 },
    { from: 'client', to: 'mute', delayMs: 5 },
  ],
  names: { 'server.example': ['10.0.0.2'], 'example.com': ['10.0.0.2'], 'two.example': ['10.0.0.9', '10.0.0.2'], 'mute.example': ['10.0.0.3'] },
};

interface Run {
  readonly network?: SimNetwork;
  readonly options?: object;
  readonly signal?: AbortSignal;
  readonly ports?: Partial<Ports>;
  readonly key?: Uint8Array;
}

async function measure<O extends CommonOptions>(probe: Probe<O>, target: string, run: Run = {}): Promise<Measurement[]> {
  const network = run.network ?? new SimNetwork(SCENARIO);
  const measurements = await network.run(() =>
    probe.run({
      target: parseTarget(target),
      path: 'default',
      options: { ...probe.defaults, ...run.options },
      ports: { ...network.ports('client'), ...run.ports },
      seed: 1,
      signal: run.signal ?? new AbortController().signal,
      onProgress: (doing, fraction) => assert.ok(doing.length > 0 && fraction >= 0 && fraction <= 1, `${doing} ${fraction}`),
      ...(run.key ? { key: run.key } : {}),
    }),
  );
  for (const measurement of measurements) {
    v.parse(MeasurementSchema, measurement);
    assert.ok(measurement.outcome === 'ok' || (measurement.reason ?? '').length > 10, JSON.stringify(measurement));
  }
  return measurements;
}

function metric(measurements: readonly Measurement[], name: string): Measurement {
  const found = measurements.find((measurement) => measurement.metric === name);
  assert.ok(found, `${name} among ${measurements.map((measurement) => measurement.metric).join(', ')}`);
  return found;
}

/** A few per cent above what the path takes: queues and headers. */
function near(measurement: Measurement, ms: number, within = 1.5): void {
  const median = measurement.summary?.median ?? Number.NaN;
  assert.ok(Math.abs(median - ms) <= within, `${measurement.metric} ${median} ms, not about ${ms} ms`);
}

/** Aborts the run as soon as this many of an operation began. */
function abortAfter(network: SimNetwork, calls: number): { signal: AbortSignal; ports: Partial<Ports> } {
  const controller = new AbortController();
  const ports = network.ports('client');
  let left = calls;
  const counting =
    <A extends unknown[], R>(call: (...args: A) => R) =>
    (...args: A): R => {
      if (left-- === 0) controller.abort();
      return call(...args);
    };
  const web = {
    client: () => {
      const client = ports.web.client();
      return { request: counting((request: Parameters<typeof client.request>[0]) => client.request(request)), close: () => client.close() };
    },
    load: (options: Parameters<Ports['web']['load']>[0]) => ports.web.load(options),
    tls: counting((options: Parameters<Ports['web']['tls']>[0]) => ports.web.tls(options)),
  };
  const streams = {
    connect: counting((options: Parameters<Ports['streams']['connect']>[0]) => ports.streams.connect(options)),
    pump: ports.streams.pump.bind(ports.streams),
  };
  return { signal: controller.signal, ports: { web, streams } };
}

describe('bad targets', () => {
  const probes: readonly (readonly [Probe<never>, string])[] = [
    [tcpProbe as Probe<never>, 'connect'],
    [tlsProbe as unknown as Probe<never>, 'tls'],
    [httpProbe as unknown as Probe<never>, 'http.total'],
    [responsivenessProbe as unknown as Probe<never>, 'responsiveness.down'],
  ];
  for (const [probe, name] of probes) {
    test(`${probe.name} says that a name is not known`, async () => {
      const found = metric(await measure(probe, 'nowhere.example:443'), name);
      assert.equal(found.outcome, 'unchecked');
      assert.match(found.reason ?? '', /'nowhere.example' is not known: check the spelling/);
    });

    test(`${probe.name} tells a refused port`, async () => {
      const found = metric(await measure(probe, '10.0.0.2:4444'), name);
      assert.equal(found.outcome, 'refused');
      assert.match(found.reason ?? '', /10\.0\.0\.2:4444/);
    });

    test(`${probe.name} tells a target that drops everything, and does not wait for every sample`, async () => {
      const network = new SimNetwork(SCENARIO);
      const found = metric(
        await measure(probe, '10.0.0.2:81', { network, options: { timeoutMs: 1000, ...(probe.name === 'responsiveness' ? {} : { count: 50 }) } }),
        name,
      );
      assert.equal(found.outcome, 'timeout');
      assert.match(found.reason ?? '', /within 1000 ms|did not answer/);
      assert.ok(network.nowMs < 5000, `it took ${network.nowMs} ms`);
    });

    test(`${probe.name} reports an abort before it began as such`, async () => {
      const found = metric(await measure(probe, 'server.example:443', { signal: AbortSignal.abort() }), name);
      assert.equal(found.outcome, 'unchecked');
      assert.match(found.reason ?? '', /interrupted/);
    });
  }

  test('impossible samplings are usage errors', async () => {
    for (const probe of [tcpProbe, tlsProbe, httpProbe, dnsProbe]) {
      await assert.rejects(
        measure(probe as Probe<CommonOptions>, '10.0.0.2', { options: { count: 0 } }),
        (error) => error instanceof TautlineError && error.code === 'usage',
      );
    }
    await assert.rejects(
      measure(responsivenessProbe, '10.0.0.2', { options: { durationMs: 0 } }),
      (error) => error instanceof TautlineError && error.code === 'usage',
    );
  });
});

describe('tcp', () => {
  test('takes one round trip a connection and loses none', async () => {
    const [found] = await measure(tcpProbe, 'server.example:7', { options: { count: 20, intervalMs: 10 } });
    assert.equal(found?.outcome, 'ok');
    assert.equal(found?.metric, 'connect');
    near(found as Measurement, 10);
    assert.deepEqual([found?.loss?.sent, found?.loss?.received], [20, 20]);
    assert.equal(found?.target, 'server.example:7');
  });

  test("keeps a refusal's time, which is a round trip too", async () => {
    const [found] = await measure(tcpProbe, '10.0.0.2');
    assert.equal(found?.outcome, 'refused');
    assert.match(found?.reason ?? '', /no port, so 7227 was tried/);
    assert.ok(Math.abs((found?.details?.['refused'] as { median: number }).median - 10) < 1);
  });

  test("goes on to the target's next address when the first does not answer", async () => {
    const [found] = await measure(tcpProbe, 'two.example:7', { options: { count: 3, timeoutMs: 500 } });
    assert.equal(found?.outcome, 'ok');
    assert.equal(found?.details?.['remote'], '10.0.0.2:7');
    assert.deepEqual(Object.keys(found?.details?.['passedOver'] as object), ['10.0.0.9']);
    assert.equal(found?.loss?.ratio, 0);
  });

  test('counts what was lost in between as lost', async () => {
    const network = new SimNetwork({
      ...SCENARIO,
      paths: [{ from: 'client', to: 'server', delayMs: 5 }],
      events: [
        { atMs: 95, from: 'client', to: 'server', change: { blackhole: true } },
        { atMs: 950, from: 'client', to: 'server', change: { blackhole: false } },
      ],
    });
    const [found] = await measure(tcpProbe, '10.0.0.2:7', { network, options: { count: 20, intervalMs: 50, timeoutMs: 400 } });
    assert.equal(found?.outcome, 'ok');
    assert.equal(found?.loss?.sent, 20);
    assert.ok((found?.loss?.received ?? 0) < 20 && (found?.loss?.received ?? 0) > 15, JSON.stringify(found?.loss));
    assert.match(found?.reason ?? '', /of 20 connections failed: \d timeout \(10\.0\.0\.2:7 did not answer/);
  });

  test('keeps what it had when the target dies in the middle', async () => {
    const network = new SimNetwork({ ...SCENARIO, events: [{ atMs: 505, kill: 'server', how: 'host' }] });
    const [found] = await measure(tcpProbe, '10.0.0.2:7', { network, options: { count: 100, intervalMs: 100, timeoutMs: 500 } });
    assert.equal(found?.outcome, 'timeout');
    assert.equal(found?.partial, true);
    assert.match(found?.reason ?? '', /answers stopped after 5 of 100 connections/);
    near(found as Measurement, 10);
    assert.equal(found?.summary?.n, 5);
    assert.ok(network.nowMs < 5000);
  });

  test('keeps what it had when it is aborted', async () => {
    const network = new SimNetwork(SCENARIO);
    const [found] = await measure(tcpProbe, '10.0.0.2:7', { network, ...abortAfter(network, 4) });
    assert.equal(found?.outcome, 'ok');
    assert.equal(found?.partial, true);
    assert.match(found?.reason ?? '', /interrupted after 4 of 10/);
    assert.equal(found?.summary?.n, 4);
  });

  test('uses only the family that was asked for', async () => {
    const [found] = await measure(tcpProbe, 'server.example:7', { options: { family: 6 } });
    assert.equal(found?.outcome, 'unchecked');
    assert.match(found?.reason ?? '', /server\.example/);
    const [literal] = await measure(tcpProbe, '10.0.0.2:7', { options: { family: 6 } });
    assert.match(literal?.reason ?? '', /10\.0\.0\.2 is an IPv4 address/);
  });
});

describe('tls', () => {
  test('times the handshake apart from the connection: one round trip for TLS 1.3', async () => {
    const measurements = await measure(tlsProbe, 'server.example:443', { options: { count: 5, intervalMs: 10 } });
    near(metric(measurements, 'tls'), 10);
    near(metric(measurements, 'connect'), 10);
    near(metric(measurements, 'tls.total'), 20, 2);
    assert.equal(metric(measurements, 'tls').details?.['trusted'], true);
    assert.equal(metric(measurements, 'tls').reason, undefined);
  });

  test('measures an untrusted certificate and says so; two round trips for TLS 1.2', async () => {
    const found = metric(await measure(tlsProbe, 'server.example:444', { options: { count: 5 } }), 'tls');
    assert.equal(found.outcome, 'ok');
    near(found, 20, 2);
    assert.match(found.reason ?? '', /not trusted: CERT_HAS_EXPIRED/);
    assert.deepEqual([found.details?.['protocol'], found.details?.['trusted']], ['TLSv1.2', false]);
  });

  test('warns of a certificate that ends soon', async () => {
    const network = new SimNetwork({
      ...SCENARIO,
      startedAt: '2026-01-01T00:00:00Z',
      hosts: {
        ...SCENARIO.hosts,
        server: { addresses: ['10.0.0.2'], services: [{ kind: 'web', port: 443, tls: { validTo: 'Jan  4 12:00:00 2026 GMT' }, routes: {} }] },
      },
    });
    const found = metric(await measure(tlsProbe, '10.0.0.2:443', { network, options: { count: 2 } }), 'tls');
    assert.match(found.reason ?? '', /certificate ends in 3 days/);
  });

  test('says that a port does not speak TLS', async () => {
    const found = metric(await measure(tlsProbe, '10.0.0.2:80', { options: { count: 2, timeoutMs: 500 } }), 'tls');
    assert.ok(found.outcome === 'lost' || found.outcome === 'timeout');
    assert.match(found.reason ?? '', /TLS handshake/);
  });

  test('keeps what it had when it is aborted', async () => {
    const network = new SimNetwork(SCENARIO);
    const measurements = await measure(tlsProbe, '10.0.0.2:443', { network, ...abortAfter(network, 3) });
    for (const found of measurements) assert.deepEqual([found.outcome, found.partial, found.summary?.n], ['ok', true, 3]);
  });
});

describe('http', () => {
  test('times each phase, fresh and kept alive apart', async () => {
    const measurements = await measure(httpProbe, 'https://server.example/', { options: { count: 5, intervalMs: 10 } });
    assert.deepEqual(
      measurements.map((found) => found.metric),
      ['http.dns', 'http.connect', 'http.tls', 'http.ttfb', 'http.total', 'http.keepalive.ttfb', 'http.keepalive.total'],
    );
    for (const name of ['http.dns', 'http.connect', 'http.tls', 'http.ttfb', 'http.keepalive.ttfb']) near(metric(measurements, name), 10, 2);
    near(metric(measurements, 'http.total'), 40, 4);
    assert.deepEqual(metric(measurements, 'http.total').details?.['status'], { 200: 5 });
    assert.equal(metric(measurements, 'http.total').reason, undefined);
  });

  test('leaves out the phases that did not happen', async () => {
    const measurements = await measure(httpProbe, '10.0.0.2:80', { options: { count: 3 } });
    assert.deepEqual(
      measurements.map((found) => found.metric),
      ['http.connect', 'http.ttfb', 'http.total', 'http.keepalive.ttfb', 'http.keepalive.total'],
    );
    // The server's own 3 ms are in the first byte.
    near(metric(measurements, 'http.ttfb'), 13, 2);
  });

  test('a bare host or port becomes a URL', async () => {
    const url = async (target: string): Promise<unknown> =>
      metric(await measure(httpProbe, target, { options: { count: 1 } }), 'http.total').details?.['url'];
    assert.equal(await url('server.example'), 'http://server.example:80/');
    assert.equal(await url('server.example:443'), 'https://server.example:443/');
    assert.equal(await url('10.0.0.2:82'), 'http://10.0.0.2:82/');
  });

  test('reports answers other than success with their times', async () => {
    const broken = metric(await measure(httpProbe, 'http://10.0.0.2/broken', { options: { count: 3 } }), 'http.total');
    assert.equal(broken.outcome, 'ok');
    assert.match(broken.reason ?? '', /failed on 3 of 3 requests \(3 x 503\)/);
    const moved = metric(await measure(httpProbe, 'http://10.0.0.2/moved', { options: { count: 2 } }), 'http.total');
    assert.match(moved.reason ?? '', /redirected \(2 x 301\)/);
    const missing = metric(await measure(httpProbe, 'http://10.0.0.2/missing', { options: { count: 2 } }), 'http.total');
    assert.match(missing.reason ?? '', /refused 2 of 2 requests \(2 x 404\)/);
  });

  test('says that a server keeps no connection open', async () => {
    const found = metric(await measure(httpProbe, '10.0.0.2:82', { options: { count: 3 } }), 'http.keepalive.ttfb');
    assert.equal(found.outcome, 'unsupported');
    assert.match(found.reason ?? '', /closes the connection after each answer/);
  });

  test('does not trust a certificate unless told to', async () => {
    const refused = metric(await measure(httpProbe, 'https://10.0.0.2:444/', { options: { count: 2 } }), 'http.total');
    assert.equal(refused.outcome, 'lost');
    assert.match(refused.reason ?? '', /not trusted/);
    const insecure = metric(await measure(httpProbe, 'https://10.0.0.2:444/', { options: { count: 2, insecure: true } }), 'http.total');
    assert.equal(insecure.outcome, 'ok');
  });

  test('keeps what it had when it is aborted, fresh or kept alive', async () => {
    const early = new SimNetwork(SCENARIO);
    const fresh = metric(await measure(httpProbe, '10.0.0.2:80', { network: early, ...abortAfter(early, 3) }), 'http.total');
    assert.deepEqual([fresh.outcome, fresh.partial, fresh.summary?.n], ['ok', true, 3]);
    const late = new SimNetwork(SCENARIO);
    const kept = metric(await measure(httpProbe, '10.0.0.2:80', { network: late, ...abortAfter(late, 14) }), 'http.keepalive.ttfb');
    assert.deepEqual([kept.outcome, kept.partial, kept.summary?.n], ['ok', true, 3]);
  });
});

describe('dns', () => {
  test('asks each resolver in use, and the system beside it', async () => {
    const measurements = await measure(dnsProbe, 'server.example', { options: { count: 5 } });
    const found = metric(measurements, 'dns');
    assert.equal(found.outcome, 'ok');
    assert.equal(found.target, 'server.example A @10.0.0.2:53');
    near(found, 10);
    assert.deepEqual([found.details?.['rcode'], found.details?.['answers'], found.details?.['repeated']], ['NOERROR', ['A 10.0.0.2'], 4]);
    assert.deepEqual([found.loss?.sent, found.loss?.received], [5, 5]);
    near(metric(measurements, 'dns.system'), 10);
  });

  test('an address is the server to ask, for a name of its own', async () => {
    const measurements = await measure(dnsProbe, '10.0.0.2', { options: { count: 2 } });
    assert.deepEqual(
      measurements.map((one) => one.target),
      ['example.com A @10.0.0.2:53'],
    );
    const [named] = await measure(dnsProbe, '10.0.0.2:53', { options: { count: 2, name: 'server.example' } });
    assert.equal(named?.target, 'server.example A @10.0.0.2:53');
    const [served] = await measure(dnsProbe, 'server.example', { options: { count: 2, server: '10.0.0.2' } });
    assert.equal(served?.target, 'server.example A @10.0.0.2:53');
  });

  test('that a name does not exist is an answer, and said', async () => {
    const measurements = await measure(dnsProbe, 'nowhere.example', { options: { count: 3 } });
    const found = metric(measurements, 'dns');
    assert.equal(found.outcome, 'ok');
    near(found, 10);
    assert.match(found.reason ?? '', /no name nowhere\.example \(NXDOMAIN\)/);
    const system = metric(measurements, 'dns.system');
    assert.equal(system.outcome, 'ok');
    assert.match(system.reason ?? '', /not known|no IPv4 address/);
  });

  test('so is a server that cannot resolve', async () => {
    const [found] = await measure(dnsProbe, '10.0.0.2:5301', { options: { count: 2 } });
    assert.equal(found?.outcome, 'ok');
    assert.match(found?.reason ?? '', /SERVFAIL/);
  });

  test('garbage, silence and refusal are told apart', async () => {
    const [garbled] = await measure(dnsProbe, '10.0.0.2:5302', { options: { timeoutMs: 500 } });
    assert.equal(garbled?.outcome, 'lost');
    assert.match(garbled?.reason ?? '', /not with DNS messages/);
    const [silent] = await measure(dnsProbe, '10.0.0.2:5303', { options: { timeoutMs: 500, retries: 2 } });
    assert.equal(silent?.outcome, 'timeout');
    assert.match(silent?.reason ?? '', /did not answer 3 queries within 500 ms each/);
    const [refused] = await measure(dnsProbe, '10.0.0.2:5399');
    assert.equal(refused?.outcome, 'refused');
    assert.match(refused?.reason ?? '', /nothing listens on that UDP port/);
  });

  test('a host without resolvers is told to name one', async () => {
    const network = new SimNetwork({ ...SCENARIO, hosts: { ...SCENARIO.hosts, client: { addresses: ['10.0.0.1'] } } });
    const found = metric(await measure(dnsProbe, 'server.example', { network }), 'dns');
    assert.equal(found.outcome, 'unchecked');
    assert.match(found.reason ?? '', /--server/);
  });

  test('an abort before it began leaves nothing measured', async () => {
    const [found] = await measure(dnsProbe, 'server.example', { signal: AbortSignal.abort() });
    assert.equal(found?.outcome, 'unchecked');
    assert.match(found?.reason ?? '', /interrupted/);
  });

  test('what cannot be asked for is a usage error', async () => {
    await assert.rejects(
      measure(dnsProbe, '10.0.0.2', { options: { name: 'a..b' } }),
      (error) => error instanceof TautlineError && error.code === 'usage',
    );
    for (const flag of dnsProbe.flags) {
      const bad = { type: 'WHAT', name: 'a b', server: 'http:', retries: '-1' }[flag.key] ?? '';
      assert.throws(
        () => flag.parse(bad),
        (error) => error instanceof TautlineError && error.code === 'usage',
        flag.key,
      );
    }
    assert.equal(dnsProbe.flags.find(({ key }) => key === 'type')?.parse('aaaa'), 'AAAA');
  });
});

describe('responsiveness', () => {
  /** The HTTP side of serve behind a path of 20 Mbit/s. */
  function loaded(queueMs: number, protocol: 'h1' | 'h2' = 'h2', checkTicket?: () => boolean, serverMs = 0): SimNetwork {
    const network = new SimNetwork({
      hosts: { client: { addresses: ['10.0.0.1'] }, server: { addresses: ['10.0.0.2'] } },
      paths: [{ from: 'client', to: 'server', delayMs: 10, rateBps: 20e6, queueMs }],
    });
    network.host('server').listen(7227, {
      http: {
        responder: createHttpResponder({ limits: limitsOf({}), software: 'tautline test', ...(checkTicket ? { checkTicket } : {}) }),
        protocol,
        serverMs: () => serverMs,
      },
    });
    return network;
  }

  test('sees how long the queue of a full path is', async () => {
    const shallow = metric(await measure(responsivenessProbe, '10.0.0.2', { network: loaded(5) }), 'responsiveness.down');
    const deep = metric(await measure(responsivenessProbe, '10.0.0.2', { network: loaded(200) }), 'responsiveness.down');
    assert.deepEqual([shallow.outcome, deep.outcome], ['ok', 'ok']);
    const [high, low] = [shallow.summary?.median ?? 0, deep.summary?.median ?? 0];
    // 20 ms round trip and at most 5 ms of queue: 2400 to 3000; 200 ms of queue: far below 1000.
    assert.ok(high > 1500 && high <= 3000, `shallow ${high}`);
    assert.ok(low < 1000, `deep ${low}`);
    assert.ok(Math.abs((deep.details?.['idleRpm'] as number) - 3000) < 300, String(deep.details?.['idleRpm']));
    assert.ok(Math.abs((deep.details?.['goodputBps'] as number) - 19e6) < 2e6, String(deep.details?.['goodputBps']));
  });

  test('measures both directions, each with its unit, interval, components and confidence', async () => {
    const measurements = await measure(responsivenessProbe, '10.0.0.2', { network: loaded(50) });
    assert.deepEqual(
      measurements.map((one) => one.metric),
      ['responsiveness.down', 'responsiveness.up'],
    );
    for (const found of measurements) {
      assert.equal(found.outcome, 'ok');
      assert.equal(found.summary?.unit, 'rpm');
      const [low, high] = found.summary?.ci95 ?? [0, 0];
      const rpm = found.summary?.median ?? 0;
      assert.ok(low <= rpm && rpm <= high && low > 0);
      assert.ok(['low', 'medium', 'high'].includes(found.details?.['confidence'] as string));
      assert.ok((found.details?.['foreign'] as { n: number }).n > 20);
      assert.ok((found.details?.['self'] as { n: number }).n > 20);
      assert.match(found.error?.from[0] ?? '', /^confidence (low|medium|high): goodput .*, responsiveness /);
    }
  });

  test('knows only separate connections without HTTP/2, and has low confidence', async () => {
    const found = metric(await measure(responsivenessProbe, '10.0.0.2', { network: loaded(50, 'h1') }), 'responsiveness.down');
    assert.equal(found.outcome, 'ok');
    assert.equal(found.details?.['confidence'], 'low');
    assert.equal(found.details?.['self'], undefined);
    assert.ok(found.error?.from.some((cause) => cause.includes('no HTTP/2')));
  });

  test('does not blame the path for programs that are slow at its ends', async () => {
    const found = metric(await measure(responsivenessProbe, '10.0.0.2', { network: loaded(5, 'h2', undefined, 300) }), 'responsiveness.down');
    assert.equal(found.outcome, 'ok');
    assert.ok(
      found.error?.from.some((cause) => cause.includes('the programs at the ends are what is slow')),
      found.error?.from.join('; '),
    );
    // The figure may be as far off as the idle path is better.
    const idleRpm = found.details?.['idleRpm'] as number;
    assert.ok(Math.abs((found.error?.value ?? 0) - (idleRpm - (found.summary?.median ?? 0))) < 1);
    const queued = metric(await measure(responsivenessProbe, '10.0.0.2', { network: loaded(200) }), 'responsiveness.down');
    assert.ok(!queued.error?.from.some((cause) => cause.includes('processor')), queued.error?.from.join('; '));
  });

  test('shortens its intervals when time is short, and says so', async () => {
    const network = loaded(50);
    const found = metric(await measure(responsivenessProbe, '10.0.0.2', { network, options: { durationMs: 4000 } }), 'responsiveness.down');
    assert.equal(found.outcome, 'ok');
    assert.notEqual(found.details?.['confidence'], 'high');
    assert.ok(found.error?.from.some((cause) => cause.includes('intervals of 250 ms')));
    assert.ok(network.nowMs < 6000);
  });

  test('takes as many intervals as were asked for, as long as was asked for', async () => {
    const network = loaded(50);
    const found = metric(await measure(responsivenessProbe, '10.0.0.2', { network, options: { count: 8, intervalMs: 500 } }), 'responsiveness.down');
    assert.equal((found.details?.['parameters'] as { intervalMs: number }).intervalMs, 500);
    assert.ok((found.details?.['intervals'] as unknown[]).length <= 8);
    assert.ok(network.nowMs > 6000 && network.nowMs < 10_000, `${network.nowMs} ms`);
    await assert.rejects(
      measure(responsivenessProbe, '10.0.0.2', { options: { intervalMs: 10 } }),
      (error) => error instanceof TautlineError && error.code === 'usage',
    );
  });

  test('asks for the key where a server wants one', async () => {
    for (const found of await measure(responsivenessProbe, '10.0.0.2', { network: loaded(50, 'h2', () => false) })) {
      assert.equal(found.outcome, 'refused');
      assert.match(found.reason ?? '', /wants a key: pass its file with --key-file/);
    }
  });

  test('says that a web server is no responsiveness server', async () => {
    const [found] = await measure(responsivenessProbe, 'http://10.0.0.2/');
    assert.equal(found?.outcome, 'unsupported');
    assert.match(found?.reason ?? '', /no responsiveness server: http:\/\/10\.0\.0\.2\/\.well-known\/nq has status 404/);
  });

  test('keeps what it had when the server dies in the middle', async () => {
    const network = loaded(50);
    network.timeline.after(6200 * 1e6, () => network.kill('server'));
    const measurements = await measure(responsivenessProbe, '10.0.0.2', { network });
    const down = metric(measurements, 'responsiveness.down');
    assert.equal(down.outcome, 'lost');
    assert.equal(down.partial, true);
    assert.match(down.reason ?? '', /the load ended before its time: 10\.0\.0\.2:7227 closed the connection/);
    assert.ok((down.summary?.median ?? 0) > 0);
    assert.notEqual(metric(measurements, 'responsiveness.up').outcome, 'ok');
  });

  test('notices that a server has fallen silent', async () => {
    const network = loaded(50);
    network.timeline.after(6200 * 1e6, () => network.kill('server', 'host'));
    const down = metric(await measure(responsivenessProbe, '10.0.0.2', { network, options: { timeoutMs: 2000 } }), 'responsiveness.down');
    assert.deepEqual([down.outcome, down.partial], ['lost', true]);
    assert.match(down.reason ?? '', /nothing moved for \d+ ms/);
    assert.ok((down.summary?.median ?? 0) > 0);
  });

  test('stops when it is aborted and keeps what it had', async () => {
    const network = loaded(50);
    const controller = new AbortController();
    network.timeline.after(6200 * 1e6, () => controller.abort());
    const measurements = await measure(responsivenessProbe, '10.0.0.2', { network, signal: controller.signal });
    assert.ok(network.nowMs < 7000);
    const down = metric(measurements, 'responsiveness.down');
    assert.deepEqual([down.outcome, down.partial], ['ok', true]);
    assert.equal(metric(measurements, 'responsiveness.up').outcome, 'unchecked');
  });
});
