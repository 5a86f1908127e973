import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { PacketLog, PacketPlan } from '../../src/base/index.js';
import type { PacketsOptions } from '../../src/host/packets/index.js';
import { freshName, removeStale, whyNoNamespaces } from '../lab/namespaces.js';
import { Program, mustRun } from '../lab/processes.js';
import { place } from '../lab/routed-paths.js';
import type { Place } from '../lab/routed-paths.js';
import { ROUTERS, SERVER, withRouterChain } from '../lab/router-chain.js';
import { TERSE_READY } from '../lab/terse-router.js';

const skip = (await whyNoNamespaces()) ?? false;
const PROGRAM = fileURLToPath(new URL('../lab/packets-program.js', import.meta.url));
const TERSE_ROUTER = fileURLToPath(new URL('../lab/terse-router.js', import.meta.url));

async function probe(
  from: Place,
  plan: Pick<PacketPlan, 'protocol' | 'remote' | 'packets'> & Partial<PacketPlan>,
  options: PacketsOptions = {},
): Promise<PacketLog> {
  const args = [{ intervalMs: 5, timeoutMs: 1000, ...plan }, options].map((value) => JSON.stringify(value));
  return JSON.parse(await mustRun(from.inside([process.execPath, PROGRAM, ...args]))) as PacketLog;
}

const short = ({ outcomes }: PacketLog): unknown[] =>
  outcomes.map((outcome) =>
    outcome.outcome === 'error'
      ? [outcome.what, outcome.from, ...(outcome.mtuBytes === undefined ? [] : [outcome.mtuBytes])]
      : outcome.outcome === 'reply'
        ? [outcome.kind, outcome.from]
        : outcome.outcome === 'unsent'
          ? [outcome.errno, outcome.mtuBytes]
          : outcome.outcome,
  );

describe('packets of a size', { skip }, () => {
  test('are said to be too big by the router before a narrow link, each by itself, whatever the kernel believes by then', () =>
    withRouterChain(async ({ client, middle, last }) => {
      await middle.sh('ip link set link3 mtu 1400');
      await last.sh('ip link set link3 mtu 1400');
      for (const family of [4, 6] as const) {
        for (const protocol of ['udp', 'icmp'] as const) {
          const remote = { host: SERVER[family], port: protocol === 'udp' ? 33434 : 0, family };
          const packets = [1300, 1400, 1401, 1500, 1400, 1500, 1501].map((sizeBytes) => ({ sizeBytes }));
          const log = await probe(client, { protocol, remote, packets, intervalMs: 20 });
          const passes = [protocol === 'udp' ? 'port-unreachable' : 'echo-reply', SERVER[family]];
          const tooBig = ['too-big', ROUTERS[family][1], 1400];
          assert.deepEqual(short(log), [passes, passes, tooBig, tooBig, passes, tooBig, ['EMSGSIZE', 1500]], `${protocol}, IPv${family}`);
          assert.equal(log.kernelMtuBytes, 1400, 'and the kernel has learned it');
        }
      }
    }));

  test('that may be split are, by the sender or on the way', () =>
    withRouterChain(async ({ client, middle, last }) => {
      await middle.sh('ip link set link3 mtu 1400');
      await last.sh('ip link set link3 mtu 1400');
      const remote = { host: SERVER[4], port: 33434, family: 4 } as const;
      const packets = [1500, 3000].map((sizeBytes) => ({ sizeBytes, dontFragment: false }));
      assert.deepEqual(short(await probe(client, { protocol: 'udp', remote, packets })), [
        ['port-unreachable', SERVER[4]],
        ['port-unreachable', SERVER[4]],
      ]);
    }));
});

describe('errors that are read from a socket of ICMP, as where the kernel queues none', { skip }, () => {
  test('are told from those about others, and to the packets that they are about', () =>
    withRouterChain(async ({ client, middle, last }) => {
      await middle.sh('ip link set link3 mtu 1400');
      await last.sh('ip link set link3 mtu 1400');
      for (const family of [4, 6] as const) {
        for (const protocol of ['udp', 'icmp', 'tcp'] as const) {
          const remote = { host: SERVER[family], port: protocol === 'icmp' ? 0 : 33434, family };
          const sized = protocol === 'tcp' ? [] : [{ sizeBytes: 1500 }];
          const packets = [{ ttl: 1 }, { ttl: 2, flow: 1 }, { ttl: 3 }, { ttl: 4 }, ...sized];
          // Somebody else's packets die on the same routers meanwhile.
          const [log] = await Promise.all([
            probe(client, { protocol, remote, packets }, { errors: 'socket' }),
            probe(client, { protocol, remote, packets: packets.toReversed() }),
          ]);
          const arrived = { udp: 'port-unreachable', icmp: 'echo-reply', tcp: 'reset' }[protocol];
          assert.deepEqual(
            short(log),
            [
              ...ROUTERS[family].map((address) => ['ttl-exceeded', address]),
              [arrived, SERVER[family]],
              ...sized.map(() => ['too-big', ROUTERS[family][1], 1400]),
            ],
            `${protocol} over IPv${family}`,
          );
        }
      }
    }));
});

describe('errors that quote no more than they must', { skip }, () => {
  test('are told apart by asking one packet at a time, and it says so', async () => {
    removeStale();
    const here = place(`${freshName()}n`);
    const remove = (): void => void spawnSync('ip', ['netns', 'delete', here.name]);
    process.once('exit', remove);
    await mustRun(['ip', 'netns', 'add', here.name]);
    let router: Program | undefined;
    try {
      await here.sh('ip link set lo up');
      router = new Program(here.inside([process.execPath, TERSE_ROUTER, '40000']));
      await router.until((output) => output.includes(TERSE_READY));
      // Somebody who takes everything, so that the host itself says nothing.
      const taker = new Program(
        here.inside([process.execPath, '-e', "require('dgram').createSocket('udp4').bind(40000, '127.0.0.1', () => console.log('up'))"]),
      );
      try {
        await taker.until((output) => output.includes('up'));
        const remote = { host: '127.0.0.1', port: 40_000, family: 4 } as const;
        const packets = [{ ttl: 1 }, { ttl: 2 }, { ttl: 3 }, { flow: 1 }];
        const log = await probe(here, { protocol: 'udp', remote, packets, intervalMs: 0, timeoutMs: 1000 });
        assert.deepEqual(
          short(log),
          packets.map(() => ['ttl-exceeded', '127.0.0.1']),
        );
        assert.match(log.fallbacks.join(), /one at a time/);
        // One that is alone needs no telling apart.
        assert.deepEqual((await probe(here, { protocol: 'udp', remote, packets: [{ ttl: 1 }] })).fallbacks, []);
      } finally {
        await taker.stop();
      }
    } finally {
      await router?.stop();
      process.off('exit', remove);
      remove();
    }
  });
});
