import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { definePeer } from '../../src/paths/index.js';
import type { CheckDocument, Subject } from '../../src/results/index.js';
import type { Scenario } from '../../src/sim/index.js';
import { runCheck } from './sim-check.js';

/** Rooms of a scenario that the cases share: what a laptop at home sees. */
const laptop = { addresses: ['10.0.0.9'], gateway: '10.0.0.1', resolvers: ['10.0.0.53'] };
const router = { addresses: ['10.0.0.1'] };
const resolver = { addresses: ['10.0.0.53'], services: [{ kind: 'dns', port: 53, answerMs: 1 } as const] };
const lan = (to: string, delayMs = 0.5): Scenario['paths'][number] => ({ from: 'laptop', to, delayMs });

function subject(document: CheckDocument, role: Subject['role'], name?: string): Subject {
  const found = document.subjects.find((candidate) => candidate.role === role && (name === undefined || candidate.name === name));
  assert.ok(found, `there is a ${role} ${name ?? ''} among ${document.subjects.map((each) => `${each.role} ${each.name}`).join(', ')}`);
  return found;
}

const figure = (of: Subject, metric: string) => of.measurements.find((measurement) => measurement.metric === metric);

describe('a check without a target', () => {
  test('finds interface, gateway and resolver, and measures what answers', async () => {
    const { document } = await runCheck({ hosts: { laptop, router, resolver }, paths: [lan('router', 1), lan('resolver', 2)] });
    assert.equal(subject(document, 'interface').address, '10.0.0.9');
    const gateway = figure(subject(document, 'gateway'), 'rtt');
    assert.equal(gateway?.outcome, 'ok');
    assert.ok(Math.abs((gateway.summary?.median ?? 0) - 2) < 0.1, `two ways of 1 ms, got ${gateway.summary?.median}`);
    assert.equal(gateway.rating?.band, 'good');
    assert.equal(figure(subject(document, 'resolver'), 'dns')?.outcome, 'ok');
    assert.equal(document.verdict.outcome, 'pass');
  });

  test('a gateway that drops pings is measured by what it does answer', async () => {
    const silent = { ...router, icmp: 'silent' as const, services: [{ kind: 'tcp-discard' as const, port: 80 }] };
    const { document } = await runCheck({ hosts: { laptop, router: silent }, paths: [lan('router')] });
    const gateway = subject(document, 'gateway');
    assert.equal(figure(gateway, 'rtt')?.outcome, 'lost');
    assert.ok(gateway.measurements.some((measurement) => measurement.metric === 'connect' && measurement.outcome === 'ok'));
    assert.notEqual(document.verdict.outcome, 'unmeasured');
  });

  test('without any network the document still stands, and says why this host could not be measured', async () => {
    const { document } = await runCheck({ hosts: { laptop: { addresses: [] } }, paths: [] });
    const self = subject(document, 'self');
    assert.equal(self.name, 'this host itself, loopback');
    assert.equal(self.measurements[0]?.outcome, 'unchecked');
    assert.match(self.measurements[0]?.reason ?? '', /has no responder/);
    assert.equal(document.verdict.outcome, 'unmeasured');
  });

  test('the configured peers are checked instead, each of their paths', async () => {
    const peer = { addresses: ['10.1.0.2', '10.2.0.2'], services: [{ kind: 'tcp-discard' as const, port: 22 }] };
    const { document } = await runCheck(
      {
        hosts: { laptop, peer },
        paths: [
          { from: 'laptop', to: '10.1.0.2', delayMs: 1 },
          { from: 'laptop', to: '10.2.0.2', delayMs: 8 },
        ],
      },
      { peers: [definePeer('beta', { paths: { vpn: '10.2.0.2', lan: '10.1.0.2' }, defaultPath: 'lan' })] },
    );
    assert.deepEqual(
      document.subjects.map((each) => each.name),
      ['beta/lan', 'beta/vpn'],
    );
    const medians = document.subjects.map((each) => figure(each, 'rtt')?.summary?.median ?? 0);
    assert.ok(Math.abs((medians[0] ?? 0) - 2) < 0.1 && Math.abs((medians[1] ?? 0) - 16) < 0.1, `got ${medians.join(' and ')}`);
    assert.deepEqual(
      document.subjects.map((each) => figure(each, 'rtt')?.path),
      ['lan', 'vpn'],
    );
  });
});

describe('a check of a target', () => {
  const web = {
    addresses: ['10.0.0.80'],
    services: [{ kind: 'web' as const, port: 443, protocol: 'h1' as const, tls: {}, routes: { '/': { bytes: 1000 } } }],
  };

  test('measures everything that a web server answers to', async () => {
    const { document, progress } = await runCheck(
      { hosts: { laptop: { ...laptop, hosts: { www: ['10.0.0.80'] } }, web, resolver }, paths: [lan('web', 5), lan('resolver')] },
      { target: 'www' },
    );
    const target = subject(document, 'target');
    assert.equal(target.facts['open port'], '443');
    assert.match(target.facts['tautline serve'] ?? '', /none on port 7227/);
    for (const metric of ['rtt', 'connect', 'tls', 'http.total']) assert.equal(figure(target, metric)?.outcome, 'ok', metric);
    assert.match(progress.find((line) => line.startsWith('plan')) ?? '', /ping www.*tcp www:443.*tls www:443.*http/);
  });

  test('a named port that refuses is said to refuse, beside what answers', async () => {
    const { document } = await runCheck({ hosts: { laptop, web }, paths: [lan('web')] }, { target: '10.0.0.80:81' });
    const target = subject(document, 'target');
    assert.equal(figure(target, 'rtt')?.outcome, 'ok');
    assert.equal(figure(target, 'connect')?.outcome, 'refused');
    assert.equal(document.verdict.outcome, 'inconclusive');
    assert.match(document.verdict.sentence, /what failed on 10\.0\.0\.80:81: tcp \(refused\)/);
  });

  test('a web page whose server refuses is no pass, however well its host answers pings', async () => {
    const { document } = await runCheck({ hosts: { laptop, web }, paths: [lan('web')] }, { target: 'http://10.0.0.80/' });
    assert.equal(figure(subject(document, 'target'), 'rtt')?.outcome, 'ok');
    assert.equal(document.verdict.outcome, 'inconclusive');
  });

  test('a host that was named without a port passes without an open one', async () => {
    const bare = { addresses: ['10.0.0.81'] };
    const { document } = await runCheck({ hosts: { laptop, bare }, paths: [lan('bare')] }, { target: '10.0.0.81' });
    assert.equal(document.verdict.outcome, 'pass', document.verdict.sentence);
  });

  test('a silent target costs little time and is unmeasured', async () => {
    const { document, virtualMs } = await runCheck({ hosts: { laptop }, paths: [] }, { target: '10.0.0.66:7227' });
    assert.equal(document.verdict.outcome, 'unmeasured');
    const asked = subject(document, 'target').measurements.filter(({ probe }) => probe !== 'link');
    assert.ok(asked.every((measurement) => measurement.outcome !== 'ok' && measurement.reason !== undefined));
    assert.ok(virtualMs < 12_000, `took ${virtualMs} ms`);
  });

  test('a name that nobody knows is unmeasured, and the reason names it', async () => {
    const { document } = await runCheck({ hosts: { laptop, resolver }, paths: [lan('resolver')] }, { target: 'no.such.example' });
    const [lookup] = subject(document, 'target').measurements;
    assert.equal(document.verdict.outcome, 'unmeasured');
    assert.match(lookup?.reason ?? '', /no\.such\.example/);
  });

  test('an interrupt keeps what was measured', async () => {
    const { document } = await runCheck(
      { hosts: { laptop, web }, paths: [lan('web', 5)] },
      { target: '10.0.0.80', depth: 'thorough', abortAtMs: 4000 },
    );
    assert.equal(document.interrupted, true);
    const rtt = figure(subject(document, 'target'), 'rtt');
    assert.ok((rtt?.summary?.n ?? 0) > 50, `kept ${rtt?.summary?.n} round trips`);
    assert.equal(figure(subject(document, 'target'), 'http.total'), undefined);
  });
});

describe('a check of a tautline serve', () => {
  const server = { addresses: ['10.0.0.2'] };
  const path = { from: 'laptop', to: 'server', delayMs: 3, rateBps: 60e6 };
  const keyed = { ...laptop, files: { '/right.key': 'a key of the right length', '/wrong.key': 'another key as long as that' } };

  test('measures round trip, loss, throughput both ways with latency under load, HTTP and responsiveness', async () => {
    const { document } = await runCheck({ hosts: { laptop, server }, paths: [path] }, { target: '10.0.0.2', depth: 'default' });
    const target = subject(document, 'target');
    assert.equal(target.facts['tautline serve'], 'answers on port 7227');
    for (const measurement of target.measurements)
      assert.equal(measurement.outcome, 'ok', `${measurement.probe} ${measurement.metric}: ${measurement.reason}`);
    const rtt = target.measurements.find(({ probe, metric }) => probe === 'echo' && metric === 'rtt');
    assert.ok(Math.abs((rtt?.summary?.median ?? 0) - 6) < 0.2, `two ways of 3 ms, got ${rtt?.summary?.median}`);
    for (const metric of ['throughput.up', 'throughput.down']) {
      const rate = figure(target, metric)?.summary?.median ?? 0;
      assert.ok(rate > 50e6 && rate < 60e6, `${metric} over 60 Mbit/s was ${rate}`);
    }
    for (const metric of ['rtt.idle', 'rtt.loaded.up', 'rtt.loaded.down', 'http.total', 'responsiveness.up', 'responsiveness.down'])
      assert.ok(figure(target, metric)?.summary, metric);
  });

  test('quick leaves responsiveness out and takes about five seconds', async () => {
    const { document, virtualMs } = await runCheck({ hosts: { laptop, server }, paths: [path] }, { target: '10.0.0.2:7227' });
    assert.equal(figure(subject(document, 'target'), 'responsiveness.down'), undefined);
    assert.ok(virtualMs > 3000 && virtualMs < 7000, `took ${virtualMs} ms`);
  });

  test('with the right key everything is measured', async () => {
    const { document } = await runCheck(
      { hosts: { laptop: keyed, server }, paths: [path] },
      { target: '10.0.0.2', serveKey: 'a key of the right length', keyFile: '/right.key' },
    );
    assert.equal(figure(subject(document, 'target'), 'throughput.down')?.outcome, 'ok');
  });

  for (const [name, keyFile] of [
    ['the wrong key', '/wrong.key'],
    ['no key', undefined],
  ] as const) {
    test(`with ${name} the refusal is told, and ping and connect are measured all the same`, async () => {
      const { document } = await runCheck(
        { hosts: { laptop: keyed, server }, paths: [path] },
        { target: '10.0.0.2', serveKey: 'a key of the right length', ...(keyFile === undefined ? {} : { keyFile }) },
      );
      const target = subject(document, 'target');
      assert.match(target.facts['tautline serve'] ?? '', /^refused: .*key/);
      assert.equal(target.measurements.find(({ probe }) => probe === 'echo')?.outcome, 'refused');
      assert.equal(target.measurements.find(({ probe }) => probe === 'ping')?.outcome, 'ok');
      assert.equal(figure(target, 'connect')?.outcome, 'ok');
      assert.equal(figure(target, 'throughput.down'), undefined);
    });
  }

  test('a server that dies in the middle leaves what was measured before, and says so', async () => {
    const { document } = await runCheck(
      { hosts: { laptop, server }, paths: [path], events: [{ atMs: 3000, kill: 'server', how: 'host' }] },
      { target: '10.0.0.2', depth: 'default' },
    );
    const target = subject(document, 'target');
    assert.equal(target.measurements.find(({ probe }) => probe === 'ping')?.outcome, 'ok');
    assert.ok(target.measurements.some((measurement) => measurement.outcome !== 'ok' && measurement.reason !== undefined));
    assert.notEqual(document.verdict.outcome, 'pass');
  });
});
