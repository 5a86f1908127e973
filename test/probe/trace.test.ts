import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import { TautlineError, parseTarget } from '../../src/base/index.js';
import { traceProbe } from '../../src/probe/trace.js';
import type { TraceOptions } from '../../src/probe/trace.js';
import { MeasurementSchema } from '../../src/results/index.js';
import type { Measurement, TraceDetails } from '../../src/results/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { DirectionSpec, HostSpec } from '../../src/sim/index.js';

type Routers = NonNullable<DirectionSpec['routers']>;

const TARGET = '10.0.9.9';
const router = (n: number | string, more: object = {}): { address: string } => ({ address: `10.0.${n}.1`, ...more });

function network(routers: Routers, options: { seed?: number; path?: DirectionSpec; a?: Partial<HostSpec>; b?: Partial<HostSpec> } = {}): SimNetwork {
  return new SimNetwork({
    seed: options.seed ?? 1,
    hosts: {
      a: { addresses: ['10.0.0.1'], ...options.a },
      b: { addresses: [TARGET], services: [{ kind: 'tcp-echo', port: 443 }], ...options.b },
    },
    paths: [{ from: 'a', to: 'b', delayMs: 10, routers, ...options.path }],
  });
}

async function trace(
  net: SimNetwork,
  options: Partial<TraceOptions> = {},
  more: { target?: string; signal?: AbortSignal; onProgress?: (doing: string) => void } = {},
): Promise<Measurement & { readonly trace: TraceDetails }> {
  const [measurement, ...others] = await net.run(
    traceProbe.run({
      target: parseTarget(more.target ?? TARGET),
      path: 'default',
      options: { ...traceProbe.defaults, ...options },
      ports: net.ports('a'),
      seed: 1,
      signal: more.signal ?? new AbortController().signal,
      onProgress: more.onProgress ?? ((): void => {}),
    }),
  );
  assert.deepEqual(others, []);
  assert.ok(measurement);
  const valid = v.parse(MeasurementSchema, JSON.parse(JSON.stringify(measurement)));
  return { ...valid, trace: valid.details as unknown as TraceDetails };
}

const addresses = (details: TraceDetails): string[][] => details.hops.map(({ nodes }) => nodes.map(({ address }) => address).sort());

describe('a path that answers', () => {
  test('its routers are named in order, with their share of the delay, up to the target', async () => {
    const { outcome, metric, summary, trace: found, provenance, reason } = await trace(network([router(1), router(2), router(3)]));
    assert.deepEqual([outcome, metric, provenance, reason], ['ok', 'trace', 'simulated', undefined]);
    assert.deepEqual(addresses(found), [['10.0.1.1'], ['10.0.2.1'], ['10.0.3.1'], [TARGET]]);
    // 10 ms each way over four links.
    assert.deepEqual(
      found.hops.map(({ nodes }) => Math.round(nodes[0]?.rttMs?.median ?? 0)),
      [5, 10, 15, 20],
    );
    assert.equal(Math.round(summary?.median ?? 0), 20);
    assert.deepEqual([found.reached, found.protocol, found.parting, found.allRoutersSeen], [true, 'udp', undefined, true]);
  });

  for (const protocol of ['udp', 'icmp', 'tcp'] as const) {
    test(`${protocol} alone gets there too`, async () => {
      const { outcome, trace: found, loss } = await trace(network([router(1), router(2)]), { protocol });
      assert.deepEqual([outcome, found.protocol, addresses(found)], ['ok', protocol, [['10.0.1.1'], ['10.0.2.1'], [TARGET]]]);
      // A host limits how often it says that a port is closed, so over UDP nothing is said of loss.
      assert.equal(loss?.ratio, protocol === 'udp' ? undefined : 0);
    });
  }

  test('as many packets go to each hop as were asked for, of one way where one is looked for', async () => {
    const { trace: found } = await trace(network([router(1), router(2)]), { queries: 9, flows: 1 });
    assert.deepEqual(
      found.hops.map(({ sent, answered }) => [sent, answered]),
      [
        [9, 9],
        [9, 9],
        [9, 9],
      ],
    );
    assert.deepEqual([found.flows, found.allRoutersSeen], [1, false]);
  });

  test('over IPv6, and without any router, as well', async () => {
    const net = new SimNetwork({
      hosts: { a: { addresses: ['fd00::1'] }, b: { addresses: ['fd00::9'] } },
      paths: [{ from: 'a', to: 'b', delayMs: 1 }],
    });
    const { outcome, trace: found } = await trace(net, {}, { target: 'fd00::9' });
    assert.deepEqual([outcome, addresses(found)], ['ok', [['fd00::9']]]);
  });
});

describe('hops that do not answer', () => {
  test('one that never does is silent, and no loss of the path', async () => {
    const { outcome, trace: found, reason } = await trace(network([router(1), router(2, { answers: 'never' }), router(3)]));
    assert.equal(outcome, 'ok');
    assert.deepEqual(
      found.hops.map(({ answers, answered }) => [answers, answered]),
      [
        [undefined, 6],
        ['silent', 0],
        [undefined, 6],
        [undefined, 6],
      ],
    );
    assert.match(reason ?? '', /hop 2 never answered/);
  });

  test('one that limits its errors is told from a lossy link by the hops behind it', async () => {
    const limited = router(2, { answers: { perSecond: 0.2, burst: 2 } });
    const { trace: found, reason } = await trace(network([router(1), limited, router(3)]), { queries: 20, protocol: 'icmp' });
    assert.deepEqual(
      found.hops.map(({ answers }) => answers),
      [undefined, 'limited', undefined, undefined],
    );
    assert.ok((found.hops[1]?.answered ?? 0) < (found.hops[1]?.sent ?? 0));
    assert.match(reason ?? '', /hop 2 answered only some/);
  });

  test('loss on a link is felt by all behind it, and blamed on a router as seldom as chance has it', async () => {
    let blamed = 0;
    let lost = 0;
    for (let seed = 1; seed <= 50; seed++) {
      const { trace: found } = await trace(network([router(1), router(2, { loss: 0.3 }), router(3)], { seed }), { queries: 20, protocol: 'icmp' });
      assert.equal(found.hops[0]?.answered, found.hops[0]?.sent);
      blamed += found.hops.filter(({ answers }) => answers !== undefined).length;
      lost += found.hops.slice(1).reduce((sum, { answered, sent }) => sum + sent - answered, 0);
    }
    assert.ok(lost > 0.2 * 50 * 3 * 20, `${lost} lost`);
    // Two hops can be blamed in each run, with a probability of at most 1 % for each of two comparisons.
    assert.ok(blamed <= 6, `${blamed} of 100`);
  });
});

describe('several ways', () => {
  const diamond: Routers = [router(1), [router('2'), router('22')], [router('3'), router('33')], router(4)];

  test('equal-cost routers are found as surely as is claimed, and where the ways part and meet', async () => {
    let whole = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const { trace: found } = await trace(network(diamond, { seed }));
      assert.equal(found.allRoutersSeen, true);
      if (found.parting === undefined) continue;
      whole++;
      assert.deepEqual(addresses(found), [['10.0.1.1'], ['10.0.2.1', '10.0.22.1'], ['10.0.3.1', '10.0.33.1'], ['10.0.4.1'], [TARGET]]);
      assert.deepEqual(found.parting, { fromTtl: 1, toTtl: 4 });
      assert.ok(found.flows >= 11, 'two routers side by side take eleven flows to be sure that there is no third');
    }
    // Six flows miss one of two ways with a probability of 1/32: fewer than 92 of 100 would be a chance below 1 %.
    assert.ok(whole >= 92 && whole < 100, `${whole} of 100`);
  });

  test('a flow keeps to one way, whichever protocol it is of', async () => {
    for (const protocol of ['udp', 'icmp', 'tcp'] as const) {
      const { trace: found } = await trace(network(diamond), { protocol, queries: 30, flows: 12 });
      const [left, right] = found.hops[1]?.nodes ?? [];
      assert.ok(left && right);
      assert.deepEqual(
        left.flows.filter((flow) => right.flows.includes(flow)),
        [],
      );
      const further = found.hops[2]?.nodes.map(({ flows }) => flows.join()).sort();
      assert.deepEqual(further, [left.flows.join(), right.flows.join()].sort(), 'the branches do not mix');
    }
  });

  test('with one flow only one way is seen, and it says that there may be more', async () => {
    const { trace: found } = await trace(network(diamond), { flows: 1 });
    assert.deepEqual([found.parting, found.allRoutersSeen], [undefined, false]);
    assert.deepEqual(
      found.hops.map(({ nodes }) => nodes.length),
      [1, 1, 1, 1, 1],
    );
  });
});

describe('a target that is not reached', () => {
  test('a loop is named with its routers, and tried by no other protocol', async () => {
    const { outcome, reason, trace: found } = await trace(network([router(1), router(2), router(3, { forwards: 'back' })]));
    assert.equal(outcome, 'lost');
    assert.match(reason ?? '', /loop between 10\.0\.[23]\.1 and 10\.0\.[23]\.1/);
    assert.deepEqual([found.reached, found.loop?.toSorted(), found.tried], [false, ['10.0.2.1', '10.0.3.1'], undefined]);
  });

  test('a router that has no route is where the way ends', async () => {
    const { outcome, reason, trace: found } = await trace(network([router(1), router(2, { forwards: 'unreachable' }), router(3)]));
    assert.equal(outcome, 'lost');
    assert.match(reason ?? '', /ends at hop 2: 10\.0\.2\.1 says unreachable .*the same by ICMP and TCP/);
    assert.match(found.hops.at(-1)?.ended ?? '', /unreachable/);
    assert.equal(found.hops.length, 2);
  });

  test('a firewall that says so refuses', async () => {
    const { outcome, reason } = await trace(network([router(1), router(2, { forwards: 'prohibited' })]), { protocol: 'udp' });
    assert.equal(outcome, 'refused');
    assert.match(reason ?? '', /prohibited \(ICMP type 3, code 13\)/);
  });

  test('where packets vanish the last hop that answered is named, and the search ends soon', async () => {
    const net = network([router(1), router(2, { forwards: 'nothing' }), ...Array.from({ length: 20 }, (_, i) => router(100 + i))]);
    const startMs = net.nowMs;
    const { outcome, reason, trace: found } = await trace(net, { protocol: 'udp' });
    assert.equal(outcome, 'lost');
    assert.match(reason ?? '', /did not answer UDP: hop 2 \(10\.0\.2\.1\) was the last to answer, and 5 hops behind it were silent/);
    assert.deepEqual(
      found.hops.map(({ ttl, answered }) => [ttl, answered]),
      [
        [1, 6],
        [2, 6],
        [3, 0],
      ],
    );
    assert.ok(net.nowMs - startMs < 6000, `${net.nowMs - startMs} ms`);
  });

  test('farther than was allowed is not the same as silent', async () => {
    const { reason } = await trace(network([router(1), router(2), router(3), router(4)]), { hopsMax: 3, protocol: 'udp' });
    assert.match(reason ?? '', /farther than 3 hops: allow more with --max-hops/);
  });

  test('an address that nobody has, without a route, is told at once', async () => {
    const { outcome, reason } = await trace(network([router(1)]), {}, { target: '192.0.2.77' });
    assert.equal(outcome, 'lost');
    assert.match(reason ?? '', /nothing could be sent to 192\.0\.2\.77: ENETUNREACH/);
  });
});

describe('which protocol', () => {
  test('where UDP is dropped at the target, ICMP finds it, and it says why', async () => {
    const { outcome, trace: found, reason } = await trace(network([router(1)], { b: { closedPorts: 'drop' } }));
    assert.deepEqual([outcome, found.protocol, found.tried?.map(({ protocol }) => protocol)], ['ok', 'icmp', ['udp']]);
    assert.match(reason ?? '', /traced by ICMP, since UDP did not get to the target/);
  });

  test('where pings are not allowed TCP comes next', async () => {
    const { outcome, trace: found } = await trace(network([router(1)], { a: { mayPing: false }, b: { closedPorts: 'drop' } }));
    assert.deepEqual([outcome, found.protocol, found.tried?.map(({ protocol }) => protocol)], ['ok', 'tcp', ['udp', 'icmp']]);
  });

  test('ICMP without the right to is unsupported, with what to do', async () => {
    const { outcome, reason } = await trace(network([router(1)], { a: { mayPing: false } }), { protocol: 'icmp' });
    assert.equal(outcome, 'unsupported');
    assert.match(reason ?? '', /use UDP packets, which need no right/);
  });
});

describe('an interrupt', () => {
  test('in the middle leaves the hops so far, marked partial', async () => {
    const controller = new AbortController();
    const far = Array.from({ length: 20 }, (_, i) => router(i + 1));
    const {
      outcome,
      partial,
      trace: found,
    } = await trace(
      network(far),
      {},
      {
        signal: controller.signal,
        onProgress: (doing) => {
          if (doing.endsWith('hop 5')) controller.abort();
        },
      },
    );
    assert.deepEqual([outcome, partial, found.reached], ['unchecked', true, false]);
    assert.ok(found.hops.length >= 5 && found.hops.length < 20);
  });

  test('before the start measures nothing', async () => {
    const controller = new AbortController();
    controller.abort();
    const { outcome } = await trace(network([router(1)]), {}, { signal: controller.signal });
    assert.equal(outcome, 'unchecked');
  });
});

test('impossible options are usage errors that say what is possible', () => {
  const parse = (key: string, text: string): unknown => traceProbe.flags.find((flag) => flag.key === key)?.parse(text);
  assert.equal(parse('protocol', 'ICMP'), 'icmp');
  assert.equal(parse('hopsMax', '64'), 64);
  for (const [key, text] of [
    ['protocol', 'sctp'],
    ['port', '0'],
    ['port', '70000'],
    ['hopsMax', '65'],
    ['queries', '1.5'],
    ['flows', '65'],
  ] as const) {
    assert.throws(
      () => parse(key, text),
      (error) => error instanceof TautlineError && error.code === 'usage',
      `${key} ${text}`,
    );
  }
});
