import { TautlineError } from '../base/index.js';
import type { Clock, Files, HostFacts } from '../base/index.js';
import type { HistoryDocument, HistoryEntry, ResultDocument } from '../results/index.js';
import { readRun, readRuns, runNames } from '../store/index.js';
import type { KeptRun, RunName } from '../store/index.js';
import { documentHead } from './head.js';
import { plotOf } from './history-plot.js';
import { changesBetween, figuresOf, measurementsOf, targetsOf } from './kept-figures.js';
import { nearest } from './nearest.js';

export interface HistoryRequest {
  readonly folder: string;
  readonly target?: string;
  readonly path?: string;
  readonly metric?: string;
  readonly sinceMs?: number;
  readonly limit: number;
  readonly plot: boolean;
}

/** What was measured before, the newest last. @throws TautlineError `usage` for a metric, path or target that no kept run has */
export async function history(ports: { files: Files; facts: HostFacts; clock: Clock }, request: HistoryRequest): Promise<HistoryDocument> {
  const startedMs = ports.clock.nowMs();
  const head = await documentHead(ports);
  const archive = { files: ports.files, folder: request.folder };
  const { runs, skipped, more } = await readRuns(archive, {
    newest: request.limit,
    ...(request.sinceMs === undefined ? {} : { sinceMs: ports.clock.wallMs() - request.sinceMs }),
    wanted: (document) => (request.target === undefined || targetsOf(document).includes(request.target)) && hasFigure(document, request),
  });
  if (runs.length === 0) await refuseUnknown(archive, request);
  const entries = runs.map((run, i) => entryOf(run, runs.slice(0, i)));
  return {
    schema: 'tautline.history/1',
    ...head,
    durationMs: ports.clock.nowMs() - startedMs,
    folder: request.folder,
    entries,
    ...(more ? { more } : {}),
    ...(skipped.length > 0 ? { skipped: [...skipped] } : {}),
    ...(request.plot ? plotOf(runs, entries, request) : {}),
  };
}

/** One kept run by its id, the beginning of its id, or the beginning of its hash; `last` is the newest. */
export async function keptRun(ports: { files: Files }, folder: string, text: string): Promise<KeptRun> {
  const archive = { files: ports.files, folder };
  const name = chooseName(await runNames(archive), text);
  const found = await readRun(archive, name);
  if ('why' in found)
    throw new TautlineError('io', `the kept run ${found.file} cannot be read: ${found.why}`, { hint: 'tautline history lists those that can' });
  return found;
}

function chooseName(names: readonly RunName[], text: string): RunName {
  const last = names.at(-1);
  if (!last) throw new TautlineError('usage', 'no run has been kept yet', { hint: "'tautline check' keeps one" });
  if (text === 'last') return last;
  const found = names.filter(({ id, hash }) => id.startsWith(text) || hash.startsWith(text));
  if (found[0] && found.length === 1) return found[0];
  if (found.length > 1) {
    throw new TautlineError('usage', `'${text}' is the beginning of ${found.length} kept runs`, {
      hint: `write more of it, for example ${found[0]?.hash}; tautline history lists them`,
    });
  }
  const guess = nearest(
    text,
    names.map(({ hash }) => hash),
  );
  throw new TautlineError('usage', `there is no kept run '${text}'`, {
    hint: guess === undefined ? 'tautline history lists them' : `did you mean '${guess}'?`,
  });
}

function hasFigure(document: ResultDocument, { metric, path }: HistoryRequest): boolean {
  if (metric === undefined && path === undefined) return true;
  return measurementsOf(document).some(
    ({ measurement }) => (metric === undefined || measurement.metric === metric) && (path === undefined || measurement.path === path),
  );
}

/** `before`: the runs before it, among which the last with the same target is what its environment is compared to. */
function entryOf({ name, document }: KeptRun, before: readonly KeptRun[]): HistoryEntry {
  const { environment, verdict } = document;
  const last = before.findLast((run) => sameTarget(run.document, document) && run.document.environment !== undefined);
  const changed = changesBetween(last?.document.environment, environment);
  const findings = document.schema === 'tautline.check/1' ? document.findings : undefined;
  return {
    id: name.id,
    kind: name.kind,
    ...(document.schema === 'tautline.measure/1' ? { probe: document.probe } : {}),
    startedAt: document.startedAt,
    ...(document.target === undefined ? {} : { target: document.target }),
    ...(document.interrupted === true ? { interrupted: true } : {}),
    ...(environment ? { fingerprint: environment.fingerprint } : {}),
    ...(changed.length > 0 ? { changed } : {}),
    ...(verdict ? { verdict } : {}),
    ...(findings ? { findings: findings.map(({ id }) => id) } : {}),
    figures: figuresOf(document),
  };
}

function sameTarget(a: ResultDocument, b: ResultDocument): boolean {
  return a.schema === b.schema && a.target === b.target;
}

/** Where nothing is left, a name may be mistyped: that is told, and an empty archive is no error. */
async function refuseUnknown(archive: { files: Files; folder: string }, request: HistoryRequest): Promise<void> {
  if (request.target === undefined && request.metric === undefined && request.path === undefined) return;
  const { runs } = await readRuns(archive, { newest: REMEMBERED });
  if (runs.length === 0) return;
  const documents = runs.map(({ document }) => document);
  const figures = documents.flatMap(measurementsOf);
  const known = {
    target: [...new Set(documents.flatMap(targetsOf))],
    metric: [...new Set(figures.map(({ measurement }) => measurement.metric))],
    path: [...new Set(figures.map(({ measurement }) => measurement.path))],
  };
  for (const what of ['target', 'metric', 'path'] as const) {
    const asked = request[what];
    if (asked === undefined || known[what].includes(asked)) continue;
    const guess = nearest(asked, known[what]);
    throw new TautlineError('usage', `no kept run has the ${what} '${asked}'`, {
      hint: guess === undefined ? `there are ${known[what].slice(0, NAMED_MAX).join(', ')}` : `did you mean '${guess}'?`,
    });
  }
}

/** So many of the newest runs are looked through for a name that was meant. */
const REMEMBERED = 100;
const NAMED_MAX = 12;
