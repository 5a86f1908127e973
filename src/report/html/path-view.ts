import type { Limit, LinkDetails, Measurement, PathChoice, ResultDocument, Subject, TailscaleDetails, TraceDetails } from '../../results/index.js';
import { aboveCeiling, isLoadLatency } from '../../results/index.js';

/** One way from this host to something else, with what a document says of it. */
export interface PathView {
  /** What it leads to: a peer, a gateway, a resolver. */
  readonly peer: string;
  /** Empty where there is only one path and it has no name. */
  readonly name: string;
  readonly kind: string | undefined;
  readonly address: string | undefined;
  readonly measurements: readonly Measurement[];
  readonly limits: readonly Limit[];
  /** The shortest idle round trip that was measured well: echoes before pings before connects. */
  readonly rtt: Measurement | undefined;
  readonly up: Measurement | undefined;
  readonly down: Measurement | undefined;
  readonly mtuBytes: number | undefined;
  readonly mtuTold: 'measured' | 'of the interface' | undefined;
  readonly link: Partial<LinkDetails['link']> | undefined;
  readonly interfaceName: string | undefined;
  readonly tailscale: Partial<TailscaleDetails> | undefined;
  readonly trace: Partial<TraceDetails> | undefined;
  /** What it is the best for: `latency`, `bulk`, `overall`. */
  readonly chosenFor: readonly PathChoice['purpose'][];
}

/** A throughput run and the round trip during it. */
export interface LoadView {
  readonly path: PathView;
  readonly rates: readonly Measurement[];
  readonly latency: Measurement | undefined;
  readonly idle: Measurement | undefined;
}

const PATH_ROLES: readonly Subject['role'][] = ['target', 'gateway', 'resolver'];

export function pathViewsOf(document: ResultDocument): PathView[] {
  if (document.schema === 'tautline.measure/1') return measuredViews(document.target, document.measurements);
  const choices = document.choices ?? [];
  return document.subjects
    .filter(({ role, measurements }) => PATH_ROLES.includes(role) && measurements.length > 0)
    .map((subject) => {
      const peer = subject.peer ?? subject.name;
      const name = subject.path ?? subject.measurements[0]?.path ?? '';
      const chosenFor = choices.filter((choice) => choice.peer === peer && choice.path === name).map(({ purpose }) => purpose);
      return viewOf({ peer, name, measurements: subject.measurements, subject, chosenFor });
    });
}

/** How a path is called in charts: alone where nothing else could be meant. */
export function pathLabel(path: PathView, among: readonly PathView[]): string {
  const peers = new Set(among.filter(({ name }) => name !== '').map(({ peer }) => peer));
  if (path.name === '') return path.peer;
  return peers.size > 1 ? `${path.peer}, ${path.name}` : path.name;
}

/** Throughput runs in the order in which they were made: each ends with the round trip during it. */
export function loadsOf(path: PathView): LoadView[] {
  const idles = path.measurements.filter(({ metric, summary }) => metric === 'rtt.idle' && summary);
  const loads: LoadView[] = [];
  let rates: Measurement[] = [];
  const end = (latency: Measurement | undefined): void => {
    if (rates.length > 0 || latency) loads.push({ path, rates, latency, idle: idles[loads.length] ?? idles[0] ?? path.rtt });
    rates = [];
  };
  for (const measurement of path.measurements) {
    if (measurement.metric.startsWith('rtt.loaded.')) end(measurement);
    else if (isThroughput(measurement)) {
      // Both directions at once are one run; the same direction again is the next.
      if (rates.some(({ metric }) => metric === measurement.metric)) end(undefined);
      rates.push(measurement);
    } else if (!isLoadLatency(measurement)) end(undefined);
  }
  end(undefined);
  return loads;
}

function isThroughput({ metric }: Measurement): boolean {
  return metric === 'throughput.up' || metric === 'throughput.down';
}

function measuredViews(target: string, measurements: readonly Measurement[]): PathView[] {
  const names = [...new Set(measurements.map(({ path }) => path))];
  return names.map((name) =>
    viewOf({
      peer: target,
      name: name === 'default' ? '' : name,
      measurements: measurements.filter(({ path }) => path === name),
      subject: undefined,
      chosenFor: [],
    }),
  );
}

function viewOf(given: {
  peer: string;
  name: string;
  measurements: readonly Measurement[];
  subject: Subject | undefined;
  chosenFor: PathView['chosenFor'];
}): PathView {
  const { peer, name, measurements, subject, chosenFor } = given;
  const link = detailsOf<LinkDetails>(measurements, ({ probe }) => probe === 'link')?.link;
  const interfaceName = link?.name ?? subject?.facts['interface'];
  const measuredMtu = measurements.filter(({ probe, summary, outcome }) => probe === 'mtu' && outcome === 'ok' && summary?.unit === 'bytes');
  const interfaceMtu = Number(link?.mtu ?? subject?.facts['mtu'] ?? Number.NaN);
  const mtuBytes =
    measuredMtu.length > 0
      ? Math.min(...measuredMtu.map(({ summary }) => summary?.median ?? Number.NaN))
      : interfaceMtu > 0
        ? interfaceMtu
        : undefined;
  return {
    peer,
    name: name === 'default' ? '' : name,
    kind: subject?.kind ?? (subject?.role === 'target' ? undefined : subject?.role),
    address: subject?.address,
    measurements,
    limits: subject?.limits ?? [],
    rtt: rttOf(measurements),
    up: rateOf(measurements, 'throughput.up'),
    down: rateOf(measurements, 'throughput.down'),
    mtuBytes,
    mtuTold: mtuBytes === undefined ? undefined : measuredMtu.length > 0 ? 'measured' : 'of the interface',
    link,
    interfaceName,
    tailscale: detailsOf<TailscaleDetails>(measurements, ({ probe }) => probe === 'tailscale'),
    trace: detailsOf<TraceDetails>(measurements, ({ probe }) => probe === 'trace'),
    chosenFor,
  };
}

function rttOf(measurements: readonly Measurement[]): Measurement | undefined {
  const ok = measurements.filter(({ outcome, summary }) => outcome === 'ok' && summary?.unit === 'ms');
  const by = (probe: string, metric: string): Measurement | undefined => ok.find((each) => each.probe === probe && each.metric === metric);
  return (
    by('echo', 'rtt') ??
    by('ping', 'rtt') ??
    ok.find(({ metric }) => metric === 'rtt') ??
    ok.find(({ metric }) => ['connect', 'dns'].includes(metric))
  );
}

/** The first figure of a direction alone; one that is possible, if there is one. */
function rateOf(measurements: readonly Measurement[], metric: string): Measurement | undefined {
  const rates = measurements.filter((each) => each.metric === metric && each.summary);
  return rates.find((each) => aboveCeiling(each) === undefined) ?? rates[0];
}

function detailsOf<T>(measurements: readonly Measurement[], which: (measurement: Measurement) => boolean): Partial<T> | undefined {
  return measurements.find((each) => which(each) && each.details !== undefined)?.details as Partial<T> | undefined;
}
