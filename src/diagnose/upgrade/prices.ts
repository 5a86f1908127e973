/**
 * What parts cost, in one place and with a date: prices age. A file in the same shape replaces what it names
 * (`--prices FILE`, `advice.prices` in the configuration).
 */
export interface Part {
  readonly what: string;
  /** Least and most, in US dollars, without taxes and shipping. */
  readonly usd: readonly [number, number];
  readonly source: string;
}

/** Ports by what plugs into them; `combo` takes a plug or a module. */
export type PortKind = 'rj45-2.5g' | 'rj45-10g' | 'combo-10g' | 'sfp+' | 'sfp28' | 'qsfp28' | 'rj45-1g';

export interface SwitchModel extends Part {
  readonly ports: Readonly<Partial<Record<PortKind, number>>>;
  readonly note?: string;
}

export interface PriceList {
  readonly asOf: string;
  readonly parts: Readonly<Record<PartId, Part>>;
  readonly switches: Readonly<Record<string, SwitchModel>>;
}

export const PART_IDS = [
  'patch-cat5e',
  'patch-cat6a',
  'dac-10g',
  'dac-25g',
  'dac-100g',
  'optics-10g',
  'optics-25g',
  'optics-100g',
  'module-10gbase-t',
  'adapter-2.5g-usb',
  'adapter-5g-usb',
  'adapter-10g-thunderbolt',
  'card-10g',
  'card-25g',
  'card-100g',
] as const;
export type PartId = (typeof PART_IDS)[number];

const REPORT = 'Studio Air Fabric network report, 2025-09-15';
const ESTIMATE = 'a rough band of street prices as estimated in November 2026, asked of no shop';

export const PRICES: PriceList = {
  asOf: '2025-09-15',
  parts: {
    'patch-cat5e': { what: 'Cat5e patch cable', usd: [3, 12], source: ESTIMATE },
    'patch-cat6a': { what: 'Cat6a patch cable', usd: [8, 30], source: `${REPORT} ($30), the lower end ${ESTIMATE}` },
    'dac-10g': { what: 'direct attach cable SFP+', usd: [12, 40], source: ESTIMATE },
    'dac-25g': { what: 'direct attach cable SFP28', usd: [25, 70], source: ESTIMATE },
    'dac-100g': { what: 'direct attach cable QSFP28', usd: [45, 150], source: ESTIMATE },
    'optics-10g': { what: 'fibre cable with two SFP+ SR modules', usd: [45, 140], source: ESTIMATE },
    'optics-25g': { what: 'fibre cable with two SFP28 SR modules', usd: [80, 250], source: ESTIMATE },
    'optics-100g': { what: 'fibre cable with two QSFP28 SR4 modules', usd: [180, 500], source: ESTIMATE },
    'module-10gbase-t': { what: '10GBASE-T module for SFP+', usd: [40, 80], source: ESTIMATE },
    'adapter-2.5g-usb': { what: '2.5 Gbit/s USB adapter', usd: [20, 45], source: ESTIMATE },
    'adapter-5g-usb': { what: '5 Gbit/s USB adapter', usd: [50, 110], source: ESTIMATE },
    'adapter-10g-thunderbolt': { what: '10 Gbit/s Thunderbolt adapter', usd: [130, 250], source: ESTIMATE },
    'card-10g': { what: '10 Gbit/s PCIe card', usd: [50, 150], source: ESTIMATE },
    'card-25g': { what: '25 Gbit/s PCIe card', usd: [100, 350], source: ESTIMATE },
    'card-100g': { what: '100 Gbit/s PCIe card', usd: [250, 900], source: ESTIMATE },
  },
  switches: {
    'multi-gig-5': { what: 'unmanaged switch, 5 x 2.5 Gbit/s', ports: { 'rj45-2.5g': 5 }, usd: [45, 100], source: ESTIMATE },
    'multi-gig-8': { what: 'unmanaged switch, 8 x 2.5 Gbit/s', ports: { 'rj45-2.5g': 8 }, usd: [80, 180], source: ESTIMATE },
    'mikrotik-crs305': {
      what: 'MikroTik CRS305-1G-4S+',
      ports: { 'sfp+': 4, 'rj45-1g': 1 },
      usd: [149, 149],
      source: REPORT,
      note: 'it has no fan: 10GBASE-T modules run hot in it, so leave a cage free between them where you can',
    },
    'qnap-qsw-308-1c': {
      what: 'QNAP QSW-308-1C',
      ports: { 'combo-10g': 1, 'sfp+': 2, 'rj45-1g': 8 },
      usd: [249, 249],
      source: `${REPORT}; of its three 10 Gbit/s ports one takes a plug, two take modules (its data sheet)`,
    },
    'ubiquiti-flex-xg': { what: 'Ubiquiti UniFi Flex XG', ports: { 'rj45-10g': 4, 'rj45-1g': 1 }, usd: [299, 299], source: REPORT },
    'ten-gig-8': { what: 'switch, 8 x 10 Gbit/s RJ45', ports: { 'rj45-10g': 8 }, usd: [400, 800], source: ESTIMATE },
    'sfp-plus-8': { what: 'switch, 8 x SFP+', ports: { 'sfp+': 8, 'rj45-1g': 1 }, usd: [200, 350], source: ESTIMATE },
    'sfp28-8': { what: 'switch, 8 x SFP28', ports: { sfp28: 8, qsfp28: 2, 'rj45-1g': 1 }, usd: [900, 1500], source: ESTIMATE },
    'qsfp28-4': { what: 'switch, 4 x QSFP28', ports: { qsfp28: 4, 'rj45-1g': 1 }, usd: [650, 1000], source: ESTIMATE },
  },
};

/** Whole months between the prices' date and the day on which they are read. */
export function monthsOld(asOf: string, today: string): number {
  const [year = 0, month = 0] = asOf.split('-').map(Number);
  const [yearNow = 0, monthNow = 0] = today.split('-').map(Number);
  return Math.max(0, (yearNow - year) * 12 + (monthNow - month));
}
