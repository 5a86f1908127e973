import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wilson } from '../../src/stats/index.js';
import type { CheckDocument, MeasureDocument } from '../../src/results/index.js';
import { TAUTLINE, metric } from '../lab/tautline.js';
import { runUml, whyNoUml } from './uml/uml.js';

const skip = (await whyNoUml()) ?? false;

const T = TAUTLINE.map((word) => `'${word}'`).join(' ');

/** Two namespaces inside the kernel with netem, serve in the far one; `near` and `far` run a command in each. */
const PATH = `
near() { ip netns exec near "$@"; }
far() { ip netns exec far "$@"; }
ip netns add near; ip netns add far
ip link add path0 netns near type veth peer name path0 netns far
near ip link set lo up; far ip link set lo up; near ip link set path0 up; far ip link set path0 up
near ip addr add 10.77.0.1/24 dev path0; far ip addr add 10.77.0.2/24 dev path0
head -c 32 /dev/urandom | base64 > key
far ${T} serve --bind 10.77.0.2 --port 7227 --key-file key > serve.out 2>&1 &
for i in $(seq 100); do grep -q :7227 serve.out && break; sleep 0.1; done
measure() { near ${T} measure "$1" 10.77.0.2:7227 --key-file key --json --quiet "\${@:2}" || true; }
`;

describe('a path with a delay that netem sets', { skip }, () => {
  for (const delayMs of [10, 50]) {
    test(`${delayMs} ms on the way out are measured within 50 us + 0.5 %`, async () => {
      /*
       * What is compared is the least round trip with the delay minus the least without: the least is
       * what the path itself takes, free of what two programs that share one emulated processor add,
       * and the difference leaves the two namespaces' own time out.
       */
      const { stdout, stderr } = await runUml(`${PATH}
        measure echo --count 300 --interval 10ms > plain.json
        near tc qdisc add dev path0 root netem delay ${delayMs}ms
        near ping -q -i 0.02 -c 100 10.77.0.2 > ping.txt
        measure echo --count 300 --interval 10ms > delayed.json
        cat plain.json; echo ---; cat delayed.json; echo ---; cat ping.txt`);
      const [plain, delayed, ping] = stdout.split('---\n');
      const base = rttOf(plain, stderr);
      const rtt = rttOf(delayed, stderr);
      const tolerance = 0.05 + 0.005 * delayMs;
      const found = rtt.min - base.min;
      assert.ok(Math.abs(found - delayMs) <= tolerance, `${found} ms is not ${delayMs} ms within ${tolerance} ms (${ping})`);
      // The median may not hide behind the minimum: what lies between is this kernel's own jitter, which ping sees too.
      assert.ok(rtt.median - rtt.min <= tolerance + 1, `median ${rtt.median}, minimum ${rtt.min} ms`);
    });
  }

  test('a delay on one way is seen on that way: the other one does not vary with it', async () => {
    const { stdout, stderr } = await runUml(`${PATH}
      near tc qdisc add dev path0 root netem delay 20ms 5ms
      measure echo --count 400 --interval 10ms`);
    const { details } = metric(read<MeasureDocument>(stdout, stderr).measurements, 'rtt');
    const spread = (way: string): number => ((details ?? {})[way] as Ways).aboveMinimumMs.median;
    assert.ok(spread('up') > 2 && spread('up') < 8, `up varies by ${spread('up')} ms`);
    assert.ok(spread('down') < 1, `down varies by ${spread('down')} ms`);
  });
});

describe('a path that loses, duplicates and reorders by netem', { skip }, () => {
  test('5 % loss on the way out is told as up, within its interval', async () => {
    const { stdout, stderr } = await runUml(`${PATH}
      near tc qdisc add dev path0 root netem loss 5% limit 10000
      measure echo --count 3000 --interval 2ms`);
    const { details, loss } = metric(read<MeasureDocument>(stdout, stderr).measurements, 'rtt');
    const lost = details?.['lost'] as { readonly up: number; readonly down: number };
    const [low, high] = wilson(lost.up, loss?.sent ?? 0, 0.9999);
    assert.ok(low <= 0.05 && 0.05 <= high, `${lost.up} of ${loss?.sent}`);
    assert.equal(lost.down, 0);
  });

  test('duplicates and reordering are counted, and are not loss', async () => {
    const { stdout, stderr } = await runUml(`${PATH}
      near tc qdisc add dev path0 root netem duplicate 10% limit 10000
      measure echo --count 1000 --interval 4ms
      echo ---
      near tc qdisc del dev path0 root
      near tc qdisc add dev path0 root netem delay 10ms reorder 25% limit 10000
      measure echo --count 1000 --interval 4ms`);
    const [first, second] = stdout.split('---\n');
    const duplicated = metric(read<MeasureDocument>(first, stderr).measurements, 'rtt');
    const reordered = metric(read<MeasureDocument>(second, stderr).measurements, 'rtt');
    assert.equal(duplicated.loss?.ratio, 0);
    assert.equal(reordered.loss?.ratio, 0);
    const [low, high] = wilson(total(duplicated.details?.['duplicates']), 1000, 0.9999);
    assert.ok(low <= 0.1 && 0.1 <= high, JSON.stringify(duplicated.details?.['duplicates']));
    assert.ok(total(reordered.details?.['reordered']) > 100, JSON.stringify(reordered.details?.['reordered']));
  });
});

describe('a path of 20 Mbit/s and 20 ms by netem', { skip }, () => {
  test('throughput is the rate, and the queue shows as latency under load', async () => {
    const { stdout, stderr } = await runUml(`${PATH}
      near tc qdisc add dev path0 root netem rate 20mbit delay 20ms limit 200
      near sysctl -qw net.ipv4.tcp_congestion_control=cubic
      measure throughput --direction up --duration 6s --omit 2s`);
    const { measurements } = read<MeasureDocument>(stdout, stderr);
    const rate = metric(measurements, 'throughput.up').summary?.mean ?? Number.NaN;
    const expected = 20e6 * (1448 / 1514);
    assert.ok(Math.abs(rate / expected - 1) <= 0.05, `${rate} is not ${expected}`);
    const idle = metric(measurements, 'rtt.idle').summary?.median ?? Number.NaN;
    const loaded = metric(measurements, 'rtt.loaded.up').summary?.median ?? Number.NaN;
    assert.ok(idle >= 20 && idle < 23, `idle ${idle} ms`);
    assert.ok(loaded > idle + 20, `loaded ${loaded} ms, idle ${idle} ms`);
  });

  test('check gives delay, loss and rate of the whole path at once', async () => {
    const { stdout, stderr } = await runUml(`${PATH}
      near tc qdisc add dev path0 root netem rate 20mbit delay 20ms loss 1% limit 1000
      near sysctl -qw net.ipv4.tcp_congestion_control=bbr || true
      near ${T} check 10.77.0.2:7227 --key-file key --json --quiet || true`);
    const target = read<CheckDocument>(stdout, stderr).subjects.find(({ role }) => role === 'target');
    assert.ok(target);
    const rtt = metric(
      target.measurements.filter(({ probe }) => probe === 'echo'),
      'rtt',
    );
    assert.ok(rtt.summary && rtt.summary.min >= 20 && rtt.summary.min < 20.6, JSON.stringify(rtt.summary));
    const [low, high] = wilson((rtt.loss?.sent ?? 0) - (rtt.loss?.received ?? 0), rtt.loss?.sent ?? 0, 0.9999);
    assert.ok(low <= 0.01 && 0.01 <= high, JSON.stringify(rtt.loss));
    const down = metric(target.measurements, 'throughput.down');
    const up = metric(target.measurements, 'throughput.up');
    assert.ok((up.summary?.mean ?? Infinity) <= 20e6, 'not above what the path can carry');
    assert.ok((down.summary?.mean ?? 0) > (up.summary?.mean ?? Infinity), 'the way back is not shaped');
  });
});

interface Ways {
  readonly aboveMinimumMs: { readonly median: number };
}

function rttOf(text: string | undefined, stderr: string): { readonly min: number; readonly median: number } {
  const { summary, reason } = metric(read<MeasureDocument>(text, stderr).measurements, 'rtt');
  assert.ok(summary, reason);
  return summary;
}

function read<D>(text: string | undefined, stderr: string): D {
  try {
    return JSON.parse(text ?? '') as D;
  } catch (cause) {
    throw new Error(`no document: ${text?.slice(0, 500)} ${stderr}`, { cause });
  }
}

/** A count, or counts by direction. */
function total(value: unknown): number {
  if (typeof value === 'number') return value;
  return Object.values(value as Readonly<Record<string, number>>).reduce((sum, n) => sum + n, 0);
}
