import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../src/base/index.js';
import type { Random } from '../../../src/base/index.js';
import { SimFiles } from '../../../src/sim/index.js';
import { quietFiles } from '../../../src/tune/others/quiet-files.js';
import { decidingLine, readSysctlFiles, sysctlPath } from '../../../src/tune/others/sysctl-files.js';
import { whyNoNamespaces } from '../../lab/namespaces.js';
import { mustRun } from '../../lab/processes.js';

const PROGRAM = '/usr/lib/systemd/systemd-sysctl';
const skip = (await whyNoNamespaces()) ?? (existsSync(PROGRAM) ? false : `${PROGRAM} is missing (package systemd)`);

/** Keys that each network namespace has for itself, so that nothing outside of one is written, and that do not change each other. */
const KEYS = [
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv6.conf.lo.max_addresses',
  'net.ipv6.conf.all.max_addresses',
  'net.ipv6.conf.default.max_addresses',
] as const;
const NAMES = ['10-a.conf', '50-b.conf', '50-c.conf', '99-d.conf', 'z.conf', 'notes.txt'];
const FOLDERS = { etc: '/etc/sysctl.d', run: '/run/sysctl.d', local: '/usr/local/lib/sysctl.d', lib: '/usr/lib/sysctl.d' } as const;
const SCENARIOS = 120;

/** Overlapping, so that their order counts. */
const PATTERNS = ['net.ipv6.conf.*.max_addresses', 'net.ipv6.conf.[al]*.max_addresses', 'net.ipv6.conf.l?.max_addresses', 'net.ipv4.tcp_keepalive_*'];

/** Lines in every way of writing that sysctl.d(5) allows. Few keys and values, so that lines meet and some say the same again. */
function randomFile(random: Random): string {
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  const lines = Array.from({ length: pick([0, 1, 2, 4, 6]) }, () => {
    const key = pick([...KEYS, ...PATTERNS, ...PATTERNS]);
    const name = pick([key, sysctlPath(key), key]);
    const value = random.next() < 0.5 ? pick([11, 12]) : 100 + random.below(10_000);
    const plain = `${name} = ${value}`;
    return pick([plain, plain, `${name}=${value}`, `  ${name}\t=  ${value}  `, `-${name} = ${value}`, `-${name}`, `# ${plain}`, `; ${plain}`, '']);
  });
  return lines.map((line) => `${line}\n`).join('');
}

describe('the order of sysctl files as systemd-sysctl has it', { skip }, () => {
  test(`${SCENARIOS} random sets of files leave in a namespace what they are read to leave`, async () => {
    const random = seededRandom(20_261_121);
    const defaults = await valuesAfter({});
    for (let scenario = 0; scenario < SCENARIOS; scenario++) {
      const files: Record<string, string> = {};
      for (const folder of Object.values(FOLDERS)) {
        for (const name of NAMES) if (random.next() < 0.35) files[`${folder}/${name}`] = randomFile(random);
      }
      const lines = await readSysctlFiles(quietFiles({ files: new SimFiles(files) }));
      const meant = KEYS.map((key, i) => decidingLine(lines, key)?.value ?? defaults[i]);
      assert.deepEqual(await valuesAfter(files), meant, `scenario ${scenario}: ${JSON.stringify(files, undefined, 1)}`);
    }
  });
});

/** What the keys hold in a fresh network namespace after systemd-sysctl has read these files, and no others, from their folders. */
async function valuesAfter(files: Readonly<Record<string, string>>): Promise<string[]> {
  const scratch = await mkdtemp(join(tmpdir(), 'tautline-sysctl-'));
  try {
    for (const [short, folder] of Object.entries(FOLDERS)) {
      await mkdir(join(scratch, short));
      for (const [path, text] of Object.entries(files)) {
        if (path.startsWith(`${folder}/`)) await writeFile(join(scratch, short, path.slice(folder.length + 1)), text);
      }
    }
    // A mount namespace of its own: the machine's folders are covered, none is written.
    const script = `
      mount --bind ${scratch}/etc /etc/sysctl.d; mount --bind ${scratch}/lib /usr/lib/sysctl.d
      mount -t tmpfs none /usr/local/lib; mkdir /usr/local/lib/sysctl.d; mount --bind ${scratch}/local /usr/local/lib/sysctl.d
      mount -t tmpfs none /run; mkdir /run/sysctl.d; mount --bind ${scratch}/run /run/sysctl.d
      ${PROGRAM} || true
      cat ${KEYS.map((key) => `/proc/sys/${sysctlPath(key)}`).join(' ')}`;
    const shown = await mustRun(['unshare', '--mount', '--propagation', 'private', '--net', 'sh', '-ec', script]);
    return shown.trim().split('\n');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
