import type { Advice } from '../../results/index.js';
import { actionsOf } from './actions.js';
import { assumedMetres, portsOf } from './cabling.js';
import { basisOf } from './carriers.js';
import type { Basis } from './carriers.js';
import { causesOf } from './causes.js';
import { situationOf } from './input.js';
import type { Situation, UpgradeInput } from './input.js';
import { speedName } from './link-speeds.js';
import { optionsOf } from './options.js';
import { PRICES, monthsOld } from './prices.js';
import { durationText, plainQuantity } from './workload.js';
import { WORKLOAD_KINDS } from './workloads/registry.js';

/** Advice where a faster link is worth its money; undefined where it is not, or where too little is known of both ends. */
export function adviseUpgrade(input: UpgradeInput): Advice | undefined {
  const advice = advise(input);
  return advice?.worthwhile === true ? advice : undefined;
}

/** Advice in any case, also where it says that nothing should be bought. Undefined where there is no slower and faster speed. */
export function advise(input: UpgradeInput): Advice | undefined {
  const situation = situationOf(input);
  if (!situation) return undefined;
  const basis = basisOf(input, situation);
  const { causes, ruledOut } = causesOf(input, situation);
  const options = optionsOf(input, situation);
  const judged = (input.workloads ?? []).map(({ kind, values }) => ({ id: kind.id, result: kind.judge(values, basis.carriers) }));
  const workloads = judged.map(({ id, result: { title, now, after, factor, verdict, why } }) => ({ id, title, now, after, factor, verdict, why }));
  const worthwhile = basis.otherLimit === undefined && (workloads.length === 0 || workloads.some(({ verdict }) => BETTER.includes(verdict)));
  const bought = { ...(basis.otherLimit ? { otherLimit: basis.otherLimit.what } : {}), worthwhile, causes, options, workloads };
  return {
    fromBps: situation.fromBps,
    toBps: situation.toBps,
    basis: {
      from: situation.from,
      to: situation.to,
      ...(basis.measuredBps === undefined ? {} : { measuredBps: basis.measuredBps, reached: basis.measuredBps / basis.ceilingBps }),
      ceilingBps: basis.ceilingBps,
    },
    worthwhile,
    causes: [...causes],
    ...(ruledOut.length > 0 ? { ruledOut: [...ruledOut] } : {}),
    options,
    pricesAsOf: (input.prices ?? PRICES).asOf,
    workloads,
    sufficient: WORKLOAD_KINDS.map(({ id, title, sufficient }) => ({
      id,
      title,
      need: sufficient.need,
      now: sufficient.upTo(basis.carriers.now),
      after: sufficient.upTo(basis.carriers.after),
    })),
    actions: actionsOf(bought, situation),
    assumed: [...assumptions(input, situation, basis), ...judged.flatMap(({ result }) => result.assumed ?? []), ...defaulted(input)],
    sentence: sentenceOf(bought, situation, basis),
  };
}

const BETTER: readonly string[] = ['needs it', 'helps'];

function assumptions(input: UpgradeInput, situation: Situation, basis: Basis): string[] {
  const age = input.today === undefined ? 0 : monthsOld((input.prices ?? PRICES).asOf, input.today);
  return [
    ...(situation.to === 'declared' && situation.ends.length < 2
      ? [`both ends can do ${speedName(situation.toBps)}, as declared; where one cannot, add an adapter for it`]
      : []),
    ...(basis.impossible
      ? [
          `the measured ${plainQuantity(input.measured?.bps ?? 0, 'bps')} is above the ${plainQuantity(basis.ceilingBps, 'bps')} that ${speedName(situation.fromBps)} can carry: a measuring error, or the link is faster than declared; it was left out`,
        ]
      : []),
    ...basis.assumed,
    ...(input.hosts === undefined ? ['2 hosts (--hosts says otherwise)'] : []),
    ...(input.distanceMetres === undefined ? [`cables of up to ${assumedMetres(portsOf(input, situation))} m (--distance says otherwise)`] : []),
    `prices of ${(input.prices ?? PRICES).asOf} in US dollars without tax${age > 0 ? `, ${age} months old` : ''}: they age, so look them up before you buy (--prices FILE sets others)`,
  ];
}

/** Values of a workload that nobody declared. */
function defaulted(input: UpgradeInput): string[] {
  return (input.workloads ?? []).flatMap(({ kind, values, defaulted: keys }) =>
    keys
      .filter((key) => !(kind.id === 'ray' && key === 'framework'))
      .map((key) => `${kind.id}: ${kind.keys[key]?.help ?? key} ${valueText(kind.keys[key]?.takes, values[key] ?? 0)}`),
  );
}

function valueText(takes: string | undefined, value: number): string {
  if (takes === 'size') return plainQuantity(value, 'bytes');
  if (takes === 'rate') return plainQuantity(value, 'bps');
  if (takes === 'duration') return durationText(value / 1000);
  return takes === 'share' ? `${value * 100} %` : String(value);
}

type Bought = Parameters<typeof actionsOf>[0];

/** Two or three sentences: whether to spend money, on what, and what that gives. */
function sentenceOf({ worthwhile, otherLimit, options, workloads, causes }: Bought, situation: Situation, basis: Basis): string {
  const [from, to] = [speedName(situation.fromBps), speedName(situation.toBps)];
  if (otherLimit !== undefined) {
    const share =
      basis.measuredBps === undefined ? '' : `: it reached ${Math.round((basis.measuredBps / basis.ceilingBps) * 100)} % of what ${from} carries`;
    return `Do not buy yet: the ${from} link is not what limits this path${share}. A faster link would leave ${otherLimit} as it is; find that first.`;
  }
  if (!worthwhile) return `Nothing needs buying: ${from} is enough for what was declared, or a faster link would not change it.`;
  const [cause] = causes;
  const gains = workloads.filter(({ verdict }) => BETTER.includes(verdict)).sort((a, b) => b.factor - a.factor);
  const [best] = gains;
  const gain = best
    ? `${capital(best.title)}: ${best.now.text} now, ${best.after.text} with ${to}.`
    : `${to} carries up to ${plainQuantity(basis.carriers.after.bounds[0]?.bps ?? 0, 'bps')} of payload, ${from} ${plainQuantity(basis.ceilingBps, 'bps')}.`;
  if (cause?.confidence === 'certain' && cause.id === 'setting') return `${gain} It may cost nothing: ${cause.why}.`;
  const first = cause
    ? ` Check first, at no cost: ${cause.title}${cause.confidence === 'possible' ? ` (the likeliest of ${causes.length} causes, none proven)` : ''}.`
    : '';
  const cheapest = options.find(({ bps }) => bps === situation.toBps);
  return `${gain}${first} ${cheapest ? `The cheapest way: ${cheapest.title}, ${usdText(cheapest.usd)}.` : 'The price list has no parts for it.'}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `$30`, or `$250 to $500`. */
export function usdText([least, most]: readonly [number, number]): string {
  return least === most ? `$${least}` : `$${least} to $${most}`;
}
