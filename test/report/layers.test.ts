import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REPORTS } from '../../src/report/index.js';
import type { CheckDocument, Measurement, ResultDocument } from '../../src/results/index.js';
import { CHECK, MEASURE, around, measurement } from './documents.js';
import { DOCKER, LAYER_DOCUMENTS, LINK, LOST_TRACE, MTU, SSH, TAILSCALE, TRACE } from './layer-documents.js';
import { RICH } from './rich.js';

const render = (document: ResultDocument, format: 'text' | 'markdown' | 'html' = 'text', width = 80): string =>
  REPORTS[format].render(document, { color: false, width });
/** Where lines are broken does not matter. */
const flat = (text: string): string => text.replace(/\s+/g, ' ');

function checkOf(...measurements: readonly Measurement[]): CheckDocument {
  const [first] = CHECK.subjects;
  assert.ok(first);
  return { ...CHECK, subjects: [{ ...first, measurements: [...measurements] }] };
}

describe('layers under the figures', () => {
  it('are told whole after a probe of their own, in every format, from one description', () => {
    const words: readonly (readonly [ResultDocument, readonly string[]])[] = [
      [TRACE, ['2001:db8:85a3:8d3:1319:8a2e:370:7348', '3 flows of 6', 'silent', 'limits', 'flows part behind hop 1 and meet again at hop 3']],
      [LOST_TRACE, ['the target was not reached', 'the way ends at hop 2']],
      [MTU, ['yes: large packets vanish', '1348 B (1360 B less options)', 'clamp TCP segments to 1360 B']],
      [LINK, ['tbf, shapes to 50.00 Mbit/s', 'generic-receive-offload', '1 (of 8) receive']],
      [SSH, ['OpenSSH_9.2p1', 'set up, not running, kept for 600 s', 'chmod 600']],
      [TAILSCALE, ['it says direct, and packets do not come through', '0 of 10 of 1280 B']],
      [DOCKER, ['unhealthy', 'restarting, 3 restarts', '18080→80', '172.28.0.0/16 overlaps', 'the path takes 1290 B']],
    ];
    for (const [document, expected] of words) {
      for (const format of ['text', 'markdown', 'html'] as const) {
        const report = flat(render(document, format).replace(/<[^>]+>|&#8288;|\\(?=[<>|*_[\]`~#!$])/g, ''));
        for (const each of expected) assert.ok(report.includes(each), `${format} does not say '${each}':\n${report.slice(0, 3000)}`);
      }
    }
  });

  it('leave no list of bare details beside them', () => {
    for (const document of LAYER_DOCUMENTS) assert.doesNotMatch(flat(render(document)), /in short|direction up,|verified yes|all routers seen/);
  });

  it('have a line each hop, with round trips in one unit, aligned', () => {
    const wide = render(TRACE, 'text', 120).split('\n');
    const from = wide.findIndex((line) => /hop +address/.test(line));
    const hops = wide.slice(from + 1, from + 7);
    assert.match(wide[from] ?? '', /hop +address +name +answered +min ms +median ms +max ms +remark/);
    assert.match(hops[0] ?? '', /1 +192\.0\.2\.1 +home\.example\.net +6\/6 +0\.55 +0\.61 +1\.22/);
    const ends = hops.filter((line) => !line.includes('silent')).map((line) => /\d\.\d\d +(?=\d+\.\d\d +\d+\.\d\d)/.exec(line)?.index);
    assert.ok(ends.every((end) => end !== undefined && Math.abs(end - (ends[0] ?? 0)) <= 1));
  });

  it('name what does not fit instead of leaving it out in silence', () => {
    assert.match(flat(render(TRACE, 'text', 80)), /not shown in 80 columns: name, min ms, max ms \(--json has all\)/);
    assert.doesNotMatch(render(TRACE, 'text', 140), /not shown/);
  });

  it('are one line of a check, in place of their rows', () => {
    const [up, down] = MTU.measurements;
    const [hops] = TRACE.measurements;
    const [eth0, veth1] = LINK.measurements;
    assert.ok(up && down && hops && eth0 && veth1);
    const report = render(checkOf(down, { ...down, metric: 'mtu.up' }, hops, veth1));
    assert.match(flat(report), /path MTU 1500 B both ways; 5 hops, 1 silent, flows part at hop 1; veth1: veth, MTU 1500/);
    assert.doesNotMatch(report, /path MTU up|link speed|end of the trace/);
    assert.match(flat(render(checkOf(up, down, eth0))), /path MTU 1400 B up, 1500 B down, black hole up; eth0: .*half duplex/);
  });

  it('keep the row of what failed', () => {
    const [lost] = LOST_TRACE.measurements;
    assert.ok(lost);
    const report = flat(render(checkOf(lost)));
    assert.match(report, /round trip at the end of the trace refused/);
    assert.match(report, /trace ends after 2 hops, by TCP/);
  });

  it('say why an interface has no speed', () => {
    assert.match(render(LINK), /link speed of veth1 +no speed\n +a virtual interface is no cable\n/);
    assert.doesNotMatch(render(LINK), /speed of veth1 +ok/);
  });
});

describe('a figure of a run of both ways', () => {
  const rate = (metric: string): Measurement => measurement({ probe: 'throughput', metric, summary: around('bps', 1e9, 10) });
  const loaded = (metric: string): Measurement => measurement({ probe: 'throughput', metric, summary: around('ms', 3, 10) });

  it('is marked, and the others are not', () => {
    const report = render({
      ...MEASURE,
      measurements: [
        rate('throughput.up'),
        loaded('rtt.loaded.up'),
        rate('throughput.down'),
        loaded('rtt.loaded.down'),
        rate('throughput.up'),
        rate('throughput.down'),
        loaded('rtt.loaded.both'),
      ],
    });
    const labels = report.split('\n').flatMap((line) => /^ {2}(throughput \w+(?:, both at once)?) {2}/.exec(line)?.[1] ?? []);
    assert.deepEqual(labels, ['throughput up', 'throughput down', 'throughput up, both at once', 'throughput down, both at once']);
  });
});

describe('what is too long for a terminal', () => {
  it('is cut after three lines of evidence, and the page has it whole', () => {
    const words = Array.from({ length: 90 }, (_, i) => `figure${i}`).join(' ');
    const finding = {
      id: 'unknown' as const,
      title: 'something',
      severity: 'notice' as const,
      confidence: 'possible' as const,
      subject: 'beta',
      symptoms: [],
      evidence: [{ text: words }],
      ruledOut: [],
      next: [],
    };
    const document = { ...CHECK, findings: [finding] };
    assert.equal(render(document).match(/^ +(?:figure\d+ ?)+…?$/gm)?.length, 3);
    assert.match(render(document), /figure\d+ …\n/);
    assert.ok(render(document, 'html').includes(words));
  });

  it('is a command, which a shell still takes as it stands', () => {
    const command = `ip route replace 10.78.2.2/32 via 10.78.1.254 dev path0 ${'mtu 1400 advmss 1360 '.repeat(3)}`.trim();
    const [first] = RICH.findings ?? [];
    assert.ok(first);
    const report = render({ ...RICH, findings: [{ ...first, next: [{ text: 'lower it', command, costs: 'change' }] }] });
    const from = report.indexOf('ip route replace');
    const typed = report.slice(from, report.indexOf('\nwhich path')).trim();
    assert.match(typed, /\\\n/);
    assert.equal(flat(typed.replace(/\\\n/g, '')), command);
  });

  it('is a verdict that only repeats the reason under its figure', () => {
    const [lost] = LOST_TRACE.measurements;
    assert.ok(lost?.reason !== undefined);
    const verdict = { outcome: 'unmeasured' as const, sentence: `Nothing could be measured on the path to 10.78.4.2: ${lost.reason}.` };
    const report = flat(render({ ...LOST_TRACE, verdict }));
    assert.equal(report.split(lost.reason).length - 1, 1);
    assert.match(report, /UNMEASURED: Nothing could be measured on the path to 10\.78\.4\.2\. $/);
  });
});

describe('the comparison of paths in a terminal', () => {
  const comparison = (verdict: 'differs' | 'unclear', better?: string): NonNullable<CheckDocument['comparisons']>[number] => ({
    peer: 'beta',
    metric: 'rtt',
    path: 'vpn',
    against: 'lan',
    unit: 'ms',
    value: 4.3,
    againstValue: 0.05,
    ratio: 86,
    turns: 6,
    verdict,
    sentence: 'delay of vpn is 86 times that of lan',
    ...(better === undefined ? {} : { better }),
  });

  it('is a table, and the choice does not say it again', () => {
    const report = render({
      ...CHECK,
      comparisons: [comparison('differs', 'lan')],
      choices: [{ peer: 'beta', purpose: 'latency', path: 'lan', sentence: 'lan is best for latency: delay of vpn is 86 times that of lan' }],
    });
    assert.match(report, /for latency: lan\n/);
    assert.match(report, /round trip +vpn +4\.300 ms +lan +50\.00 us +86\.0 x +6 +differs/);
    assert.doesNotMatch(report, /86 times/);
  });

  it('keeps the interval of the ratio where room is scarce, and leaves out what the figures below tell', () => {
    const report = render({ ...CHECK, comparisons: [{ ...comparison('differs', 'lan'), ci95: [70.4, 104], metric: 'http.keepalive.total' }] });
    assert.match(report, /path +median +vs +ratio +95 % interval/);
    assert.match(report, /86\.0 x +70\.4–104 +differs/);
    assert.match(render(RICH), /44\.9 % +43\.0–47\.0 +differs/);
  });

  it('does not call paths the same that could not be told apart', () => {
    const choices = [{ peer: 'beta', purpose: 'latency' as const, sentence: 'whether vpn and lan differ in delay is unclear' }];
    const document = { ...CHECK, comparisons: [comparison('unclear')], choices };
    for (const format of ['text', 'markdown', 'html'] as const) assert.doesNotMatch(render(document, format), /no difference/);
    assert.match(render(document), /for latency: whether vpn and lan differ/);
  });
});
