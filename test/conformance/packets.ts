import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TautlineError } from '../../src/base/index.js';
import type { PacketLog, PacketPlan, PacketSpec } from '../../src/base/index.js';
import type { Bench } from './bench.js';

/** Longer than any test may take: a plan that ends only by its wait is noticed. */
const FOREVER_MS = 3600e3;
/** An IPv4 and a UDP header. */
const HEADERS_BYTES = 28;

export function packetsBehave(bench: () => Bench): void {
  const probe = (plan: Pick<PacketPlan, 'remote'> & Partial<PacketPlan>): Promise<PacketLog> =>
    bench().run(() => bench().ports.packets.probe({ protocol: 'udp', packets: [{}], intervalMs: 1, timeoutMs: FOREVER_MS, ...plan }));
  const many = (count: number, spec: PacketSpec = {}): PacketSpec[] => Array.from({ length: count }, () => spec);

  describe('packets', () => {
    test('a port that nobody listens on answers each packet', async () => {
      const remote = bench().udp.closed;
      const { outcomes, local, aborted, stamps } = await probe({ remote, packets: [{ ttl: 64 }, {}, { flow: 1 }] });
      for (const outcome of outcomes) {
        assert.ok(outcome.outcome === 'reply', JSON.stringify(outcome));
        assert.deepEqual([outcome.kind, outcome.from], ['port-unreachable', remote.host]);
        assert.ok(outcome.rttMs > 0);
      }
      assert.equal(outcomes.length, 3);
      assert.deepEqual([aborted, stamps, local?.family], [false, 'kernel', 4]);
    });

    test('a program that answers does so to its packet, and the sizes are those of the whole packets', async () => {
      const packets = [60, 61, 500, 1200].map((sizeBytes) => ({ sizeBytes }));
      const { outcomes } = await probe({ remote: bench().udp.echo, packets, intervalMs: 0 });
      assert.deepEqual(
        outcomes.map((outcome) => (outcome.outcome === 'reply' ? [outcome.kind, outcome.sizeBytes] : outcome)),
        packets.map(({ sizeBytes }) => ['datagram', sizeBytes]),
      );
    });

    test('a payload goes out as it is, and leaves room for no less', async () => {
      const payload = Uint8Array.from({ length: 33 }, (_, i) => i);
      const { outcomes } = await probe({ remote: bench().udp.echo, packets: [{ payload, sizeBytes: HEADERS_BYTES + 33 }, { payload }] });
      const [exact, padded] = outcomes.map((outcome) => (outcome.outcome === 'reply' ? (outcome.sizeBytes ?? 0) : 0));
      assert.equal(exact, HEADERS_BYTES + 33);
      assert.ok((padded ?? 0) > HEADERS_BYTES + 33, 'what tells answers apart comes behind it');
    });

    test('pings are answered', async (t) => {
      const log = await probe({ protocol: 'icmp', remote: bench().pingable, packets: [{ sizeBytes: 100 }, { sizeBytes: 200, flow: 1 }] }).catch(
        (error: unknown) => error,
      );
      if (log instanceof TautlineError && (log.code === 'permission' || log.code === 'unsupported')) {
        assert.ok(log.hint !== undefined, 'it says what to do');
        return t.skip(`this machine does not let programs ping: ${log.message}`);
      }
      assert.ok(!(log instanceof Error), String(log));
      assert.deepEqual(
        (log as PacketLog).outcomes.map((outcome) => (outcome.outcome === 'reply' ? [outcome.kind, outcome.sizeBytes] : outcome)),
        [
          ['echo-reply', 100],
          ['echo-reply', 200],
        ],
      );
    });

    test('a handshake is answered where somebody listens, and refused where nobody does', async () => {
      const listening = await probe({ protocol: 'tcp', remote: bench().tcp.echo, packets: many(3) });
      assert.deepEqual(listening.outcomes.map(kindOf), ['syn-ack', 'syn-ack', 'syn-ack']);
      const closed = await probe({ protocol: 'tcp', remote: bench().tcp.closed, packets: [{}, { flow: 1 }] });
      assert.deepEqual(closed.outcomes.map(kindOf), ['reset', 'reset']);
    });

    test('who says nothing is waited for as long as was asked', async () => {
      const log = await probe({ remote: bench().udp.counting, packets: many(3), timeoutMs: 50 });
      assert.deepEqual(log.outcomes, [{ outcome: 'silent' }, { outcome: 'silent' }, { outcome: 'silent' }]);
    });

    test('what no interface takes is not sent', async () => {
      const { outcomes } = await probe({ remote: bench().udp.echo, packets: [{ sizeBytes: 65_560 }, {}] });
      assert.ok(outcomes[0]?.outcome === 'unsent' && outcomes[0].errno === 'EMSGSIZE', JSON.stringify(outcomes[0]));
      assert.equal(kindOf(outcomes[1]), 'datagram', 'the next one is');
    });

    test('a hundred at once are told apart, and each outcome is told once', async () => {
      const told: number[] = [];
      const { outcomes } = await probe({ remote: bench().udp.echo, packets: many(100), intervalMs: 0, onOutcome: (index) => told.push(index) });
      assert.deepEqual(outcomes.map(kindOf), Array(100).fill('datagram'));
      assert.deepEqual(
        told.sort((a, b) => a - b),
        outcomes.map((_, i) => i),
      );
    });

    test('never more are out than was asked', async () => {
      const startMs = bench().ports.clock.nowMs();
      await probe({ remote: bench().udp.counting, packets: many(3), intervalMs: 0, timeoutMs: 40, outstandingMax: 1 });
      assert.ok(bench().ports.clock.nowMs() - startMs >= 119, 'they wait for one another');
    });

    test('a flow keeps its port from plan to plan', async () => {
      for (const [protocol, remote] of [
        ['udp', bench().udp.closed],
        ['tcp', bench().tcp.closed],
      ] as const) {
        const first = await probe({ protocol, remote, packets: [{}, { flow: 5 }] });
        const second = await probe({ protocol, remote, packets: [{ flow: 5 }, {}], flowPorts: first.flowPorts });
        assert.deepEqual(Object.keys(first.flowPorts), ['0', '5']);
        assert.notEqual(first.flowPorts[0], first.flowPorts[5]);
        assert.deepEqual(second.flowPorts, first.flowPorts);
      }
    });

    test('an abort ends it with what there is', async () => {
      const controller = new AbortController();
      const log = await probe({
        remote: bench().udp.echo,
        packets: many(1000),
        intervalMs: 20,
        signal: controller.signal,
        onOutcome: (index) => {
          if (index === 2) controller.abort();
        },
      });
      assert.equal(log.aborted, true);
      assert.deepEqual(log.outcomes.slice(0, 3).map(kindOf), ['datagram', 'datagram', 'datagram']);
      assert.deepEqual(log.outcomes.at(-1), { outcome: 'unasked' });
      assert.equal(log.outcomes.length, 1000);
    });

    test('aborted before the start it sends nothing', async () => {
      const controller = new AbortController();
      controller.abort();
      const log = await probe({ remote: bench().udp.echo, packets: many(3), signal: controller.signal });
      assert.deepEqual([log.aborted, log.outcomes], [true, [{ outcome: 'unasked' }, { outcome: 'unasked' }, { outcome: 'unasked' }]]);
    });
  });
}

function kindOf(outcome: PacketLog['outcomes'][number] | undefined): string | undefined {
  return outcome?.outcome === 'reply' ? outcome.kind : outcome?.outcome;
}
