import { formatEndpoint } from '../base/index.js';
import type { Ports, Target } from '../base/index.js';
import { conclude, rateAll } from '../diagnose/index.js';
import type { Bands } from '../diagnose/index.js';
import type { Peer } from '../paths/index.js';
import type { CheckDocument, Measurement, Subject } from '../results/index.js';
import { hostSubjects, selfSubject, selfUnchecked } from './check-host.js';
import type { SelfServe } from './check-host.js';
import { lookAt, targetSubject, unresolved } from './check-target.js';
import type { Depth } from './config-schema.js';
import { discoverHost } from './discover.js';
import { documentHead } from './head.js';
import { readKey } from './key.js';
import { planHost, planSelf, planTarget } from './plan-check.js';
import type { Stage } from './plan-check.js';
import type { Progress } from './progress.js';
import { runStages, stagesMs } from './run-check.js';
import type { RunOptions } from './run-check.js';
import { pathsOf, resolveTargets } from './targets.js';
import type { NamedTarget } from './targets.js';

export interface CheckRequest {
  /** A peer's name, host, host:port or URL. Without it: the peers, else this host and what it is connected to. */
  readonly target?: string;
  readonly depth: Depth;
  readonly peers: readonly Peer[];
  readonly bands: Bands;
  readonly keyFile?: string;
  readonly family?: 4 | 6;
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Starts a responder on loopback, for this host's own ceiling. */
  readonly startSelf: () => Promise<SelfServe>;
}

/**
 * Measures, rates and concludes. First a short look at what answers, then a plan with its time, then
 * the plan. When `signal` aborts, the document holds what was measured until then.
 * @throws TautlineError `usage` or `config` for what was asked; never for what the network does
 */
export async function check(ports: Ports, request: CheckRequest): Promise<CheckDocument> {
  const targets = request.target === undefined ? request.peers.flatMap(pathsOf) : resolveTargets(request.target, request.peers);
  const keys = await Promise.all(targets.map((named) => keyFor(ports, named.peer?.keyFile ?? request.keyFile)));
  const head = await documentHead(ports);
  const startedMs = ports.clock.nowMs();
  const subjects =
    targets.length > 0 ? await checkTargets(ports, request, { targets, keys, startedAt: head.startedAt }) : await checkHost(ports, request);
  const rated = subjects.map((subject) => ({ ...subject, measurements: rateAll(subject.measurements, request.bands) }));
  return {
    schema: 'tautline.check/1',
    ...head,
    durationMs: ports.clock.nowMs() - startedMs,
    ...(request.signal.aborted ? { interrupted: true } : {}),
    ...(request.target === undefined ? {} : { target: request.target }),
    depth: request.depth,
    subjects: rated,
    verdict: conclude({
      subjects: rated.map((subject, i) => ({ ...subject, ...askedOf(targets[i]) })),
      bands: request.bands,
      ...(targets.length > 0 ? { target: request.target ?? 'the peers' } : {}),
      interrupted: request.signal.aborted,
    }),
  };
}

/** The port that a person named, as the measurements of it are called. */
function askedOf(named: NamedTarget | undefined): { asked?: string } {
  const port = named?.target.port;
  return named === undefined || port === undefined ? {} : { asked: formatEndpoint({ host: named.target.host, port }) };
}

interface Targets {
  readonly targets: readonly NamedTarget[];
  readonly keys: readonly (Uint8Array | undefined)[];
  readonly startedAt: string;
}

async function checkTargets(ports: Ports, request: CheckRequest, { targets, keys, startedAt }: Targets): Promise<Subject[]> {
  request.progress.update(`looking at ${targets.map((named) => named.target.text).join(', ')}`, undefined);
  const found = await lookAt(ports, targets, { keys, signal: request.signal, ...familyOf(request) });
  const subjects = found.map((item) => ({ ...targetSubject(item), measurements: unresolved(ports, item, startedAt) }));
  const stages = found.flatMap((item, subject) => planTarget(subject, item, { depth: request.depth, sharedBy: found.length }));
  announce(request.progress, stages, 0);
  await runStages(ports, stages, { ...runOptions(request, subjects), keyOf: (subject) => keys[subject], afterMs: 0 });
  return subjects;
}

async function checkHost(ports: Ports, request: CheckRequest): Promise<Subject[]> {
  request.progress.update('looking at this host', undefined);
  const found = await discoverHost(ports, familyOf(request));
  const self = hostSubjects(found).length;
  const subjects: Subject[] = [...hostSubjects(found), selfSubject()].map((subject) => ({ ...subject, measurements: [] }));
  const stages = planHost(found, { depth: request.depth, firstSubject: 0 });
  // The port is not known before the responder runs; the time is.
  const selfMs = stagesMs(planSelf(self, SELF, request.depth));
  announce(request.progress, [...stages, ...planSelf(self, SELF, request.depth)], 0);
  const options = runOptions(request, subjects);
  await runStages(ports, stages, { ...options, afterMs: selfMs });
  const subject = subjects[self];
  if (subject && !request.signal.aborted) await measureSelf(ports, request, { ...options, subject, index: self });
  return subjects;
}

const SELF: Target = { text: 'this host itself', host: '127.0.0.1' };

async function measureSelf(ports: Ports, request: CheckRequest, options: RunOptions & { subject: Subject; index: number }): Promise<void> {
  const serve = await request.startSelf().catch((error: unknown) => {
    options.onMeasured(options.index, [selfUnchecked(ports, error)]);
  });
  if (!serve) return;
  try {
    const { endpoint } = serve;
    options.subject.address = endpoint.host;
    const stages = planSelf(options.index, { host: endpoint.host, port: endpoint.port, text: formatEndpoint(endpoint) }, request.depth);
    const { family: _, ...either } = options;
    await runStages(ports, stages, { ...either, afterMs: 0 });
  } finally {
    await serve.close();
  }
}

function runOptions(request: CheckRequest, subjects: readonly { measurements: Measurement[] }[]): RunOptions {
  return {
    keyOf: () => undefined,
    ...familyOf(request),
    seed: request.seed,
    signal: request.signal,
    progress: request.progress,
    onMeasured: (subject, measurements) => void subjects[subject]?.measurements.push(...measurements),
  };
}

function announce(progress: Progress, stages: readonly Stage[], afterMs: number): void {
  const lines = stages.map((stage) => stage.map((step) => step.label).join(' and '));
  if (lines.length > 0) progress.planned({ lines, totalMs: stagesMs(stages) + afterMs });
}

async function keyFor(ports: Ports, keyFile: string | undefined): Promise<Uint8Array | undefined> {
  return keyFile === undefined ? undefined : readKey(ports.files, keyFile);
}

function familyOf(request: { family?: 4 | 6 }): { family?: 4 | 6 } {
  return request.family === undefined ? {} : { family: request.family };
}
