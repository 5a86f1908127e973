import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PRICES, advise } from '../../../src/diagnose/index.js';
import type { PriceList, UpgradeInput } from '../../../src/diagnose/index.js';
import type { AdviceOption } from '../../../src/results/index.js';
import { MODES_1G, host } from './hosts.js';

const PAIR: UpgradeInput = { fromBps: 1e9, toBps: 10e9 };

function options(input: UpgradeInput): readonly AdviceOption[] {
  return advise(input)?.options ?? [];
}

function option(input: UpgradeInput, id: string): AdviceOption {
  const found = options(input).find((each) => each.id === id);
  assert.ok(
    found,
    `${id} among ${options(input)
      .map((each) => each.id)
      .join()}`,
  );
  return found;
}

const parts = ({ parts: lines }: AdviceOption): string[] => lines.map(({ count, what }) => `${count} x ${what}`);

describe('what it takes', () => {
  test('every option adds up its parts, and the cheapest stands first', () => {
    const all = options({ ...PAIR, hosts: 2 });
    assert.ok(all.length >= 4);
    for (const { usd, parts: lines, id } of all) {
      assert.deepEqual(
        usd,
        [0, 1].map((i) => lines.reduce((sum, line) => sum + (line.usd[i] ?? 0), 0)),
        id,
      );
      for (const { source } of lines) assert.ok((source ?? '').length > 10, `${id} says where its prices come from`);
    }
    assert.deepEqual(
      all.map(({ usd }) => usd[0]),
      all.map(({ usd }) => usd[0]).sort((a, b) => a - b),
    );
  });

  test('two hosts can be joined by one cable, with addresses for both ends and the way back', () => {
    const direct = option({ near: host('alpha'), far: host('beta', {}, { os: 'macOS' }) }, 'direct-cable');
    assert.deepEqual(parts(direct), ['1 x Cat6a patch cable']);
    const steps = direct.steps.join('\n');
    assert.match(steps, /alpha .*nmcli connection add .* 10\.77\.0\.1\/24/);
    assert.match(steps, /nmcli connection delete/);
    assert.match(steps, /beta \(macOS.*networksetup -setmanual "Ethernet" 10\.77\.0\.2 255\.255\.255\.0/);
    assert.match(steps, /networksetup -setMedia "Ethernet" "10Gbase-T <full-duplex>"/);
    assert.match(steps, /-setdhcp/);
    assert.doesNotMatch(steps, /alpha .*networksetup/);
  });

  test('the addresses keep clear of container networks of either end', () => {
    const far = host('beta', {}, { containerSubnets: ['10.77.0.0/16'] });
    assert.match(option({ near: host('alpha'), far }, 'direct-cable').steps.join('\n'), /192\.168\.77\.1\/24/);
  });

  test('three hosts need a switch', () => {
    assert.equal(
      options({ ...PAIR, hosts: 3 }).some(({ id }) => id === 'direct-cable'),
      false,
    );
  });

  test('a switch of SFP+ cages takes a module for every host with a plug, and cables', () => {
    const mikrotik = option({ ...PAIR, hosts: 3 }, 'switch-mikrotik-crs305');
    assert.deepEqual(parts(mikrotik), ['1 x MikroTik CRS305-1G-4S+', '3 x 10GBASE-T module for SFP+', '3 x Cat6a patch cable']);
    const with3 = PRICES.parts['module-10gbase-t'].usd[0] * 3 + PRICES.parts['patch-cat6a'].usd[0] * 3 + 149;
    assert.equal(mikrotik.usd[0], with3, 'the switch for 149 costs more than 149');
    assert.deepEqual(parts(option({ ...PAIR, hosts: 3, ports: 'sfp' }, 'switch-mikrotik-crs305')), [
      '1 x MikroTik CRS305-1G-4S+',
      '3 x direct attach cable SFP+',
    ]);
  });

  test('ports are counted by kind: of the three fast ports of a QNAP only one takes a plug', () => {
    assert.deepEqual(parts(option({ ...PAIR, hosts: 3 }, 'switch-qnap-qsw-308-1c')), [
      '1 x QNAP QSW-308-1C',
      '3 x Cat6a patch cable',
      '2 x 10GBASE-T module for SFP+',
    ]);
  });

  test('a switch with too few ports is not offered, and one without a port for the uplink neither', () => {
    const ids = options({ ...PAIR, hosts: 5 }).map(({ id }) => id);
    for (const id of ['switch-mikrotik-crs305', 'switch-qnap-qsw-308-1c', 'switch-ubiquiti-flex-xg']) assert.ok(!ids.includes(id), id);
    assert.ok(ids.includes('switch-ten-gig-8'));
    assert.ok(
      !options({ ...PAIR, hosts: 8 })
        .map(({ id }) => id)
        .includes('switch-ten-gig-8'),
      'eight ports of eight leave none for the rest of the network',
    );
  });

  test('modules reach 30 m: at 60 m only ports for plugs are left', () => {
    const ids = options({ ...PAIR, hosts: 2, distanceMetres: 60 }).map(({ id }) => id);
    assert.ok(ids.includes('switch-ubiquiti-flex-xg') && !ids.includes('switch-mikrotik-crs305'), ids.join());
    const [short] = option(PAIR, 'switch-ubiquiti-flex-xg').usd;
    assert.ok(option({ ...PAIR, distanceMetres: 60 }, 'switch-ubiquiti-flex-xg').usd[0] > short, 'longer cables cost more');
  });

  test('an end that cannot do the speed gets an adapter counted in, in every option', () => {
    const input = { ...PAIR, near: host('alpha'), far: host('beta', { supportedBpsMax: 1e9, supported: MODES_1G }) };
    for (const { parts: lines, id, bps } of options(input))
      assert.ok(
        lines.some(({ what }) => /adapter|card/.test(what)),
        `${id} ${bps}`,
      );
  });

  test('hosts without a free port get one adapter each', () => {
    assert.match(parts(option({ ...PAIR, freePorts: false }, 'direct-cable')).join(), /2 x 10 Gbit\/s PCIe card or 10 Gbit\/s Thunderbolt adapter/);
  });

  test('2.5 Gbit/s is offered as the middle way over the cable that is there, unless an adapter lacks it', () => {
    const middle = options({ ...PAIR, cable: 'cat5e' }).filter(({ bps }) => bps === 2.5e9);
    assert.equal(middle.length, 1);
    assert.match(middle[0]?.limits[0] ?? '', /Cat5e in place will do .*802\.3bz/);
    const old = ['1000baseT/Full', '10000baseT/Full'];
    const input = { near: host('alpha', { supported: old, advertised: old }), far: host('beta') };
    assert.deepEqual(
      options(input).filter(({ bps }) => bps === 2.5e9),
      [],
    );
  });

  test('cables that are there and carry the speed are not bought again, and those that do not are', () => {
    const bought = (cable: 'cat6' | 'cat6a', distanceMetres: number): boolean =>
      parts(option({ ...PAIR, cable, distanceMetres }, 'switch-ubiquiti-flex-xg')).some((part) => part.includes('Cat6a'));
    assert.equal(bought('cat6a', 80), false);
    assert.equal(bought('cat6', 40), false);
    assert.equal(bought('cat6', 80), true);
  });

  test('faster links take cages and direct attach cables, fibre beyond their reach, and nothing where no price is known', () => {
    assert.deepEqual(parts(option({ fromBps: 10e9, toBps: 25e9 }, 'direct-cable')), ['1 x direct attach cable SFP28']);
    assert.deepEqual(parts(option({ fromBps: 10e9, toBps: 25e9, distanceMetres: 40 }, 'direct-cable')), [
      '1 x fibre cable with two SFP28 SR modules',
    ]);
    assert.deepEqual(options({ fromBps: 10e9, toBps: 400e9 }), []);
  });

  test('another price list is used and named by its date', () => {
    const prices: PriceList = {
      ...PRICES,
      asOf: '2026-11-01',
      parts: { ...PRICES.parts, 'patch-cat6a': { what: 'Cat6a patch cable', usd: [5, 6], source: 'the shop around the corner' } },
    };
    const advice = advise({ ...PAIR, prices });
    assert.equal(advice?.pricesAsOf, '2026-11-01');
    assert.deepEqual(advice?.options[0]?.usd, [5, 6]);
  });
});
