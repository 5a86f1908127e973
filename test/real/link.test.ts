import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { LinkFacts, QueueFacts } from '../../src/base/index.js';
import type { LinkDetails } from '../../src/results/index.js';
import { whyNoNamespaces, withPath } from '../lab/namespaces.js';
import type { Namespace } from '../lab/namespaces.js';
import { installed } from '../lab/processes.js';
import { measure } from '../lab/tautline.js';
import { runUml, whyNoUml } from './uml/uml.js';
import { TAUTLINE } from '../lab/tautline.js';

const skip = (await whyNoNamespaces()) ?? ((await installed('ethtool')) ? false : 'ethtool is missing (package ethtool)');
const noUml = (await whyNoUml()) ?? false;

/** Interfaces of every kind that this kernel has, with queue disciplines and changed offloads. */
const SETUP = `
  ethtool -K path0 tx off gro on
  ip link set path0 mtu 1400
  ip link add br0 type bridge; ip addr add 172.18.0.1/16 dev br0
  ip link add v0 type veth peer name v1; ip link set v0 master br0; ip link set v0 up; ip link set br0 up
  ethtool -L v0 rx 2 tx 2 2>/dev/null || true
  ip tuntap add tun0 mode tun; ip tuntap add tap0 mode tap
  ip link add d0 type dummy 2>/dev/null || true
  tc qdisc add dev path0 root handle 1: htb default 10
  tc class add dev path0 parent 1: classid 1:1 htb rate 80mbit ceil 90mbit
  tc class add dev path0 parent 1:1 classid 1:10 htb rate 10mbit ceil 50mbit
  tc qdisc add dev path0 parent 1:10 handle 10: pfifo limit 77
  tc qdisc add dev v0 root handle 2: tbf rate 20mbit burst 32k limit 100k
  ip route add 10.99.0.0/16 via 10.77.0.2 mtu 1300`;

describe('interfaces as the programs of the system show them', { skip }, () => {
  let near: Namespace;
  let links: ReadonlyMap<string, LinkFacts>;
  let release: () => void = () => {};
  let ended: Promise<void>;

  before(async () => {
    await new Promise<void>((ready, failed) => {
      ended = withPath(async (ends) => {
        ({ near } = ends);
        await near.sh(SETUP);
        await near.sh('ping -q -c 3 -i 0.05 10.77.0.2');
        links = await linksIn(near);
        ready();
        await new Promise<void>((resolve) => (release = resolve));
      });
      ended.catch(failed);
    });
  });

  after(async () => {
    release();
    await ended;
  });

  const link = (name: string): LinkFacts => {
    const found = links.get(name);
    assert.ok(found, `no ${name} among ${[...links.keys()].join(', ')}`);
    return found;
  };
  const json = async <T>(line: string): Promise<T> => JSON.parse(await near.sh(line)) as T;

  test('names, kinds, states, MTUs and addresses are those of ip -d link', async () => {
    const told = await json<IpLink[]>('ip -d -json link');
    assert.deepEqual([...links.keys()].sort(), told.map(({ ifname }) => ifname).sort());
    for (const { ifname, mtu, flags, address, linkinfo, link_type, master } of told) {
      const own = link(ifname);
      assert.deepEqual([own.mtu, own.up, own.type, own.master], [mtu, flags.includes('UP'), linkinfo?.info_kind, master], ifname);
      if (flags.includes('UP')) assert.equal(own.carrier, flags.includes('LOWER_UP'), ifname);
      if (link_type === 'ether') assert.equal(own.mac, address, ifname);
    }
    assert.deepEqual(
      ['lo', 'path0', 'br0', 'v1', 'tun0', 'tap0'].map((name) => link(name).kind),
      ['loopback', 'virtual', 'bridge', 'virtual', 'tunnel', 'virtual'],
    );
    assert.equal(link('v0').master, 'br0');
  });

  test('counters only grow between ip before, tautline, and ip after', async () => {
    const counters = async (): Promise<Record<string, number>> => {
      const [one] = await json<{ stats64: { rx: IpStats; tx: IpStats } }[]>('ip -s -json link show path0');
      assert.ok(one);
      const { rx, tx } = one.stats64;
      return { rx_packets: rx.packets, rx_bytes: rx.bytes, tx_packets: tx.packets, tx_bytes: tx.bytes, rx_errors: rx.errors, tx_dropped: tx.dropped };
    };
    const first = await counters();
    const own = (await linksIn(near, 'path0')).get('path0')?.counters ?? {};
    const last = await counters();
    for (const [name, count] of Object.entries(first)) {
      const between = own[name] ?? Number.NaN;
      assert.ok(count <= between && between <= (last[name] ?? 0), `${name}: ${count} <= ${between} <= ${last[name]}`);
    }
    assert.ok((first['rx_packets'] ?? 0) >= 3);
  });

  test('every offload is as ethtool -k shows it', async () => {
    for (const name of ['path0', 'v1', 'br0', 'lo', 'tun0']) {
      const shown = ethtoolFeatures(await near.sh(`ethtool -k ${name}`));
      const own = link(name).features ?? {};
      assert.ok(Object.keys(shown).length > 20, 'ethtool shows offloads');
      for (const [feature, { on, changeable }] of Object.entries(shown)) {
        // What is off and fixed the kernel need not list.
        const told = own[feature] ?? { on: false, changeable: false };
        assert.equal(told.on, on, `${feature} of ${name}`);
        if (changeable !== undefined) assert.equal(told.changeable, changeable, `whether ${feature} of ${name} can be changed`);
      }
      const unknown = Object.keys(own).filter((feature) => !Object.hasOwn(shown, feature));
      assert.deepEqual(unknown, [], `of ${name} ethtool does not know`);
    }
    assert.equal(link('path0').features?.['tx-checksumming']?.on, false);
    assert.equal(link('path0').features?.['generic-receive-offload']?.on, true);
  });

  test('driver and queues are those of ethtool -i and -l, and a veth has no speed', async () => {
    for (const name of ['path0', 'br0', 'tun0']) {
      assert.equal(link(name).driver, /^driver: (.*)$/m.exec(await near.sh(`ethtool -i ${name}`))?.[1], name);
    }
    const current = (await near.sh('ethtool -l v0')).split('Current hardware settings:')[1] ?? '';
    assert.deepEqual(
      [link('v0').queues?.rx, link('v0').queues?.tx],
      [Number(/^RX:\s+(\d+)/m.exec(current)?.[1]), Number(/^TX:\s+(\d+)/m.exec(current)?.[1])],
    );
    assert.match(await near.sh('ethtool path0'), /Speed: 10000Mb\/s/);
    assert.deepEqual([link('path0').speedBps, link('path0').duplex], [undefined, undefined]);
  });

  test('queue disciplines, classes and their statistics are those of tc', async () => {
    for (const name of ['path0', 'v0']) {
      const shown = (await json<TcQueue[]>(`tc -s -json qdisc show dev ${name}`)).map(({ kind, handle }) => [kind, handle]);
      const own = link(name).qdiscs ?? [];
      assert.deepEqual(
        own.filter(({ handle }) => handle.endsWith(':')).map(({ kind, handle }) => [kind, handle]),
        shown,
      );
    }
    const by = (name: string, handle: string): QueueFacts | undefined => link(name).qdiscs?.find((queue) => queue.handle === handle);
    assert.deepEqual([by('v0', '2:')?.rateBps, by('v0', '2:')?.burstBytes, by('v0', '2:')?.limitBytes], [20e6, 32_768, 102_400]);
    assert.deepEqual([by('path0', '1:1')?.rateBps, by('path0', '1:1')?.assuredBps, by('path0', '1:1')?.parent], [90e6, 80e6, 'root']);
    assert.deepEqual([by('path0', '1:10')?.rateBps, by('path0', '1:10')?.assuredBps, by('path0', '1:10')?.parent], [50e6, 10e6, '1:1']);
    assert.equal(by('path0', '10:')?.limitPackets, 77);
    const [root] = await json<TcQueue[]>('tc -s -json qdisc show dev path0 root');
    const own = (await linksIn(near, 'path0')).get('path0')?.qdiscs?.find(({ handle }) => handle === '1:');
    assert.ok((own?.sentBytes ?? 0) >= (root?.bytes ?? 1) && (root?.bytes ?? 0) > 0, `${own?.sentBytes} and ${root?.bytes}`);
  });

  test('a host means the interface of the route that ip route get shows', async () => {
    for (const address of ['10.77.0.2', '10.99.1.1', '127.0.0.1', '172.18.5.5', 'fd77::2']) {
      const [route] = await json<{ dev: string }[]>(`ip -json route get ${address}`);
      const { document } = await measure(['link', address, '--duration', '10ms'], near.inside);
      const details = document.measurements[0]?.details as LinkDetails | undefined;
      assert.equal(details?.link.name, address === '127.0.0.1' ? 'lo' : route?.dev, address);
    }
  });

  test('all of it can be read without root', async () => {
    const nobody = (argv: readonly string[]): string[] => near.inside(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...argv]);
    const { document } = await measure(['link', 'path0', '--duration', '10ms'], nobody);
    const { link: own } = document.measurements[0]?.details as unknown as LinkDetails;
    assert.deepEqual(
      [own.driver, own.features, own.qdiscs?.length, own.unread],
      [link('path0').driver, link('path0').features, link('path0').qdiscs?.length, undefined],
    );
  });

  test('what happens while it is watched is told a second', async () => {
    const pinging = near.sh('ping -q -c 20 -i 0.05 10.77.0.2');
    const { document } = await measure(['link', 'path0', '--duration', '500ms'], near.inside);
    await pinging;
    const { ratesPerSecond = {}, watchedMs = 0 } = document.measurements[0]?.details as unknown as LinkDetails;
    assert.ok(watchedMs >= 500 && watchedMs < 5000, `${watchedMs} ms`);
    assert.ok((ratesPerSecond['rx_packets'] ?? 0) > 2, JSON.stringify(ratesPerSecond));
  });
});

describe('queue disciplines of a kernel that has them all', { skip: noUml }, () => {
  test('rates, delays and limits are those that were set', async () => {
    const { stdout, stderr } = await runUml(`
      for i in 0 1 2 3 4 5; do ip link add d$i type dummy; ip link set d$i up; done
      tc qdisc add dev d0 root handle 1: netem delay 20ms loss 1% rate 30mbit limit 500
      tc qdisc add dev d1 root handle 2: fq limit 5000 maxrate 100mbit
      tc qdisc add dev d2 root handle 3: fq_codel limit 1000
      tc qdisc add dev d3 root handle 4: cake bandwidth 25mbit
      tc qdisc add dev d4 root handle 5: sfq limit 90
      tc qdisc add dev d5 root handle 6: tbf rate 40gbit burst 10mb limit 20mb
      ${TAUTLINE.map((word) => `'${word}'`).join(' ')} measure link all --duration 10ms --json --quiet`);
    const links = linksOf(JSON.parse(stdout === '' ? `"${stderr}"` : stdout) as Parameters<typeof linksOf>[0]);
    const first = (name: string): QueueFacts | undefined => links.get(name)?.qdiscs?.[0];
    assert.deepEqual([first('d0')?.kind, first('d0')?.rateBps, first('d0')?.delayMs, first('d0')?.limitPackets], ['netem', 30e6, 20, 500]);
    assert.deepEqual([first('d1')?.kind, first('d1')?.flowRateBps, first('d1')?.limitPackets], ['fq', 100e6, 5000]);
    assert.deepEqual([first('d2')?.kind, first('d2')?.limitPackets], ['fq_codel', 1000]);
    assert.deepEqual([first('d3')?.kind, first('d3')?.rateBps], ['cake', 25e6]);
    assert.deepEqual([first('d4')?.kind, first('d4')?.limitPackets], ['sfq', 90]);
    assert.deepEqual([first('d5')?.kind, first('d5')?.rateBps], ['tbf', 40e9]);
  });
});

interface IpLink {
  readonly ifname: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly address: string;
  readonly link_type: string;
  readonly master?: string;
  readonly linkinfo?: { readonly info_kind?: string };
}

interface IpStats {
  readonly packets: number;
  readonly bytes: number;
  readonly errors: number;
  readonly dropped: number;
}

interface TcQueue {
  readonly kind: string;
  readonly handle: string;
  readonly bytes?: number;
}

function linksOf(document: { readonly measurements: readonly { readonly details?: unknown }[] }): Map<string, LinkFacts> {
  return new Map(document.measurements.map(({ details }) => [(details as LinkDetails).link.name, (details as LinkDetails).link]));
}

async function linksIn(namespace: Namespace, name = 'all'): Promise<ReadonlyMap<string, LinkFacts>> {
  return linksOf((await measure(['link', name, '--duration', '10ms'], namespace.inside)).document);
}

/** `tx-checksumming: off` with its members indented; `[fixed]` cannot be changed. A group of several says nothing of that itself. */
function ethtoolFeatures(text: string): Record<string, { on: boolean; changeable: boolean | undefined }> {
  const lines = text.split('\n').slice(1);
  return Object.fromEntries(
    lines.flatMap((line, i) => {
      const [, name, state, fixed] = /^\t?([\w-]+): (on|off)( \[fixed\])?/.exec(line) ?? [];
      if (name === undefined) return [];
      const group = !line.startsWith('\t') && lines[i + 1]?.startsWith('\t') === true;
      return [[name, { on: state === 'on', changeable: group ? undefined : fixed === undefined }]];
    }),
  );
}
