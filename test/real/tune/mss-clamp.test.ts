import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandsOf } from '../../../src/tune/index.js';
import type { ChangeRequest, ChangeResult } from '../../lab/change-program.js';
import { freshName, INTERFACE, whyNoNamespaces, withPath } from '../../lab/namespaces.js';
import type { Namespace } from '../../lab/namespaces.js';
import { installed, mustRun, Program, run } from '../../lab/processes.js';

const PROGRAM = fileURLToPath(new URL('../../lab/change-program.js', import.meta.url));
const skip = (await whyNoNamespaces()) ?? ((await installed('nft')) ? false : 'nft is missing (package nftables)');
const FOREIGN = 'table ip house { chain forward { type filter hook forward priority 0; policy accept; tcp dport 25 drop; }; }';
const SMALL_BYTES = 1280;

/** A router (`near`) between `far`, whose link takes 1500 bytes, and a third namespace behind a link that takes 1280 in one direction. */
async function withRouter(
  work: (lab: { router: Namespace; far: Namespace; inSmall: (argv: readonly string[]) => string[]; folder: string }) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tautline-clamp-'));
  const small = `${freshName()}s`;
  const inSmall = (argv: readonly string[]): string[] => ['ip', 'netns', 'exec', small, ...argv];
  try {
    await withPath(async ({ near, far }) => {
      await mustRun(['ip', 'netns', 'add', small]);
      await mustRun(['ip', 'link', 'add', 'small0', 'netns', near.name, 'type', 'veth', 'peer', 'name', 'small0', 'netns', small]);
      await near.sh(
        `ip link set small0 mtu ${SMALL_BYTES} up; ip addr add 10.78.0.1/24 dev small0; sysctl -qw net.ipv4.ip_forward=1; nft '${FOREIGN}'`,
      );
      await mustRun(
        inSmall(['sh', '-ec', 'ip link set lo up; ip link set small0 up; ip addr add 10.78.0.2/24 dev small0; ip route add default via 10.78.0.1']),
      );
      await far.sh(`ip route add 10.78.0.0/24 via ${near.address4} dev ${INTERFACE}`);
      await work({ router: near, far, inSmall, folder });
    });
  } finally {
    spawnSync('ip', ['netns', 'delete', small]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function change(router: Namespace, request: ChangeRequest): Promise<ChangeResult> {
  return JSON.parse(await mustRun(router.inside([process.execPath, PROGRAM, JSON.stringify(request)]))) as ChangeResult;
}

/** The segment size that a connection from `far` has sent along to the host behind the router, as that one sees it. */
async function segmentBytes(far: Namespace, inSmall: (argv: readonly string[]) => string[]): Promise<number> {
  const serve = "const s=require('net').createServer(c=>c.on('error',()=>{}));s.listen(7000,'10.78.0.2',()=>console.log('ready'))";
  const server = new Program(inSmall([process.execPath, '-e', serve]));
  try {
    await server.until((output) => output.includes('ready'));
    const dial = "const c=require('net').connect(7000,'10.78.0.2',()=>console.log('connected'));c.on('error',e=>{console.log(e.message)})";
    const client = new Program(far.inside([process.execPath, '-e', dial]));
    try {
      await client.until((output) => output.includes('connected'));
      const shown = await mustRun(inSmall(['ss', '-tinH', 'sport', '=', ':7000']));
      return Number(/\bmss:(\d+)/.exec(shown)?.[1]);
    } finally {
      await client.stop();
    }
  } finally {
    await server.stop();
  }
}

const rules = (router: Namespace): Promise<string> => router.sh('nft list ruleset');

describe('the clamp of the segment size on a real router', { skip }, () => {
  test('lowers what connections through it announce, leaves other tables as they are, and is undone', async () => {
    await withRouter(async ({ router, far, inSmall, folder }) => {
      const before = await rules(router);
      // 12 of a segment's bytes are the timestamps option.
      assert.equal(await segmentBytes(far, inSmall), 1500 - 40 - 12);
      const { report, notDone } = await change(router, { do: 'apply', folder, wanted: [['mss-clamp', 'route']] });
      assert.equal(report?.state, 'applied', JSON.stringify({ report, notDone }));
      assert.match(await rules(router), /table inet tautline_mss/);
      assert.equal(await router.sh('nft list table ip house'), before);
      assert.equal(await segmentBytes(far, inSmall), SMALL_BYTES - 40 - 12);
      const again = await change(router, { do: 'apply', folder, wanted: [['mss-clamp', 'route']] });
      assert.deepEqual(
        again.notDone.map(({ reason }) => reason),
        ['already'],
      );
      assert.equal((await change(router, { do: 'roll-back', folder })).report?.state, 'rolled-back');
      assert.equal(await rules(router), before);
      assert.equal(await segmentBytes(far, inSmall), 1500 - 40 - 12);
    });
  });

  test('to a fixed size goes through a tunnel only, and by the same shell lines without this program', async () => {
    await withRouter(async ({ router, far, inSmall, folder }) => {
      await router.sh('ip tuntap add dev wg0 mode tun; ip addr add 10.79.0.1/24 dev wg0; ip link set wg0 up');
      const { report, notDone } = await change(router, { do: 'apply', folder, wanted: [['mss-clamp', 1240]] });
      assert.equal(report?.state, 'applied', JSON.stringify({ report, notDone }));
      const applied = await router.sh('nft list table inet tautline_mss');
      assert.match(applied, /oifname "wg0" meta nfproto ipv6 tcp flags syn tcp option maxseg size set 1220/);
      assert.equal(await segmentBytes(far, inSmall), 1500 - 40 - 12, 'what does not go through the tunnel is not clamped');
      const place = { kind: 'nft-table', family: 'inet', name: 'tautline_mss' } as const;
      for (const line of commandsOf(place, null)) await router.sh(line);
      assert.notEqual((await run(router.inside(['nft', 'list', 'table', 'inet', 'tautline_mss']))).code, 0);
      for (const line of commandsOf(place, applied)) await router.sh(line);
      assert.equal(await router.sh('nft list table inet tautline_mss'), applied);
      assert.equal((await change(router, { do: 'roll-back', folder })).report?.state, 'rolled-back');
    });
  });
});
