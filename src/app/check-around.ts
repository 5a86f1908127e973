import type { Ports, Target } from '../base/index.js';
import type { PathEvidence } from '../diagnose/index.js';
import type { Measurement, Subject } from '../results/index.js';
import { nearEnds } from './both-ends.js';
import { hostSubjects, selfSubject, selfUnchecked } from './check-host.js';
import type { CheckRequest, Checked } from './check.js';
import { Collected } from './collected.js';
import { containersSubject, lookForContainers } from './containers.js';
import { discoverHost } from './discover.js';
import type { HostFindings } from './discover.js';
import { linkStages } from './layers.js';
import { planHost, planSelf } from './plan-check.js';
import { planLines, runStages, stagesMs } from './run-check.js';
import type { RunOptions } from './run-check.js';

/** A check of nothing in particular: this host's interfaces, its gateways and resolvers, its containers, and what it can do at most. */
export async function checkAround(ports: Ports, request: CheckRequest): Promise<Checked> {
  request.progress.update('looking at this host', undefined);
  const found = await discoverHost(ports, request.family === undefined ? {} : { family: request.family });
  const around = hostSubjects(found);
  const self = around.length;
  const collected = new Collected(request.seed);
  const stages = [...planHost(found, { depth: request.depth, firstSubject: 0 }), ...linkStages(found.interfaces)];
  // The port is not known before the responder runs; the time is.
  const later = planSelf(self, SELF, request.depth);
  request.progress.planned({ lines: planLines([...stages, ...later]), totalMs: stagesMs(stages) + stagesMs(later) });
  const options: RunOptions = {
    keyOf: () => undefined,
    ...(request.family === undefined ? {} : { family: request.family }),
    seed: request.seed,
    signal: request.signal,
    progress: request.progress,
    onMeasured: (step, results) => collected.add(step, results),
  };
  await runStages(ports, stages, { ...options, afterMs: stagesMs(later) });
  const containers = request.signal.aborted ? { measurements: [], unchecked: [] } : await lookForContainers(ports, request, {});
  const own = request.signal.aborted ? {} : await measureSelf(ports, request, { ...options, index: self });
  const subjects = around.map((subject, i): Subject => ({ ...subject, measurements: collected.measurements(i) }));
  const itself: Subject = {
    ...selfSubject(),
    ...(own.address === undefined ? {} : { address: own.address }),
    measurements: [...collected.measurements(self), ...(own.unchecked ?? [])],
  };
  return {
    subjects: [...subjects, ...containersSubject(containers.measurements), itself],
    evidence: await evidenceOf(ports, found, subjects),
    host: containers.measurements,
    comparisons: [],
    choices: [],
    unchecked: containers.unchecked,
    named: [],
  };
}

const SELF: Target = { text: 'this host itself', host: '127.0.0.1' };

async function measureSelf(
  ports: Ports,
  request: CheckRequest,
  options: RunOptions & { index: number },
): Promise<{ address?: string; unchecked?: Measurement[] }> {
  const serve = await request.startSelf().catch((error: unknown) => ({ unchecked: [selfUnchecked(ports, error)] }));
  if ('unchecked' in serve) return serve;
  try {
    const { endpoint } = serve;
    const stages = planSelf(options.index, { host: endpoint.host, port: endpoint.port, text: `${endpoint.host}:${endpoint.port}` }, request.depth);
    const { family: _, ...either } = options;
    await runStages(ports, stages, { ...either, afterMs: 0 });
    return { address: endpoint.host };
  } finally {
    await serve.close();
  }
}

/** Gateways and resolvers are paths too, each seen with the interface that leads to it; one for every subject, so that both lists go together. */
async function evidenceOf(ports: Ports, found: HostFindings, subjects: readonly Subject[]): Promise<PathEvidence[]> {
  const near = await nearEnds(
    ports,
    subjects.map(({ role, address }) => (role === 'gateway' || role === 'resolver' ? address : undefined)),
  );
  return subjects.map((subject, i): PathEvidence => {
    const about = near[i];
    const link = subjects.find(({ role, name }) => role === 'interface' && name === about?.link?.name);
    return {
      peer: subject.role === 'interface' ? 'this host' : `the ${subject.role} ${subject.address ?? ''}`.trim(),
      path: subject.role === 'interface' ? subject.name : 'default',
      kind: found.gateways.some(({ gateway }) => gateway === subject.address) ? 'lan' : 'other',
      ...(subject.address === undefined ? {} : { address: subject.address }),
      measurements: [...subject.measurements, ...(link && link !== subject ? link.measurements : [])],
      ...(about ? { near: about } : {}),
    };
  });
}
