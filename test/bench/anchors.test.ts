import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readIperf3, readIrtt, readSockperf } from '../../bench/anchors.js';
import { ROOT } from '../lab/tautline.js';

/** Outputs of iperf3 3.12, sockperf 3.7 and irtt 0.9.0 on loopback, captured as they were; irtt's is cut to 200 round trips. */
function captured(name: string): string {
  return readFileSync(join(ROOT, 'test', 'bench', 'captured', name), 'utf8');
}

describe('what the anchors print is read', () => {
  test("iperf3's TCP rate is the receiver's", () => {
    assert.deepEqual(readIperf3(captured('iperf3-tcp.json')), { receivedBps: 28920174782.037426 });
  });

  test("iperf3's UDP packets are told apart into sent and arrived", () => {
    const { receivedBps, sentPps, receivedPps } = readIperf3(captured('iperf3-udp.json'));
    assert.equal(Math.round(receivedBps), 956488256);
    assert.equal(Math.round(sentPps ?? 0), 235003);
    assert.equal(Math.round(receivedPps ?? 0), 85401);
    // What arrived carries 1400 bytes each: both figures tell of the same bytes.
    assert.ok(Math.abs((receivedPps ?? 0) * 1400 * 8 - receivedBps) < 0.001 * receivedBps);
  });

  test("iperf3's error is thrown in its own words", () => {
    assert.throws(() => readIperf3(captured('iperf3-refused.json')), /unable to connect to server/);
  });

  test("sockperf's full round trips come in milliseconds", () => {
    assert.deepEqual(readSockperf(captured('sockperf.txt')), { medianMs: 0.025032, p99Ms: 0.282505, n: 1549 });
  });

  test('sockperf without a server, or told to print half round trips, is an error', () => {
    assert.throws(() => readSockperf(captured('sockperf-none.txt')), /No messages were received/);
    assert.throws(() => readSockperf(captured('sockperf.txt').replace('Round trip is', 'Latency is')), /no round trips/);
  });

  test("irtt's round trips and timer error come in milliseconds", () => {
    const result = readIrtt(captured('irtt.json'));
    assert.equal(result.n, 200);
    assert.equal(result.sent, 876);
    assert.equal(result.asked, 1000);
    assert.ok(Math.abs(result.timerErrorMeanMs - 0.268204) < 1e-9);
    assert.ok(result.medianMs > 0.01 && result.medianMs < result.p99Ms && result.p99Ms < 3);
  });
});
