import { TautlineError } from '../base/index.js';
import type { HostAbout, LinkFacts } from '../base/index.js';
import type { UpgradeInput } from '../diagnose/index.js';
import { aboveCeiling } from '../results/index.js';
import type { LinkDetails, Measurement, ResultDocument, Subject } from '../results/index.js';
import { readRuns } from '../store/index.js';
import type { Archive } from '../store/index.js';
import { nearest } from './nearest.js';
import { targetsOf } from './kept-figures.js';

/** How far back a peer is looked for. */
const RUNS_MAX = 200;

/** What the last kept check of a target tells of its path. @throws TautlineError `usage` where none is kept */
export async function keptPath(archive: Archive, target: string): Promise<UpgradeInput> {
  const { runs } = await readRuns(archive, { newest: RUNS_MAX });
  const run = runs.findLast(({ document }) => document.schema === 'tautline.check/1' && targetsOf(document).includes(target));
  if (!run || run.document.schema !== 'tautline.check/1') {
    const guess = nearest(target, [...new Set(runs.flatMap(({ document }) => targetsOf(document)))]);
    throw new TautlineError('usage', `no check of '${target}' is kept`, {
      hint: guess === undefined ? `run 'tautline check ${target}' first, or declare --from and --to` : `did you mean '${guess}'?`,
    });
  }
  const { document } = run;
  const subject = pathOf(document.subjects.filter((each) => each.name === target || each.peer === target || document.target === target));
  if (!subject) return {};
  const bps = best(subject.measurements, /^throughput\.(?:up|down)$/, Math.max);
  const rttMs = best(subject.measurements, /^(?:rtt|rtt\.idle)$/, Math.min);
  const { near, far } = endsOf(document, subject);
  return {
    ...(bps === undefined && rttMs === undefined
      ? {}
      : { measured: { ...(bps === undefined ? {} : { bps }), ...(rttMs === undefined ? {} : { rttMs }) } }),
    ...(subject.limits ? { limits: subject.limits } : {}),
    ...(near ? { near } : {}),
    ...(far ? { far } : {}),
  };
}

/** The path over a local network where there are several: it is the one that a cable or a switch is part of. */
function pathOf(subjects: readonly Subject[]): Subject | undefined {
  const measured = subjects.filter(({ role, measurements }) => role === 'target' && measurements.length > 0);
  return measured.find(({ kind }) => kind === 'lan') ?? measured[0];
}

function best(measurements: readonly Measurement[], metric: RegExp, pick: (a: number, b: number) => number): number | undefined {
  const figures = measurements.flatMap((each) =>
    metric.test(each.metric) && each.outcome === 'ok' && each.summary && aboveCeiling(each) === undefined ? [each.summary.median] : [],
  );
  return figures.length === 0 ? undefined : figures.reduce((a, b) => pick(a, b));
}

/** Both ends as they told of themselves when the check ran, else the near link as its probe wrote it down. */
function endsOf(document: Extract<ResultDocument, { schema: 'tautline.check/1' }>, subject: Subject): { near?: HostAbout; far?: HostAbout } {
  const { near, far } = subject.ends ?? {};
  const link = subject.measurements.flatMap((each) =>
    each.probe === 'link' ? ((each.details as Partial<LinkDetails> | undefined)?.link ?? []) : [],
  )[0];
  const nearAbout = aboutIn(near) ?? (link ? { name: document.host.name, os: document.host.os, kernel: '', cpus: 1, link } : undefined);
  const farAbout = aboutIn(far);
  return { ...(nearAbout ? { near: nearAbout } : {}), ...(farAbout ? { far: farAbout } : {}) };
}

/** A kept file may be of anybody: what is not shaped like a host's account of itself is left out. */
function aboutIn(value: unknown): HostAbout | undefined {
  const about = (typeof value === 'object' && value !== null ? value : {}) as Partial<HostAbout>;
  const link = (typeof about.link === 'object' && about.link !== null ? about.link : undefined) as LinkFacts | undefined;
  return typeof about.name === 'string' && typeof about.os === 'string' && typeof link?.name === 'string' ? (about as HostAbout) : undefined;
}
