import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UdpResponder, limitsOf } from '../../src/serve/index.js';
import { KIND, encodeData, encodeEcho, encodeFinish, encodeFlood, encodeHello } from '../../src/wire/index.js';
import { Desk, address } from './udp-client.js';

const HOSTS = ['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2', '2001:db8:1::1'].map((host) => address(host));
const KEY = new Uint8Array(32).fill(3);
const LIMITS = {
  udpSessionsMax: 6,
  udpSessionsPerClientMax: 3,
  floodsMax: 2,
  floodsPerClientMax: 1,
  floodMs: 1000,
  udpSessionIdleMs: 5000,
  udpSessionLingerMs: 500,
  echoPerSecondMax: 1000,
};

interface Step {
  readonly host: number;
  readonly kind: number;
  readonly session: number;
  readonly number: number;
  readonly size: number;
  readonly changes: readonly (readonly [number, number])[];
  readonly cut: number | undefined;
  readonly waitMs: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  host: fc.nat(HOSTS.length - 1),
  kind: fc.nat(7),
  session: fc.nat(7),
  number: fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffffffff })),
  size: fc.oneof(fc.nat(2000), fc.nat(65_535)),
  changes: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }) },
  ),
  cut: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(200) }),
  waitMs: fc.oneof(fc.nat(20), fc.nat(8000), fc.constant(-1000)),
});

/** Builds what a step sends; good handshakes included, so that sequences get past them. */
function build(desk: Desk, at: Step, sessions: readonly bigint[]): Uint8Array {
  const from = HOSTS[at.host] as Uint8Array;
  const session = sessions[at.session % Math.max(1, sessions.length)] ?? BigInt(at.number);
  switch (at.kind) {
    case 0:
      return encodeHello(new Uint8Array(16).fill(at.number & 0xff));
    case 1:
    case 2:
      return desk.prepareOpen(from, { nonce: at.number & 0xff, ...(at.kind === 2 ? { key: new Uint8Array(32).fill(1) } : {}) });
    case 3:
      return encodeEcho(session, at.number, 64 + (at.size % 2000));
    case 4:
      return encodeFinish(session, at.number, 128 + (at.size % 1500));
    case 5:
      return encodeFlood({ session, nonce: at.number, sizeBytes: at.size, rateBps: at.number * 1000, durationMs: at.number });
    case 6:
      return encodeData(session, at.number, BigInt(at.size), 28 + (at.size % 1500));
    default:
      return new Uint8Array(at.size % 300).fill(at.number & 0xff);
  }
}

test('any sequence of whole, changed and cut datagrams keeps the invariants', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const desk = new Desk({ key: KEY, limits: { ...LIMITS, udpHandshakesPerSecondMax: 1e6 } });
      const sessions: bigint[] = [];
      // Who has proved its address: nobody else may get more bytes than it sent, in any number of datagrams.
      const proven = new Set<number>();
      const balance = HOSTS.map(() => 0);
      for (const at of steps) {
        desk.nowMs += at.waitMs;
        const from = HOSTS[at.host] as Uint8Array;
        let bytes = build(desk, at, sessions).slice(0, at.cut);
        for (const [where, value] of at.changes) if (bytes.length > 0) bytes[where % bytes.length] = value;
        const answer = desk.send(bytes, from);
        bytes = bytes.slice();
        balance[at.host] = (balance[at.host] ?? 0) + bytes.length - (answer?.length ?? 0);
        assert.ok((answer?.length ?? 0) <= bytes.length, `kind ${bytes[5]}: ${answer?.length} bytes for ${bytes.length}`);
        if (answer && answer[5] === KIND.opened) {
          proven.add(at.host);
          sessions.push(new DataView(answer.buffer, answer.byteOffset).getBigUint64(24));
        }
        if (answer && !proven.has(at.host))
          assert.ok(answer[5] === KIND.cookie || answer[5] === KIND.refused, `kind ${answer[5]} to an unproven address`);
        assert.ok((balance[at.host] ?? 0) >= 0);
        const { floods, nextNs } = desk.responder.due(desk.nowNs);
        assert.ok(floods.length <= LIMITS.floodsMax);
        for (const flood of floods) {
          const host = HOSTS.findIndex((other) => other.length === flood.to.length && other.every((byte, i) => byte === flood.to[i]));
          assert.ok(proven.has(host), 'a flood goes only to an address that proved itself');
          assert.ok(flood.count >= 1 && flood.count * flood.sizeBytes <= 256 * 1024);
          assert.equal(flood.template.length, flood.sizeBytes);
        }
        assert.ok(nextNs === undefined || nextNs >= desk.nowNs);
        const counters = desk.responder.counters();
        assert.ok((counters['sessions'] ?? 0) <= LIMITS.udpSessionsMax);
        assert.ok((counters['clients'] ?? 0) <= (counters['sessions'] ?? 0));
        assert.ok((counters['flooding'] ?? 0) <= (counters['sessions'] ?? 0));
      }
      // Left alone, everything ends.
      desk.nowMs += 1e9;
      desk.responder.due(desk.nowNs);
      desk.nowMs += 1e6;
      desk.responder.due(desk.nowNs);
      const counters = desk.responder.counters();
      assert.deepEqual([counters['sessions'], counters['clients'], counters['flooding']], [0, 0, 0]);
    }),
    { numRuns: 300 },
  );
});

test('random bytes get no answer but a cookie or a refusal, never longer than they are', () => {
  const responder = new UdpResponder({ secret: new Uint8Array(32).fill(1), limits: limitsOf({ udpHandshakesPerSecondMax: 1e6 }) });
  const header = fc.tuple(fc.constantFrom(0, 1, 2), fc.nat(13)).map(([version, kind]) => [0x54, 0x41, 0x55, 0x54, version, kind, 0, 0]);
  fc.assert(
    fc.property(fc.oneof(fc.constant([]), header), fc.uint8Array({ maxLength: 300 }), (head, tail) => {
      const bytes = Uint8Array.from([...head, ...tail]);
      const answer = responder.receive(bytes.slice(), HOSTS[0] as Uint8Array, 1n, 1n);
      assert.ok(answer === undefined || (answer.length <= bytes.length && (answer[5] === KIND.cookie || answer[5] === KIND.refused)));
    }),
    { numRuns: 3000 },
  );
  assert.equal(responder.counters()['sessions'], 0);
  assert.equal(responder.counters()['received'], 3000);
});

test('answers of a responder sent to a responder go nowhere: no two of them can be made to talk to each other', () => {
  const desk = new Desk({ key: KEY });
  const from = HOSTS[0] as Uint8Array;
  const session = desk.open(from);
  const version2 = encodeHello(new Uint8Array(16));
  version2[4] = 2;
  const answers = [
    encodeHello(new Uint8Array(16)),
    desk.prepareOpen(from),
    desk.prepareOpen(from, { key: new Uint8Array(32) }),
    encodeEcho(session, 1, 200),
    encodeFinish(session, 1),
    version2,
  ].map((bytes) => desk.send(bytes, from));
  const other = new Desk();
  for (const answer of answers) {
    assert.ok(answer);
    assert.equal(other.send(answer, from), undefined);
    assert.equal(desk.send(answer, from), undefined);
  }
});
