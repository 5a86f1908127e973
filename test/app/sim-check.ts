import assert from 'node:assert/strict';
import * as v from 'valibot';
import { check } from '../../src/app/check.js';
import type { CheckRequest } from '../../src/app/check.js';
import type { Progress } from '../../src/app/progress.js';
import { resolveBands } from '../../src/diagnose/index.js';
import { CheckDocumentSchema } from '../../src/results/index.js';
import type { CheckDocument } from '../../src/results/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { Scenario } from '../../src/sim/index.js';
import { serveOn } from './sim-serve.js';

export interface Run {
  readonly document: CheckDocument;
  readonly progress: string[];
  readonly virtualMs: number;
}

/** A check from the scenario's `laptop`; its `server`, if it has one, runs the cores of `tautline serve`. */
export async function runCheck(
  scenario: Scenario,
  options: Partial<CheckRequest> & { abortAtMs?: number; serveKey?: string; keyFile?: string } = {},
): Promise<Run> {
  const network = new SimNetwork(scenario);
  if (scenario.hosts['server'])
    serveOn(network.host('server'), {
      port: 7227,
      ...(options.serveKey === undefined ? {} : { key: new TextEncoder().encode(options.serveKey) }),
    });
  const said: string[] = [];
  const progress: Progress = {
    planned: ({ lines, totalMs }) => said.push(`plan ${Math.round(totalMs / 1000)} s: ${lines.join('; ')}`),
    update: (doing) => said.push(doing),
  };
  const stop = new AbortController();
  if (options.abortAtMs !== undefined)
    void network
      .ports('laptop')
      .clock.sleep(options.abortAtMs)
      .then(() => stop.abort());
  const document = await network.run(() =>
    check(network.ports('laptop'), {
      depth: 'quick',
      peers: [],
      bands: resolveBands({}),
      seed: 1,
      signal: stop.signal,
      progress,
      startSelf: () => Promise.reject(new Error('this simulated host has no responder')),
      ...options,
    }),
  );
  assert.ok(v.is(CheckDocumentSchema, JSON.parse(JSON.stringify(document))), 'the document matches its schema');
  const all = document.subjects.flatMap(({ measurements }) => measurements);
  assert.ok(
    all.every(({ provenance }) => provenance === 'simulated'),
    'nothing simulated is called measured',
  );
  return { document, progress: said, virtualMs: network.nowMs };
}
