import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeServerDatagram, encodeEcho, encodeMtuProbe } from '../../src/wire/index.js';
import type { DueWhole, WholeTold } from '../../src/wire/index.js';
import { Desk, address } from './udp-client.js';

const ME = address('192.0.2.1');
const OTHER = address('192.0.2.9');

/** What a session asked for, as the loop around the responder would take it. */
function asked(desk: Desk, probe: Parameters<typeof encodeMtuProbe>[0], from = ME): readonly DueWhole[] {
  assert.equal(desk.send(encodeMtuProbe(probe), from), undefined, 'nothing is sent but in one piece');
  return desk.responder.due(desk.nowNs).wholes ?? [];
}

function replyOf(whole: DueWhole | undefined, told: WholeTold): { reply: ReturnType<typeof decodeServerDatagram>; length: number } {
  assert.ok(whole);
  const bytes = whole.make(told);
  return { reply: decodeServerDatagram(bytes), length: bytes.length };
}

describe('an answer in one piece', () => {
  test('has the size that was asked for, goes to the session’s address, and says what the kernel believes of the path', () => {
    const desk = new Desk();
    const session = desk.open(ME);
    const [whole, ...more] = asked(desk, { session, sequence: 77, sizeBytes: 1372 });
    assert.deepEqual(more, []);
    assert.deepEqual(whole?.to, ME);
    const { reply, length } = replyOf(whole, { pathMtuBytes: 1500 });
    assert.equal(length, 1372);
    assert.deepEqual(reply, { kind: 'mtuReply', session, sequence: 77, sizeBytes: 1372, code: 'whole', pathMtuBytes: 1500 });
    assert.equal(desk.responder.due(desk.nowNs).wholes, undefined, 'once');
    assert.equal(desk.responder.counters()['mtuProbes'], 1);
  });

  test('that could not be sent becomes a short one that says why', () => {
    const desk = new Desk();
    const session = desk.open(ME);
    for (const refused of ['size', 'unable'] as const) {
      const { reply, length } = replyOf(asked(desk, { session, sequence: 1, sizeBytes: 9000 })[0], { pathMtuBytes: 1500, refused });
      assert.equal(length, 64);
      assert.ok(reply.kind === 'mtuReply' && reply.code === refused && reply.sizeBytes === 9000 && reply.pathMtuBytes === 1500);
    }
  });

  test('goes to nobody without a session, nor to another address than the session’s', () => {
    const desk = new Desk();
    const session = desk.open(ME);
    assert.deepEqual(asked(desk, { session, sequence: 1, sizeBytes: 1400 }, OTHER), []);
    assert.deepEqual(asked(desk, { session: session + 1n, sequence: 1, sizeBytes: 1400 }), []);
    assert.equal(desk.responder.counters()['unproven'], 2);
  });

  test('is not given for sizes that no datagram has, nor for flags that this release does not know', () => {
    const desk = new Desk();
    const session = desk.open(ME);
    for (const sizeBytes of [0, 28, 63, 65_508, 65_535]) assert.deepEqual(asked(desk, { session, sequence: 1, sizeBytes }), [], `${sizeBytes}`);
    for (const flags of [0, 2, 3, 0x8001, 0xffff]) assert.deepEqual(asked(desk, { session, sequence: 1, sizeBytes: 1400, flags }), [], `${flags}`);
    assert.equal(desk.responder.counters()['garbled'], 10);
    assert.equal(asked(desk, { session, sequence: 1, sizeBytes: 65_507 }).length, 1);
  });

  test('costs as much of the session’s rate as ten echoes, and its bits count with the echoes’', () => {
    const rate = new Desk({ limits: { echoPerSecondMax: 1000 } });
    const session = rate.open(ME);
    let answers = 0;
    for (let i = 0; i < 200; i++) answers += asked(rate, { session, sequence: i, sizeBytes: 64 }).length;
    assert.equal(answers, 10, 'a tenth of a second’s echoes are 100');
    assert.equal(rate.send(encodeEcho(session, 0), ME), undefined, 'and none is left');
    const bits = new Desk({ limits: { echoRateBpsMax: 8 * 65_507 } });
    const other = bits.open(ME);
    const sizes = [60_000, 60_000, 5507, 1].map(
      (sizeBytes) => asked(bits, { session: other, sequence: 0, sizeBytes: Math.max(64, sizeBytes) }).length,
    );
    assert.deepEqual(sizes, [1, 0, 1, 0]);
    assert.ok((bits.responder.counters()['limited'] ?? 0) === 2);
  });

  test('waits in a queue that cannot grow', () => {
    const desk = new Desk();
    const session = desk.open(ME);
    for (let i = 0; i < 150; i++) desk.send(encodeMtuProbe({ session, sequence: i, sizeBytes: 1400 }), ME);
    assert.equal(desk.responder.due(desk.nowNs).wholes?.length, 64);
  });

  test('never throws and never goes to a stranger, whatever was asked', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            mine: fc.boolean(),
            known: fc.boolean(),
            sizeBytes: fc.integer({ min: 0, max: 0xffff }),
            flags: fc.integer({ min: 0, max: 0xffff }),
            cut: fc.option(fc.nat(64), { nil: undefined }),
            waitMs: fc.nat(50),
          }),
          { maxLength: 40 },
        ),
        (steps) => {
          const desk = new Desk({ limits: { echoPerSecondMax: 500, echoRateBpsMax: 8e6 } });
          const session = desk.open(ME);
          let bytes = 0;
          let spentMs = 0;
          for (const step of steps) {
            desk.nowMs += step.waitMs;
            spentMs += step.waitMs;
            const probe = encodeMtuProbe({ session: step.known ? session : 5n, sequence: 1, sizeBytes: step.sizeBytes, flags: step.flags });
            assert.equal(desk.send(probe.subarray(0, step.cut), step.mine ? ME : OTHER), undefined);
            for (const whole of desk.responder.due(desk.nowNs).wholes ?? []) {
              assert.deepEqual(whole.to, ME);
              assert.ok(step.mine && step.known && step.flags === 1);
              bytes += whole.make({}).length;
            }
          }
          assert.ok(bytes * 8 <= 8e6 / 10 + 8e6 * (spentMs / 1000) + 1, `${bytes} bytes in ${spentMs} ms`);
        },
      ),
    );
  });
});
