import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wilson } from '../../src/stats/index.js';
import type { Measurement } from '../../src/results/index.js';
import { INTERFACE, whyNoNamespaces } from '../lab/namespaces.js';
import type { Namespace } from '../lab/namespaces.js';
import { installed } from '../lab/processes.js';
import { PORT, metric } from '../lab/tautline.js';
import { withServedPath } from './keyed-serve.js';

const whyNot = (await whyNoNamespaces()) ?? ((await installed('nft')) ? undefined : 'nft is missing (package nftables)');
const skip = whyNot ?? false;

/** An echo of 64 bytes is the only datagram of this length: handshakes and reports are longer. */
const ECHO_UDP_LENGTH = 64 + 8;
/** The intervals hold in all but one of ten thousand runs: the dice here are real. */
const SURE = 0.9999;

const RATE_BPS = 20e6;
/** Payload of a full TCP segment with timestamps, of the Ethernet frame that the shaper counts. */
const EFFICIENCY = 1448 / 1514;

describe('loss that nftables throws at random on the receiving side', { skip }, () => {
  for (const [direction, percent] of [
    ['up', 5],
    ['down', 3],
  ] as const) {
    test(`${percent} % on the way ${direction} is told as ${direction}, to the datagram`, async () => {
      await withServedPath(async ({ near, far, measure }) => {
        const [end, match] = direction === 'up' ? [far, `udp dport ${PORT}`] : [near, `udp sport ${PORT}`];
        await dropAtRandom(end, `${match} udp length ${ECHO_UDP_LENGTH}`, percent);
        const { document, code } = await measure('echo', '--count', '4000', '--interval', '1ms');
        const rtt = metric(document.measurements, 'rtt');
        const dropped = await droppedBy(end);
        assert.equal(code, 0);
        assert.deepEqual(rtt.details?.['lost'], {
          up: direction === 'up' ? dropped : 0,
          down: direction === 'down' ? dropped : 0,
          unknown: 0,
        });
        assert.equal(rtt.loss?.sent, 4000);
        assert.equal(rtt.loss.received, 4000 - dropped);
        const [low, high] = wilson(dropped, 4000, SURE);
        assert.ok(low <= percent / 100 && percent / 100 <= high, `${dropped} of 4000 is not ${percent} %`);
      });
    });
  }

  test('check of that path shows the loss with its interval, and still rates the delay', async () => {
    await withServedPath(async ({ far, check }) => {
      await dropAtRandom(far, `udp dport ${PORT} udp length ${ECHO_UDP_LENGTH}`, 5);
      const { document } = await check();
      const rtt = echoOf(targetOf(document.subjects));
      assert.ok(rtt.loss && rtt.loss.sent >= 100);
      const [low, high] = wilson(rtt.loss.sent - rtt.loss.received, rtt.loss.sent, SURE);
      assert.ok(low <= 0.05 && 0.05 <= high, JSON.stringify(rtt.loss));
      assert.ok((rtt.summary?.median ?? 99) < 1, 'a veth pair takes less than a millisecond');
    });
  });
});

describe('a path of 20 Mbit/s with a deep queue', { skip }, () => {
  const shaped = (ends: readonly Namespace[]): Promise<unknown> =>
    Promise.all(
      ends.map((end) =>
        // 250 ms of queue, as a home router has; a sender that fills it (the machine's default may be one that does not).
        end.sh(
          `sysctl -qw net.ipv4.tcp_congestion_control=reno; tc qdisc add dev ${INTERFACE} root handle 1: htb default 1; tc class add dev ${INTERFACE} parent 1: classid 1:1 htb rate ${RATE_BPS}bit quantum 1514; tc qdisc add dev ${INTERFACE} parent 1:1 bfifo limit 625000`,
        ),
      ),
    );

  for (const direction of ['up', 'down'] as const) {
    test(`throughput ${direction} is the shaped rate, and the latency under load shows the queue`, async () => {
      await withServedPath(async ({ near, far, measure }) => {
        await shaped([near, far]);
        const { document, code } = await measure('throughput', '--direction', direction, '--duration', '6s', '--omit', '1s', '--streams', '2');
        assert.equal(code, 0);
        nearly(metric(document.measurements, `throughput.${direction}`).summary?.mean, RATE_BPS * EFFICIENCY, 0.05);
        const idle = metric(document.measurements, 'rtt.idle').summary?.median ?? Number.NaN;
        const loaded = metric(document.measurements, `rtt.loaded.${direction}`).summary?.median ?? Number.NaN;
        assert.ok(idle < 2, `idle ${idle} ms`);
        assert.ok(loaded > 50 && loaded < 400, `loaded ${loaded} ms`);
      });
    });
  }

  test('UDP below the rate arrives whole', async () => {
    await withServedPath(async ({ near, far, measure }) => {
      await shaped([near, far]);
      const found = metric(
        (await measure('throughput', '--udp', '--rate', '10M', '--duration', '3s', '--direction', 'up')).document.measurements,
        'udp.up',
      );
      assert.equal(found.loss?.ratio, 0, found.reason);
      nearly(found.summary?.mean, 10e6, 0.03);
    });
  });

  test('check of that path shows the rate', async () => {
    await withServedPath(async ({ near, far, check }) => {
      await shaped([near, far]);
      const target = targetOf((await check()).document.subjects);
      for (const direction of ['up', 'down']) nearly(metric(target, `throughput.${direction}`).summary?.mean, RATE_BPS * EFFICIENCY, 0.1);
    });
  });
});

describe('a policer that lets 20 Mbit/s through', { skip }, () => {
  /** nft counts whole IP packets, in units of 1024 bytes. */
  const POLICED_KBYTES = 2441;
  const SECONDS = 4;
  const POLICED_BPS = POLICED_KBYTES * 1024 * 8 * (1400 / 1428);

  // What segmentation offload joins into one packet would pass as one packet of another length.
  const unjoined = (end: Namespace): Promise<string> => end.sh(`ethtool -K ${INTERFACE} gso off gro off tx-udp-segmentation off`);

  test('UDP at twice the rate arrives at the rate, and the loss is the rest', async () => {
    await withServedPath(async ({ near, far, measure }) => {
      await Promise.all([near, far].map(unjoined));
      await far.sh(
        `nft add table inet police; nft 'add chain inet police in { type filter hook input priority 0; }'; nft add rule inet police in udp dport ${PORT} udp length 1408 limit rate over ${POLICED_KBYTES} kbytes/second burst 20 kbytes drop`,
      );
      const found = metric(
        (await measure('throughput', '--udp', '--rate', '40M', '--duration', `${SECONDS}s`, '--direction', 'up')).document.measurements,
        'udp.up',
      );
      // nft's bucket begins full and holds what comes in one second: until it is empty everything passes.
      nearly(found.summary?.median, POLICED_BPS, 0.02);
      nearly(found.loss?.ratio, 1 - ((SECONDS + 1) * POLICED_BPS) / (SECONDS * 40e6), 0.03);
    });
  });
});

function dropAtRandom(end: Namespace, match: string, percent: number): Promise<string> {
  return end.sh(
    `nft add table inet lossy; nft 'add chain inet lossy in { type filter hook input priority 0; }'; nft add rule inet lossy in ${match} numgen random mod 1000 '<' ${percent * 10} counter drop`,
  );
}

async function droppedBy(end: Namespace): Promise<number> {
  return Number(/counter packets (\d+)/.exec(await end.sh('nft list table inet lossy'))?.[1]);
}

function targetOf(subjects: readonly { readonly role: string; readonly measurements: readonly Measurement[] }[]): readonly Measurement[] {
  const target = subjects.find(({ role }) => role === 'target');
  assert.ok(target);
  return target.measurements;
}

function echoOf(measurements: readonly Measurement[]): Measurement {
  return metric(
    measurements.filter(({ probe }) => probe === 'echo'),
    'rtt',
  );
}

function nearly(actual: number | undefined, expected: number, tolerance: number): void {
  assert.ok(actual !== undefined && Math.abs(actual / expected - 1) <= tolerance, `${actual} is not within ${100 * tolerance} % of ${expected}`);
}
