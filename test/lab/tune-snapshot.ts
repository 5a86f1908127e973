import { closeSync, constants, lstatSync, openSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { TunePorts } from '../../src/tune/index.js';
import { INTERFACE } from './tune-crash-places.js';

/** Everything that the change of the crash suite may touch, a line each: files to the nanosecond, kernel values, the interface, the hold. */
export async function snapshot(ports: TunePorts, roots: readonly string[], times: 'times' | 'without times' = 'times'): Promise<string> {
  const files = roots.flatMap((root) => [
    root,
    ...readdirSync(root, { recursive: true })
      .map((name) => join(root, String(name)))
      .toSorted(),
  ]);
  const sysctls = readdirSync('/proc/sys/net/ipv4')
    .filter((name) => name.startsWith('tcp_'))
    .toSorted();
  const [link] = await ports.facts.links(INTERFACE);
  return [
    ...files.map((path) => described(path, times)),
    ...sysctls.map((name) => `${name} ${readable(`/proc/sys/net/ipv4/${name}`)}`),
    ...Object.entries(link?.features ?? {}).map(([name, { on }]) => `${name} ${on}`),
    ...(link?.qdiscs ?? []).map(({ kind, parent, handle }) => `queue ${kind} ${parent} ${handle === '0:'}`),
    `latency ${await ports.control.heldLatency()}`,
  ].join('\n');
}

function described(path: string, times: 'times' | 'without times'): string {
  const found = lstatSync(path, { bigint: true });
  const head = `${path} ${found.mode.toString(8)} ${found.uid}:${found.gid}`;
  if (found.isSymbolicLink()) return `${head} -> ${readlinkSync(path)}`;
  // What is made in a folder and taken away again moves the folder's time; that cannot be put back without a race.
  if (!found.isFile()) return head;
  const when = times === 'times' ? `${found.mtimeNs} ${found.atimeNs}` : '';
  return `${head} ${when} ${createHash('sha256').update(bytesOf(path)).digest('hex')}`;
}

/** Without leaving a trace in the time of the last access, which is compared too. */
function bytesOf(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOATIME);
  try {
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function readable(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return 'unreadable';
  }
}
