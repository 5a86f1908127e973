import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createHostPorts } from '../../src/host/index.js';
import { loadLibc } from '../../src/host/libc/index.js';
import { readDrivers, readLinks } from '../../src/host/netlink/index.js';
import { nearAbout } from '../../src/probe/index.js';
import { hostLoad } from '../../src/wire/index.js';

const { facts, clock } = createHostPorts({});
const skip = process.platform === 'linux' ? false : 'only Linux tells these without a program';

describe('what this host tells of itself', () => {
  test('its processors count on', async () => {
    const before = await facts.processors();
    const startMs = clock.nowMs();
    // Work that shows: at least some ticks of a processor's time.
    let turns = 0;
    while (clock.nowMs() - startMs < 60) turns++;
    const after = await facts.processors();
    assert.ok(before && after && turns > 0);
    assert.equal(before.cpus.length, after.cpus.length);
    assert.ok(after.atMs > before.atMs);
    const load = hostLoad(before, after);
    assert.ok(load && load.busiestCpu > 0 && load.busiestCpu <= 1 && load.busy <= load.busiestCpu, JSON.stringify(load));
  });

  test('the loopback interface, by its name and among all', { skip }, async () => {
    const [lo, ...others] = await facts.links('lo');
    assert.deepEqual([lo?.name, lo?.kind, lo?.up, others.length], ['lo', 'loopback', true, 0]);
    assert.ok((lo?.mtu ?? 0) >= 16_384 && lo?.counters?.['rx_packets'] !== undefined);
    const { counters: _, qdiscs: _qdiscs, ...same } = lo ?? {};
    const { counters: _counters, qdiscs: _all, ...among } = (await facts.links()).find(({ name }) => name === 'lo') ?? {};
    assert.deepEqual(among, same);
    assert.deepEqual(await facts.links('no-such-link0'), []);
  });

  test('the way to itself is local, and what is no address has none', { skip }, async () => {
    for (const address of ['127.0.0.1', '127.1.2.3', '::1']) {
      const route = await facts.routeTo(address);
      if (address === '::1' && route === undefined) continue;
      assert.deepEqual([route?.interfaceName, route?.local], ['lo', true], address);
    }
    for (const text of ['', 'example.org', '1.2.3', '127.0.0.1:80', '::g']) assert.equal(await facts.routeTo(text), undefined, text);
  });

  test('its TCP settings are in order', { skip }, async () => {
    const { receiveBytes, sendBytes, congestion, receiveBytesAsked } = await facts.tcpSettings();
    for (const [least, usual, most] of [receiveBytes ?? [1, 0, 0], sendBytes ?? [1, 0, 0]]) assert.ok(least <= usual && usual <= most);
    assert.match(congestion ?? '', /^\w+$/);
    assert.ok((receiveBytesAsked ?? 0) > 0);
  });

  test('all of it together is what a peer may be told', { skip }, async () => {
    const about = await nearAbout(facts, '127.0.0.1');
    assert.deepEqual([about.link?.name, about.route?.interfaceName], ['lo', 'lo']);
    assert.ok(about.cpus > 0 && about.kernel !== '' && Array.isArray(about.containerSubnets));
  });

  test('a kernel without the netlink family tells the same by ioctl', { skip }, async () => {
    const libc = loadLibc();
    assert.ok(libc);
    const GENERIC = 16;
    const without = {
      ...libc,
      socket: (domain: number, type: number, protocol: number) => (protocol === GENERIC ? -1 : libc.socket(domain, type, protocol)),
    };
    const links = (readLinks(libc) ?? []).filter(({ name }) => name === 'lo');
    const [index = -1] = links.map((link) => link.index);
    const netlink = readDrivers(libc, links).get(index)?.facts.features;
    const ioctl = readDrivers(without, links).get(index)?.facts.features;
    assert.ok(Object.keys(ioctl ?? {}).length > 10);
    if (netlink) assert.deepEqual(ioctl, netlink);
  });
});
