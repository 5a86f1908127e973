/**
 * How far each kind of cable carries each speed. Rules by the standards; what works beyond them by luck is not
 * counted, and where a standard leaves it to the installation, `depends` says so.
 */
export interface CableRule {
  readonly bps: number;
  readonly metresMax: number;
  readonly source: string;
  readonly depends?: string;
}

export const CABLES = ['cat5', 'cat5e', 'cat6', 'cat6a', 'cat7', 'cat8', 'dac', 'om3', 'om4', 'os2'] as const;
export type Cable = (typeof CABLES)[number];

export const CABLE_RULES: Readonly<Record<Cable, readonly CableRule[]>> = {
  cat5: [
    { bps: 100e6, metresMax: 100, source: 'IEEE 802.3u' },
    { bps: 1e9, metresMax: 100, source: 'IEEE 802.3ab', depends: 'all four pairs must be connected and pass the tests of Cat5e' },
  ],
  cat5e: [
    { bps: 1e9, metresMax: 100, source: 'IEEE 802.3ab' },
    { bps: 2.5e9, metresMax: 100, source: 'IEEE 802.3bz' },
    { bps: 5e9, metresMax: 100, source: 'IEEE 802.3bz', depends: 'long runs in tight bundles may disturb each other (TIA TSB-5021)' },
  ],
  cat6: [
    { bps: 5e9, metresMax: 100, source: 'IEEE 802.3bz' },
    { bps: 10e9, metresMax: 55, source: 'IEEE 802.3an', depends: '37 m in tight bundles (TIA TSB-155)' },
  ],
  cat6a: [{ bps: 10e9, metresMax: 100, source: 'IEEE 802.3an' }],
  cat7: [{ bps: 10e9, metresMax: 100, source: 'IEEE 802.3an' }],
  cat8: [
    { bps: 10e9, metresMax: 100, source: 'IEEE 802.3an' },
    { bps: 40e9, metresMax: 30, source: 'IEEE 802.3bq' },
  ],
  dac: [
    { bps: 10e9, metresMax: 7, source: 'SFF-8431' },
    { bps: 100e9, metresMax: 5, source: 'IEEE 802.3by, 802.3bj' },
    { bps: 400e9, metresMax: 2, source: 'IEEE 802.3ck' },
  ],
  om3: [
    { bps: 10e9, metresMax: 300, source: 'IEEE 802.3ae' },
    { bps: 100e9, metresMax: 70, source: 'IEEE 802.3by, 802.3bm' },
  ],
  om4: [
    { bps: 10e9, metresMax: 400, source: 'IEEE 802.3ae' },
    { bps: 100e9, metresMax: 100, source: 'IEEE 802.3by, 802.3bm' },
  ],
  os2: [{ bps: 400e9, metresMax: 10_000, source: 'IEEE 802.3ae, 802.3ba, 802.3bs' }],
};

/** Whether a cable of this kind carries a speed over a distance. */
export function cableCarries(
  cable: Cable,
  bps: number,
  metres: number,
): { readonly carries: boolean; readonly why: string; readonly depends?: string } {
  const reaching = CABLE_RULES[cable].filter((rule) => rule.bps >= bps);
  const rule = reaching.find(({ metresMax }) => metresMax >= metres);
  if (rule) {
    const why = `${CABLE_NAMES[cable]} carries it over up to ${rule.metresMax} m (${rule.source})`;
    return { carries: true, why, ...(rule.depends === undefined || rule.bps > bps ? {} : { depends: rule.depends }) };
  }
  const farthest = reaching.at(-1);
  return {
    carries: false,
    why: farthest
      ? `${CABLE_NAMES[cable]} carries it over no more than ${farthest.metresMax} m (${farthest.source}), not over ${metres} m`
      : `${CABLE_NAMES[cable]} is not specified for it at any length`,
  };
}

export const CABLE_NAMES: Readonly<Record<Cable, string>> = {
  cat5: 'Cat5',
  cat5e: 'Cat5e',
  cat6: 'Cat6',
  cat6a: 'Cat6a',
  cat7: 'Cat7',
  cat8: 'Cat8',
  dac: 'direct attach copper',
  om3: 'OM3 fibre',
  om4: 'OM4 fibre',
  os2: 'OS2 single-mode fibre',
};
