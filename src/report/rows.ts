import { formatQuantity, inScale, quantityScale } from '../base/index.js';
import type {
  DockerDetails,
  DockerServiceDetails,
  Limit,
  LinkDetails,
  MeasureDocument,
  Measurement,
  PathChoice,
  Rating,
  ResultDocument,
  Subject,
  Summary,
  Verdict,
} from '../results/index.js';
import { aboveCeiling, idleBeside, isLoadLatency, metricName } from '../results/index.js';
import { layersOf } from './layers/all.js';
import type { Layer } from './layers/layer.js';
import { noSpeed } from './layers/link.js';

/** What `text` and `markdown` show of one measurement, in words and still unescaped. */
export interface Row {
  readonly label: string;
  /** The label without what was added to it, for notes. */
  readonly name: string;
  /** Belongs to the row above: the latency beside a throughput. */
  readonly child: boolean;
  readonly measurement: Measurement;
  /** Median with its unit; the outcome where there is none. A rate's p99 is its best interval and is not shown. */
  readonly value: string;
  readonly interval: string;
  readonly p99: string;
  readonly error: string;
  /** `0/100`: lost of sent; or the number of samples. */
  readonly count: string;
  readonly rating: Rating | undefined;
  /** The figure lies above its ceiling. */
  readonly impossible: boolean;
  /** Why there is no figure, or why it cannot be believed. */
  readonly problem: string | undefined;
}

export interface Group {
  readonly title: string;
  readonly subtitle: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly rows: readonly Row[];
  /** What lies under the figures. */
  readonly layers: readonly Layer[];
  /** What bounds the path's throughput, the lowest bound first. */
  readonly limits: readonly Limit[];
  /** What to say where there are no rows. */
  readonly nothing: string;
}

/** A document as groups of rows: a check's subjects, or one group for a single probe. */
export function groupsOf(document: ResultDocument): Group[] {
  if (document.schema === 'tautline.measure/1') return [measureGroup(document)];
  return document.subjects.map(subjectGroup);
}

/** What a document is about, in a few words. */
export function titleOf(document: ResultDocument): string {
  if (document.schema === 'tautline.measure/1') return `${document.probe} of ${document.target}`;
  return document.target === undefined ? 'check of this host and what is around it' : `check of ${document.target}`;
}

/** The conclusion, where the document has one. */
export function verdictOf(document: ResultDocument): Verdict | undefined {
  return document.verdict;
}

export function hostLine(host: ResultDocument['host']): string {
  const cpu = host.cpuModel === '' ? `${host.cpus} CPUs` : `${host.cpus} x ${host.cpuModel}`;
  return `${host.name}: ${host.os} ${host.kernel} ${host.arch}, ${cpu}, Node ${host.node}, ${host.root ? 'as root' : 'without root'}`;
}

/** `2026-11-21 07:40:12 UTC`; as it stands where it is no ISO date. */
export function dateLine(startedAt: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(startedAt);
  return match ? `${match[1]} ${match[2]} UTC` : startedAt;
}

/** How much of a bound was used. Only what is physical cannot be exceeded: what lies above it is a measuring error. */
export function usedOf({ kind }: Pick<Limit, 'kind'>, reached: number): string {
  if (reached > 1) return kind === 'physical' ? 'exceeded: a measuring error' : 'all used';
  return `${reached < 0.01 ? 'under 1' : Math.floor(reached * 100)} % used`;
}

/** Packets are counted in bytes, however large: 1500 B is a name, 1.500 kB a riddle. */
export function packetSize(bytes: number): string {
  return Number.isFinite(bytes) ? `${bytes} B` : '-';
}

/** The scale of a figure: packet sizes stay in bytes, all else takes the unit that suits it. */
function scaleOf({ metric }: Pick<Measurement, 'metric'>, value: number, unit: Summary['unit']): ReturnType<typeof quantityScale> {
  return unit === 'bytes' && /^mtu\b/.test(metric) ? { factor: 1, name: 'B' } : quantityScale(value, unit);
}

/** The median with its unit, as every report writes it. */
export function medianOf(measurement: Pick<Measurement, 'metric'>, { median, unit }: Summary): string {
  const scale = scaleOf(measurement, median, unit);
  return `${inScale(median, scale)} ${scale.name}`.trimEnd();
}

/** How long a run took, in seconds with one decimal. */
export function tookLine(durationMs: number): string {
  return `took ${(durationMs / 1000).toFixed(1)} s`;
}

/** The chosen path in a word or two; paths that could not be compared are not the same as paths that do not differ. */
export function chosenOf({ path, sentence }: PathChoice): string {
  return path ?? (sentence.includes('do not differ') ? 'no difference' : 'undecided');
}

/** How much of what is possible a figure reaches, and what bounds it. */
export function ceilingNote(measurement: Measurement): string | undefined {
  const { ceiling, summary } = measurement;
  if (!ceiling || !summary || summary.unit !== ceiling.unit || aboveCeiling(measurement) !== undefined) return undefined;
  return `${Math.floor((summary.median / ceiling.value) * 100)} % of the possible ${formatQuantity(ceiling.value, ceiling.unit)} (${ceiling.why})`;
}

const NOTHING = 'nothing was measured here';
const SUBJECT_TITLES: Readonly<Record<Subject['role'], string>> = {
  target: 'target',
  gateway: 'gateway',
  resolver: 'resolver',
  self: 'a ceiling, not a path',
  interface: 'interface',
  containers: 'containers',
};

function subjectGroup(subject: Subject): Group {
  const address = subject.address !== undefined && subject.address !== subject.name ? subject.address : undefined;
  return {
    title: subject.name,
    subtitle: [
      subject.role !== 'self' && subject.name.includes(subject.role) ? undefined : SUBJECT_TITLES[subject.role],
      address,
      unmeasured(subject.measurements),
    ]
      .filter((part) => part !== undefined)
      .join(', '),
    facts: Object.entries(subject.facts),
    rows: rowsOf(subject.measurements, contextOf(subject.measurements)),
    layers: layersOf(subject.measurements),
    limits: subject.limits ?? [],
    // An interface is there for its facts.
    nothing: subject.role === 'interface' ? '' : NOTHING,
  };
}

function measureGroup(document: MeasureDocument): Group {
  const [first] = document.measurements;
  const path = first && onePath(document.measurements) && first.path !== 'default' ? `path ${first.path}` : undefined;
  const subtitle = [path, unmeasured(document.measurements)].filter((part) => part !== undefined).join(', ');
  return {
    title: document.target,
    subtitle,
    facts: [],
    rows: rowsOf(document.measurements, { ...contextOf(document.measurements), probe: document.probe }),
    layers: layersOf(document.measurements),
    limits: [],
    nothing: NOTHING,
  };
}

/** What is the same in all rows of a group is said once, in its title. */
interface GroupContext {
  readonly samePath: boolean;
  readonly sameProvenance: boolean;
  readonly probe?: string;
}

function contextOf(measurements: readonly Measurement[]): GroupContext {
  return { samePath: onePath(measurements), sameProvenance: measurements.every(({ provenance }) => provenance === measurements[0]?.provenance) };
}

/** Where all figures of a group are simulated, estimated or declared: that word. */
function unmeasured(measurements: readonly Measurement[]): string | undefined {
  const provenance = measurements[0]?.provenance;
  return contextOf(measurements).sameProvenance && provenance !== 'measured' ? provenance : undefined;
}

function rowsOf(measurements: readonly Measurement[], options: GroupContext): Row[] {
  return idleFirst(measurements).map((measurement, i, ordered) =>
    rowOf(measurement, { child: besideLoad(ordered, i), idle: idleBeside(measurement, measurements), atOnce: atOnce(ordered, i), ...options }),
  );
}

/** The round trip without load right before the one under it, whichever way a probe told them. */
function idleFirst(measurements: readonly Measurement[]): readonly Measurement[] {
  const ordered = [...measurements];
  for (let i = 1; i < ordered.length; i++) {
    const [before, own] = [ordered[i - 1] as Measurement, ordered[i] as Measurement];
    if (own.metric === 'rtt.idle' && before.metric.startsWith('rtt.loaded') && idleBeside(before, measurements) === own)
      ordered.splice(i - 1, 2, own, before);
  }
  return ordered;
}

/** Whether this is the latency that a throughput above it was measured with: a probe tells both in one go. */
function besideLoad(measurements: readonly Measurement[], at: number): boolean {
  const own = measurements[at];
  if (!own || !isLoadLatency(own)) return false;
  const load = measurements.slice(0, at).findLast((measurement) => !isLoadLatency(measurement));
  return load !== undefined && LOADS.includes(kindOf(load)) && load.path === own.path && load.target === own.target;
}

/** Whether this rate belongs to a run of both directions: its latency comes after both and says so. */
function atOnce(measurements: readonly Measurement[], at: number): boolean {
  const own = measurements[at];
  if (!own || !BOTH_WAYS.includes(own.metric)) return false;
  const rest = measurements.slice(at + 1);
  const run = rest.slice(0, rest.findIndex(({ metric }) => !BOTH_WAYS.includes(metric) && metric !== 'rtt.idle') + 1);
  return run.at(-1)?.metric === 'rtt.loaded.both';
}

const BOTH_WAYS: readonly string[] = ['throughput.up', 'throughput.down'];

function kindOf({ metric }: Measurement): string {
  return metric.split('.')[0] ?? '';
}

const LOADS: readonly string[] = ['throughput', 'udp'];

interface RowContext extends GroupContext {
  readonly child: boolean;
  readonly idle: Measurement | undefined;
  /** Measured while the other direction was loaded too. */
  readonly atOnce: boolean;
}

function rowOf(measurement: Measurement, options: RowContext): Row {
  const { summary, rating } = measurement;
  const factor = aboveCeiling(measurement);
  const ok = measurement.outcome === 'ok';
  return {
    label: labelOf(measurement, options),
    name: `${metricName(measurement.metric)}${byProbe(measurement, options.probe)}`,
    child: options.child,
    measurement,
    value: valueOf(measurement),
    interval: intervalOf(measurement),
    p99: summary && summary.n > 1 && summary.unit === 'ms' ? inScale(summary.p99, quantityScale(summary.median, summary.unit)) : '',
    // Where there is no figure, there is none that could be off.
    error: measurement.error && (summary || ok) ? errorOf(measurement.error) : '',
    count: countOf(measurement),
    rating: factor === undefined ? rating : undefined,
    impossible: factor !== undefined,
    problem:
      factor !== undefined && measurement.ceiling
        ? `impossible: the ceiling is ${formatQuantity(measurement.ceiling.value, measurement.ceiling.unit)} (${measurement.ceiling.why}), so this figure is a measuring error and is not rated`
        : (measurement.reason ?? (ok ? noSpeed(measurement) : measurement.outcome)),
  };
}

function valueOf(measurement: Measurement): string {
  const { summary, loss, outcome } = measurement;
  if (summary) return medianOf(measurement, summary);
  if (outcome !== 'ok') return outcome;
  if (loss) return formatQuantity(loss.ratio, 'ratio');
  return noSpeed(measurement) === undefined ? outcome : 'no speed';
}

function labelOf(measurement: Measurement, options: RowContext): string {
  const { metric, path, summary, provenance, partial } = measurement;
  const name = `${metricName(metric)}${thingOf(measurement)}`;
  const idle = options.idle?.summary;
  const added =
    metric.startsWith('rtt.loaded') && idle && summary && idle.unit === summary.unit ? ` ${plus(summary.median - idle.median, summary.unit)}` : '';
  const short = options.child ? name.replace('round trip ', '') : name;
  const by = options.child ? '' : `${options.atOnce ? ', both at once' : ''}${byProbe(measurement, options.probe)}`;
  const marks = [
    options.samePath ? '' : path,
    provenance === 'measured' || options.sameProvenance ? '' : provenance,
    partial === true ? 'partial' : '',
  ].filter((mark) => mark !== '');
  return `${short}${added}${by}${marks.length > 0 ? ` [${marks.join(', ')}]` : ''}`;
}

/** What a figure is of, where a run takes the same of several things: interfaces, engines, services. */
function thingOf({ probe, details }: Measurement): string {
  if (probe === 'link') {
    const { link } = (details ?? {}) as Partial<LinkDetails>;
    return link ? ` of ${link.name}` : '';
  }
  if (probe !== 'docker') return '';
  const { engine, container, published } = (details ?? {}) as Partial<DockerDetails & DockerServiceDetails>;
  return container === undefined
    ? engine === undefined
      ? ''
      : ` of ${engine}`
    : ` of ${container}${published === undefined ? '' : `:${published}`}`;
}

/** The probe, where the metric alone does not tell it. */
function byProbe(measurement: Measurement, only: string | undefined): string {
  const known = only === measurement.probe || isLoadLatency(measurement) || !AMBIGUOUS.includes(kindOf(measurement));
  return known ? '' : ` (${measurement.probe})`;
}

/** Metrics that more than one probe reports. */
const AMBIGUOUS: readonly string[] = ['rtt', 'loss', 'jitter'];

function plus(difference: number, unit: Summary['unit']): string {
  return `${difference < 0 ? '-' : '+'}${formatQuantity(Math.abs(difference), unit)}`;
}

export function intervalOf(measurement: Measurement): string {
  const { summary, loss, outcome } = measurement;
  if (!summary) return loss?.ci95 && outcome === 'ok' ? rangeOf(loss.ci95, quantityScale(loss.ratio, 'ratio')) : '';
  return summary.ci95 ? rangeOf(summary.ci95, scaleOf(measurement, summary.median, summary.unit)) : '';
}

function rangeOf([low, high]: readonly [number, number], scale: ReturnType<typeof quantityScale>): string {
  return `${inScale(low, scale)}${low < 0 || high < 0 ? ' to ' : '–'}${inScale(high, scale)}`;
}

export function errorOf(error: NonNullable<Measurement['error']>): string {
  const scale = quantityScale(error.value, error.unit);
  // More than two digits of an error say nothing.
  const figure = Number((error.value / scale.factor).toPrecision(2));
  return `±${figure} ${scale.name}`.trimEnd();
}

export function countOf({ summary, loss }: Measurement): string {
  if (loss && loss.sent > 0) return `${loss.sent - loss.received}/${loss.sent}`;
  return summary ? String(summary.n) : '';
}

function onePath(measurements: readonly Measurement[]): boolean {
  return measurements.every(({ path }) => path === measurements[0]?.path);
}
