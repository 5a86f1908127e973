import type { HostAbout, Ports } from '../base/index.js';
import { attachCeilings, limitsOf } from '../diagnose/index.js';
import type { PathEvidence } from '../diagnose/index.js';
import { PATH_KINDS, kindOfAddress } from '../paths/index.js';
import type { PathKind } from '../paths/index.js';
import type { Comparison, Measurement, PathChoice, Subject } from '../results/index.js';
import { askBothEnds } from './both-ends.js';
import type { BothEnds } from './both-ends.js';
import type { CheckRequest } from './check.js';
import { lookAt, targetSubject, unresolved } from './check-target.js';
import { Collected } from './collected.js';
import { comparePaths } from './compare-paths.js';
import { containersSubject, lookForContainers } from './containers.js';
import type { Unchecked } from './discover-paths.js';
import type { TargetFindings } from './discover.js';
import { addLayers } from './layers.js';
import type { PathLayers } from './layers.js';
import type { Stage } from './plan-check.js';
import { planPaths } from './plan-paths.js';
import { planLines, runStages, stagesMs } from './run-check.js';
import type { PeerPaths } from './select-paths.js';
import type { NamedTarget } from './targets.js';

/** What a check of peers found; judged by the caller. */
export interface CheckedPeers {
  readonly subjects: readonly Subject[];
  /** One a path, in the order of the subjects. */
  readonly evidence: readonly PathEvidence[];
  /** What concerns this host whatever the path. */
  readonly host: readonly Measurement[];
  readonly comparisons: readonly Comparison[];
  readonly choices: readonly PathChoice[];
  readonly unchecked: readonly Unchecked[];
  /** One a subject: which path of which peer it is. */
  readonly named: readonly NamedTarget[];
}

interface LookedAt {
  readonly group: PeerPaths;
  readonly named: NamedTarget;
  readonly found: TargetFindings;
  readonly key: Uint8Array | undefined;
}

/** Measures every path of every peer, paths to the same peer in turns. */
export async function checkPeers(
  ports: Ports,
  request: CheckRequest,
  given: { readonly groups: readonly PeerPaths[]; readonly keyOf: (named: NamedTarget) => Uint8Array | undefined; readonly startedAt: string },
): Promise<CheckedPeers> {
  const { groups, keyOf, startedAt } = given;
  const all = groups.flatMap((group) => group.paths.map((named) => ({ group, named, key: keyOf(named) })));
  request.progress.update(`looking at ${all.map(({ named }) => named.target.text).join(', ')}`, undefined);
  const family = request.family === undefined ? {} : { family: request.family };
  const found = await lookAt(
    ports,
    all.map(({ named }) => named),
    { keys: all.map(({ key }) => key), signal: request.signal, ...family },
  );
  const interfaces = await ports.facts.interfaces();
  const looked = all.map((path, i): LookedAt => {
    const one = found[i] as TargetFindings;
    const kind = declaredKind(path.named) ?? path.named.kind ?? (one.address && kindOfAddress(one.address.host, { interfaces, tailnet: [] }));
    const named = { ...path.named, ...(kind === undefined ? {} : { kind }) };
    return { ...path, named, found: { ...one, named } };
  });
  const { kept, unchecked } = leaveOut(looked);
  const abouts = await askBothEnds(ports, kept, request.signal);
  const collected = new Collected(request.seed);
  const stages = groups.flatMap((group) =>
    stagesOf(group, { kept, abouts: abouts.map(({ near }) => near), request, collected, peers: groups.length }),
  );
  request.progress.planned({ lines: planLines(stages), totalMs: stagesMs(stages) });
  await runStages(ports, stages, {
    ...family,
    keyOf: (subject) => kept[subject]?.key,
    seed: request.seed,
    signal: request.signal,
    progress: request.progress,
    silent: (subject) => collected.silent(subject),
    onMeasured: (step, results) => collected.add(step, results),
    afterMs: 0,
  });
  const containers = request.signal.aborted
    ? { measurements: [], unchecked: [] }
    : await containersBeside(ports, request, { kept, abouts, collected });
  const measured = kept.map((path, i) => [...(overSshOnly(path) ? [] : unresolved(ports, path.found, startedAt)), ...collected.measurements(i)]);
  const evidence = kept.map((path, i) => evidenceOf(path, measured[i] ?? [], abouts[i] ?? {}));
  return {
    subjects: [...kept.map((path, i) => subjectOf(path, measured[i] ?? [], abouts[i] ?? {})), ...containersSubject(containers.measurements)],
    host: containers.measurements,
    evidence,
    ...comparisonsOf(groups, kept, { collected, measured: evidence.map((path) => attachCeilings(path.measurements, limitsOf(path))) }),
    unchecked: [
      ...unchecked,
      ...stoppedAnswering(kept, collected),
      ...containers.unchecked,
      ...abouts.flatMap(({ unchecked: why }) => (why ? [why] : [])),
    ],
    named: kept.map(({ named }) => named),
  };
}

/** What was not even begun, since the path was gone by then. */
function stoppedAnswering(kept: readonly LookedAt[], collected: Collected): Unchecked[] {
  return kept.flatMap(({ group, named, found }, i) =>
    found.address && collected.answered(i) && collected.silent(i)
      ? [{ what: `path MTU of ${group.paths.length > 1 ? `${group.name}/${named.path}` : group.name}`, why: 'it had stopped answering by then' }]
      : [],
  );
}

/** Containers of this host that talk over these paths: their networks have to fit to them. */
function containersBeside(
  ports: Ports,
  request: CheckRequest,
  { kept, abouts, collected }: { readonly kept: readonly LookedAt[]; readonly abouts: readonly BothEnds[]; readonly collected: Collected },
): ReturnType<typeof lookForContainers> {
  const mtus = kept.flatMap((_, i) =>
    collected.measurements(i).flatMap(({ probe, summary }) => (probe === 'mtu' && summary ? [summary.median] : [])),
  );
  const otherSubnets = abouts.flatMap(({ far }) =>
    (far?.containerSubnets ?? []).map((subnet) => ({ subnet, what: `containers on ${far?.name ?? 'the peer'}` })),
  );
  return lookForContainers(ports, request, {
    ...(mtus.length > 0 ? { pathMtuBytes: Math.min(...mtus) } : {}),
    ...(otherSubnets.length > 0 ? { otherSubnets } : {}),
  });
}

/** A person who calls a path `tailscale` or `wan` knows better than its address tells. */
function declaredKind({ path, peer, declared }: NamedTarget): PathKind | undefined {
  return peer && declared ? PATH_KINDS.find((kind) => kind === path) : undefined;
}

/** A path on which `ssh` goes over another host: no address of its own, and nothing else to measure on it. */
function overSshOnly({ named, found }: LookedAt): boolean {
  return named.kind === 'ssh' && named.sshAlias !== undefined && !found.address;
}

/** A path that was found and not asked for is left out when it leads nowhere and another one answers: nobody relies on it. */
function leaveOut(looked: readonly LookedAt[]): { kept: LookedAt[]; unchecked: Unchecked[] } {
  const answers = (path: LookedAt): boolean => path.found.tcp.answers;
  const kept: LookedAt[] = [];
  const unchecked: Unchecked[] = [];
  for (const path of looked) {
    const others = looked.filter((other) => other.group === path.group && other !== path);
    const spare = !path.named.declared && !overSshOnly(path) && !answers(path) && others.some((other) => answers(other) || other.named.declared);
    if (!spare) kept.push(path);
    else {
      const { resolution, tcp } = path.found;
      const why = resolution.outcome === 'ok' ? (tcp.reason ?? 'nothing answers there') : resolution.reason;
      unchecked.push({ what: `path ${path.named.path} of ${path.group.name} (${path.named.target.text})`, why });
    }
  }
  return { kept, unchecked };
}

interface StageContext {
  readonly kept: readonly LookedAt[];
  readonly abouts: readonly (HostAbout | undefined)[];
  readonly request: CheckRequest;
  readonly collected: Collected;
  readonly peers: number;
}

function stagesOf(group: PeerPaths, { kept, abouts, request, collected, peers }: StageContext): Stage[] {
  const paths = kept.flatMap((path, subject) => (path.group === group ? [{ subject, ...path }] : []));
  const layers = paths.map(({ subject, found, named }): PathLayers => ({
    subject,
    found,
    named,
    near: abouts[subject],
    answers: () => collected.answered(subject) && !collected.silent(subject),
  }));
  return addLayers(planPaths(paths, { depth: request.depth, sharedBy: peers }), layers, { depth: request.depth });
}

function subjectOf({ found, group, named }: LookedAt, measurements: readonly Measurement[], { near, far }: BothEnds): Subject {
  const head = targetSubject(found);
  const several = group.paths.length > 1;
  return {
    ...head,
    name: several ? `${group.name}/${named.path}` : group.name,
    peer: group.name,
    path: named.path,
    ...(named.kind === undefined ? {} : { kind: named.kind }),
    ...(near || far ? { ends: { ...(near ? { near } : {}), ...(far ? { far } : {}) } } : {}),
    facts: { ...head.facts, ...(named.source === undefined || named.declared ? {} : { 'found by': SOURCES[named.source] ?? named.source }) },
    measurements: [...measurements],
  };
}

const SOURCES: Readonly<Record<string, string>> = {
  ssh: "the secure shell's configuration",
  tailscale: 'the Tailscale client',
  mdns: 'multicast DNS',
  dns: 'the name',
};

function evidenceOf({ group, named, found }: LookedAt, measurements: readonly Measurement[], about: BothEnds): PathEvidence {
  return {
    peer: group.name,
    path: named.path,
    kind: named.kind ?? 'other',
    ...(found.address ? { address: found.address.host } : {}),
    measurements,
    ...(about.near ? { near: about.near } : {}),
    ...(about.far ? { far: about.far } : {}),
  };
}

function comparisonsOf(
  groups: readonly PeerPaths[],
  kept: readonly LookedAt[],
  { collected, measured }: { readonly collected: Collected; readonly measured: readonly (readonly Measurement[])[] },
): { comparisons: Comparison[]; choices: PathChoice[] } {
  const compared = groups.map((group) =>
    comparePaths(
      group.name,
      kept.flatMap((path, i) =>
        path.group === group
          ? [
              {
                path: path.named.path,
                ...(path.named.kind === undefined ? {} : { kind: path.named.kind }),
                series: collected.series(i, path.named.path),
                measurements: measured[i] ?? [],
                gone: collected.answered(i) && collected.silent(i),
              },
            ]
          : [],
      ),
    ),
  );
  return { comparisons: compared.flatMap(({ comparisons }) => comparisons), choices: compared.flatMap(({ choices }) => choices) };
}
