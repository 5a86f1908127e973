import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TuneTryRequest } from '../../src/app/tune/requests.js';
import type { ExperimentDocument, ExperimentFigure } from '../../src/results/index.js';
import { mustRun } from './processes.js';
import { PORT, startServe } from './tautline.js';
import type { Wrap } from './tautline.js';

export const TRY_PROGRAM = fileURLToPath(new URL('./try-program.js', import.meta.url));

/** Both ends of a path of the laboratory. */
export interface TryPath {
  readonly near: Wrap;
  readonly far: Wrap;
  readonly farAddress: string;
}

export interface Trying {
  readonly folder: string;
  /** The command line of an experiment, for the near end. */
  argv(request: Partial<TuneTryRequest>): readonly string[];
  try(request: Partial<TuneTryRequest>): Promise<ExperimentDocument>;
  /** Writes a profile and tells where it is. */
  profile(name: string, yaml: string): Promise<string>;
}

/** Serves at the far end and hands over what makes experiments at the near one; everything is in a folder that goes away. */
export async function withServedPath<T>({ near, far, farAddress }: TryPath, work: (trying: Trying) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-try-'));
  const keyFile = join(folder, 'key');
  await writeFile(keyFile, 'a key for namespaces that exist only while this runs\n', { mode: 0o600 });
  const serve = await startServe(['--bind', farAddress, '--port', String(PORT), '--key-file', keyFile], far);
  const argv = (request: Partial<TuneTryRequest>): readonly string[] =>
    near([
      process.execPath,
      TRY_PROGRAM,
      JSON.stringify({ folder: join(folder, 'state'), homeFolder: folder, target: `${farAddress}:${PORT}`, keyFile, ...request }),
    ]);
  try {
    return await work({
      folder,
      argv,
      try: async (request) => JSON.parse(await mustRun([...argv(request)], { timeoutMs: 300_000 })) as ExperimentDocument,
      profile: async (name, yaml) => {
        const path = join(folder, `${name}.yaml`);
        await writeFile(path, yaml);
        return path;
      },
    });
  } finally {
    serve.kill('SIGTERM');
    await serve.finished;
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws when the document has no such figure */
export function figureOf(document: ExperimentDocument, metric: string): ExperimentFigure {
  const found = document.groups.flatMap(({ figures }) => figures.filter((each) => each.metric === metric))[0];
  if (!found) throw new Error(`no '${metric}': ${document.verdict.sentence} ${document.groups.map(({ why }) => why).join('; ')}`);
  return found;
}
