import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { parseTarget } from '../../src/base/index.js';
import { PROBES } from '../../src/probe/index.js';
import type { CommonOptions } from '../../src/probe/index.js';
import type { Measurement } from '../../src/results/index.js';
import { SimNetwork, parseScenario } from '../../src/sim/index.js';
import { DEFAULT_PORT } from '../../src/base/index.js';
import { serveOn } from '../app/sim-serve.js';

/** Compiled tests lie one folder deeper than their sources, where the JSON files stay. */
const FOLDER = new URL('../../../test/scenarios/', import.meta.url);
/** No measurement of a scenario takes longer, in virtual time. */
const LIMIT_MS = 600_000;

/**
 * A scenario as a file: a network, what is measured in it, and what the figures must be. A figure is
 * named by its place in the measurement (`summary.median`), and is one value, or within `[low, high]`.
 */
export interface ScenarioFile {
  readonly what: string;
  readonly network: unknown;
  /** Hosts that run the cores of `tautline serve` on its default port. */
  readonly serve?: readonly string[];
  readonly key?: string;
  readonly measure: readonly MeasureCase[];
}

export interface MeasureCase {
  readonly what: string;
  readonly from: string;
  readonly probe: string;
  readonly target: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly key?: string;
  readonly expect: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export function scenarioFiles(): readonly (readonly [string, ScenarioFile])[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => [name, JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as ScenarioFile] as const);
}

/** Measures in a network of its own, so that no case sees another's traffic. */
export async function measureIn(file: ScenarioFile, measure: MeasureCase, seed = 1): Promise<Measurement[]> {
  const probe = PROBES.find(({ name }) => name === measure.probe);
  assert.ok(probe, `there is no probe '${measure.probe}'`);
  const network = new SimNetwork(parseScenario(file.network), { seed });
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  for (const host of file.serve ?? [])
    serveOn(network.host(host), { port: DEFAULT_PORT, ...(file.key === undefined ? {} : { key: encode(file.key) }) });
  const options = { ...probe.defaults, ...measure.options } as CommonOptions;
  return network.run(
    () =>
      probe.run({
        target: parseTarget(measure.target),
        path: 'default',
        options,
        ports: network.ports(measure.from),
        seed,
        signal: new AbortController().signal,
        onProgress: () => {},
        ...(measure.key === undefined ? {} : { key: encode(measure.key) }),
      }),
    { limitMs: LIMIT_MS },
  );
}

/** Compares one figure with what is expected of it. */
export function checkFigure(measurement: Measurement, place: string, expected: unknown): void {
  const actual = place.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], measurement);
  const name = `${measurement.metric} ${place}`;
  if (Array.isArray(expected)) {
    const [low, high] = expected as [number, number];
    assert.ok(
      typeof actual === 'number' && actual >= low && actual <= high,
      `${name} is ${String(actual)}, not within ${low} and ${high}: ${measurement.reason ?? ''}`,
    );
  } else if (typeof expected === 'object' && expected !== null && 'matches' in expected) {
    assert.match(String(actual), new RegExp(String(expected.matches)), name);
  } else {
    assert.deepEqual(actual, expected, `${name}: ${measurement.reason ?? ''}`);
  }
}
