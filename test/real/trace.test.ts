import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Measurement, TraceDetails } from '../../src/results/index.js';
import { whyNoNamespaces } from '../lab/namespaces.js';
import { Program, installed, mustRun } from '../lab/processes.js';
import { RELAY_DEVICE, RELAY_READY } from '../lab/relay.js';
import { BESIDE, ROUTERS, SERVER, withRouterChain } from '../lab/router-chain.js';
import type { RouterChain } from '../lab/router-chain.js';
import { TAUTLINE, measure, metric } from '../lab/tautline.js';
import type { Wrap } from '../lab/tautline.js';
import { RELAY_PROGRAM } from '../lab/routed-paths.js';

const skip = (await whyNoNamespaces()) ?? false;
const noNft = skip === false && !(await installed('nft')) ? 'nft is missing (package nftables)' : skip;
const noMtr = skip === false && !(await installed('mtr')) ? 'mtr is missing (package mtr-tiny)' : skip;
const noSetpriv = skip === false && !(await installed('setpriv')) ? 'setpriv is missing (package util-linux)' : skip;

/** Without any right: another user, no groups, no capabilities. */
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all', '--inh-caps=-all'];

interface Traced {
  readonly measurement: Measurement;
  readonly details: TraceDetails;
  readonly code: number | null;
}

async function trace({ client }: RouterChain, args: readonly string[], as: readonly string[] = []): Promise<Traced> {
  const wrap: Wrap = (argv) => client.inside([...as, ...argv]);
  const { document, code } = await measure(['trace', ...args], wrap);
  const measurement = metric(document.measurements, 'trace');
  return { measurement, details: measurement.details as unknown as TraceDetails, code };
}

const addresses = ({ hops }: TraceDetails): string[][] => hops.map(({ nodes }) => nodes.map(({ address }) => address).sort());
const wholeWay = (family: 4 | 6): string[][] => [...ROUTERS[family], SERVER[family]].map((address) => [address]);

describe('a chain of routers', { skip }, () => {
  test('is found by every protocol of both families, hop by hop', () =>
    withRouterChain(async (chain) => {
      for (const family of [4, 6] as const) {
        for (const protocol of ['udp', 'icmp', 'tcp']) {
          const { details, measurement, code } = await trace(chain, [SERVER[family], '--protocol', protocol]);
          assert.deepEqual(addresses(details), wholeWay(family), `${protocol} over IPv${family}: ${measurement.reason}`);
          assert.deepEqual([code, measurement.outcome, details.reached, details.allRoutersSeen], [0, 'ok', true, true]);
          for (const { sent, answered } of details.hops) assert.equal(answered, sent, `${protocol} over IPv${family}`);
          assert.ok((measurement.summary?.median ?? 0) > 0 && (measurement.summary?.median ?? 99) < 50);
        }
      }
    }));

  test('needs no right over UDP and TCP, and over ICMP the one that the kernel may give', { skip: noSetpriv }, () =>
    withRouterChain(async (chain) => {
      assert.equal((await mustRun(chain.client.inside([...NOBODY, 'id', '-u']))).trim(), '65534');
      for (const family of [4, 6] as const) {
        for (const protocol of ['udp', 'tcp']) {
          const { details } = await trace(chain, [SERVER[family], '--protocol', protocol], NOBODY);
          assert.deepEqual(addresses(details), wholeWay(family), protocol);
        }
      }
      await chain.client.sh('sysctl -qw net.ipv4.ping_group_range="1 0"');
      const refused = await trace(chain, [SERVER[4], '--protocol', 'icmp'], NOBODY);
      assert.equal(refused.measurement.outcome, 'unsupported');
      assert.match(refused.measurement.reason ?? '', /no right to open an ICMP socket .*ping_group_range/);
      await chain.client.sh('sysctl -qw net.ipv4.ping_group_range="0 2147483647"');
      for (const family of [4, 6] as const) {
        const { details } = await trace(chain, [SERVER[family], '--protocol', 'icmp'], NOBODY);
        assert.deepEqual(addresses(details), wholeWay(family), `ping socket, IPv${family}`);
      }
    }),
  );

  test('has the hops and the delays that mtr sees', { skip: noMtr }, () =>
    withRouterChain(async (chain) => {
      const relay = await delay(chain);
      try {
        const told = JSON.parse(await mustRun(chain.client.inside(['mtr', '-n', '--json', '-c', '10', '-i', '0.1', SERVER[4]]))) as MtrReport;
        const { details, measurement } = await trace(chain, [SERVER[4], '--protocol', 'icmp', '--queries', '10', '--interval', '100ms']);
        assert.deepEqual(
          addresses(details),
          told.report.hubs.map(({ host }) => [host]),
        );
        for (const [i, { nodes, sent, answered }] of details.hops.entries()) {
          const ours = nodes[0]?.rttMs?.median ?? 0;
          const theirs = told.report.hubs[i]?.Avg ?? 0;
          // The relay in user space wakes up late now and then; what it delays is 20 ms.
          assert.ok(Math.abs(ours - theirs) < 3, `hop ${i + 1}: ${ours} ms here, ${theirs} ms by mtr`);
          assert.equal(answered, sent);
        }
        assert.ok((measurement.summary?.min ?? 0) >= 20, `${measurement.summary?.min} ms, 10 ms are added each way`);
        assert.ok((details.hops[0]?.nodes[0]?.rttMs?.median ?? 99) < 5, 'the delay is behind the first hop');
      } finally {
        await relay.stop();
      }
    }),
  );
});

describe('several ways beside each other', { skip }, () => {
  for (const family of [4, 6] as const) {
    test(`both routers of an equal-cost route over IPv${family} are found, and where the ways part and meet`, () =>
      withRouterChain(async (chain) => {
        await chain.shareLoad();
        let whole = 0;
        for (let i = 0; i < 4; i++) {
          const { details } = await trace(chain, [SERVER[family]]);
          assert.equal(details.reached, true);
          const [left, right] = details.hops[1]?.nodes ?? [];
          if (!left || !right) continue;
          whole++;
          assert.deepEqual(addresses(details)[1], [ROUTERS[family][1], BESIDE[family]].sort());
          assert.deepEqual(
            left.flows.filter((flow) => right.flows.includes(flow)),
            [],
            'a flow keeps to its way',
          );
          // Over IPv6 the last router has two addresses: it answers from the interface that a packet came in by.
          assert.deepEqual(details.parting, { fromTtl: 1, toTtl: family === 4 ? 3 : 4 });
          assert.ok(details.flows >= 11);
        }
        // Each misses one of two ways with a probability of 1/32.
        assert.ok(whole >= 2, `${whole} of 4`);
      }));
  }

  test('one flow sees one way, however often it asks', () =>
    withRouterChain(async (chain) => {
      await chain.shareLoad();
      for (const protocol of ['udp', 'tcp']) {
        const { details } = await trace(chain, [SERVER[4], '--protocol', protocol, '--flows', '1', '--queries', '30', '--interval', '10ms']);
        assert.deepEqual([details.hops[1]?.nodes.length, details.hops[1]?.sent, details.allRoutersSeen], [1, 30, false], protocol);
      }
    }));
});

describe('routers that say nothing, or something else', { skip: noNft }, () => {
  test('one that drops its errors is silent, one that limits them is no loss', () =>
    withRouterChain(async (chain) => {
      await chain.first.sh(`nft add table inet t; nft 'add chain inet t out { type filter hook output priority 0; }'
        nft add rule inet t out icmp type time-exceeded drop`);
      await chain.last.sh('sysctl -qw net.ipv4.icmp_ratelimit=1000');
      const { details, measurement, code } = await trace(chain, [SERVER[4], '--protocol', 'icmp', '--queries', '30', '--interval', '20ms']);
      assert.equal(code, 0);
      assert.deepEqual(addresses(details), [[], ...wholeWay(4).slice(1)]);
      assert.deepEqual(
        details.hops.map(({ answers }) => answers),
        ['silent', undefined, 'limited', undefined],
      );
      assert.ok((details.hops[2]?.answered ?? 30) < 15, `${details.hops[2]?.answered} of 30`);
      assert.match(measurement.reason ?? '', /hop 1 never answered.*hop 3 answered only some/);
      assert.equal(measurement.loss?.ratio, 0);
    }));

  test('asking within what a Linux router answers loses nothing', () =>
    withRouterChain(async (chain) => {
      for (const one of [chain.first, chain.middle, chain.last, chain.server]) await one.sh('sysctl -qw net.ipv4.icmp_ratelimit=1000');
      const { details } = await trace(chain, [SERVER[4]]);
      assert.deepEqual(
        details.hops.map(({ sent, answered }) => [sent, answered]),
        [
          [6, 6],
          [6, 6],
          [6, 6],
          [6, 6],
        ],
      );
    }));

  test('where packets vanish, the last hop that answered is named', () =>
    withRouterChain(async (chain) => {
      await forwarding(chain, 'drop');
      const { details, measurement, code } = await trace(chain, [SERVER[4]]);
      assert.deepEqual([code, measurement.outcome, details.reached], [3, 'lost', false]);
      assert.match(measurement.reason ?? '', /hop 3 \(10\.78\.3\.2\) was the last to answer/);
      assert.deepEqual(details.tried?.length, 2);
    }));

  test('what is dropped over UDP alone is found by ICMP', () =>
    withRouterChain(async (chain) => {
      await forwarding(chain, 'meta l4proto udp drop');
      const { details, measurement } = await trace(chain, [SERVER[4]]);
      assert.deepEqual([details.protocol, details.tried?.map(({ protocol }) => protocol), measurement.outcome], ['icmp', ['udp'], 'ok']);
      assert.deepEqual(addresses(details), wholeWay(4));
    }));

  test('a firewall that says so is a refusal by its router, and not taken for the target', () =>
    withRouterChain(async (chain) => {
      await forwarding(chain, 'reject with icmpx type admin-prohibited');
      for (const family of [4, 6] as const) {
        const { measurement } = await trace(chain, [SERVER[family], '--protocol', 'udp']);
        assert.equal(measurement.outcome, 'refused');
        assert.ok(measurement.reason?.includes(`ends at hop 3: ${ROUTERS[family][2]} says prohibited`), measurement.reason);
      }
      await forwarding(chain, 'reject with icmpx type port-unreachable');
      const { measurement, details } = await trace(chain, [SERVER[4], '--protocol', 'udp']);
      assert.deepEqual([measurement.outcome, details.reached], ['lost', false]);
    }));

  test('a router without a route, and two that point at each other', () =>
    withRouterChain(async (chain) => {
      await chain.last.sh(`ip route add unreachable ${SERVER[4]}/32`);
      const unreachable = await trace(chain, [SERVER[4], '--protocol', 'udp']);
      assert.match(unreachable.measurement.reason ?? '', /ends at hop 3: 10\.78\.3\.2 says unreachable/);
      await chain.last.sh(
        `ip route del unreachable ${SERVER[4]}/32; ip route add ${SERVER[4]}/32 via 10.78.3.1; sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.link3.send_redirects=0`,
      );
      const loop = await trace(chain, [SERVER[4]]);
      assert.equal(loop.measurement.outcome, 'lost');
      assert.deepEqual(loop.details.loop?.toSorted(), ['10.78.2.2', '10.78.3.2'], loop.measurement.reason);
    }));

  test('nobody at the end of the last link is told by its router', () =>
    withRouterChain(async (chain) => {
      const { measurement, details } = await trace(chain, ['10.78.4.77', '--protocol', 'udp', '--timeout', '4s']);
      assert.equal(details.reached, false);
      assert.match(measurement.reason ?? '', /ends at hop 3: 10\.78\.3\.2 says unreachable \(ICMP type 3, code 1\)/);
    }));
});

test('an interrupt leaves the hops so far', { skip: noNft }, () =>
  withRouterChain(async (chain) => {
    await forwarding(chain, 'drop');
    const program = new Program(chain.client.inside([...TAUTLINE, 'measure', 'trace', SERVER[4], '--json', '--timeout', '60s']));
    await program.until((output) => output.includes('hop 3'));
    program.kill('SIGINT');
    const { stdout, elapsedMs } = await program.finished;
    const document = JSON.parse(stdout) as { readonly interrupted?: boolean; readonly measurements: Measurement[] };
    const { outcome, partial, details } = metric(document.measurements, 'trace');
    assert.deepEqual([document.interrupted, outcome, partial], [true, 'unchecked', true]);
    assert.equal((details as unknown as TraceDetails).hops.length >= 3, true);
    assert.ok(elapsedMs < 10_000, `${elapsedMs} ms`);
  }),
);

interface MtrReport {
  readonly report: { readonly hubs: readonly { readonly host: string; readonly Avg: number }[] };
}

/** What the last router does with packets that it is to forward to the server. */
async function forwarding({ last }: RouterChain, rule: string): Promise<void> {
  await last.sh(`nft flush ruleset; nft add table inet t; nft 'add chain inet t passing { type filter hook forward priority 0; }'
    nft 'add rule inet t passing oifname link4 ${rule}'`);
}

/** Adds 10 ms each way behind the middle router, which is then met twice: once before the relay and once behind it. */
async function delay({ middle }: RouterChain): Promise<Program> {
  const plan = { far: '10.78.4.', up: { delayMs: 10 }, down: { delayMs: 10 } };
  const relay = new Program(middle.inside([process.execPath, RELAY_PROGRAM, JSON.stringify(plan)]));
  await relay.until((output) => output.includes(RELAY_READY));
  await middle.sh(`ip link set ${RELAY_DEVICE} up; ip route add default dev ${RELAY_DEVICE} table 100
    ip rule add iif link2 lookup 100; ip rule add iif link3 lookup 100`);
  return relay;
}
