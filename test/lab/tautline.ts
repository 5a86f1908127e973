import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CheckDocument, MeasureDocument, Measurement } from '../../src/results/index.js';
import { Program, run } from './processes.js';
import type { Finished } from './processes.js';

export const ROOT = findRoot(dirname(fileURLToPath(import.meta.url)));

/** The command line of the built program, as a user's shell would start it. */
export const TAUTLINE: readonly string[] = [process.execPath, join(ROOT, 'dist', 'cli', 'main.js')];

export const PORT = 7227;

/** Wraps a command line: runs it in a namespace, as another user, under a meter. */
export type Wrap = (argv: readonly string[]) => readonly string[];
const here: Wrap = (argv) => argv;

/** Starts `tautline serve` and waits until it has said where it can be reached. */
export async function startServe(args: readonly string[], wrap: Wrap = here): Promise<Program> {
  const port = args[args.indexOf('--port') + 1];
  const serve = new Program(wrap([...TAUTLINE, 'serve', ...args]));
  await serve.until((output) => output.includes(`:${args.includes('--port') ? port : PORT}`));
  return serve;
}

export interface Answer<D> extends Finished {
  readonly document: D;
}

export function measure(args: readonly string[], wrap: Wrap = here): Promise<Answer<MeasureDocument>> {
  return answer(['measure', ...args, '--json', '--quiet', '--no-history'], wrap);
}

export function check(args: readonly string[], wrap: Wrap = here): Promise<Answer<CheckDocument>> {
  return answer(['check', ...args, '--json', '--quiet', '--no-history'], wrap);
}

/** The measurement of a metric. @throws when the document has none */
export function metric(measurements: readonly Measurement[], name: string): Measurement {
  const found = measurements.find((measurement) => measurement.metric === name);
  if (!found)
    throw new Error(
      `no '${name}' among ${measurements.map((measurement) => `${measurement.metric} (${measurement.outcome}: ${measurement.reason ?? ''})`).join(', ')}`,
    );
  return found;
}

async function answer<D>(args: readonly string[], wrap: Wrap): Promise<Answer<D>> {
  const finished = await run(wrap([...TAUTLINE, ...args]), { timeoutMs: 120_000 });
  try {
    return { ...finished, document: JSON.parse(finished.stdout) as D };
  } catch (cause) {
    throw new Error(`tautline ${args.join(' ')} ended with ${finished.signal ?? finished.code} and without a document: ${finished.stderr}`, {
      cause,
    });
  }
}

function findRoot(from: string): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    if (readdirSync(folder).includes('architecture.json')) return folder;
  }
  throw new Error(`no architecture.json above ${from}`);
}
