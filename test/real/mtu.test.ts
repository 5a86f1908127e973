import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seededRandom } from '../../src/base/index.js';
import type { Measurement, MtuDetails } from '../../src/results/index.js';
import { whyNoNamespaces } from '../lab/namespaces.js';
import { installed } from '../lab/processes.js';
import { SERVER, withRouterChain } from '../lab/router-chain.js';
import type { RouterChain } from '../lab/router-chain.js';
import type { Place } from '../lab/routed-paths.js';
import { PORT, measure, metric, startServe } from '../lab/tautline.js';

const skip = (await whyNoNamespaces()) ?? ((await installed('nft')) ? false : 'nft is missing (package nftables)');
const WIDE = 9000;
const LOOP = fileURLToPath(new URL('./mtu-loop.js', import.meta.url));

/** The chain of routers with jumbo frames everywhere; `narrow` changes the link between the first and the middle router. */
interface Served extends RouterChain {
  readonly keyFile: string;
  narrow(mtu: number): Promise<void>;
  /** Runs the command line in the client's namespace. */
  mtu(args: readonly string[]): Promise<{ up: Measurement; down: Measurement; elapsedMs: number }>;
}

async function withServed<T>(work: (served: Served) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-mtu-'));
  const keyFile = join(folder, 'key');
  await writeFile(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
  try {
    return await withRouterChain(async (chain) => {
      const { client, first, middle, last, server } = chain;
      const set = (place: Place, link: number, mtu: number): Promise<string> => place.sh(`ip link set link${link} mtu ${mtu}`);
      await Promise.all([
        set(client, 1, WIDE),
        set(first, 1, WIDE),
        set(middle, 3, WIDE),
        set(last, 3, WIDE),
        set(last, 4, WIDE),
        set(server, 4, WIDE),
      ]);
      const narrow = async (mtu: number): Promise<void> => void (await Promise.all([set(first, 2, mtu), set(middle, 2, mtu)]));
      await narrow(WIDE);
      const room = ['--limit', 'udp-sessions-per-client-max=1024'];
      const serve = await startServe(['--bind', '::', '--port', String(PORT), '--key-file', keyFile, ...room], server.inside);
      try {
        return await work({
          ...chain,
          keyFile,
          narrow,
          async mtu(args) {
            const { document, elapsedMs } = await measure(['mtu', ...args], client.inside);
            return { up: metric(document.measurements, 'mtu.up'), down: metric(document.measurements, 'mtu.down'), elapsedMs };
          },
        });
      } finally {
        await serve.stop();
      }
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const detailsOf = ({ details }: Measurement): MtuDetails => details as unknown as MtuDetails;

function exactly(measurement: Measurement, mtu: number): void {
  assert.deepEqual(
    [measurement.outcome, measurement.summary?.median, measurement.details?.['failsBytes'], measurement.error?.value],
    ['ok', mtu, mtu + 1, 0],
    JSON.stringify({ ...measurement, details: { ...measurement.details, tried: undefined } }),
  );
}

/** No ICMP leaves this router that says that a packet is too big. */
const silence = ({ sh }: Place): Promise<string> =>
  sh(`nft add table inet lab; nft add chain inet lab out '{ type filter hook output priority 0; }'
    nft add rule inet lab out icmp type destination-unreachable drop; nft add rule inet lab out icmpv6 type packet-too-big drop`);

/** Boundaries of all kinds, and the rest spread evenly with a shake. */
function valuesToTry(least: number, count: number): number[] {
  const random = seededRandom(20_261_121);
  const edges = [576, 577, 1023, 1024, 1025, 1279, 1280, 1281, 1359, 1360, 1361, 1379, 1380, 1381, 1399, 1400, 1401, 1419, 1420, 1421, 1439, 1440]
    .concat([1441, 1449, 1450, 1451, 1459, 1460, 1461, 1471, 1472, 1473, 1479, 1480, 1481, 1491, 1492, 1493, 1499, 1500, 1501, 2047, 2048, 2049])
    .concat([4095, 4096, 4097, 4351, 4352, 4353, 8191, 8192, 8193, 8998, 8999, 9000]);
  const spread = Array.from({ length: count }, (_, i) => least + Math.floor(((i + random.next()) * (WIDE + 1 - least)) / count));
  return [...new Set([...edges.filter((mtu) => mtu >= least), ...spread])];
}

/** Measures each of these in one process, so that starting it is not what takes the time. */
async function eachOf({ client, keyFile, narrow }: Served, host: string, values: readonly number[]): Promise<void> {
  const [program = '', ...args] = client.inside([process.execPath, LOOP, host.includes(':') ? `[${host}]:${PORT}` : `${host}:${PORT}`, keyFile]);
  const loop = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: loop.stdout })[Symbol.asyncIterator]();
  try {
    for (const mtu of values) {
      await narrow(mtu);
      loop.stdin.write('measure\n');
      const line = await lines.next();
      assert.equal(line.done, false, `the loop ended at ${mtu}`);
      const measurements = JSON.parse(line.value as string) as Measurement[];
      for (const measurement of measurements) exactly(measurement, mtu);
      assert.ok(measurements.length === 2 && measurements.every((measurement) => !detailsOf(measurement).blackHole), `MTU ${mtu}`);
    }
    loop.stdin.end('end\n');
  } finally {
    loop.kill();
  }
}

describe('the path MTU over real routers', { skip }, () => {
  test('is exact in both directions for every value tried from 576 to 9000', { timeout: 600_000 }, (t) =>
    withServed(async (served) => {
      const values = valuesToTry(576, 160);
      const startedMs = performance.now();
      await eachOf(served, SERVER[4], values);
      t.diagnostic(`${values.length} values, ${((performance.now() - startedMs) / values.length).toFixed(0)} ms each, all exact up and down`);
      assert.ok(values.length >= 200);
    }),
  );

  test('is exact over IPv6 from 1280 on', { timeout: 300_000 }, (t) =>
    withServed(async (served) => {
      const values = valuesToTry(1280, 20);
      await eachOf(served, SERVER[6], values);
      t.diagnostic(`${values.length} values, all exact up and down`);
    }),
  );

  for (const [direction, speaker] of [
    ['up', 'first'],
    ['down', 'middle'],
  ] as const) {
    for (const family of [4, 6] as const) {
      test(`a router that says nothing about what it drops is a black hole on the way ${direction}, IPv${family}`, () =>
        withServed(async (served) => {
          await served.narrow(1408);
          await silence(served[speaker]);
          const { up, down } = await served.mtu([family === 4 ? SERVER[4] : `[${SERVER[6]}]:${PORT}`, '--key-file', served.keyFile]);
          exactly(up, 1408);
          exactly(down, 1408);
          assert.deepEqual([detailsOf(up).blackHole, detailsOf(down).blackHole], [direction === 'up', direction === 'down']);
          const holed = direction === 'up' ? up : down;
          const other = direction === 'up' ? down : up;
          assert.equal(detailsOf(holed).clamp?.mssBytes, family === 4 ? 1368 : 1348);
          assert.equal(detailsOf(other).clamp, undefined);
          assert.match(holed.reason ?? '', new RegExp(`black hole on the way ${direction}`));
        }));
    }
  }

  test('the advice heals what it is given for', () =>
    withServed(async (served) => {
      await served.narrow(1408);
      await silence(served.first);
      const args = [SERVER[4], '--key-file', served.keyFile];
      const before = detailsOf((await served.mtu(args)).up);
      assert.ok(before.clamp?.others?.some(({ command }) => command.includes('tcp_mtu_probing')));
      assert.ok((before.tcpMssBytes ?? 0) > 1368, JSON.stringify(before.clamp));
      await served.client.sh(before.clamp?.command ?? 'false');
      const after = detailsOf((await served.mtu(args)).up);
      assert.deepEqual([after.passesBytes, after.blackHole], [1408, true], 'the path is as it was');
      assert.ok((after.tcpMssBytes ?? 9999) <= 1368, `TCP puts ${after.tcpMssBytes} bytes into a segment`);
      assert.equal(after.clamp, undefined, 'and nothing more is to be done');
    }));

  test('the router that says so is named, and what the kernel believed before does not matter', () =>
    withServed(async (served) => {
      const args = [SERVER[4], '--key-file', served.keyFile];
      await served.narrow(1300);
      const small = await served.mtu(args);
      exactly(small.up, 1300);
      assert.deepEqual([detailsOf(small.up).tooBigFrom, detailsOf(small.up).tooBigMtuBytes], ['10.78.1.2', 1300]);
      assert.deepEqual([detailsOf(small.up).interfaceName, detailsOf(small.up).interfaceMtuBytes], ['link1', WIDE]);
      await served.narrow(1500);
      const large = await served.mtu(args);
      exactly(large.up, 1500);
      exactly(large.down, 1500);
    }));

  for (const method of ['icmp', 'udp'] as const) {
    test(`is exact without a responder, by ${method}, with and without answers from routers`, () =>
      withServed(async (served) => {
        await served.narrow(1396);
        const told = await served.mtu([SERVER[4], '--method', method]);
        exactly(told.up, 1396);
        assert.deepEqual([told.down.outcome, detailsOf(told.up).blackHole, detailsOf(told.up).tooBigFrom], ['unsupported', false, '10.78.1.2']);
        await silence(served.first);
        const holed = await served.mtu([SERVER[4], '--method', method]);
        exactly(holed.up, 1396);
        assert.equal(detailsOf(holed.up).blackHole, true);
        const six = await served.mtu([SERVER[6], '--method', method]);
        exactly(six.up, 1396);
      }));
  }

  test('is exact where one packet in twenty is lost in each direction', () =>
    withServed(async (served) => {
      await served.narrow(1433);
      for (const place of [served.server, served.client]) {
        await place.sh(`nft add table inet loss; nft add chain inet loss in '{ type filter hook input priority 0; }'
          nft add rule inet loss in meta l4proto udp numgen random mod 100 '<' 5 drop`);
      }
      const { up, down } = await served.mtu([SERVER[4], '--key-file', served.keyFile]);
      exactly(up, 1433);
      exactly(down, 1433);
      assert.deepEqual([detailsOf(up).blackHole, detailsOf(down).blackHole], [false, false]);
    }));
});
