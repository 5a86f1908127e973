import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REFUSAL, encodeData, encodeEcho, encodeFinish, encodeFlood, encodeHello, openTranscript, proveKey } from '../../src/wire/index.js';
import type { DueFlood } from '../../src/wire/index.js';
import { Desk, address } from './udp-client.js';

const ME = address('192.0.2.1');

// --- Handshake -------------------------------------------------------------------------------

test('no answer to an unproven address is longer than its question, and nothing is kept', () => {
  const desk = new Desk();
  const hello = encodeHello(new Uint8Array(16).fill(1));
  const cookie = desk.send(hello, ME);
  assert.ok(cookie && cookie.length < hello.length);
  assert.equal(desk.responder.counters()['sessions'], 0);
});

test('the same open twice leads to the same session: its answer may have been lost', () => {
  const desk = new Desk();
  const open = desk.prepareOpen(ME);
  const [first, second] = [desk.ask(open, ME), desk.ask(open, ME)];
  assert.ok(first?.kind === 'opened' && second?.kind === 'opened');
  assert.equal(first.session, second.session);
  assert.equal(desk.responder.counters()['sessions'], 1);
  assert.equal(desk.responder.counters()['opened'], 1);
});

test('a cookie proves only the address and port that it was sent to', () => {
  const desk = new Desk();
  const open = desk.prepareOpen(ME);
  for (const other of [address('192.0.2.2'), address('192.0.2.1', 40_001), address('2001:db8::1')]) assert.equal(desk.send(open, other), undefined);
  assert.equal(desk.responder.counters()['unproven'], 3);
  assert.equal(desk.ask(open, ME)?.kind, 'opened');
});

test('a cookie is valid for at least 15 and at most 30 seconds', () => {
  for (const bornMs of [0, 7_000, 14_999]) {
    const desk = new Desk();
    desk.send(encodeHello(new Uint8Array(16)), ME);
    desk.nowMs = bornMs;
    const open = desk.prepareOpen(ME);
    desk.nowMs = bornMs + 15_000;
    assert.equal(desk.ask(open, ME)?.kind, 'opened');
    desk.nowMs = bornMs + 30_001;
    const late = new Desk();
    late.nowMs = 0;
    late.send(encodeHello(new Uint8Array(16)), ME);
    late.nowMs = bornMs;
    const stale = late.prepareOpen(ME);
    late.nowMs = bornMs + 30_001;
    assert.equal(late.send(stale, ME), undefined);
  }
});

test('a cookie of another start of serve is worthless', () => {
  const open = new Desk({ secret: new Uint8Array(32).fill(1) }).prepareOpen(ME);
  assert.equal(new Desk({ secret: new Uint8Array(32).fill(2) }).send(open, ME), undefined);
});

test('any changed bit of cookie or nonces makes a proof worthless', () => {
  const desk = new Desk();
  const open = desk.prepareOpen(ME);
  for (let i = 8; i < 56; i++) {
    const changed = open.slice();
    changed[i] = (changed[i] ?? 0) ^ 1;
    assert.equal(desk.send(changed, ME), undefined, `byte ${i}`);
  }
});

test('with a key, both sides prove it; a wrong one is refused, and no session is opened', () => {
  const key = new Uint8Array(32).fill(9);
  const desk = new Desk({ key });
  const wrong = desk.ask(desk.prepareOpen(ME, { key: new Uint8Array(32).fill(8) }), ME);
  assert.deepEqual([wrong?.kind, wrong?.kind === 'refused' && wrong.code], ['refused', REFUSAL.key]);
  assert.equal(desk.responder.counters()['sessions'], 0);
  const open = desk.prepareOpen(ME);
  const opened = desk.ask(open, ME);
  assert.ok(opened?.kind === 'opened');
  const transcript = new Uint8Array([...openTranscript(open.slice(8, 24), open.slice(40, 56), open.slice(24, 40)), ...new Uint8Array(8)]);
  new DataView(transcript.buffer).setBigUint64(transcript.length - 8, opened.session);
  assert.deepEqual(opened.mac, new Uint8Array(proveKey(key, 'server', transcript)));
  assert.notDeepEqual(opened.mac, open.slice(56, 88), "a proof cannot be sent back as one's own");
});

test('a hello of another protocol version is told so in fewer bytes', () => {
  const desk = new Desk();
  const hello = encodeHello(new Uint8Array(16).fill(7));
  hello[4] = 9;
  const answer = desk.ask(hello, ME);
  assert.deepEqual([answer?.kind, answer?.kind === 'refused' && answer.code], ['refused', REFUSAL.version]);
});

test('handshakes are answered at a limited rate, and those with a cookie are not held up by strangers', () => {
  const desk = new Desk({ limits: { udpHandshakesPerSecondMax: 100 } });
  const open = desk.prepareOpen(ME);
  let answered = 0;
  for (let i = 0; i < 1000; i++) if (desk.send(encodeHello(new Uint8Array(16).fill(i)), address('198.51.100.1'))) answered++;
  assert.ok(answered <= 25);
  assert.equal(desk.ask(open, ME)?.kind, 'opened');
  desk.nowMs += 1000;
  assert.ok(desk.send(encodeHello(new Uint8Array(16)), ME));
});

// --- Sessions --------------------------------------------------------------------------------

test('a session is worth nothing from another address', () => {
  const desk = new Desk();
  const session = desk.open(ME);
  const thief = address('198.51.100.9');
  for (const bytes of [
    encodeEcho(session, 0),
    encodeFinish(session, 1),
    encodeData(session, 0, 0n, 64),
    encodeFlood({ session, nonce: 1, sizeBytes: 1000, rateBps: 0, durationMs: 1000 }),
  ]) {
    assert.equal(desk.send(bytes, thief), undefined);
  }
  assert.equal(desk.responder.due(desk.nowNs).floods.length, 0);
  assert.equal(desk.responder.counters()['unproven'], 4);
  const reply = desk.ask(encodeEcho(session, 0), ME);
  assert.equal(reply?.kind === 'reply' && reply.received, 1, "and the thief's echo was not counted");
});

test('sessions are bounded for each client and for all', () => {
  const desk = new Desk({ limits: { udpSessionsPerClientMax: 3, udpSessionsMax: 5 } });
  for (let i = 0; i < 3; i++) desk.open(address('192.0.2.1', 1000 + i));
  const fourth = desk.ask(desk.prepareOpen(address('192.0.2.1', 1003)), address('192.0.2.1', 1003));
  assert.deepEqual([fourth?.kind, fourth?.kind === 'refused' && fourth.code], ['refused', REFUSAL.sessions]);
  desk.open(address('192.0.2.2'));
  desk.open(address('192.0.2.3'));
  assert.equal(desk.ask(desk.prepareOpen(address('192.0.2.4')), address('192.0.2.4'))?.kind, 'refused');
  assert.equal(desk.responder.counters()['sessions'], 5);
});

test('addresses of one IPv6 /64 are one client, and so are the two ways to write an IPv4 address', () => {
  const desk = new Desk({ limits: { udpSessionsPerClientMax: 2 } });
  desk.open(address('2001:db8:1:2::1'));
  desk.open(address('2001:db8:1:2:ffff::9'));
  const third = address('2001:db8:1:2:3::3');
  assert.equal(desk.ask(desk.prepareOpen(third), third)?.kind, 'refused');
  desk.open(address('2001:db8:1:3::1'));
  desk.open(address('192.0.2.1'));
  desk.open(address('::ffff:192.0.2.1'));
  const mapped = address('::ffff:192.0.2.1', 9);
  assert.equal(desk.ask(desk.prepareOpen(mapped), mapped)?.kind, 'refused');
  desk.open(address('::ffff:192.0.2.2'));
});

test('an idle session ends and makes room; a busy one stays until its time is over', () => {
  const desk = new Desk({ limits: { udpSessionIdleMs: 10_000, udpSessionMs: 60_000 } });
  const idle = desk.open(ME);
  const busy = desk.open(address('192.0.2.2'));
  for (desk.nowMs = 0; desk.nowMs <= 59_000; desk.nowMs += 5_000) {
    assert.ok(desk.send(encodeEcho(busy, desk.nowMs), address('192.0.2.2')));
    desk.responder.due(desk.nowNs);
  }
  assert.equal(desk.send(encodeEcho(idle, 0), ME), undefined);
  assert.equal(desk.responder.counters()['sessions'], 1);
  desk.nowMs = 62_000;
  desk.responder.due(desk.nowNs);
  assert.equal(desk.send(encodeEcho(busy, 0), address('192.0.2.2')), undefined);
  assert.equal(desk.responder.counters()['clients'], 0);
});

test('a full table makes room for a new session as soon as an old one has had its time', () => {
  const desk = new Desk({ limits: { udpSessionsMax: 1, udpSessionLingerMs: 1000 } });
  const first = desk.open(ME);
  desk.ask(encodeFinish(first, 1), ME);
  desk.nowMs = 900;
  assert.equal(desk.ask(desk.prepareOpen(address('192.0.2.2')), address('192.0.2.2'))?.kind, 'refused');
  desk.nowMs = 1100;
  desk.open(address('192.0.2.2'));
});

test('time that steps back stands still, and steps on from there', () => {
  const desk = new Desk({ limits: { udpSessionIdleMs: 10_000 } });
  const session = desk.open(ME);
  desk.nowMs = -3_600_000;
  assert.ok(desk.send(encodeEcho(session, 0), ME));
  desk.nowMs += 5_000;
  assert.ok(desk.send(encodeEcho(session, 1), ME));
  desk.nowMs += 12_000;
  desk.responder.due(desk.nowNs);
  assert.equal(desk.send(encodeEcho(session, 2), ME), undefined, 'expiry works on in the new time');
});

// --- Echo and report -------------------------------------------------------------------------

test('an echo comes back with its length, the times, and what has come so far', () => {
  const desk = new Desk();
  const session = desk.open(ME);
  for (const sequence of [0, 1, 3, 3]) desk.send(encodeEcho(session, sequence), ME);
  const bytes = encodeEcho(session, 2, 777);
  const answer = desk.responder.receive(bytes, ME, 5n, 9n);
  assert.equal(answer?.length, 777);
  assert.equal(answer?.buffer, bytes.buffer, 'answered in place');
  desk.nowMs = 20;
  const reply = desk.ask(encodeEcho(session, 70), ME);
  assert.ok(reply?.kind === 'reply');
  assert.deepEqual([reply.sequence, reply.received, reply.highest], [70, 5, 70]);
  assert.equal(reply.window, 1n);
  const before = desk.ask(encodeEcho(session, 60), ME);
  assert.equal(before?.kind === 'reply' && before.window, (1n << 10n) | 1n);
});

test('a finish is answered with the same report again until the nonce changes', () => {
  const desk = new Desk();
  const session = desk.open(ME);
  for (const sequence of [0, 2, 1, 1, 5]) desk.send(encodeEcho(session, sequence), ME);
  const first = desk.ask(encodeFinish(session, 7), ME);
  assert.ok(first?.kind === 'report');
  assert.deepEqual([first.received, first.duplicates, first.reordered, first.highest, first.bytes], [4, 1, 1, 5, 256]);
  desk.send(encodeEcho(session, 6), ME);
  assert.deepEqual(desk.ask(encodeFinish(session, 7), ME), first);
  const next = desk.ask(encodeFinish(session, 8), ME);
  assert.equal(next?.kind === 'report' && next.received, 5);
});

test('a report is never longer than the finish that asked for it', () => {
  const desk = new Desk();
  const session = desk.open(ME);
  for (let i = 0; i < 5000; i++) {
    desk.nowMs = i * 10;
    desk.send(encodeData(session, i, BigInt(i) * 10_000_000n, 100), ME);
  }
  for (const room of [1200, 128, 400]) {
    const report = desk.send(encodeFinish(session, 1, room), ME);
    assert.ok(report && report.length <= room, `${report?.length} in ${room}`);
  }
  const report = desk.ask(encodeFinish(session, 2, 1300), ME);
  assert.ok(report?.kind === 'report');
  assert.equal(
    report.intervals.reduce((sum, n) => sum + n, 0),
    5000,
    '50 s in intervals of 200 ms',
  );
  assert.equal(report.jitterNs, 0);
  assert.equal(report.elapsedNs, 49_990e6);
});

test('echoes above the rate are dropped and counted, and come through again later', () => {
  const desk = new Desk({ limits: { echoPerSecondMax: 100 } });
  const session = desk.open(ME);
  let answered = 0;
  for (let i = 0; i < 1000; i++) if (desk.send(encodeEcho(session, i), ME)) answered++;
  assert.equal(answered, 64);
  assert.equal(desk.responder.counters()['limited'], 936);
  desk.nowMs = 100;
  assert.ok(desk.send(encodeEcho(session, 1000), ME));
  const other = desk.open(address('192.0.2.2'));
  assert.ok(desk.send(encodeEcho(other, 0), address('192.0.2.2')), 'another session has its own allowance');
});

test('the bits of all echo answers together are limited', () => {
  const desk = new Desk({ limits: { echoRateBpsMax: 1_000_000 } });
  const session = desk.open(ME);
  const other = desk.open(address('192.0.2.2'));
  let bytes = 0;
  for (let i = 0; i < 4000; i++) {
    desk.nowMs += 0.25;
    bytes += desk.send(encodeEcho(session, i, 1400), ME)?.length ?? 0;
    bytes += desk.send(encodeEcho(other, i, 1400), address('192.0.2.2'))?.length ?? 0;
  }
  assert.ok(bytes * 8 <= 1_000_000 + 8 * 65_507 + 1400 * 8, `${bytes * 8} bits in a second`);
  assert.ok(bytes * 8 > 900_000);
});

// --- Floods ----------------------------------------------------------------------------------

/** Runs a loop that asks when it is told to, and gives what it was handed. */
function drive(desk: Desk, forMs: number, send: (flood: DueFlood) => void = () => {}): DueFlood[] {
  const handed: DueFlood[] = [];
  const endMs = desk.nowMs + forMs;
  for (let turns = 0; desk.nowMs < endMs; turns++) {
    assert.ok(turns < 2e6, 'the loop comes to an end');
    const { floods, nextNs } = desk.responder.due(desk.nowNs);
    for (const flood of floods) {
      handed.push(flood);
      send(flood);
    }
    if (nextNs === undefined) break;
    desk.nowMs = Math.max(desk.nowMs + 0.01, Number(nextNs - 1_800_000_000_000_000_000n) / 1e6);
  }
  return handed;
}

function total(handed: readonly DueFlood[]): number {
  return handed.reduce((sum, { count }) => sum + count, 0);
}

test('a flood leaves at its rate for its time, with sequence numbers without gaps', () => {
  const desk = new Desk();
  const session = desk.open(ME);
  assert.equal(desk.send(encodeFlood({ session, nonce: 1, sizeBytes: 1000, rateBps: 8e6, durationMs: 1000 }), ME), undefined);
  const handed = drive(desk, 5000);
  assert.ok(Math.abs(total(handed) - 1000) <= 2, `${total(handed)} datagrams`);
  let next = 0;
  for (const flood of handed) {
    assert.equal(flood.sequenceStart, next);
    assert.deepEqual(flood.to, ME);
    assert.equal(flood.template.length, 1000);
    next += flood.count;
  }
  assert.ok(desk.nowMs <= 1001 && desk.nowMs >= 995, `over at ${desk.nowMs} ms`);
  const report = desk.ask(encodeFinish(session, 1), ME);
  assert.deepEqual(report?.kind === 'report' && [report.floodSent, report.floodBytes], [next, next * 1000]);
});

test('a flood as fast as it goes is handed out in bounded bursts, and ends', () => {
  const desk = new Desk();
  const session = desk.open(ME);
  desk.send(encodeFlood({ session, nonce: 1, sizeBytes: 1400, rateBps: 0, durationMs: 50 }), ME);
  desk.nowMs = 1;
  const handed = drive(desk, 1000);
  assert.ok(handed.length > 100);
  assert.ok(handed.every(({ count, sizeBytes }) => count <= 256 && count * sizeBytes <= 256 * 1024));
  assert.equal(desk.responder.due(desk.nowNs).nextNs, undefined);
});

test('a loop that was held up catches up with little, and the rest is not sent', () => {
  const desk = new Desk();
  const session = desk.open(ME);
  desk.send(encodeFlood({ session, nonce: 1, sizeBytes: 1000, rateBps: 8e6, durationMs: 10_000 }), ME);
  desk.responder.due(desk.nowNs);
  desk.nowMs = 5000;
  let burst = 0;
  for (let i = 0; i < 100; i++) burst += total(desk.responder.due(desk.nowNs).floods);
  assert.ok(burst <= 20, `${burst} at once`);
});

test('what the kernel did not take is due again under the same numbers, and not reported as sent', () => {
  const desk = new Desk();
  const session = desk.open(ME);
  desk.send(encodeFlood({ session, nonce: 1, sizeBytes: 1000, rateBps: 80e6, durationMs: 100 }), ME);
  let taken = 0;
  drive(desk, 200, (flood) => {
    assert.equal(flood.sequenceStart, taken);
    const missing = flood.count > 1 ? 1 : 0;
    taken += flood.count - missing;
    desk.responder.unsent(flood, missing);
  });
  const report = desk.ask(encodeFinish(session, 1), ME);
  assert.equal(report?.kind === 'report' && report.floodSent, taken);
  assert.ok(taken > 900);
  desk.responder.unsent({ to: ME, template: new Uint8Array(4), sizeBytes: 4, count: 9, sequenceStart: 0, sequenceOffset: 0, stampOffset: 0 }, 9);
  assert.equal(desk.responder.counters()['floodDatagrams'], taken);
});

test('the same request again starts nothing new, and a finish ends the flood', () => {
  const desk = new Desk();
  const session = desk.open(ME);
  const request = encodeFlood({ session, nonce: 1, sizeBytes: 1000, rateBps: 8e6, durationMs: 60_000 });
  desk.send(request, ME);
  drive(desk, 100);
  desk.send(request, ME);
  assert.equal(desk.responder.counters()['floods'], 1);
  desk.send(encodeFinish(session, 1), ME);
  assert.deepEqual(desk.responder.due(desk.nowNs), { floods: [], nextNs: undefined });
  desk.send(request, ME);
  assert.equal(desk.responder.due(desk.nowNs).nextNs, undefined, 'an old request that arrives late does not begin it again');
});

test('a flood goes on only while its client says that it still takes it', () => {
  const desk = new Desk({ limits: { floodSilenceMs: 2000 } });
  const session = desk.open(ME);
  const request = encodeFlood({ session, nonce: 1, sizeBytes: 1000, rateBps: 8e6, durationMs: 60_000 });
  desk.send(request, ME);
  for (let second = 0; second < 5; second++) {
    assert.ok(total(drive(desk, 1000)) > 900);
    desk.send(request, address('192.0.2.9'));
    desk.send(request, ME);
  }
  const heardMs = desk.nowMs;
  // Others cannot speak for it, and its own echoes say nothing of the flood.
  for (let i = 0; i < 10; i++) {
    drive(desk, 500);
    desk.send(request, address('192.0.2.9'));
    desk.send(encodeEcho(session, i), ME);
  }
  assert.ok(desk.nowMs <= heardMs + 2010, `went on for ${desk.nowMs - heardMs} ms`);
  assert.equal(desk.responder.counters()['flooding'], 0);
  desk.send(request, ME);
  assert.equal(total(drive(desk, 500)), 0, 'and does not begin again');
});

test('floods are limited in number, size, rate and time, and a refusal is shorter than the request', () => {
  const desk = new Desk({ limits: { floodsMax: 3, floodsPerClientMax: 2, floodRateBpsMax: 1e6, floodMs: 500 } });
  const request = (session: bigint, sizeBytes = 1000): Uint8Array =>
    encodeFlood({ session, nonce: 1, sizeBytes, rateBps: 1e9, durationMs: 3_600_000 });
  const sessions = [1, 2, 3].map((nonce) => desk.open(ME, nonce));
  assert.equal(desk.send(request(sessions[0] as bigint), ME), undefined);
  assert.equal(desk.send(request(sessions[1] as bigint), ME), undefined);
  const third = desk.send(request(sessions[2] as bigint), ME);
  assert.ok(third && third.length < 64);
  const friends = ['192.0.2.2', '192.0.2.3'].map((host) => address(host));
  const [a, b] = friends.map((from) => desk.open(from));
  assert.equal(desk.send(request(a as bigint), friends[0] as Uint8Array), undefined);
  assert.ok(desk.send(request(b as bigint), friends[1] as Uint8Array), 'the fourth of all is refused');
  for (const size of [0, 27, 65_508]) {
    const refused = desk.ask(encodeFlood({ session: b as bigint, nonce: 2, sizeBytes: size, rateBps: 0, durationMs: 1 }), friends[1] as Uint8Array);
    assert.deepEqual([refused?.kind, refused?.kind === 'refused' && refused.code], ['refused', REFUSAL.size]);
  }
  const handed = drive(desk, 5000);
  assert.ok(desk.nowMs <= 501);
  assert.ok(total(handed) * 8000 <= 3 * (1e6 * 0.5 + 8000), `${total(handed)} datagrams`);
  assert.equal(desk.send(request(sessions[2] as bigint), ME), undefined, 'there is room again');
});

test('a flood keeps its session alive and dies with it', () => {
  const desk = new Desk({ limits: { udpSessionIdleMs: 1000, udpSessionMs: 5000, floodMs: 60_000, floodSilenceMs: 60_000 } });
  const session = desk.open(ME);
  desk.send(encodeFlood({ session, nonce: 1, sizeBytes: 1000, rateBps: 80_000, durationMs: 60_000 }), ME);
  drive(desk, 20_000);
  assert.ok(desk.nowMs > 4900 && desk.nowMs < 7100, `ended at ${desk.nowMs} ms`);
  assert.equal(desk.responder.counters()['sessions'], 0);
});

test('drops of the receive buffer since the session began are in its report', () => {
  const desk = new Desk();
  desk.responder.dropped(100);
  const session = desk.open(ME);
  desk.responder.dropped(142);
  const report = desk.ask(encodeFinish(session, 1), ME);
  assert.equal(report?.kind === 'report' && report.kernelDrops, 42);
});
