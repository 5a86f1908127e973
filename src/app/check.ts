import { VERSION } from '../base/index.js';
import type { Ports } from '../base/index.js';
import { adviseForPath, attachCeilings, findingsOf, limitsOf, rateAll } from '../diagnose/index.js';
import type { Bands, Evidence, PathEvidence, PriceList } from '../diagnose/index.js';
import type { Peer } from '../paths/index.js';
import type { Advice, CheckDocument, Subject } from '../results/index.js';
import { environmentOf } from '../store/index.js';
import { readPrices } from './advise-prices.js';
import { checkAround } from './check-around.js';
import type { SelfServe } from './check-host.js';
import { checkPeers } from './check-peers.js';
import type { CheckedPeers } from './check-peers.js';
import type { Depth } from './config-schema.js';
import { documentHead } from './head.js';
import { readKey } from './key.js';
import type { Progress } from './progress.js';
import { selectPaths } from './select-paths.js';
import type { NamedTarget } from './targets.js';
import { verdictOf } from './verdict.js';

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
  /** Finds further paths to a peer in what this host knows (ssh, Tailscale, mDNS, DNS), for the person whose home this is. */
  readonly discover?: { readonly homeFolder: string };
  /** A file with prices for upgrade advice. */
  readonly pricesFile?: string;
  /** Variables that say where a container engine listens. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Measures, rates, diagnoses and concludes. First a short look at what answers, then a plan with its time, then
 * the plan. When `signal` aborts, the document holds what was measured until then.
 * @throws TautlineError `usage` or `config` for what was asked; never for what the network does
 */
export async function check(ports: Ports, request: CheckRequest): Promise<CheckDocument> {
  const selected = await selectPaths(ports, request);
  const keyOf = await readKeys(
    ports,
    selected.groups.flatMap(({ paths }) => paths),
    request.keyFile,
  );
  const prices = request.pricesFile === undefined ? undefined : await readPrices(ports.files, request.pricesFile);
  const head = await documentHead(ports);
  const startedMs = ports.clock.nowMs();
  const asked = selected.groups.length > 0;
  const checked = asked
    ? await checkPeers(ports, request, { groups: selected.groups, keyOf, startedAt: head.startedAt })
    : await checkAround(ports, request);
  const judged = judge(checked, request);
  const remotes = judged.subjects.flatMap(({ role, address }) => (role === 'interface' || address === undefined ? [] : [address]));
  const advice = adviceFor(checked.evidence, judged.subjects, { today: head.startedAt.slice(0, 10), ...(prices ? { prices } : {}) });
  return {
    schema: 'tautline.check/1',
    ...head,
    durationMs: ports.clock.nowMs() - startedMs,
    ...(request.signal.aborted ? { interrupted: true } : {}),
    ...(request.target === undefined ? {} : { target: request.target }),
    depth: request.depth,
    ...judged,
    unchecked: [...selected.unchecked, ...checked.unchecked],
    ...(advice ? { advice } : {}),
    environment: await environmentOf(ports.facts, { remotes: [...new Set(remotes)], tool: `tautline ${VERSION}` }),
    verdict: verdictOf(judged, checked, request),
  };
}

export type Checked = CheckedPeers;

/** Bounds, ratings and findings, from what was measured. */
function judge(checked: Checked, request: CheckRequest): Pick<CheckDocument, 'subjects' | 'comparisons' | 'choices' | 'findings'> {
  const { comparisons, choices } = checked;
  const limits = checked.evidence.map(limitsOf);
  const bounded = checked.subjects.map((subject, i) => attachCeilings(subject.measurements, limits[i] ?? []));
  const evidence: Evidence = {
    paths: checked.evidence.map((path, i) => ({ ...path, measurements: bounded[i] ?? path.measurements })),
    host: checked.host,
  };
  return {
    subjects: checked.subjects.map((subject, i) => ({
      ...subject,
      measurements: rateAll(bounded[i] ?? [], request.bands),
      ...((limits[i]?.length ?? 0) > 0 ? { limits: limits[i] } : {}),
    })),
    ...(comparisons.length > 0 ? { comparisons: [...comparisons] } : {}),
    ...(choices.length > 0 ? { choices: [...choices] } : {}),
    findings: findingsOf(evidence),
  };
}

/** What a faster link would change, for the first path whose link is what limits it. */
function adviceFor(
  evidence: readonly PathEvidence[],
  subjects: readonly Subject[],
  more: { readonly today: string; readonly prices?: PriceList },
): Advice | undefined {
  for (const [i, path] of evidence.entries()) {
    const advice = adviseForPath({ ...path, measurements: subjects[i]?.measurements ?? [] }, subjects[i]?.limits ?? [], more);
    if (advice) return advice;
  }
  return undefined;
}

async function readKeys(
  ports: Ports,
  paths: readonly NamedTarget[],
  general: string | undefined,
): Promise<(named: NamedTarget) => Uint8Array | undefined> {
  const keys = new Map<string, Uint8Array>();
  const fileOf = (named: NamedTarget): string | undefined => named.peer?.keyFile ?? general;
  for (const file of new Set(paths.map(fileOf))) if (file !== undefined) keys.set(file, await readKey(ports.files, file));
  return (named) => keys.get(fileOf(named) ?? '');
}
