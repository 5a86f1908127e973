import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { describe as describeLink } from '../../src/host/facts/linux-links.js';
import * as ioctl from '../../src/host/netlink/ethtool-ioctl.js';
import { ETHTOOL, decodeBitset, decodeEthtool, encodeEthtoolGet } from '../../src/host/netlink/ethtool.js';
import { kindOf } from '../../src/host/netlink/link-kind.js';
import { fastestBps, isLinkMode, linkModeName } from '../../src/host/netlink/link-modes.js';
import { Attributes, attribute, attributeText, attributeU32, decodeMessages, encodeMessage, join, nest } from '../../src/host/netlink/message.js';
import { decodeQueue } from '../../src/host/netlink/queues.js';
import { decodeInterfaceAddress, decodeLink, decodeRoute, encodeGetRoute } from '../../src/host/netlink/rtnetlink.js';

interface Capture {
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  readonly disciplines: readonly string[];
  readonly classes: readonly string[];
  readonly routes: Readonly<Record<string, string>>;
  readonly ethtool: Readonly<Record<keyof typeof ETHTOOL, readonly string[]>>;
  readonly ioctls: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const capture = (kernel: string): Capture =>
  JSON.parse(readFileSync(new URL(`../../../test/host/fixtures/netlink-${kernel}.json`, import.meta.url), 'utf8')) as Capture;
const NEW = capture('6.18');
const OLD = capture('6.1');
const bytes = (hex: string | undefined): Uint8Array => new Uint8Array(Buffer.from(hex ?? '', 'hex'));
const links = (from: Capture): NonNullable<ReturnType<typeof decodeLink>>[] => from.links.flatMap((hex) => decodeLink(bytes(hex)) ?? []);
const indexOf = (from: Capture, name: string): number => links(from).find((link) => link.name === name)?.index ?? -1;
const queues = (from: Capture, name: string): unknown[] =>
  [...from.disciplines, ...(from.classes ?? [])].flatMap((hex) => {
    const told = decodeQueue(bytes(hex));
    return told?.index === indexOf(from, name) ? [told.queue] : [];
  });
const told = (command: keyof typeof ETHTOOL, name: string): Record<string, unknown> => {
  for (const hex of NEW.ethtool[command]) {
    const found = decodeEthtool(ETHTOOL[command], bytes(hex));
    if (found?.index === indexOf(NEW, name)) return found.facts;
  }
  throw new Error(`nothing was captured of ${name}`);
};
const idle = (sentBytes: number): object => ({ sentBytes, backlogBytes: 0, drops: 0, overlimits: 0 });

describe('links as Linux itself describes them', () => {
  test('each has its name, kind, state, MTU, address and counters', () => {
    const found = links(NEW).map(({ name, kind, up, carrier, mtu, loopback }) => ({ name, kind, up, carrier, mtu, loopback }));
    assert.deepEqual(
      found.filter(({ name }) => ['lo', 'v0', 'br0', 'tun0'].includes(name)),
      [
        { name: 'lo', kind: undefined, up: true, carrier: true, mtu: 65536, loopback: true },
        { name: 'v0', kind: 'veth', up: true, carrier: true, mtu: 1500, loopback: false },
        { name: 'br0', kind: 'bridge', up: true, carrier: true, mtu: 1500, loopback: false },
        { name: 'tun0', kind: 'tun', up: false, carrier: false, mtu: 1500, loopback: false },
      ],
    );
    const v0 = links(NEW).find(({ name }) => name === 'v0');
    assert.match(v0?.mac ?? '', /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    assert.equal(v0?.counters?.['rx_errors'], 0);
    assert.equal(v0?.counters?.['rx_otherhost_dropped'], 0);
    assert.ok((v0?.counters?.['tx_packets'] ?? 0) > 0 && (v0?.counters?.['tx_bytes'] ?? 0) > (v0?.counters?.['tx_packets'] ?? 0));
    assert.equal(links(NEW).find(({ name }) => name === 'lo')?.mac, undefined, 'an address of zeros is none');
  });

  test('a port names its bridge', () => {
    assert.equal(links(NEW).find(({ name }) => name === 'd0')?.masterIndex, indexOf(NEW, 'br0'));
  });

  test('what they are is told from their kind and hardware', () => {
    const kinds = (from: Capture): Record<string, string> => Object.fromEntries(links(from).map((link) => [link.name, kindOf(link, false)]));
    const seen = kinds(NEW);
    assert.deepEqual(
      { lo: seen['lo'], v0: seen['v0'], br0: seen['br0'], tun0: seen['tun0'], tap0: seen['tap0'], vx0: seen['vx0'] },
      { lo: 'loopback', v0: 'virtual', br0: 'bridge', tun0: 'tunnel', tap0: 'virtual', vx0: 'tunnel' },
    );
    const old = kinds(OLD);
    assert.deepEqual(
      { d0: old['d0'], bond0: old['bond0'], gre0: old['gre0'], g0: old['g0'] },
      { d0: 'virtual', bond0: 'ethernet', gre0: 'tunnel', g0: 'tunnel' },
    );
    const nic = { hardware: 1, kind: undefined, loopback: false, name: 'eth0' };
    assert.equal(kindOf(nic, false), 'ethernet');
    assert.equal(kindOf(nic, true), 'wireless');
    assert.equal(kindOf({ ...nic, hardware: 65534, kind: 'wireguard' }, false), 'tunnel');
    assert.equal(kindOf({ ...nic, hardware: 32 }, false), 'other');
  });

  test('addresses come with prefix and scope', () => {
    const found = NEW.addresses.flatMap((hex) => decodeInterfaceAddress(bytes(hex)) ?? []);
    const of = (name: string): unknown[] =>
      found.filter(({ index }) => index === indexOf(NEW, name)).map(({ address, prefix, scope }) => ({ address, prefix, scope }));
    assert.deepEqual(of('lo'), [
      { address: '127.0.0.1', prefix: 8, scope: 'host' },
      { address: '::1', prefix: 128, scope: 'host' },
    ]);
    assert.deepEqual(of('br0')[0], { address: '172.18.0.1', prefix: 16, scope: 'global' });
    assert.match(JSON.stringify(of('v0')[1]), /"address":"fe80::.*"prefix":64,"scope":"link"/);
  });

  test('a speed that a driver without a wire states is no speed', () => {
    const link = links(NEW).find(({ name }) => name === 'v0');
    assert.ok(link);
    assert.equal(told('LINKMODES_GET', 'v0')['speedBps'], 10e9);
    const facts = describeLink(link, { wireless: false, master: undefined, driver: { facts: told('LINKMODES_GET', 'v0'), unread: [] }, qdiscs: [] });
    assert.equal(facts.speedBps, undefined);
    assert.equal(facts.duplex, undefined);
    const wired = describeLink(
      { ...link, kind: undefined },
      { wireless: false, master: undefined, driver: { facts: told('LINKMODES_GET', 'v0'), unread: [] }, qdiscs: [] },
    );
    assert.equal(wired.speedBps, 10e9);
    assert.equal(wired.duplex, 'full');
  });
});

describe('the route to one address', () => {
  test('gateway, source, interface and metrics are read', () => {
    assert.deepEqual(decodeRoute(bytes(NEW.routes['10.9.1.1'])), {
      index: indexOf(NEW, 'v0'),
      source: '10.5.0.1',
      gateway: '10.5.0.2',
      mtu: 1400,
      advmss: 1300,
      local: false,
    });
    assert.equal(decodeRoute(bytes(NEW.routes['127.0.0.1']))?.local, true);
    assert.equal(decodeRoute(bytes(NEW.routes['10.5.0.2']))?.gateway, undefined);
    assert.equal(NEW.routes['8.8.8.8'], 'ENETUNREACH');
  });

  test('the question carries the address and its full length', () => {
    const four = encodeGetRoute(Uint8Array.of(10, 0, 0, 1));
    assert.deepEqual([four[0], four[1], new Attributes(four.subarray(12)).bytes(1)], [2, 32, Uint8Array.of(10, 0, 0, 1)]);
    const six = encodeGetRoute(new Uint8Array(16), 7);
    assert.deepEqual([six[0], six[1], new Attributes(six.subarray(12)).u32(4)], [10, 128, 7]);
  });

  test('one that leads nowhere is none', () => {
    const blackhole = bytes(NEW.routes['10.9.1.1']);
    blackhole[7] = 6;
    assert.equal(decodeRoute(blackhole), undefined);
  });
});

describe('queue disciplines', () => {
  test('a token bucket tells rate, burst and limit', () => {
    assert.deepEqual(queues(NEW, 'v1').slice(0, 1), [
      { kind: 'tbf', parent: 'root', handle: '8002:', rateBps: 20e6, limitBytes: 102_400, burstBytes: 32_768, ...idle(86) },
    ]);
  });

  test('a rate beyond 32 bits is read in full', () => {
    const [tbf] = queues(OLD, 'v1') as { rateBps: number }[];
    assert.equal(tbf?.rateBps, 40e9);
  });

  test('a class of HTB tells what it may take and what it gets in any case', () => {
    assert.deepEqual(queues(NEW, 'v0'), [
      { kind: 'htb', parent: 'root', handle: '1:', ...idle(90) },
      { kind: 'pfifo', parent: '1:10', handle: '10:', limitPackets: 77, ...idle(90) },
      { kind: 'htb', parent: 'root', handle: '1:10', rateBps: 50e6, assuredBps: 10e6, burstBytes: 1600, ...idle(90) },
    ]);
  });

  test('every other discipline tells its limits', () => {
    const only = (name: string): Record<string, unknown> => {
      const [first] = queues(OLD, name) as Record<string, unknown>[];
      const { parent: _, sentBytes: _sent, backlogBytes: _backlog, drops: _drops, overlimits: _over, ...rest } = first ?? {};
      return rest;
    };
    assert.deepEqual(only('d0'), { kind: 'netem', handle: '1:', rateBps: 30e6, limitPackets: 500, delayMs: 20, lossRatio: only('d0')['lossRatio'] });
    assert.ok(Math.abs((only('d0')['lossRatio'] as number) - 0.01) < 1e-6);
    assert.deepEqual(only('d1'), { kind: 'fq', handle: '2:', limitPackets: 5000, flowRateBps: 100e6 });
    assert.deepEqual(only('d2'), { kind: 'fq_codel', handle: '3:', limitPackets: 1000, limitBytes: 4_194_304 });
    assert.deepEqual(only('d3'), { kind: 'cake', handle: '4:', rateBps: 25e6, limitBytes: 2_097_152 });
    assert.deepEqual(only('d4'), { kind: 'sfq', handle: '5:', limitPackets: 90 });
    assert.deepEqual(only('d5'), { kind: 'codel', handle: '6:', limitPackets: 321 });
    assert.deepEqual(only('d6'), { kind: 'pie', handle: '7:', limitPackets: 123 });
    assert.deepEqual(only('d7'), { kind: 'bfifo', handle: '8:', limitBytes: 30_000 });
    assert.deepEqual(only('d8'), { kind: 'red', handle: '9:', limitBytes: 400_000 });
  });
});

describe('what a driver tells', () => {
  test('offloads have the names that ethtool prints, and what is fixed cannot be changed', () => {
    const features = told('FEATURES_GET', 'v0')['features'] as Record<string, { on: boolean; changeable: boolean }>;
    assert.deepEqual(features['tx-checksumming'], { on: false, changeable: true });
    assert.deepEqual(features['tx-tcp-segmentation'], { on: false, changeable: true }, 'it went with the checksums');
    assert.deepEqual(features['generic-segmentation-offload'], { on: true, changeable: true });
    assert.deepEqual(features['large-receive-offload'], { on: false, changeable: false });
    assert.equal(features['rx-gro'], undefined, 'ethtool calls it generic-receive-offload');
    assert.equal(features[''], undefined, 'bits without a name are left out');
    const loopback = told('FEATURES_GET', 'lo')['features'] as typeof features;
    assert.deepEqual(loopback['rx-checksumming'], { on: true, changeable: false });
  });

  test('the ioctl tells the same as netlink', () => {
    const { driver, settings, featureNames, featureBlocks, channels } = NEW.ioctls['v0'] ?? {};
    assert.deepEqual(ioctl.decodeDriverInfo(bytes(driver)), { driver: 'veth' });
    assert.deepEqual(ioctl.decodeFeatureBlocks(bytes(featureNames), bytes(featureBlocks)), told('FEATURES_GET', 'v0'));
    assert.deepEqual(ioctl.decodeChannels(bytes(channels)), told('CHANNELS_GET', 'v0'));
    const { speedBps, duplex, autonegotiation, port } = ioctl.decodeLinkSettings(bytes(settings));
    assert.deepEqual({ speedBps, duplex, autonegotiation }, told('LINKMODES_GET', 'v0'));
    assert.deepEqual({ port }, told('LINKINFO_GET', 'v0'));
    // Over netlink a driver tells only what it has: tun has a number of frames, and no times.
    assert.deepEqual(told('COALESCE_GET', 'tun0'), {});
    const { coalescing } = ioctl.decodeCoalescing(bytes(NEW.ioctls['tun0']?.['coalescing']));
    assert.deepEqual(coalescing, { rxUsecs: 0, txUsecs: 0, adaptiveRx: false, adaptiveTx: false });
  });

  test('the older kernel has a smaller mask of link modes, and the ioctl says how large', () => {
    const wanted = ioctl.encodeLinkSettings(0);
    wanted[15] = 256 - 3;
    assert.equal(ioctl.wordsWanted(wanted), 3);
    assert.equal(ioctl.encodeLinkSettings(3).length, 48 + 36);
    assert.equal(ioctl.decodeLinkSettings(bytes(OLD.ioctls['v0']?.['settings'])).speedBps, 10e9);
  });

  test('modes of a network card: supported is the mask, advertised what is set, the partner a list of its own', () => {
    const bit = (type: number, index: number, name: string, on: boolean): Uint8Array =>
      nest(type, attributeU32(1, index), attributeText(2, name), ...(on ? [attribute(3, new Uint8Array(0))] : []));
    const ours = nest(
      3,
      attributeU32(2, 125),
      nest(3, bit(1, 5, '1000baseT/Full', true), bit(1, 6, 'Autoneg', true), bit(1, 12, '10000baseT/Full', false), bit(1, 7, 'TP', true)),
    );
    const peer = nest(
      4,
      attribute(1, new Uint8Array(0)),
      attributeU32(2, 125),
      nest(3, bit(1, 3, '100baseT/Full', false), bit(1, 5, '1000baseT/Full', false)),
    );
    const body = join(
      Uint8Array.of(4, 1, 0, 0),
      nest(1, attributeU32(1, 3)),
      attribute(2, Uint8Array.of(1)),
      ours,
      peer,
      attributeU32(5, 1000),
      attribute(6, Uint8Array.of(1)),
    );
    assert.deepEqual(decodeEthtool(ETHTOOL.LINKMODES_GET, body), {
      index: 3,
      facts: {
        autonegotiation: true,
        speedBps: 1e9,
        duplex: 'full',
        supported: ['1000baseT/Full', '10000baseT/Full'],
        advertised: ['1000baseT/Full'],
        supportedBpsMax: 10e9,
        partner: ['100baseT/Full', '1000baseT/Full'],
        partnerBpsMax: 1e9,
      },
    });
  });

  test('a bitset of words means the same as one of names', () => {
    const words = new Attributes(
      join(
        attributeU32(2, 64),
        attribute(4, Uint8Array.of(0b100000, 0, 0, 0, 0, 0, 0, 0)),
        attribute(5, Uint8Array.of(0b101000, 0x10, 0, 0, 0, 0, 0, 0)),
      ),
    );
    assert.deepEqual(decodeBitset(words, linkModeName), { on: ['1000baseT/Full'], mask: ['100baseT/Full', '1000baseT/Full', '10000baseT/Full'] });
  });

  test("the table of link modes is the kernel's: places and speeds", () => {
    const places: Readonly<Record<number, string>> = {
      0: '10baseT/Half',
      5: '1000baseT/Full',
      12: '10000baseT/Full',
      20: '10000baseR_FEC',
      31: '25000baseCR/Full',
      41: '1000baseX/Full',
      47: '2500baseT/Full',
      48: '5000baseT/Full',
      52: '50000baseKR/Full',
      67: '100baseT1/Full',
      74: 'LLRS',
      79: '100000baseDR/Full',
      89: '400000baseCR4/Full',
      92: '10baseT1L/Full',
      98: '800000baseVR8/Full',
      102: '10baseT1BRR/Full',
      108: '200000baseVR/Full',
      114: '400000baseVR2/Full',
      120: '800000baseVR4/Full',
      124: '1600000baseDR8_2/Full',
    };
    for (const [bit, name] of Object.entries(places)) assert.equal(linkModeName(Number(bit)), name);
    assert.equal(linkModeName(125), undefined);
    assert.equal(fastestBps(['2500baseT/Full', '100000baseLR4_ER4/Full', 'Pause']), 100e9);
    assert.equal(fastestBps(['1600000baseDR8_2/Full']), 1.6e12);
    assert.equal(fastestBps(['Autoneg']), undefined);
    assert.deepEqual(['10000baseR_FEC', 'FIBRE', 'Pause', 'RS', '10baseT1S_P2MP/Half'].map(isLinkMode), [false, false, false, false, true]);
  });
});

describe('bytes that are not what they should be', () => {
  const all = [
    ...NEW.links,
    ...NEW.addresses,
    ...NEW.disciplines,
    ...NEW.classes,
    ...OLD.disciplines,
    ...Object.values(NEW.ethtool).flat(),
    ...Object.values(NEW.ioctls).flatMap((one) => Object.values(one)),
  ].map(bytes);
  const decodeAll = (input: Uint8Array): void => {
    decodeMessages(input);
    decodeLink(input);
    decodeInterfaceAddress(input);
    decodeRoute(input);
    decodeQueue(input);
    for (const command of Object.values(ETHTOOL)) decodeEthtool(command, input);
    ioctl.decodeDriverInfo(input);
    ioctl.decodeLinkSettings(input);
    ioctl.decodeFeatureBlocks(input, input);
    ioctl.decodeRings(input);
    ioctl.decodeChannels(input);
    ioctl.decodeCoalescing(input);
    ioctl.decodeFeatureCount(input);
  };

  test('never throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), decodeAll), { numRuns: 300 });
  });

  test('cut short or changed answers never throw', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...all),
        fc.nat(),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 8 }),
        (from, cut, changes) => {
          const input = from.slice(0, 1 + (cut % from.length));
          for (const [at, byte] of changes) input[at % input.length] = byte;
          decodeAll(input);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a message that says it is longer than it is ends the reading', () => {
    const whole = encodeMessage({ type: 18, flags: 1, sequence: 7, body: Uint8Array.of(1, 2, 3, 4, 5) });
    assert.equal(whole.length % 4, 0);
    assert.deepEqual(
      decodeMessages(join(whole, whole)).map(({ sequence, body }) => [sequence, [...body]]),
      [
        [7, [1, 2, 3, 4, 5]],
        [7, [1, 2, 3, 4, 5]],
      ],
    );
    whole[0] = 200;
    assert.deepEqual(decodeMessages(whole), []);
    whole[0] = 3;
    assert.deepEqual(decodeMessages(whole), []);
  });

  test('the question names the interface, or none for a dump', () => {
    assert.equal(new Attributes(encodeEthtoolGet(ETHTOOL.LINKMODES_GET, 9).subarray(4)).nested(1).u32(1), 9);
    assert.deepEqual(new Attributes(encodeEthtoolGet(ETHTOOL.LINKMODES_GET).subarray(4)).nested(1).all, []);
  });
});
