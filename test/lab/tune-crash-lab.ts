import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CrashAnswer, CrashOrder } from './tune-crash-program.js';
import { INTERFACE } from './tune-crash-places.js';

/*
 * A program for a mount, process and network namespace of its own: lets `tune-crash-program` die at every write of an apply or
 * of a roll-back, and recover. Prints how often, and the first thing that went wrong.
 *
 *     unshare --net --mount --pid --fork --mount-proc --propagation private sh -c '"$@"; exit $?' sh node tune-crash-lab.js /tmp/scratch apply
 */
export interface CrashSummary {
  /** What the phase writes when nothing kills it. */
  readonly writes: readonly string[];
  readonly kills: number;
  /** How many of the killed ones were told to go on. */
  readonly resumed: number;
  readonly failure?: string;
}

const PROGRAM = fileURLToPath(new URL('tune-crash-program.js', import.meta.url));
const ROOTS = ['/etc/sysctl.d', '/etc/security', '/etc/ssh'];
const PROCESS_TIMEOUT_MS = 20_000;
const KILLED = 'killed';

const scratch = process.argv[2] ?? '';
const folder = `${scratch}/state`;
prepare();
process.stdout.write(JSON.stringify(crashes(process.argv[3] === 'apply' ? 'apply' : 'roll back')));

/** Copies of folders of /etc, mounted over them here only, on a file system that notes every reading; an interface; a device. */
function prepare(): void {
  sh(`mount -t tmpfs -o strictatime tautline ${scratch}`);
  for (const [i, root] of ROOTS.entries()) {
    sh(
      `mkdir ${scratch}/${i}; cp -a ${root}/. ${scratch}/${i}; mount -t tmpfs -o strictatime,mode=755 tautline ${root}; cp -a ${scratch}/${i}/. ${root}`,
    );
  }
  sh(`rm -rf ${scratch}/[0-9]`);
  mkdirSync(folder, { mode: 0o700 });
  sh(`touch -d '2020-02-02 02:02:02.123456789' /etc/ssh/ssh_config; chown 12:34 /etc/ssh/ssh_config; chmod 0604 /etc/ssh/ssh_config`);
  writeFileSync(`${scratch}/latency`, '');
  sh(`mount --bind ${scratch}/latency /dev/cpu_dma_latency`);
  sh(`ip link set lo up; ip link add ${INTERFACE} type veth peer name peer0; ip link set ${INTERFACE} up; ip link set peer0 up`);
}

function crashes(phase: 'apply' | 'roll back'): CrashSummary {
  const told = { writes: [] as readonly string[], kills: 0, resumed: 0 };
  // The first one makes folders that the others find.
  const first = run({ recover: 'nothing', next: 'apply' });
  if (typeof first === 'string') return { ...told, failure: first };
  const known = { before: first.before, ...(first.applied === undefined ? {} : { applied: first.applied }) };
  const whole = run({ ...known, recover: 'roll back', next: phase });
  if (typeof whole === 'string') return { ...told, failure: whole };
  told.writes = whole.writes;
  let recover: CrashOrder['recover'] = 'roll back';
  let after = phase as string;
  // Each process recovers from the death of the one before, so that there is one to start for each write.
  for (const kill of deaths(whole.writes)) {
    const died = run({ ...known, recover, next: phase, kill });
    if (died !== KILLED) return { ...told, failure: `after ${after}: ${typeof died === 'string' ? died : `no kill at write ${kill.after}`}` };
    after = `${phase}, killed ${kill.half ? 'in' : 'after'} write ${kill.after} (${whole.writes[kill.after - 1]})`;
    // Every third one is told to go on, the others to undo.
    recover = phase === 'apply' && kill.after % 3 === 0 ? 'resume' : 'roll back';
    told.kills++;
    if (recover === 'resume') told.resumed++;
  }
  const last = run({ ...known, recover, next: 'nothing' });
  return typeof last === 'string' ? { ...told, failure: `after ${after}: ${last}` } : told;
}

/** After every write, and in the middle of those that write data. */
function deaths(writes: readonly string[]): { readonly after: number; readonly half: boolean }[] {
  return writes.flatMap((write, i) => [{ after: i + 1, half: false }, ...(write.endsWith('File') ? [{ after: i + 1, half: true }] : [])]);
}

/** @returns what it answered, or that it was killed, or what it complained of */
function run(order: Omit<CrashOrder, 'folder' | 'roots'>): CrashAnswer | string {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, JSON.stringify({ ...order, folder, roots: ROOTS })], {
    encoding: 'utf8',
    timeout: PROCESS_TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (signal === 'SIGKILL') return KILLED;
  return status === 0 ? (JSON.parse(stdout) as CrashAnswer) : stderr.slice(0, 4000) || `it ended with ${signal ?? status}`;
}

function sh(line: string): void {
  const { status, stderr } = spawnSync('sh', ['-ec', line], { encoding: 'utf8' });
  if (status === 0) return;
  rmSync(folder, { recursive: true, force: true });
  throw new Error(`${line}: ${stderr}`);
}
