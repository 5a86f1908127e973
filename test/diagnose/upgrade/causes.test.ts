import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HostAbout, LinkFacts } from '../../../src/base/index.js';
import { advise } from '../../../src/diagnose/index.js';
import type { UpgradeInput } from '../../../src/diagnose/index.js';
import { MODES_10G, MODES_1G, host } from './hosts.js';

const offering = (modes: readonly string[], bps: number): Partial<LinkFacts> => ({ partner: modes, partnerBpsMax: bps });

function causes(input: UpgradeInput) {
  const advice = advise(input);
  assert.ok(advice, 'there is advice');
  return { ids: advice.causes.map(({ id }) => id), first: advice.causes[0], out: (advice.ruledOut ?? []).map(({ id }) => id), all: advice.causes };
}

const both = (link: Partial<LinkFacts>): { near: HostAbout; far: HostAbout } => ({ near: host('alpha', link), far: host('beta', link) });

describe('why a link runs below what both ends can do', () => {
  test('a partner that offers only 1 Gbit/s means the switch, and the cable is ruled out', () => {
    const { first, out } = causes(both(offering(MODES_1G, 1e9)));
    assert.equal(first?.id, 'switch');
    assert.equal(first?.confidence, 'likely');
    assert.match(first?.why ?? '', /eth0 of alpha is plugged into offers at most 1 Gbit\/s/);
    for (const id of ['cable', 'adapter', 'setting', 'driver']) assert.ok(out.includes(id), `${id} is ruled out`);
  });

  test('a partner that offers 10 Gbit/s means the cable, and the switch is ruled out', () => {
    const { first, out } = causes(both(offering(MODES_10G, 10e9)));
    assert.equal(first?.id, 'cable');
    assert.equal(first?.confidence, 'likely');
    for (const id of ['switch', 'adapter', 'setting']) assert.ok(out.includes(id), `${id} is ruled out`);
  });

  test('an adapter that does not offer its faster modes is the setting, whatever the partner offers', () => {
    for (const partner of [offering(MODES_10G, 10e9), {}]) {
      const { first } = causes({ near: host('alpha', { advertised: MODES_1G, ...partner }), far: host('beta', { speedBps: 10e9 }) });
      assert.deepEqual([first?.id, first?.confidence], ['setting', 'certain']);
      assert.match(first?.fix ?? '', /^sudo ethtool -s eth0 autoneg on$/);
    }
  });

  test('autonegotiation that is off is the setting', () => {
    const { first } = causes(both({ autonegotiation: false }));
    assert.deepEqual([first?.id, first?.confidence], ['setting', 'certain']);
  });

  test('an end that cannot do the declared speed is the adapter', () => {
    const { first } = causes({
      fromBps: 1e9,
      toBps: 10e9,
      near: host('alpha'),
      far: host('beta', { supportedBpsMax: 1e9, supported: MODES_1G, driver: 'r8152' }),
    });
    assert.deepEqual([first?.id, first?.confidence], ['adapter', 'certain']);
    assert.match(first?.why ?? '', /of beta does at most 1 Gbit\/s \(a USB adapter\)/);
  });

  test('where no partner is known, two ends at the same speed point at what they share', () => {
    const { ids, first } = causes(both({}));
    assert.deepEqual(ids.slice(0, 2), ['switch', 'cable']);
    assert.match(first?.why ?? '', /one switch between them explains both/);
  });

  test('100 Mbit/s on a pair of gigabit adapters is a broken pair of the cable before anything else', () => {
    const gigabit = { speedBps: 100e6, supportedBpsMax: 1e9, supported: MODES_1G, advertised: MODES_1G, ...offering(MODES_1G, 1e9) };
    const { first } = causes(both(gigabit));
    assert.equal(first?.id, 'cable');
    assert.match(first?.why ?? '', /two of the four pairs/);
  });

  test('frames with bad checksums speak for the cable, and a cable that is good enough against it', () => {
    const near = host('alpha', { counters: { rx_crc_errors: 812 } });
    assert.equal(causes({ near, far: host('beta') }).first?.id, 'cable');
    const good = causes({ ...both({}), cable: 'cat6a', distanceMetres: 20 });
    assert.ok(good.ids.indexOf('cable') > good.ids.indexOf('setting') || !good.ids.includes('setting'), good.ids.join());
    const bad = causes({ fromBps: 1e9, toBps: 10e9, cable: 'cat6', distanceMetres: 80 });
    assert.equal(bad.first?.id, 'cable');
    assert.match(bad.first?.why ?? '', /no more than 55 m .*802\.3an/);
  });

  test('ends that both run at full speed leave only what lies between them', () => {
    const fast = { speedBps: 10e9 };
    const { ids, first } = causes({ fromBps: 1e9, near: host('alpha', fast), far: host('beta', fast), measured: { bps: 938e6 } });
    assert.deepEqual(ids, ['uplink']);
    assert.match(first?.why ?? '', /just what 1 Gbit\/s carries/);
  });

  test('without evidence nothing is certain, and every cause has a check that costs nothing', () => {
    const { all } = causes({ fromBps: 1e9, toBps: 10e9 });
    assert.deepEqual(
      all.map(({ confidence }) => confidence),
      all.map(() => 'possible'),
    );
    assert.deepEqual(
      all.map(({ rank }) => rank),
      all.map((_, i) => i + 1),
    );
    for (const { id, check } of all) assert.ok(check.length > 20, id);
  });
});
