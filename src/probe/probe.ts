import type { Ports, Target } from '../base/index.js';
import type { Measurement } from '../results/index.js';

/**
 * A way to measure. One file a probe; `registry.ts` lists them, and the command line, the help and
 * `check` follow from what each declares.
 */
export interface Probe<O extends CommonOptions = CommonOptions> {
  readonly name: string;
  /** One line for the help. */
  readonly summary: string;
  /** Flags beyond the common ones; a flag's key is the option's name in `O`. */
  readonly flags: readonly ProbeFlag[];
  readonly defaults: O;
  /** Environment variables that it wants to know, as its option `environment`. */
  readonly environment?: readonly string[];
  /** Rough time it takes, for the progress line. */
  expectedMs(options: O): number;
  /**
   * Measures. Never rejects for what the network did: the outcome says it. When `signal` aborts it
   * stops soon and resolves with what it has, marked `partial`.
   * @throws TautlineError only for `usage` (impossible options) and broken invariants
   */
  run(request: ProbeRequest<O>): Promise<Measurement[]>;
}

export interface CommonOptions {
  /** Samples to take; undefined = the probe's default or as many as `durationMs` allows. */
  readonly count?: number;
  readonly intervalMs?: number;
  readonly durationMs?: number;
  /** How long to wait for one answer. */
  readonly timeoutMs: number;
  readonly family?: 4 | 6;
}

export interface ProbeFlag {
  readonly key: string;
  /** As commander takes it: `--streams <n>`. */
  readonly flag: string;
  readonly help: string;
  /** Turns the text into the value. @throws TautlineError `usage` */
  readonly parse: (text: string) => unknown;
  /** True for a switch without a value. */
  readonly boolean?: boolean;
}

export interface ProbeRequest<O> {
  readonly target: Target;
  /** The path's name in the document, `default` where only one exists. */
  readonly path: string;
  readonly options: O;
  readonly ports: Ports;
  /** The pre-shared key of a `tautline serve`, if any. */
  readonly key?: Uint8Array;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** A short present-tense phrase and how far along, for the progress line. */
  readonly onProgress: (doing: string, fraction: number) => void;
  /** Told the samples of a figure, in order, in the unit of its summary: for those who join several runs into one. */
  readonly onSamples?: (metric: string, samples: ArrayLike<number>) => void;
}
