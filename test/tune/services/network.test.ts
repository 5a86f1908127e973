import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyAndUndo, changing, ETH0, FORWARDING, leftFor, planOn, problemOf, served, TAILSCALE0 } from './served-host.js';
import type { Served } from './served-host.js';

const one = async (id: string, value: unknown, given: Served = {}) => (await planOn((await served(given)).view, id, value))[0];
const ROUTER: Served = { interfaces: [ETH0, TAILSCALE0], values: FORWARDING };

describe('the clamp of the segment size', () => {
  test('is a table of its own on a router whose links differ, and takes other tables along neither way', async () => {
    const { host, view } = await served(ROUTER);
    const foreign = 'table inet filter {\n\tchain input {\n\t}\n}\n';
    host.machine.kept.set('nft table inet filter', foreign);
    const [step] = await planOn(view, 'mss-clamp', 'route');
    await applyAndUndo(host, [changing(step)], async () => {
      const table = host.machine.kept.get('nft table inet tautline_mss') ?? '';
      assert.match(
        table,
        /chain forward \{\n\t\ttype filter hook forward priority mangle; policy accept;\n\t\ttcp flags syn tcp option maxseg size set rt mtu\n/,
      );
      assert.equal(host.machine.kept.get('nft table inet filter'), foreign);
      leftFor((await planOn(view, 'mss-clamp', 'route'))[0], 'already');
    });
    assert.match(
      changing(step)
        .persist.map((each) => (each.by === 'boot' ? each.commands.join() : ''))
        .join(),
      /^nft 'add table inet tautline_mss; delete table/,
    );
  });

  test('to a fixed size is for what goes through tunnels, 20 bytes less over IPv6, and for connections of the host too', async () => {
    const { host, view } = await served(ROUTER);
    await applyAndUndo(host, await planOn(view, 'mss-clamp', 1200), () => {
      const lines = (host.machine.kept.get('nft table inet tautline_mss') ?? '').split('\n').map((line) => line.trim());
      for (const rule of [
        'iifname "tailscale0" tcp flags syn tcp option maxseg size set 1200',
        'oifname "tailscale0" tcp flags syn tcp option maxseg size set 1200',
        'oifname "tailscale0" meta nfproto ipv6 tcp flags syn tcp option maxseg size set 1180',
        'type filter hook output priority mangle; policy accept;',
      ]) {
        assert.ok(lines.includes(rule), rule);
      }
    });
  });

  test('does nothing for a host whose own connections announce as little already', async () => {
    const own = { interfaces: [ETH0, TAILSCALE0] };
    assert.match(leftFor(await one('mss-clamp', 1240, own), 'no-effect'), /tailscale0 \(1280\) announce no more/);
    changing(await one('mss-clamp', 1200, own));
  });

  test('does nothing on a host that passes nothing on, or whose links are all alike', async () => {
    assert.match(leftFor(await one('mss-clamp', 'route'), 'not-applicable'), /passes no packets on/);
    assert.match(leftFor(await one('mss-clamp', 'route', { values: FORWARDING }), 'no-effect'), /all interfaces have an MTU of 1500/);
  });

  test('needs nft, and says what iptables would do where there is only that', async () => {
    const none = { ...ROUTER, programs: { nft: undefined } };
    assert.match(leftFor(await one('mss-clamp', 'route', none), 'absent'), /install the package nftables/);
    const legacy = { ...none, values: { ...FORWARDING, '/proc/net/ip_tables_names': 'mangle\nfilter' } };
    assert.match(leftFor(await one('mss-clamp', 'route', legacy), 'absent'), /TCPMSS --clamp-mss-to-pmtu/);
  });

  test('needs root to be looked at', async () => {
    leftFor(await one('mss-clamp', 'route', { ...ROUTER, root: false }), 'needs-root');
  });

  test('is the route or a size that a segment can have', () => {
    for (const value of ['pmtu', 100, 9999, '1240; flush ruleset']) assert.notEqual(problemOf('mss-clamp', value), '');
  });
});

describe('passing on grouped UDP packets', () => {
  test('is switched on at the uplink of a Tailscale router, and the offload that it excludes off', async () => {
    const { host, view, viewAgain } = await served({ ...ROUTER, kernel: '6.2.0' });
    const [step] = await planOn(view, 'udp-gro-forwarding', 'on');
    assert.equal(changing(step).now, 'rx-udp-gro-forwarding off, rx-gro-list on');
    assert.deepEqual(changing(step).persist, [
      { by: 'boot', commands: ['ethtool -K eth0 rx-udp-gro-forwarding on rx-gro-list off'], interface: 'eth0' },
    ]);
    await applyAndUndo(host, [changing(step)], async () => {
      leftFor((await planOn(await viewAgain(), 'udp-gro-forwarding', 'on'))[0], 'already');
    });
  });

  test('is for routers of a tailnet with kernel 6.2 and a driver that has it', async () => {
    assert.match(leftFor(await one('udp-gro-forwarding', 'on', { kernel: '6.2.0' }), 'not-applicable'), /no tailscale0/);
    assert.match(leftFor(await one('udp-gro-forwarding', 'on', { interfaces: [ETH0, TAILSCALE0] }), 'not-applicable'), /no subnet router/);
    assert.match(leftFor(await one('udp-gro-forwarding', 'on', { ...ROUTER, kernel: '6.1.0' }), 'absent'), /needs kernel 6\.2, and this is 6\.1\.0/);
    const plain = { ...ROUTER, kernel: '6.2.0', interfaces: [{ ...ETH0, features: { 'generic-receive-offload': { on: true } } }, TAILSCALE0] };
    assert.match(leftFor(await one('udp-gro-forwarding', 'on', plain), 'absent'), /driver of eth0 does not offer/);
  });
});
