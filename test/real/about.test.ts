import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { HostAbout } from '../../src/base/index.js';
import { whyNoNamespaces, withPath } from '../lab/namespaces.js';
import type { PathEnds } from '../lab/namespaces.js';
import { mustRun } from '../lab/processes.js';
import { PORT, ROOT, startServe } from '../lab/tautline.js';

const skip = (await whyNoNamespaces()) ?? false;
const KEY = 'a pre-shared key for tests only, of enough bytes';

/** Asks from the near end as a program that uses the package would. */
async function ask({ near }: PathEnds, address: string, keyFile: string): Promise<{ outcome: string; about?: HostAbout; reason?: string }> {
  const program = `
    import { createHostPorts } from '${ROOT}/dist/host/index.js';
    import { askAbout } from '${ROOT}/dist/probe/index.js';
    import { readFileSync } from 'node:fs';
    const key = new Uint8Array(readFileSync('${keyFile}'));
    const remote = { host: '${address}', port: ${PORT}, family: ${address.includes(':') ? 6 : 4} };
    const answer = await askAbout({ ports: createHostPorts({}), remotes: [remote], key, timeoutMs: 3000, signal: AbortSignal.timeout(10000) });
    console.log(JSON.stringify(answer));`;
  return JSON.parse(await mustRun(near.inside([process.execPath, '--input-type=module', '-e', program]))) as Awaited<ReturnType<typeof ask>>;
}

async function withKeyFile<T>(work: (keyFile: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-about-'));
  try {
    const keyFile = join(folder, 'key');
    await writeFile(keyFile, KEY, { mode: 0o600 });
    return await work(keyFile);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('a serve in another network', { skip }, () => {
  test('tells its own link, route, settings and container networks, and the address that it sees', async () => {
    await withKeyFile((keyFile) =>
      withPath(async (ends) => {
        await ends.far.sh(`
          ip link set path0 mtu 1400
          tc qdisc add dev path0 root handle 9: tbf rate 30mbit burst 32k limit 100k
          sysctl -qw net.ipv4.tcp_rmem='4096 65536 262144'
          ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up
          ip link add br0 type bridge; ip addr add 192.168.99.1/24 dev br0`);
        const congestion = (await ends.far.sh('sysctl -n net.ipv4.tcp_congestion_control')).trim();
        const serve = await startServe(['--key-file', keyFile], ends.far.inside);
        try {
          for (const [address, own] of [
            [ends.far.address4, ends.near.address4],
            [ends.far.address6, ends.near.address6],
          ] as const) {
            const { outcome, about, reason } = await ask(ends, address, keyFile);
            assert.equal(outcome, 'ok', reason);
            assert.equal(about?.observed, own);
            assert.deepEqual([about?.link?.name, about?.link?.mtu, about?.link?.kind], ['path0', 1400, 'virtual']);
            assert.deepEqual([about?.link?.qdiscs?.[0]?.kind, about?.link?.qdiscs?.[0]?.rateBps], ['tbf', 30e6]);
            assert.deepEqual([about?.route?.interfaceName, about?.route?.source, about?.route?.mtu], ['path0', address, 1400]);
            assert.deepEqual(about?.tcp?.receiveBytes, [4096, 65_536, 262_144]);
            assert.equal(about?.tcp?.congestion, congestion);
            assert.deepEqual(about?.containerSubnets, ['172.17.0.0/16'], 'though nothing is connected to it');
          }
        } finally {
          await serve.stop();
        }
      }),
    );
  });

  test('does not tell when it is set so, and measures all the same', async () => {
    await withKeyFile((keyFile) =>
      withPath(async (ends) => {
        const serve = await startServe(['--key-file', keyFile, '--about', 'no'], ends.far.inside);
        try {
          const { outcome, about, reason } = await ask(ends, ends.far.address4, keyFile);
          assert.deepEqual([outcome, about], ['refused', undefined]);
          assert.match(reason ?? '', /serve\.about/);
        } finally {
          await serve.stop();
        }
      }),
    );
  });
});
