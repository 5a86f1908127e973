import * as v from 'valibot';
import { TautlineError } from '../base/index.js';
import type { TextFiles } from '../base/index.js';
import { PART_IDS, PRICES } from '../diagnose/index.js';
import type { PriceList } from '../diagnose/index.js';
import { readConfigFile } from './config-file.js';
import { nearest } from './nearest.js';

/** A price, or a least and a most. */
const Usd = v.union(
  [
    v.pipe(v.number(), v.minValue(0), v.maxValue(1e6)),
    v.pipe(
      v.tuple([v.number(), v.number()]),
      v.check(([a, b]) => a >= 0 && a <= b && b <= 1e6, 'the least must not be above the most'),
    ),
  ],
  'must be a price in US dollars, or [least, most]',
);
const Count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(64));
const PORT_KINDS = ['rj45-1g', 'rj45-2.5g', 'rj45-10g', 'combo-10g', 'sfp+', 'sfp28', 'qsfp28'] as const;
const FileSchema = v.strictObject({
  asOf: v.pipe(v.string(), v.regex(/^\d{4}-\d\d(-\d\d)?$/, 'must be a date such as 2026-11-21')),
  parts: v.optional(v.record(v.string(), v.strictObject({ usd: Usd, what: v.optional(v.string()), source: v.optional(v.string()) }))),
  switches: v.optional(
    v.record(
      v.string(),
      v.strictObject({
        what: v.string(),
        usd: Usd,
        ports: v.strictObject(Object.fromEntries(PORT_KINDS.map((kind) => [kind, v.optional(Count)]))),
        source: v.optional(v.string()),
        note: v.optional(v.string()),
      }),
    ),
  ),
});

/**
 * The price list with what a file replaces: parts by their id, and all switches where it names any.
 * @throws TautlineError `config` that names the file
 */
export async function readPrices(files: TextFiles, path: string): Promise<PriceList> {
  const file = await readConfigFile(files, path);
  if (!file) throw new TautlineError('config', `there is no price file ${path}`, { hint: 'check the path given with --prices or advice.prices' });
  const found = v.safeParse(FileSchema, file.value);
  if (!found.success) {
    const [issue] = found.issues;
    const where = (issue.path ?? []).map((item) => item.key as PropertyKey);
    throw new TautlineError('config', `${file.locate(where, 'value')}: ${where.join('.') || 'the file'}: ${issue.message}`, {
      hint: 'docs/advice.md shows a price file',
    });
  }
  const { asOf, parts = {}, switches } = found.output;
  const unknown = Object.keys(parts).find((id) => !(PART_IDS as readonly string[]).includes(id));
  if (unknown !== undefined) {
    const guess = nearest(unknown, PART_IDS);
    throw new TautlineError('config', `${file.locate(['parts', unknown], 'key')}: there is no part '${unknown}'`, {
      hint: guess === undefined ? `the parts are ${PART_IDS.join(', ')}` : `did you mean '${guess}'?`,
    });
  }
  const source = `${path}, ${asOf}`;
  return {
    asOf,
    parts: Object.fromEntries(
      PART_IDS.map((id) => {
        const own = parts[id];
        return [id, own ? { what: own.what ?? PRICES.parts[id].what, usd: pair(own.usd), source: own.source ?? source } : PRICES.parts[id]];
      }),
    ) as PriceList['parts'],
    switches: switches
      ? Object.fromEntries(
          Object.entries(switches).map(([id, { usd, note, ports, ...rest }]) => [
            id,
            { ...rest, ports: given(ports), usd: pair(usd), source: rest.source ?? source, ...(note === undefined ? {} : { note }) },
          ]),
        )
      : PRICES.switches,
  };
}

function pair(usd: number | readonly [number, number]): readonly [number, number] {
  return typeof usd === 'number' ? [usd, usd] : usd;
}

function given(ports: Readonly<Record<string, number | undefined>>): PriceList['switches'][string]['ports'] {
  return Object.fromEntries(Object.entries(ports).filter(([, count]) => count !== undefined));
}
