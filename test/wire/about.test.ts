import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { HostAbout, LinkFacts } from '../../src/base/index.js';
import { FRAME_BYTES_MAX, decodeFrame, encodeFrame, trimAbout } from '../../src/wire/index.js';

const word = fc.stringMatching(/^[a-z][a-z0-9_.:/-]{0,20}$/);
/** As the kernel names cards: no slash. */
const device = fc.stringMatching(/^[a-z][a-z0-9_.:-]{0,15}$/);
const bps = fc.integer({ min: 0, max: 1e12 });
const count = fc.integer({ min: 0, max: 1e9 });
/** Any of the keys may be missing. */
const optional = (shape: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> => fc.record(shape, { requiredKeys: [] });
const counts = fc.record({ rx: count, tx: count });
const triple = fc.tuple(count, count, count);
const link: fc.Arbitrary<LinkFacts> = fc
  .tuple(
    fc.record({ name: device, kind: fc.constantFrom('ethernet' as const, 'tunnel' as const), up: fc.boolean() }),
    optional({
      carrier: fc.boolean(),
      mtu: fc.integer({ min: 0, max: 65_536 }),
      type: word,
      driver: word,
      speedBps: bps,
      duplex: fc.constantFrom('full' as const, 'half' as const),
      supported: fc.array(word, { maxLength: 8 }),
      partner: fc.array(word, { maxLength: 8 }),
      partnerBpsMax: bps,
      queues: counts,
      features: fc.constant({ 'generic-receive-offload': { on: true, changeable: false } }),
      coalescing: optional({ rxUsecs: count, adaptiveRx: fc.boolean() }),
      counters: fc.dictionary(fc.constantFrom('rx_errors', 'tx_dropped'), fc.integer({ min: 1, max: 1e12 })),
      qdiscs: fc.array(fc.record({ kind: word, parent: word, handle: word, rateBps: bps }), { maxLength: 4 }),
      unread: fc.array(fc.record({ what: word, why: word }), { maxLength: 3 }),
    }),
  )
  .map(([known, more]) => ({ ...known, ...more }) as LinkFacts);
const about: fc.Arbitrary<HostAbout> = fc
  .tuple(
    fc.record({ name: word, os: word, kernel: word, cpus: fc.integer({ min: 1, max: 512 }) }),
    optional({
      observed: word,
      link,
      route: fc.record({ interfaceName: device, local: fc.boolean(), mtu: fc.integer({ min: 68, max: 65_536 }) }),
      tcp: optional({ receiveBytes: triple, congestion: word, windowScaling: fc.boolean(), windowShare: fc.integer({ min: -2, max: 2 }) }),
      containerSubnets: fc.array(word, { maxLength: 5 }),
    }),
  )
  .map(([known, more]) => ({ ...known, ...more }) as HostAbout);

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const read = (value: unknown): ReturnType<typeof decodeFrame> => decodeFrame(encodeFrame(value as never).subarray(4));

describe('what a host says of itself', () => {
  it('comes back as it was sent', () => {
    fc.assert(
      fc.property(about, (sent) => {
        const got = read({ type: 'about', about: trimAbout(sent) });
        assert.ok(got.ok, got.ok ? '' : got.why);
        assert.deepEqual(plain(got.frame), plain({ type: 'about', about: sent }));
      }),
    );
    assert.deepEqual(read({ type: 'about' }), { ok: true, frame: { type: 'about' } });
  });

  it('fits a frame however much there is, and leaves out what is nobody else’s business', () => {
    const many = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));
    const trimmed = trimAbout({
      name: 'n'.repeat(5000),
      os: 'o',
      kernel: 'k',
      cpus: 4,
      link: {
        name: 'eth0',
        kind: 'ethernet',
        up: true,
        mac: '02:00:00:00:00:01',
        bus: '0000:3b:00.0',
        supported: many(500, (i) => `${i}baseT/Full`),
        features: { 'rx-hashing-of-something': { on: true, changeable: true }, 'generic-receive-offload': { on: true, changeable: true } },
        counters: { rx_packets: 5, rx_errors: 0 },
        qdiscs: many(300, (i) => ({ kind: 'htb', parent: '1:', handle: `1:${i}`, rateBps: 1e9 })),
        unread: many(100, () => ({ what: 'x'.repeat(1000), why: 'y'.repeat(1000) })),
      },
      containerSubnets: many(5000, (i) => `10.${i}.0.0/16`),
    });
    assert.ok(encodeFrame({ type: 'about', about: trimmed }).length < FRAME_BYTES_MAX / 2);
    assert.ok(read({ type: 'about', about: trimmed }).ok);
    assert.deepEqual([trimmed.link?.mac, trimmed.link?.bus], [undefined, undefined]);
    assert.deepEqual(trimmed.link?.counters, { rx_packets: 5 });
    assert.deepEqual(Object.keys(trimmed.link?.features ?? {}), ['generic-receive-offload']);
  });

  it('names an interface by nothing that could be a command or a path: such a name stands in commands for pasting', () => {
    const base = { name: 'a', os: 'b', kernel: 'c', cpus: 2 };
    for (const name of ['eth0;id', '$(id)', '`id`', 'a b', 'a|b', '-K', '../../x', "e'", 'e\u001b[2J', '']) {
      assert.equal(read({ type: 'about', about: { ...base, link: { name, kind: 'ethernet', up: true } } }).ok, false, name);
      assert.equal(read({ type: 'about', about: { ...base, route: { interfaceName: name, local: false } } }).ok, false, name);
      // An honest host's own odd name is told in a form that passes.
      const trimmed = trimAbout({ ...base, link: { name, kind: 'ethernet', up: true }, route: { interfaceName: name, local: false } });
      assert.ok(read({ type: 'about', about: trimmed }).ok, name);
      assert.equal(trimmed.link?.name, trimmed.route?.interfaceName);
    }
  });

  it('is refused when anything in it is not what it must be', () => {
    const good = { name: 'a', os: 'b', kernel: 'c', cpus: 2, link: { name: 'eth0', kind: 'ethernet', up: true } };
    assert.ok(read({ type: 'about', about: good }).ok);
    const bad: readonly unknown[] = [
      7,
      [],
      { ...good, cpus: -1 },
      { ...good, cpus: 1.5 },
      { ...good, name: undefined },
      { ...good, name: 'n'.repeat(1000) },
      { ...good, link: { ...good.link, kind: 'teleport' } },
      { ...good, link: { ...good.link, up: 'yes' } },
      { ...good, link: { ...good.link, speedBps: 'fast' } },
      { ...good, link: { ...good.link, duplex: 'triple' } },
      { ...good, link: { ...good.link, counters: { rx_errors: 'many' } } },
      { ...good, link: { ...good.link, counters: { 'Bad Name': 1 } } },
      { ...good, link: { ...good.link, features: { tso: { on: 1, changeable: true } } } },
      { ...good, link: { ...good.link, supported: [1] } },
      { ...good, link: { ...good.link, qdiscs: [{ kind: 'tbf' }] } },
      { ...good, link: { ...good.link, queues: { rx: 1 } } },
      { ...good, route: { interfaceName: 'eth0' } },
      { ...good, tcp: { receiveBytes: [1, 2, 3, 4] } },
      { ...good, tcp: { windowScaling: 1 } },
      { ...good, containerSubnets: 'all' },
    ];
    for (const one of bad) assert.equal(read({ type: 'about', about: one }).ok, false, JSON.stringify(one));
  });

  it('cannot reach beyond the object that it is read into', () => {
    const body = new TextEncoder().encode(
      '{"type":"about","about":{"name":"a","os":"b","kernel":"c","cpus":1,"link":{"name":"e","kind":"other","up":true,"counters":{"__proto__":1}}}}',
    );
    assert.equal(decodeFrame(body).ok, false);
    const dropped = read({
      type: 'about',
      about: { name: 'a', os: 'b', kernel: 'c', cpus: 1, secret: 'x', link: { name: 'e', kind: 'other', up: true, mac: 'm' } },
    });
    assert.deepEqual(dropped, {
      ok: true,
      frame: { type: 'about', about: { name: 'a', os: 'b', kernel: 'c', cpus: 1, link: { name: 'e', kind: 'other', up: true } } },
    });
  });

  it('never throws, whatever stands for it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        read({ type: 'about', about: one });
        read({ type: 'about', about: { name: 'a', os: 'b', kernel: 'c', cpus: 1, link: one, tcp: other, route: other } });
        read({
          type: 'about',
          about: {
            name: 'a',
            os: 'b',
            kernel: 'c',
            cpus: 1,
            link: { name: 'e', kind: 'other', up: true, counters: one, qdiscs: [other], features: one },
          },
        });
      }),
    );
  });
});
