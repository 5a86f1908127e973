import { Program, mustRun } from '../test/lab/processes.js';
import type { Wrap } from '../test/lab/tautline.js';
import { withPath } from '../test/lab/namespaces.js';

/** A place to compare in: servers run at one end, clients at the other. */
export interface Arena {
  readonly name: 'loopback' | 'veth';
  /** The server end's address as clients see it. */
  readonly address: string;
  /** Where the key of `serve` is; without one it answers loopback only. */
  readonly keyFile?: string;
  readonly near: Wrap;
  readonly far: Wrap;
}

const LOOPBACK: Arena = { name: 'loopback', address: '127.0.0.1', near: (argv) => argv, far: (argv) => argv };

/** Hands an arena to `work` and takes it down after. `veth` needs root. */
export async function withArena<T>(name: Arena['name'], keyFile: string, work: (arena: Arena) => Promise<T>): Promise<T> {
  if (name === 'loopback') return work(LOOPBACK);
  return withPath(({ near, far }) => work({ name, address: far.address4, keyFile, near: near.inside, far: far.inside }));
}

/** Starts a server at the far end and waits until its port is bound. */
export async function startServer(arena: Arena, argv: readonly string[], listens: { protocol: 'udp' | 'tcp'; port: number }): Promise<Program> {
  const program = new Program(arena.far(argv));
  const flag = listens.protocol === 'tcp' ? '-Htln' : '-Huln';
  await program.until(async () => (await mustRun([...arena.far(['ss', flag, `sport = :${listens.port}`])])).trim() !== '');
  return program;
}
