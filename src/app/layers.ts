import type { HostAbout, NetworkInterface, Target } from '../base/index.js';
import { PROBES } from '../probe/index.js';
import type { Depth } from './config-schema.js';
import type { TargetFindings } from './discover.js';
import type { Stage, Step } from './plan-check.js';
import type { NamedTarget } from './targets.js';

/** A path whose layers are looked at beside its figures. */
export interface PathLayers {
  readonly subject: number;
  readonly named: NamedTarget;
  readonly found: TargetFindings;
  /** This host, as it would send to the path's address. */
  readonly near: HostAbout | undefined;
  /** Whether something answered on the path, and still did when it was asked last. */
  readonly answers: () => boolean;
}

/** The probes that look at what a path consists of; where one finds nothing, the path's figures stand all the same. */
export const LAYER_PROBES: readonly string[] = ['mtu', 'link', 'trace', 'ssh', 'tailscale', 'docker'];

interface Depths {
  readonly trace: { readonly queries: number; readonly hopsMax: number; readonly flows: number; readonly timeoutMs: number };
  readonly logins: number;
}

const DEPTHS: Readonly<Record<Depth, Depths>> = {
  quick: { trace: { queries: 1, hopsMax: 16, flows: 1, timeoutMs: 400 }, logins: 1 },
  default: { trace: { queries: 3, hopsMax: 30, flows: 6, timeoutMs: 600 }, logins: 3 },
  thorough: { trace: { queries: 10, hopsMax: 30, flows: 16, timeoutMs: 1000 }, logins: 5 },
};

/** How long a link's counters are watched where no load is measured on it. */
const WATCH_MS = 1000;

/**
 * Adds what a path consists of to what is measured on it. The link is watched while the path is loaded, since
 * that is when it errs; all the rest comes after, since it would be measured in the load's queues.
 */
export function addLayers(stages: readonly Stage[], paths: readonly PathLayers[], { depth }: { readonly depth: Depth }): Stage[] {
  const known = new Set(PROBES.map(({ name }) => name));
  const after = paths.flatMap((path) => layersOf(path, depth)).map((stage) => stage.filter((step) => known.has(step.probe)));
  return [...watchLinks(stages, paths, known), ...after.filter((stage) => stage.length > 0)];
}

function watchLinks(stages: readonly Stage[], paths: readonly PathLayers[], known: ReadonlySet<string>): Stage[] {
  if (!known.has('link')) return [...stages];
  const waiting = new Map(paths.flatMap((path) => (path.near?.link ? [[path.subject, path] as const] : [])));
  const loaded = new Set(stages.flat().flatMap(({ probe, subject }) => (probe === 'throughput' ? [subject] : [])));
  const watched = stages.map((stage): Stage => {
    // Without a load, beside whatever is sent first: the counters are only read.
    const load = stage.find(({ probe, subject }) => waiting.has(subject) && (probe === 'throughput' || !loaded.has(subject)));
    if (!load) return stage;
    const path = waiting.get(load.subject) as PathLayers;
    waiting.delete(load.subject);
    return [...stage, linkStep(path, load.probe === 'throughput' ? load.options['durationMs'] : WATCH_MS)];
  });
  return [...watched, ...[...waiting.values()].map((path): Stage => [linkStep(path, WATCH_MS)])];
}

/** Looks at each interface that is up, all at once: their counters are read, nothing is sent. */
export function linkStages(interfaces: readonly NetworkInterface[]): Stage[] {
  if (!PROBES.some(({ name }) => name === 'link')) return [];
  const steps = interfaces.flatMap(({ name, up }, subject): Step[] =>
    up
      ? [{ subject, probe: 'link', target: { text: name, host: name }, path: 'default', options: { durationMs: WATCH_MS }, label: `link ${name}` }]
      : [],
  );
  return steps.length > 0 ? [steps] : [];
}

function linkStep(path: PathLayers, durationMs: unknown): Step {
  const name = path.near?.link?.name ?? '';
  return step(path, 'link', { text: name, host: name }, { durationMs });
}

function layersOf(path: PathLayers, depth: Depth): Stage[] {
  const { trace, logins } = DEPTHS[depth];
  const { found, named } = path;
  const ssh = named.sshAlias === undefined ? [] : [step(path, 'ssh', { text: named.sshAlias, host: named.sshAlias }, { logins })];
  // Nothing but ssh goes where ssh goes over another host.
  if (!found.address) return [ssh];
  const { host } = named.target;
  const plain: Target = { text: host, host };
  const serve: Target = found.serve.answers === 'yes' ? { ...plain, port: found.serve.port } : plain;
  return [
    // A size that gets no answer says nothing where no size gets one.
    [{ ...step(path, 'mtu', serve, {}), onlyIf: path.answers }],
    [
      {
        ...step(path, 'trace', found.tcp.answers ? { ...plain, port: found.tcp.port } : plain, trace),
        // Where nothing answers, each further protocol takes as long as the first, and seldom gets farther.
        optionsNow: () => (depth === 'quick' && !path.answers() ? { protocol: 'udp' } : {}),
      },
    ],
    ssh,
    named.kind === 'tailscale' ? [step(path, 'tailscale', plain, {})] : [],
  ];
}

function step(path: PathLayers, probe: string, target: Target, options: Readonly<Record<string, unknown>>): Step {
  return { subject: path.subject, probe, target, path: path.named.path, options, label: `${probe} ${target.text}` };
}
