import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConcludeRequest, conclude, concludeMeasurements, judgeWorkloads, pathFigures } from '../../src/diagnose/index.js';
import type { Measurement, Subject } from '../../src/results/index.js';
import { around, measurement } from '../report/documents.js';

const subject = (role: Subject['role'], name: string, ...measurements: Measurement[]): ConcludeRequest['subjects'][number] => ({
  name,
  role,
  measurements,
});
const rtt = (medianMs: number, n = 100, rest: Partial<Measurement> = {}): Measurement =>
  measurement({
    probe: 'echo',
    metric: 'rtt',
    summary: around('ms', medianMs, n, 0.01),
    loss: { sent: n, received: n, ratio: 0, ci95: [0, 4 / n] },
    ...rest,
  });
const throughput = (direction: string, bps: number, rest: Partial<Measurement> = {}): Measurement =>
  measurement({ probe: 'throughput', metric: `throughput.${direction}`, summary: around('bps', bps, 20, 0.01), ...rest });
const failed = (probe: string, outcome: 'lost' | 'refused' | 'timeout', reason = 'no answer came'): Measurement =>
  measurement({ probe, metric: probe === 'tcp' ? 'connect' : 'rtt', outcome, reason });

describe('conclusion', () => {
  it('passes a good path, with its figures, its worst and what it is good for', () => {
    const verdict = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(1.5), throughput('up', 941e6), throughput('down', 230e6))] });
    assert.equal(verdict.outcome, 'pass');
    assert.equal(verdict.band, 'good');
    assert.equal(
      verdict.sentence,
      'The path to b is good, with round trip 1.500 ms (median of 100), none of 100 lost, 941.0 Mbit/s up and 230.0 Mbit/s down; ' +
        'worst is throughput down at 230.0 Mbit/s (good); ' +
        'good enough for calls between services, interactive work over SSH and voice and video calls, not for coordinating AI training between hosts.',
    );
  });

  it('says so when nothing is worse than excellent', () => {
    const { sentence, band } = conclude({
      target: 'b',
      subjects: [subject('target', 'b', rtt(0.4), throughput('up', 941e6), throughput('down', 938e6))],
    });
    assert.equal(band, 'excellent');
    assert.match(sentence, /nothing measured is worse than excellent; good enough for coordinating AI training/);
  });

  it('names the rate of each way once, and that of the way alone', () => {
    const alone = [throughput('down', 938e6), throughput('up', 941e6)];
    const atOnce = [throughput('up', 610e6), throughput('down', 580e6)];
    const { sentence } = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(0.4), ...alone, ...atOnce)] });
    assert.match(sentence, /lost, 938\.0 Mbit\/s down and 941\.0 Mbit\/s up;/);
    assert.doesNotMatch(sentence, /lost,[^;]*(?:610|580)/);
  });

  it('fails a path with a poor figure', () => {
    const verdict = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(0.4), throughput('up', 12e6))] });
    assert.equal(verdict.outcome, 'fail');
    assert.equal(verdict.band, 'poor');
    assert.match(verdict.sentence, /worst is throughput up at 12\.00 Mbit\/s \(poor\)/);
    assert.match(verdict.sentence, /not for coordinating AI training between hosts and moving large files/);
  });

  it('does not fail for a poor gateway that nobody asked about, and says that it is poor', () => {
    const verdict = conclude({ subjects: [subject('gateway', 'default gateway', rtt(80))] });
    assert.equal(verdict.outcome, 'pass');
    assert.equal(verdict.band, 'poor');
    assert.match(verdict.sentence, /poor/);
  });

  it('names the loss where a round trip is held back by it', () => {
    const verdict = conclude({
      target: 'b',
      subjects: [subject('target', 'b', rtt(0.4, 100, { loss: { sent: 100, received: 80, ratio: 0.2, ci95: [0.13, 0.29] } }))],
    });
    assert.equal(verdict.outcome, 'fail');
    assert.match(verdict.sentence, /20\.00 % of 100 lost; worst is the loss of 20\.00 % \(poor\)/);
  });

  it('does not fail a path for one ping lost of eight', () => {
    const one = { sent: 8, received: 7, ratio: 0.125, ci95: [0.022, 0.47] as [number, number] };
    const verdict = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(0.4, 7, { loss: one }))] });
    assert.equal(verdict.outcome, 'inconclusive');
    assert.match(verdict.sentence, /12\.50 % of 8 lost; worst is the loss of 12\.50 % \(poor\)/);
    const most = { sent: 8, received: 2, ratio: 0.75, ci95: [0.41, 0.93] as [number, number] };
    assert.equal(conclude({ target: 'b', subjects: [subject('target', 'b', rtt(0.4, 8, { loss: most }))] }).outcome, 'fail');
  });

  it('tells what load adds to the round trip', () => {
    const loaded = [
      measurement({ probe: 'throughput', metric: 'rtt.idle', summary: around('ms', 1, 60) }),
      measurement({ probe: 'throughput', metric: 'rtt.loaded.up', summary: around('ms', 46, 60, 0.01) }),
    ];
    const { sentence, band } = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(1), throughput('up', 941e6), ...loaded)] });
    assert.equal(band, 'fair');
    assert.match(sentence, /worst is round trip under upload, 45\.00 ms above idle \(fair\)/);
  });

  it('says when the interval of the deciding figure reaches into another band, and keeps the rating', () => {
    const wide = measurement({ probe: 'echo', metric: 'rtt', summary: { ...around('ms', 4.9, 100), ci95: [4.7, 5.3] } });
    const { sentence, band } = conclude({ target: 'b', subjects: [subject('target', 'b', wide)] });
    assert.equal(band, 'good');
    assert.match(sentence, /worst is round trip at 4\.900 ms \(good\), though its 95 % interval \(4\.700 ms to 5\.300 ms\) reaches into fair/);
  });

  it('is inconclusive with too few samples to fail, and passes what enough samples show beside it', () => {
    const few = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(0.4, 3))] });
    assert.equal(few.outcome, 'inconclusive');
    assert.match(few.sentence, /^Too few samples to settle anything: the path to b is excellent/);
    assert.doesNotMatch(few.sentence, /good enough/);
    const poorButFew = conclude({
      target: 'b',
      subjects: [subject('target', 'b', rtt(0.4), throughput('up', 1e6, { summary: around('bps', 1e6, 2) }))],
    });
    assert.equal(poorButFew.outcome, 'inconclusive');
    const fineButFew = conclude({
      target: 'b',
      subjects: [subject('target', 'b', rtt(0.4), throughput('up', 941e6, { summary: around('bps', 941e6, 2) }))],
    });
    assert.equal(fineButFew.outcome, 'pass');
  });

  it('does not hold a poor figure against a path when the error of its own measuring reaches a better band', () => {
    const rpm = (value: number): Measurement =>
      measurement({
        probe: 'responsiveness',
        metric: 'responsiveness.down',
        summary: around('rpm', 90, 1),
        error: { value, unit: 'rpm', from: ['processor'] },
      });
    const doubtful = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(0.4), rpm(60_000))] });
    assert.equal(doubtful.outcome, 'inconclusive');
    assert.match(doubtful.sentence, /^A poor figure may be the fault of the measuring itself: the path to b is excellent/);
    assert.equal(conclude({ target: 'b', subjects: [subject('target', 'b', rtt(0.4), rpm(30))] }).outcome, 'fail');
    const slow = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(40, 100, { error: { value: 1, unit: 'ms', from: [] } }))] });
    assert.equal(slow.outcome, 'fail');
  });

  it('is inconclusive when cut short, interrupted, or broken off', () => {
    const partial = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(0.4), throughput('up', 941e6, { partial: true }))] });
    assert.equal(partial.outcome, 'inconclusive');
    assert.match(partial.sentence, /^A measurement was cut short/);
    const interrupted = conclude({ target: 'b', interrupted: true, subjects: [subject('target', 'b', rtt(0.4))] });
    assert.equal(interrupted.outcome, 'inconclusive');
    assert.match(interrupted.sentence, /^Interrupted/);
    const broken = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(0.4), failed('throughput', 'refused'))] });
    assert.equal(broken.outcome, 'inconclusive');
    assert.match(broken.sentence, /what failed on b: throughput \(refused\)/);
    const poorToo = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(80), rtt(0.4), failed('throughput', 'lost'))] });
    assert.equal(poorToo.outcome, 'fail');
    assert.doesNotMatch(poorToo.sentence, /good enough/, 'what broke off recommends nothing');
  });

  it('still fails a poor figure in an interrupted run', () => {
    assert.equal(conclude({ target: 'b', interrupted: true, subjects: [subject('target', 'b', rtt(80))] }).outcome, 'fail');
  });

  it('does not hold silence to pings or closed ports against a host that answers otherwise', () => {
    const verdict = conclude({ target: 'b', subjects: [subject('target', 'b', failed('ping', 'lost'), failed('tcp', 'refused'), rtt(0.4))] });
    assert.equal(verdict.outcome, 'pass');
  });

  it('holds a closed port against a host whose very port was named, and says so', () => {
    const refused = { ...failed('tcp', 'refused'), target: 'b:5432' };
    const asked = conclude({ target: 'b:5432', subjects: [{ ...subject('target', 'b:5432', refused, rtt(0.4)), asked: 'b:5432' }] });
    assert.equal(asked.outcome, 'inconclusive');
    assert.match(asked.sentence, /what failed on b:5432: tcp \(refused\)/);
    assert.equal(conclude({ target: 'b', subjects: [subject('target', 'b', refused, rtt(0.4))] }).outcome, 'pass');
  });

  it('takes a figure above its ceiling for an error, not for a good figure', () => {
    const ceiling = { value: 941.5e6, unit: 'bps', why: 'Ethernet' } as const;
    const verdict = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(0.4), throughput('up', 1.2e9, { ceiling }))] });
    assert.equal(verdict.outcome, 'inconclusive');
    assert.match(verdict.sentence, /throughput up of 1\.200 Gbit\/s is above the possible 941\.5 Mbit\/s and therefore a measuring error/);
    assert.doesNotMatch(verdict.sentence, /Gbit\/s up/);
  });

  it('says that nothing could be measured, and why', () => {
    const verdict = conclude({
      target: 'b',
      subjects: [subject('target', 'b', failed('tcp', 'timeout', 'nothing came back within 3 s; is the host up?')), subject('self', 'me', rtt(0.02))],
    });
    assert.deepEqual(verdict, {
      outcome: 'unmeasured',
      sentence: 'Nothing could be measured on the path to b: nothing came back within 3 s; is the host up?',
    });
    assert.equal(conclude({ target: 'b', subjects: [] }).outcome, 'unmeasured');
    assert.match(
      conclude({ target: 'b', interrupted: true, subjects: [subject('target', 'b', failed('tcp', 'timeout'))] }).sentence,
      /^Interrupted before anything could be measured on the path to b/,
    );
  });

  it('fails when one of several paths is dead', () => {
    const verdict = conclude({ target: 'b', subjects: [subject('target', 'b/lan', rtt(0.4)), subject('target', 'b/vpn', failed('ping', 'lost'))] });
    assert.equal(verdict.outcome, 'fail');
    assert.match(verdict.sentence, /b\/vpn could not be measured/);
  });

  it('without a target judges gateway and resolver, and a silent gateway is no failure', () => {
    const resolver = subject('resolver', '10.0.0.53', measurement({ probe: 'dns', metric: 'dns', summary: around('ms', 14, 10) }));
    const verdict = conclude({ subjects: [subject('gateway', '10.0.0.1', failed('ping', 'lost')), resolver, subject('self', 'me', rtt(0.02))] });
    assert.equal(verdict.outcome, 'pass');
    assert.equal(
      verdict.sentence,
      'The resolver 10.0.0.53 is good, with DNS lookup 14.00 ms (median of 10); worst is DNS lookup at 14.00 ms (good); the gateway 10.0.0.1 could not be measured.',
    );
    const gateway = conclude({ subjects: [subject('gateway', '10.0.0.1', rtt(0.8)), resolver] });
    assert.match(
      gateway.sentence,
      /^The gateway 10\.0\.0\.1 is excellent, .*; the resolver 10\.0\.0\.53 is good, .*worst is DNS lookup of the resolver 10\.0\.0\.53.*the way to the gateway is good enough for calls between services/,
    );
  });

  it('calls a gateway by its address', () => {
    const gateway = { name: 'default gateway (IPv4)', role: 'gateway' as const, address: '10.0.0.1', measurements: [rtt(0.8)] };
    assert.match(conclude({ subjects: [gateway] }).sentence, /^The gateway 10\.0\.0\.1 is excellent/);
  });

  it('keeps what was measured before a peer died', () => {
    const died = rtt(0.4, 60, { outcome: 'lost', partial: true, reason: 'answers stopped 600 ms after the start' });
    const verdict = conclude({ target: 'b', subjects: [subject('target', 'b', died)] });
    assert.equal(verdict.outcome, 'inconclusive');
    assert.match(
      verdict.sentence,
      /^A measurement was cut short, so these figures settle nothing: the path to b answers, with round trip 400\.0 us \(median of 60\)/,
    );
  });

  it('says that this host alone proves nothing about a network', () => {
    const self = subject('self', 'me', rtt(0.02, 1000), throughput('both', 38e9));
    const verdict = conclude({ subjects: [self, subject('gateway', '10.0.0.1', failed('ping', 'lost'))] });
    assert.equal(verdict.outcome, 'pass');
    assert.equal(verdict.band, undefined);
    assert.match(
      verdict.sentence,
      /^Only this host itself was measured \(round trip 20\.00 us \(median of 1000\), none of 1000 lost, 38\.00 Gbit\/s both ways\): that bounds .* says nothing about a network; the gateway 10\.0\.0\.1 could not be measured\.$/,
    );
    assert.equal(conclude({ interrupted: true, subjects: [self] }).outcome, 'inconclusive');
  });

  it('names responsiveness in both directions', () => {
    const turns = (direction: string, rpm: number): Measurement =>
      measurement({ probe: 'responsiveness', metric: `responsiveness.${direction}`, summary: around('rpm', rpm, 1) });
    const { sentence } = concludeMeasurements([turns('down', 1680), turns('up', 383)], { target: 'b' });
    assert.equal(
      sentence,
      'The path to b is fair, with 1680 RPM down and 383 RPM up under load; worst is responsiveness under upload at 383 RPM (fair).',
    );
  });

  it('marks what was only simulated', () => {
    const { sentence } = conclude({ target: 'b', subjects: [subject('target', 'b', rtt(0.4, 100, { provenance: 'simulated' }))] });
    assert.match(sentence, /^Simulated: the path to b/);
  });

  it('counts subjects beyond the third instead of naming them', () => {
    const many = Array.from({ length: 5 }, (_, i) => subject('target', `peer-${i}`, rtt(1)));
    assert.match(conclude({ target: 'all', subjects: many }).sentence, /peer-2 .*; and 2 more; /);
  });

  it('judges the measurements of a single probe too', () => {
    assert.equal(concludeMeasurements([rtt(3)], { target: 'b' }).band, 'good');
    assert.equal(concludeMeasurements([], { target: 'b' }).outcome, 'unmeasured');
  });
});

describe('workloads', () => {
  it('are judged by the worst figure of each kind, and only where what they need was measured', () => {
    const figures = pathFigures([rtt(1), rtt(30), throughput('up', 500e6), throughput('down', 90e6), failed('echo', 'lost')]);
    assert.deepEqual(figures, { rttMs: 30, lossRatio: 0, throughputBps: 90e6 });
    assert.deepEqual(judgeWorkloads({ throughputBps: 500e6 }), { fits: ['moving large files'], fails: [] });
    assert.deepEqual(judgeWorkloads({}), { fits: [], fails: [] });
  });

  it('mind delay under load, jitter and loss', () => {
    const calls = (extra: object): boolean => judgeWorkloads({ rttMs: 20, lossRatio: 0, ...extra }).fits.includes('voice and video calls');
    assert.equal(calls({}), true);
    assert.equal(calls({ loadedRttMs: 800 }), false);
    assert.equal(calls({ jitterMs: 45 }), false);
    assert.equal(calls({ lossRatio: 0.02 }), false);
    assert.equal(calls({ throughputBps: 1e6 }), false);
  });
});
