import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as v from 'valibot';
import { FINDING_GRAPH, findingsOf, limitsOf } from '../../src/diagnose/index.js';
import type { Evidence } from '../../src/diagnose/index.js';
import { FindingSchema } from '../../src/results/index.js';
import type { Finding } from '../../src/results/index.js';
import { PATH_CASES } from './cases-paths.js';
import { SERVICE_CASES } from './cases-services.js';
import { card, evidence, given, load, ms, path } from './given.js';

const CASES = [...PATH_CASES, ...SERVICE_CASES];

function found(given: Evidence): Finding[] {
  const findings = findingsOf(given);
  for (const finding of findings) v.parse(FindingSchema, JSON.parse(JSON.stringify(finding)));
  return findings;
}

const said = (findings: readonly Finding[]): string =>
  findings
    .map(({ id, confidence, severity, evidence: shown }) => `${id} ${severity} ${confidence}: ${shown.map(({ text }) => text).join('; ')}`)
    .join('\n');

describe('each cause', () => {
  for (const [i, { id, path: broken, nearMiss, missing }] of CASES.entries()) {
    test(`${id} is first where it is the trouble (${i + 1})`, () => {
      const findings = found(evidence(path(broken)));
      assert.equal(findings[0]?.id, id, said(findings));
      assert.ok(findings[0].evidence.length > 0, 'with evidence');
      assert.ok(findings[0].next.length > 0, 'with something to do');
    });

    test(`${id} is not found where it nearly is the trouble (${i + 1})`, () => {
      const findings = found(evidence(path(nearMiss)));
      assert.ok(
        findings.every((finding) => finding.id !== id),
        said(findings),
      );
    });

    if (missing) {
      test(`${id} is never certain without what shows it (${i + 1})`, () => {
        const findings = found(evidence(path(missing)));
        assert.ok(
          findings.every((finding) => finding.id !== id || finding.confidence !== 'certain'),
          said(findings),
        );
      });
    }
  }

  test('has a case of its own', () => {
    const tried = new Set(CASES.map(({ id }) => id));
    const elsewhere = ['vpn-overhead', 'worse-path'];
    assert.deepEqual(
      FINDING_GRAPH.causes.map(({ id }) => id).filter((id) => !tried.has(id) && !elsewhere.includes(id)),
      [],
    );
  });
});

describe('findings', () => {
  test('are none on a sound path', () => {
    assert.deepEqual(said(found(evidence(path()))), '');
  });

  test('are none where nothing was measured', () => {
    assert.deepEqual(found({ paths: [{ peer: 'x', path: 'lan', kind: 'lan', measurements: [] }], host: [] }), []);
    assert.deepEqual(found({ paths: [], host: [] }), []);
  });

  test('say `unknown` of trouble that nothing explains, with what was excluded and what was not looked at', () => {
    const [first, ...rest] = found(evidence(path({ up: { bps: 300e6 }, down: { bps: 300e6 } })));
    assert.equal(first?.id, 'unknown');
    assert.deepEqual(first.symptoms, ['low-throughput']);
    assert.ok(
      first.ruledOut.some(({ id, why }) => id === 'sender-cpu' && why.includes('20 %')),
      JSON.stringify(first.ruledOut),
    );
    assert.ok(
      first.next.some(({ command }) => command === 'tautline check beta --thorough'),
      'where everything was looked at there is still something to do',
    );
    assert.deepEqual(rest, []);
  });

  test('do not propose a look that was taken already', () => {
    const broken = { lost: { up: 30, down: 0 } };
    const before = found(evidence(path(broken)))[0];
    const after = found(evidence(path({ ...broken, and: [given('trace', 'trace', ms(0.3))] })))[0];
    assert.ok(before?.next.some(({ command }) => command?.includes('trace')));
    assert.ok(after && !after.next.some(({ command }) => command?.includes('trace')));
  });

  test('of one end are told once, whichever paths show them', () => {
    const slow = { near: { link: card(1e9, { supportedBpsMax: 10e9 }) } };
    const findings = found(evidence(path({ ...slow, peer: 'beta' }), path({ ...slow, peer: 'gamma', address: '10.0.0.3' })));
    assert.equal(findings.filter(({ id }) => id === 'link-below-capability').length, 1, said(findings));
    assert.equal(findings[0]?.subject, 'this host');
    assert.equal(findings[0].path, undefined);
  });

  test('give commands for the system that measured', () => {
    const commands = (os: string): string =>
      found(evidence(path({ near: { os }, lost: { up: 30, down: 0 } })))
        .flatMap(({ next }) => next.map(({ command }) => command ?? ''))
        .join('\n');
    assert.match(commands('linux'), /ip -s -s link show dev eth0/);
    assert.match(commands('darwin'), /netstat -ib/);
  });

  test('name the path that is much worse than another one, and a VPN that costs much beside a local path', () => {
    const worse = found(evidence(path(), path({ path: 'lan2', rttMs: 9 })));
    assert.deepEqual([worse[0]?.id, worse[0]?.path], ['worse-path', 'lan2'], said(worse));
    const tunnel = { link: card(0, { kind: 'tunnel', name: 'tailscale0' }) };
    const vpn = found(evidence(path(), path({ path: 'vpn', kind: 'tailscale', rttMs: 6, near: tunnel, far: tunnel })));
    assert.deepEqual([vpn[0]?.id, vpn[0]?.path], ['vpn-overhead', 'vpn'], said(vpn));
    assert.deepEqual(said(found(evidence(path(), path({ path: 'vpn', kind: 'tailscale', rttMs: 0.9, near: tunnel, far: tunnel })))), '');
  });

  test('of low throughput are silent beyond this site, where the lines between are not known', () => {
    assert.deepEqual(said(found(evidence(path({ kind: 'wan', rttMs: 20, up: { bps: 30e6 }, down: { bps: 90e6 } })))), '');
  });

  test('do not rest on a figure with too few samples, or that was cut short', () => {
    const few = { ...load('up', { bps: 100e6 }), partial: true as const };
    assert.deepEqual(said(found(evidence(path({ and: [few] })))), '');
    assert.deepEqual(said(found(evidence(path({ and: [given('throughput', 'rtt.loaded.up', ms(400, { n: 5 }))] })))), '');
  });
});

describe('whatever it is given', () => {
  const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -1, Number.NaN, Number.POSITIVE_INFINITY));
  const metric = fc.constantFrom(
    'rtt',
    'jitter',
    'connect',
    'rtt.idle',
    'rtt.loaded.up',
    'throughput.up',
    'throughput.down',
    'mtu.up',
    'link',
    'docker',
    'tailscale',
    'ssh',
    'trace',
    'tls',
    'http.ttfb',
    'http.connect',
    'http.total',
    'http.keepalive.ttfb',
    'dns',
    'dns.system',
  );
  const probe = fc.constantFrom('echo', 'ping', 'tcp', 'throughput', 'mtu', 'link', 'docker', 'tailscale', 'ssh', 'trace', 'tls', 'http', 'dns');
  const figure = fc.record({
    unit: fc.constantFrom('ms', 'bps', 'bytes', 'ratio'),
    n: fc.nat(1000),
    min: number,
    median: number,
    mean: number,
    p95: number,
    p99: number,
    max: number,
    stddev: number,
  });
  const stream = fc.record(
    { bytes: number, mssBytes: number, busyMs: number, receiverLimitedMs: number, senderLimitedMs: number, minRttMs: number, rttMs: number },
    { requiredKeys: [] },
  );
  const details = fc.record(
    {
      perStream: fc.array(stream, { maxLength: 3 }),
      intervals: fc.array(fc.record({ startMs: number, endMs: number, bps: number, retransmits: number, rttMs: number }), { maxLength: 24 }),
      goodputBps: number,
      lost: fc.record({ up: number, down: number, unknown: number }),
      blackHole: fc.boolean(),
      hops: fc.array(
        fc.record({
          ttl: fc.nat(30),
          sent: fc.nat(9),
          answered: fc.nat(9),
          nodes: fc.array(fc.record({ address: fc.string(), answered: fc.nat(), flows: fc.constant([]) }), { maxLength: 2 }),
        }),
        { maxLength: 4 },
      ),
      sender: fc.record(
        { busiest: number, host: fc.record({ busy: number, busiestCpu: number, softirq: number, steal: number }) },
        { requiredKeys: [] },
      ),
      connection: fc.string(),
    },
    { requiredKeys: [] },
  );
  const measurement = fc.record(
    {
      probe,
      metric,
      target: fc.string(),
      path: fc.constant('lan'),
      outcome: fc.constantFrom('ok', 'lost', 'refused', 'timeout', 'unsupported', 'unchecked'),
      startedAt: fc.constant('2026-01-01T00:00:00Z'),
      durationMs: fc.nat(),
      provenance: fc.constant('measured'),
      summary: figure,
      loss: fc.record({ sent: fc.nat(1000), received: fc.nat(1000), ratio: fc.double({ min: 0, max: 1, noNaN: true }) }),
      details,
      partial: fc.boolean(),
      reason: fc.string(),
    },
    { requiredKeys: ['probe', 'metric', 'target', 'path', 'outcome', 'startedAt', 'durationMs', 'provenance'] },
  );

  test('it answers with findings and limits that are well formed', () => {
    fc.assert(
      fc.property(fc.array(measurement, { maxLength: 12 }), fc.constantFrom('lan', 'wan', 'tailscale', 'loopback', 'other'), (measurements, kind) => {
        const one = { ...path(), kind, measurements } as unknown as Evidence['paths'][number];
        for (const finding of findingsOf({ paths: [one], host: measurements as never })) v.parse(FindingSchema, finding);
        for (const { bps } of limitsOf(one)) assert.ok(Number.isFinite(bps) && bps > 0);
      }),
      { numRuns: 400, seed: 1789061544 },
    );
  });
});
