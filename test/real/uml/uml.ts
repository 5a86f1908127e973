import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installed, run } from '../../lab/processes.js';
import { ROOT } from '../../lab/tautline.js';

/** What a job said before its kernel powered off. */
export interface UmlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MEMORY = '768M';
const TIMEOUT_MS = 120_000;

/** Why user-mode Linux cannot run here, or undefined when it can. */
export async function whyNoUml(): Promise<string | undefined> {
  if (!(await installed('linux.uml'))) return 'user-mode Linux is missing (package user-mode-linux)';
  if (!(await installed('busybox'))) return 'busybox is missing (package busybox-static)';
  if (!(await installed('modprobe'))) return 'modprobe is missing (package kmod)';
  if (!existsSync('/usr/lib/uml/modules')) return "user-mode Linux's modules are missing (package user-mode-linux)";
  return undefined;
}

/**
 * Boots a kernel of its own (Debian's user-mode-linux, with netem and every queue discipline) on a
 * read-only view of this machine's root and runs a bash script in it as root. The script can write
 * in its working folder, which is a fresh temporary one, and nowhere else. About 2 s for an empty
 * job; one processor; keep UDP below 2,500 packets/s.
 */
export async function runUml(script: string, timeoutMs = TIMEOUT_MS): Promise<UmlResult> {
  const job = await mkdtemp(join(tmpdir(), 'tautline-uml-'));
  try {
    await writeFile(join(job, 'job.sh'), script);
    const { stdout: console } = await run(
      [
        'linux.uml',
        'rootfstype=hostfs',
        'rootflags=/',
        'ro',
        `mem=${MEMORY}`,
        'quiet',
        'panic=-1',
        `init=${join(ROOT, 'test', 'real', 'uml', 'init.sh')}`,
        `tautline_job=${job}`,
        `uml_dir=${job}/`,
        'umid=kernel',
        'con=null',
        'con0=null,fd:1',
        'con1=null',
        'ssl=null',
      ],
      { timeoutMs, env: { ...process.env, TMPDIR: existsSync('/dev/shm') ? '/dev/shm' : tmpdir() } },
    );
    const read = (name: string): Promise<string> => readFile(join(job, name), 'utf8').catch(() => '');
    const code = Number.parseInt(await read('code'), 10);
    if (Number.isNaN(code)) throw new Error(`user-mode Linux did not finish its job: ${console.slice(-2000)} ${await read('stderr')}`);
    return { code, stdout: await read('stdout'), stderr: await read('stderr') };
  } finally {
    await rm(job, { recursive: true, force: true });
  }
}
