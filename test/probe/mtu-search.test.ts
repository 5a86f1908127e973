import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../src/base/index.js';
import type { TooBig } from '../../src/base/index.js';
import type { Fate, RoundLog, SizeChannel } from '../../src/probe/mtu-channel.js';
import { searchMtu } from '../../src/probe/mtu-search.js';
import type { MtuFinding, MtuQuestion } from '../../src/probe/mtu-search.js';

const LIKELY = [65_535, 9216, 9000, 4352, 1500, 1492, 1480, 1472, 1460, 1450, 1440, 1420, 1400, 1380, 1360, 1280, 576];

interface Way {
  /** What it carries at the n-th packet. */
  readonly mtu: (packet: number) => number;
  /** Whether the n-th packet is lost. */
  readonly lost?: (packet: number, bytes: number) => boolean;
  readonly interfaceMtu?: number;
  /** What a router says of a packet that is too big. */
  readonly told?: TooBig;
  readonly rationed?: boolean;
  /** Sizes that do not pass although they fit. */
  readonly odd?: readonly number[];
}

/** A path that is a function: no clocks, no ports. */
class Channel implements SizeChannel {
  readonly controlBytes = 92;
  readonly sizeBytesMax = 65_535;
  readonly sizesAtOnce: number;
  readonly copies: number;
  readonly chance: number;
  packets = 0;
  rounds = 0;
  bytes = 0;
  readonly #way: Way;

  constructor(way: Way) {
    this.#way = way;
    this.sizesAtOnce = way.rationed === true ? 1 : 12;
    this.copies = way.rationed === true ? 1 : 2;
    this.chance = way.rationed === true ? 1e-3 : 1e-6;
  }

  send(sizes: readonly number[]): Promise<RoundLog> {
    this.rounds++;
    const { mtu, lost, interfaceMtu = 65_535, told, odd = [] } = this.#way;
    const tooBig: TooBig[] = [];
    const fates = sizes.map((bytes): Fate => {
      if (bytes > interfaceMtu) return 'refused';
      const packet = this.packets++;
      this.bytes += bytes;
      if (lost?.(packet, bytes) === true || odd.includes(bytes)) return 'silent';
      if (bytes <= mtu(packet)) return 'passed';
      if (told) tooBig.push(told);
      return 'silent';
    });
    return Promise.resolve({ fates, tooBig });
  }
}

async function found(way: Way, question: Partial<MtuQuestion> = {}): Promise<MtuFinding & { channel: Channel }> {
  const channel = new Channel(way);
  return { ...(await searchMtu(channel, { likely: LIKELY, expired: () => false, ...question })), channel };
}

/** Bursts after Gilbert and Elliott: `toBad` and `toGood` are the chances to change the state before a packet. */
function bursts(seed: number, toBad: number, toGood: number): () => boolean {
  const random = seededRandom(seed);
  let bad = false;
  return () => {
    bad = bad ? random.next() >= toGood : random.next() < toBad;
    return bad;
  };
}

function independent(seed: number, ratio: number): () => boolean {
  const random = seededRandom(seed);
  return () => random.next() < ratio;
}

describe('the search for the path MTU', () => {
  test('is exact for every value from 92 to 9216, and takes few rounds', async () => {
    let rounds = 0;
    let most = 0;
    for (let mtu = 92; mtu <= 9216; mtu++) {
      const finding = await found({ mtu: () => mtu, interfaceMtu: 9216 });
      assert.deepEqual([finding.passes, finding.fails, finding.verified], [mtu, mtu + 1, true], `MTU ${mtu}`);
      rounds += finding.rounds;
      most = Math.max(most, finding.rounds);
    }
    assert.ok(rounds / (9216 - 91) < 7 && most <= 8, `${rounds / (9216 - 91)} rounds, ${most} at most`);
  });

  test('is exact for every value from 576 to 9000 at 10 % loss', async () => {
    for (let mtu = 576; mtu <= 9000; mtu++) {
      const finding = await found({ mtu: () => mtu, lost: independent(mtu, 0.1) });
      assert.deepEqual([finding.passes, finding.verified], [mtu, true], `MTU ${mtu}`);
    }
  });

  test('is exact at any loss up to 10 %, in any pattern of bursts, and when small packets are not lost', () => {
    const size = fc.integer({ min: 576, max: 9216 });
    return fc.assert(
      fc.asyncProperty(
        size,
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        fc.integer(),
        fc.constantFrom('independent', 'bursts', 'large'),
        fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
        async (mtu, ratio, seed, pattern, interfaceAbove) => {
          const lost = independent(seed, ratio);
          const toGood = 0.15;
          const gilbert = bursts(seed, (ratio * toGood) / (1 - ratio), toGood);
          const loss: Way['lost'] = pattern === 'independent' ? lost : pattern === 'bursts' ? gilbert : (_, bytes) => bytes > 500 && lost();
          const finding = await found({
            mtu: () => mtu,
            lost: loss,
            ...(interfaceAbove === undefined ? {} : { interfaceMtu: mtu + interfaceAbove }),
          });
          assert.deepEqual([finding.passes, finding.fails, finding.verified, finding.changes], [mtu, mtu + 1, true, 0]);
        },
      ),
      { numRuns: 2000, seed: 20_261_121 },
    );
  });

  test('at 40 % loss is exact or says that it is not sure', async () => {
    let sure = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const mtu = 1000 + 7 * seed;
      const finding = await found({ mtu: () => mtu, lost: independent(seed, 0.4) });
      if (!finding.verified) continue;
      sure++;
      assert.equal(finding.passes, mtu);
    }
    assert.ok(sure > 150, `${sure} of 200 were sure`);
  });

  test('says how sure it is: the more loss, the more packets of the next size', async () => {
    const clean = await found({ mtu: () => 1400 });
    const lossy = await found({ mtu: () => 1400, lost: independent(3, 0.2) });
    const sent = (finding: MtuFinding): number => finding.tried.find(({ bytes }) => bytes === 1401)?.sent ?? 0;
    assert.ok(clean.chance <= 1e-6 && lossy.chance <= 1e-6 && clean.chance > 0);
    assert.ok(sent(clean) >= 6 && sent(lossy) > sent(clean), `${sent(clean)}, ${sent(lossy)}`);
  });

  test('the interface’s own refusal is certain, and costs nothing', async () => {
    const finding = await found({ mtu: () => 1500, interfaceMtu: 1500 });
    assert.deepEqual([finding.passes, finding.refused, finding.vanished, finding.chance], [1500, true, 0, 0]);
  });

  test('the largest packet there is needs no larger one that fails', async () => {
    const finding = await found({ mtu: () => 65_535 });
    assert.deepEqual([finding.passes, finding.fails, finding.verified], [65_535, undefined, true]);
  });

  test('what a router names is tried, and believed only when it is true', async () => {
    const right = await found({ mtu: () => 1337, told: { from: '192.0.2.1', mtuBytes: 1337 } });
    const wrong = await found({ mtu: () => 1337, told: { from: '192.0.2.1', mtuBytes: 1444 } });
    const silly = await found({ mtu: () => 1337, told: { from: '192.0.2.1', mtuBytes: 0xffffffff } });
    const small = await found({ mtu: () => 1337, told: { from: '192.0.2.1', mtuBytes: 68 } });
    for (const finding of [right, wrong, silly, small]) assert.deepEqual([finding.passes, finding.verified], [1337, true]);
    assert.ok(right.rounds < (await found({ mtu: () => 1337 })).rounds);
  });

  test('a path that shrinks or grows in the middle is measured as it is at the end', async () => {
    for (const [before, after] of [
      [1500, 1400],
      [1400, 1500],
      [9000, 1280],
    ] as const) {
      for (const at of [1, 10, 40, 60, 75, 90]) {
        const finding = await found({ mtu: (packet) => (packet < at ? before : after) });
        // Once it has been verified, no change can be seen any more.
        const inTime = finding.channel.packets - at > 30;
        if (inTime) assert.deepEqual([finding.passes, finding.verified], [after, true], `${before} to ${after} at ${at}`);
      }
    }
  });

  test('a path that changes without end gets no verdict', async () => {
    const finding = await found({ mtu: (packet) => 1000 + 37 * (Math.floor(packet / 25) % 11) });
    assert.equal(finding.verified, false);
    assert.ok(finding.rounds <= 60);
  });

  test('a size below the result that does not pass is told', async () => {
    const finding = await found({ mtu: () => 1500, odd: [1460, 1492] });
    assert.deepEqual([finding.passes, finding.verified, finding.surprises], [1500, true, [1460, 1492]]);
    assert.deepEqual((await found({ mtu: () => 1500, lost: independent(9, 0.1) })).surprises, []);
  });

  test('nothing passes: that is all that is said, soon', async () => {
    const finding = await found({ mtu: () => 0 });
    assert.deepEqual([finding.passes, finding.verified], [undefined, false]);
    assert.ok(finding.channel.packets <= 20);
  });

  test('a peer that goes away in the middle ends it with the bounds so far', async () => {
    const finding = await found({ mtu: (packet) => (packet < 60 ? 1321 : 0) });
    assert.equal(finding.verified, false);
    assert.equal(finding.over?.outcome, 'lost');
    assert.ok(finding.passes !== undefined && finding.passes <= 1321 && (finding.fails ?? 0) > 1321);
  });

  test('time that runs out leaves bounds that hold the truth', async () => {
    for (let rounds = 0; rounds < 6; rounds++) {
      let left = rounds;
      const finding = await found({ mtu: () => 1357, lost: independent(rounds, 0.05) }, { expired: () => left-- <= 0 });
      assert.equal(finding.rounds, rounds);
      if (finding.verified) continue;
      assert.ok((finding.passes ?? 0) <= 1357);
    }
  });

  test('where answers are rationed every packet counts', async () => {
    for (const mtu of [576, 1280, 1400, 1492, 1500, 4000, 9000]) {
      const finding = await found({ mtu: () => mtu, rationed: true });
      assert.deepEqual([finding.passes, finding.verified], [mtu, true], `MTU ${mtu}`);
      assert.ok(finding.channel.packets <= 60, `${finding.channel.packets} packets for ${mtu}`);
    }
  });

  test('moves little: less than half a megabyte on any path up to 1500 bytes', async () => {
    for (let mtu = 576; mtu <= 1500; mtu += 7) {
      const { channel } = await found({ mtu: () => mtu, interfaceMtu: 1500 });
      assert.ok(channel.bytes < 500_000, `${channel.bytes} bytes for ${mtu}`);
    }
  });
});
