import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withPath } from '../lab/namespaces.js';
import type { PathEnds } from '../lab/namespaces.js';
import type { Program } from '../lab/processes.js';
import { PORT, check, measure, startServe } from '../lab/tautline.js';
import type { Answer } from '../lab/tautline.js';
import type { CheckDocument, MeasureDocument } from '../../src/results/index.js';

/** Two namespaces with `tautline serve --key-file` in the far one, and clients for the near one. */
export interface ServedPath extends PathEnds {
  readonly serve: Program;
  readonly keyFile: string;
  /** `host:port` of serve. */
  readonly target: string;
  /** Runs `tautline measure PROBE target ARGS` with the key in the near namespace. */
  measure(probe: string, ...args: string[]): Promise<Answer<MeasureDocument>>;
  check(...args: string[]): Promise<Answer<CheckDocument>>;
}

export async function withServedPath<T>(work: (path: ServedPath) => Promise<T>, options: { ipv6Only?: boolean } = {}): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-real-'));
  const keyFile = join(folder, 'key');
  await writeFile(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
  try {
    return await withPath(async ({ near, far }) => {
      const address = options.ipv6Only === true ? far.address6 : far.address4;
      const target = options.ipv6Only === true ? `[${address}]:${PORT}` : `${address}:${PORT}`;
      const serve = await startServe(['--bind', address, '--port', String(PORT), '--key-file', keyFile], far.inside);
      try {
        return await work({
          near,
          far,
          serve,
          keyFile,
          target,
          measure: (probe, ...args) => measure([probe, target, '--key-file', keyFile, ...args], near.inside),
          check: (...args) => check([target, '--key-file', keyFile, ...args], near.inside),
        });
      } finally {
        await serve.stop();
      }
    }, options);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
