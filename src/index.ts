/**
 * Tautline for programs: measure a path, check it, read the documents. What the command line does,
 * as two functions; the rooms below have subpaths of their own (`tautline/probe`, `tautline/stats` ...).
 *
 *     import { check, measure } from 'tautline';
 *     const document = await measure('echo', '10.0.0.2:7227', { probeOptions: { count: 100 } });
 *     const { verdict } = await check('10.0.0.2:7227', { depth: 'quick' });
 */
import { NO_PROGRESS, check as runCheck, createHostPorts, measure as runMeasure, startSelf } from './app/index.js';
import type { Depth, HostPorts, Progress } from './app/index.js';
import { resolveBands } from './diagnose/index.js';
import type { BandOverrides } from './diagnose/index.js';
import { definePeer } from './paths/index.js';
import type { PeerDeclaration } from './paths/index.js';
import type { CheckDocument, MeasureDocument } from './results/index.js';

export interface RunSettings {
  /** Edges of rating bands, by metric, in the metric's unit (milliseconds, bits per second, shares of one). */
  readonly bands?: BandOverrides;
  readonly peers?: Readonly<Record<string, PeerDeclaration>>;
  /** File with the pre-shared key of the `tautline serve` at the other end. */
  readonly keyFile?: string;
  /** Seed of every random choice; default 1. */
  readonly seed?: number;
  readonly family?: 4 | 6;
  /** On abort the document holds what was measured until then. */
  readonly signal?: AbortSignal;
  readonly progress?: Progress;
}

/**
 * Runs one probe. `probeOptions` are the probe's own, by the names of its type in `tautline/probe`.
 * @throws TautlineError `usage` or `config` for what was asked; what the network does is an outcome
 */
export function measure(
  probe: string,
  target: string,
  settings: RunSettings & { readonly probeOptions?: Readonly<Record<string, unknown>> } = {},
): Promise<MeasureDocument> {
  const options = { ...(settings.family === undefined ? {} : { family: settings.family }), ...settings.probeOptions };
  return withPorts((ports) => runMeasure(ports, { ...common(settings), probe, target, options }));
}

/** Measures, rates and concludes; without a target: the peers, else this host and what it is connected to. */
export function check(target?: string, settings: RunSettings & { readonly depth?: Depth } = {}): Promise<CheckDocument> {
  return withPorts((ports) =>
    runCheck(ports, {
      ...common(settings),
      ...(target === undefined ? {} : { target }),
      ...(settings.family === undefined ? {} : { family: settings.family }),
      depth: settings.depth ?? 'default',
      startSelf,
    }),
  );
}

async function withPorts<T>(work: (ports: HostPorts) => Promise<T>): Promise<T> {
  const ports = createHostPorts({ logLevel: 'none' });
  try {
    return await work(ports);
  } finally {
    await ports.close();
  }
}

function common(settings: RunSettings) {
  return {
    peers: Object.entries(settings.peers ?? {}).map(([name, declaration]) => definePeer(name, declaration)),
    bands: resolveBands(settings.bands ?? {}),
    ...(settings.keyFile === undefined ? {} : { keyFile: settings.keyFile }),
    seed: settings.seed ?? 1,
    signal: settings.signal ?? new AbortController().signal,
    progress: settings.progress ?? NO_PROGRESS,
  };
}

export { TautlineError, VERSION, parseTarget } from './base/index.js';
export type { ErrorCode, Target } from './base/index.js';
export type { BandOverrides, Depth, PeerDeclaration, Progress };
export * from './results/index.js';
