import { formatQuantity, formatRatio } from '../base/index.js';
import type { Band, Measurement, Verdict } from '../results/index.js';
import { aboveCeiling, metricName } from '../results/index.js';
import type { BandScale } from './bands.js';
import type { Judged, JudgedSubject } from './conclude.js';
import { bandOf, rankedByLoss, ratedFigure, ratedInterval } from './rate.js';
import { judgeWorkloads, pathFigures } from './workloads.js';

export interface SentenceParts {
  readonly kind: 'paths' | 'self' | 'nothing';
  readonly outcome: Verdict['outcome'];
  readonly band?: Band | undefined;
  /** The measurement that the verdict hangs on. */
  readonly worst?: Judged | undefined;
  readonly paths: readonly JudgedSubject[];
  readonly self?: JudgedSubject | undefined;
  readonly interrupted: boolean;
}

const DIRECTIONS: Readonly<Record<string, string>> = { up: 'up', down: 'down', both: 'both ways' };

/** More subjects than this are counted, not named. */
const NAMED_MAX = 3;

/** One sentence in plain English: what was measured, the figures, the worst of them, and what it is good enough for. */
export function sentenceOf(parts: SentenceParts): string {
  if (parts.kind === 'nothing') return finish([nothing(parts)]);
  if (parts.kind === 'self') return finish([ownCeiling(parts.self), silent(parts.paths)]);
  const reachable = parts.paths.filter((subject) => subject.reachable);
  return finish([
    opening(parts, reachable),
    worstClause(parts, reachable),
    silent(parts.paths),
    ...reachable.map(brokenOff),
    ...reachable.map(impossible),
    goodFor(parts, reachable),
  ]);
}

/** Where the interval of the rated figure reaches into another band: the band, and the interval as text. */
export function straddles(judged: Judged): { readonly band: Band; readonly interval: string } | undefined {
  const { measurement, scale, context } = judged;
  const interval = ratedInterval(measurement, scale, context);
  const figure = ratedFigure(measurement, scale, context);
  if (!interval || figure === undefined) return undefined;
  const own = bandOf(figure, scale);
  // The end that is worse says what may go wrong; where only the better end crosses, that is told.
  const [low, high] = interval;
  const ends = scale.better === 'lower' ? [high, low] : [low, high];
  const other = ends.map((end) => bandOf(end, scale)).find((band) => band !== own);
  return other ? { band: other, interval: range(low, high, scale) } : undefined;
}

// --- Clauses -----------------------------------------------------------------------------------

function opening(parts: SentenceParts, reachable: readonly JudgedSubject[]): string {
  const simulated = reachable.flatMap(({ measurements }) => measurements).every(({ provenance }) => provenance === 'simulated');
  const start = `${simulated ? 'simulated: ' : ''}${parts.outcome === 'inconclusive' ? `${why(parts, reachable)}: ` : ''}`;
  const named = reachable.slice(0, NAMED_MAX).map((subject) => subjectClause(subject));
  const more = reachable.length - named.length;
  return start + named.join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** Why a verdict is inconclusive, in the order in which it weighs. */
function why(parts: SentenceParts, reachable: readonly JudgedSubject[]): string {
  if (parts.interrupted) return 'interrupted, so these figures are all there is';
  const cutShort = reachable.some(({ measurements }) => measurements.some(({ partial }) => partial === true));
  if (cutShort) return 'a measurement was cut short, so these figures settle nothing';
  if (reachable.some((subject) => subject.impossible.length > 0)) return 'a figure is above what is possible, so this settles nothing';
  if (reachable.some((subject) => brokenOff(subject) !== '')) return 'not everything that was tried worked, so this settles little';
  if (reachable.some((subject) => subject.judged.some(({ doubtful }) => doubtful))) return 'a poor figure may be the fault of the measuring itself';
  return 'too few samples to settle anything';
}

function subjectClause(subject: JudgedSubject): string {
  const band = subject.judged.find((each) => each.sufficient)?.band ?? subject.judged[0]?.band;
  const figures = headline(subject);
  const name = subject.role === 'target' ? `the path to ${subject.name}` : subject.name;
  const state = band === undefined ? 'answers' : `is ${band}`;
  return figures.length === 0 ? `${name} ${state}` : `${name} ${state}, with ${figures.join(', ')}`;
}

/** The figures that a person asks for first: delay, loss, speed. */
function headline(subject: JudgedSubject): string[] {
  const ok = subject.measurements.filter(
    (measurement) => (measurement.outcome === 'ok' || measurement.summary) && aboveCeiling(measurement) === undefined,
  );
  const first = (...wanted: readonly string[]): Measurement | undefined => {
    for (const key of wanted) {
      const [probe, metric] = key.split(' ');
      const found = ok.find((measurement) => measurement.summary && (probe === '*' || measurement.probe === probe) && measurement.metric === metric);
      if (found) return found;
    }
    return undefined;
  };
  const delay = first('echo rtt', '* rtt', '* rtt.idle', '* connect', '* dns', '* tls', '* http.total', '* http.ttfb');
  const figures: string[] = [];
  if (delay?.summary) figures.push(`${metricName(delay.metric)} ${write(delay)} (median of ${delay.summary.n})`);
  const loss = delay?.loss ?? ok.find((measurement) => measurement.loss)?.loss;
  if (loss && loss.sent > 0) figures.push(loss.ratio === 0 ? `none of ${loss.sent} lost` : `${formatRatio(loss.ratio)} of ${loss.sent} lost`);
  // Once each way: what was measured first is the way alone, and a run of both at once comes after.
  const rates = (kind: string): string[] => {
    const ways = ok.filter(({ summary }) => summary).map((measurement) => ({ measurement, way: measurement.metric.replace(`${kind}.`, '') }));
    return ways.flatMap(({ measurement, way }, i) => {
      const direction = DIRECTIONS[way];
      const again = ways.findIndex((each) => each.way === way) < i;
      return direction === undefined || again ? [] : [`${write(measurement)} ${direction}`];
    });
  };
  const speeds = rates('throughput').length > 0 ? rates('throughput') : rates('udp');
  if (speeds.length > 0) figures.push(speeds.join(' and '));
  const turns = rates('responsiveness');
  if (turns.length > 0 && figures.length < NAMED_MAX) figures.push(`${turns.join(' and ')} under load`);
  return figures;
}

function worstClause(parts: SentenceParts, reachable: readonly JudgedSubject[]): string {
  const { worst, band } = parts;
  if (!worst) return '';
  const { measurement, scale, context } = worst;
  const where = reachable.length > 1 ? ` of ${worst.subject}` : '';
  const crossing = rankedByLoss(worst) ? undefined : straddles(worst);
  const doubt = crossing ? `, though its 95 % interval (${crossing.interval}) reaches into ${crossing.band}` : '';
  if (band === 'excellent' && doubt === '') return 'nothing measured is worse than excellent';
  const figure = ratedFigure(measurement, scale, context);
  if (rankedByLoss(worst)) return `worst is the loss${where} of ${formatRatio(measurement.loss?.ratio ?? 0)} (${worst.band})`;
  const value =
    figure === undefined
      ? ''
      : scale.of === 'increase'
        ? `, ${formatQuantity(figure, scale.unit)} above idle`
        : ` at ${formatQuantity(figure, scale.unit)}`;
  const what =
    scale.of === 'loss' && !measurement.metric.startsWith('loss') ? `loss in ${metricName(measurement.metric)}` : metricName(measurement.metric);
  return `worst is ${what}${where}${value} (${worst.band})${doubt}`;
}

function silent(paths: readonly JudgedSubject[]): string {
  const quiet = paths.filter((subject) => !subject.reachable);
  if (quiet.length === 0) return '';
  return `${list(quiet.map(({ name }) => name))} could not be measured`;
}

/** Probes that failed on a path that otherwise answers. */
function brokenOff(subject: JudgedSubject): string {
  const probes = [...new Set(subject.brokeOff.map(({ probe, outcome }) => `${probe} (${outcome})`))];
  return probes.length === 0 ? '' : `what failed on ${subject.name}: ${probes.join(', ')}`;
}

function impossible(subject: JudgedSubject): string {
  const [measurement] = subject.impossible;
  if (!measurement?.ceiling) return '';
  const { value, unit } = measurement.ceiling;
  return `${metricName(measurement.metric)} of ${write(measurement)} is above the possible ${formatQuantity(value, unit)} and therefore a measuring error`;
}

function goodFor(parts: SentenceParts, reachable: readonly JudgedSubject[]): string {
  if (parts.outcome === 'inconclusive') return '';
  const targets = reachable.filter(({ role }) => role === 'target');
  const judged = targets.length > 0 ? targets : reachable.filter(({ role }) => role === 'gateway');
  // What broke off was not measured to its end, and its figures recommend nothing.
  if (judged.length === 0 || judged.some(({ brokeOff }) => brokeOff.length > 0)) return '';
  const usable = judged.flatMap(({ measurements }) => measurements.filter((measurement) => aboveCeiling(measurement) === undefined));
  const { fits, fails } = judgeWorkloads(pathFigures(usable));
  const who = targets.length > 0 ? '' : 'the way to the gateway is ';
  if (fits.length === 0) return fails.length === 0 ? '' : `${who}not good enough for ${list(fails.slice(-NAMED_MAX))}`;
  return `${who}good enough for ${list(fits.slice(0, NAMED_MAX))}${fails.length === 0 ? '' : `, not for ${list(fails.slice(-2))}`}`;
}

function ownCeiling(self: JudgedSubject | undefined): string {
  const figures = self ? headline(self) : [];
  return `only this host itself was measured (${figures.join(', ') || 'it answers'}): that bounds what any path from here can show and says nothing about a network`;
}

function nothing(parts: SentenceParts): string {
  if (parts.paths.length === 0) return 'there was nothing to measure: no target was named and no gateway or resolver found';
  const reason = parts.paths.flatMap(({ measurements }) => measurements).find((measurement) => measurement.reason !== undefined)?.reason;
  const names = list(parts.paths.slice(0, NAMED_MAX).map(({ name }) => name));
  return `${parts.interrupted ? 'interrupted before anything' : 'nothing'} could be measured on the path to ${names}${reason === undefined ? '' : `: ${reason}`}`;
}

// --- Words -------------------------------------------------------------------------------------

function write(measurement: Measurement): string {
  return measurement.summary ? formatQuantity(measurement.summary.median, measurement.summary.unit) : '-';
}

function range(low: number, high: number, scale: BandScale): string {
  return `${formatQuantity(low, scale.unit)} to ${formatQuantity(high, scale.unit)}`;
}

function list(items: readonly string[]): string {
  const last = items.at(-1) ?? '';
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')} and ${last}`;
}

function finish(clauses: readonly string[]): string {
  const text = clauses.filter((clause) => clause !== '').join('; ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;
}
