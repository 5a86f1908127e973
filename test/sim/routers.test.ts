import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PacketLog, PacketSpec } from '../../src/base/index.js';
import { parseScenario } from '../../src/sim/index.js';
import type { DirectionSpec } from '../../src/sim/index.js';
import { exchange, pair } from './pair.js';

/** A port that nobody listens on. */
const CLOSED = { host: '10.0.0.2', port: 99, family: 4 } as const;

function probe(path: DirectionSpec & { back?: DirectionSpec }, packets: readonly PacketSpec[], network = pair(path)): Promise<PacketLog> {
  return network.run(network.ports('a').packets.probe({ protocol: 'udp', remote: CLOSED, packets, intervalMs: 1, timeoutMs: 1000 }));
}

const short = ({ outcomes }: PacketLog): unknown[] =>
  outcomes.map((outcome) =>
    outcome.outcome === 'error'
      ? [outcome.what, outcome.from, ...(outcome.mtuBytes === undefined ? [] : [outcome.mtuBytes])]
      : outcome.outcome === 'reply'
        ? outcome.kind
        : outcome.outcome,
  );

describe('routers of a simulated path', () => {
  const routers = [{ address: '10.1.0.1' }, { address: '10.1.0.2', delayMs: 7, answerMs: 3 }];

  test('answer for packets that die on them, from where they are', async () => {
    const log = await probe({ delayMs: 30, routers }, [{ ttl: 1 }, { ttl: 2 }, { ttl: 3 }, {}]);
    assert.deepEqual(short(log), [['ttl-exceeded', '10.1.0.1'], ['ttl-exceeded', '10.1.0.2'], 'port-unreachable', 'port-unreachable']);
    assert.deepEqual(
      log.outcomes.map((outcome) => ('rttMs' in outcome ? Math.round(outcome.rttMs) : undefined)),
      [20, 17, 60, 60],
    );
  });

  test('that are only counted have addresses that nobody else has', async () => {
    assert.deepEqual(short(await probe({ hops: 2 }, [{ ttl: 2 }])), [['ttl-exceeded', '192.0.2.2']]);
  });

  test('let ordinary datagrams die as well', async () => {
    const network = pair({ delayMs: 5, routers });
    const log = await network.run(async () => {
      const flow = await network.ports('a').datagrams.open({ protocol: 'udp', remote: { ...CLOSED, port: 7 }, ttl: 2 });
      return flow.exchange({ payload: new Uint8Array(20), count: 1, intervalNs: 1e6, waitNs: 1e9, sequence: { offset: 0, width: 4 } });
    });
    assert.deepEqual([log.received, log.errors], [0, { EHOSTUNREACH: 1 }]);
    assert.equal((await exchange(pair({ delayMs: 5, routers }), {})).received, 1000);
  });

  test('say what they can pass on, or a wrong number, or nothing; and split what may be split', async () => {
    const tell = (tooBig?: 'silent' | number): DirectionSpec => ({
      routers: [{ address: '10.1.0.1' }, { address: '10.1.0.2', mtu: 1300, ...(tooBig === undefined ? {} : { tooBig }) }],
    });
    const packets = [{ sizeBytes: 1300 }, { sizeBytes: 1301 }, { sizeBytes: 1301, dontFragment: false }];
    assert.deepEqual(short(await probe(tell(), packets)), ['port-unreachable', ['too-big', '10.1.0.2', 1300], 'port-unreachable']);
    assert.deepEqual(short(await probe(tell(0), packets))[1], ['too-big', '10.1.0.2', 0]);
    assert.deepEqual(short(await probe(tell('silent'), packets)), ['port-unreachable', 'silent', 'port-unreachable']);
    assert.deepEqual(short(await probe({ ...tell(), back: { icmp: 'filtered' } }, packets))[1], 'silent');
  });

  test('a packet that dies before a narrow link is not too big for it', async () => {
    const narrow = { routers: [{ address: '10.1.0.1' }, { address: '10.1.0.2', mtu: 1300 }] };
    assert.deepEqual(short(await probe(narrow, [{ ttl: 1, sizeBytes: 1400 }])), [['ttl-exceeded', '10.1.0.1']]);
  });

  test('the MTU of a path as a whole is told by its last router, or by none', async () => {
    assert.deepEqual(short(await probe({ mtu: 1400, routers }, [{ sizeBytes: 1401 }])), [['too-big', '10.1.0.2', 1400]]);
    assert.deepEqual(short(await probe({ mtu: 1400, tooBig: 'silent', routers }, [{ sizeBytes: 1401 }])), ['silent']);
  });

  test('larger than the interface is not sent, and says how large that is', async () => {
    const { outcomes } = await probe({ routers }, [{ sizeBytes: 1501 }]);
    assert.deepEqual(outcomes, [{ outcome: 'unsent', errno: 'EMSGSIZE', mtuBytes: 1500 }]);
  });

  test('with a limit answer as often as it says', async () => {
    const limited = [{ address: '10.1.0.1', answers: { perSecond: 10, burst: 3 } }];
    const network = pair({ routers: limited });
    const log = await network.run(
      network.ports('a').packets.probe({
        protocol: 'udp',
        remote: CLOSED,
        packets: Array.from({ length: 100 }, () => ({ ttl: 1 })),
        intervalMs: 10,
        timeoutMs: 100,
      }),
    );
    // Three at once, then ten a second for a second.
    const answered = log.outcomes.filter(({ outcome }) => outcome === 'error').length;
    assert.ok(answered >= 12 && answered <= 13, `${answered}`);
  });

  test('nothing comes back from a dead end, and nothing is left over when it is aborted', async () => {
    assert.deepEqual(short(await probe({ routers: [{ address: '10.1.0.1', forwards: 'nothing' }] }, [{ ttl: 1 }, {}])), [
      ['ttl-exceeded', '10.1.0.1'],
      'silent',
    ]);
    assert.deepEqual(short(await probe({ blackhole: true, routers }, [{ ttl: 1 }])), ['silent']);
  });

  test('are read from a scenario file, and what is wrong with them is named', () => {
    const hosts = { a: { addresses: ['10.0.0.1'] }, b: { addresses: ['10.0.0.2'] } };
    const file = (list: unknown): unknown => ({ hosts, paths: [{ from: 'a', to: 'b', routers: list }] });
    parseScenario(file([{ address: '10.1.0.1' }, [{ address: '10.1.0.2' }, { address: '10.1.0.3', answers: 'never' }]]));
    for (const wrong of [[{ address: 'router' }], [[]], [{ address: '10.1.0.1', forwards: 'up' }], [{ address: '10.1.0.1', answers: {} }]]) {
      assert.throws(() => parseScenario(file(wrong)), /not a scenario: paths\.0\.routers/, JSON.stringify(wrong));
    }
  });
});
