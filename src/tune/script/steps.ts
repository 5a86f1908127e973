import { shellWord } from '../../base/index.js';
import type { Entry } from '../../base/index.js';
import type { Change } from '../place.js';
import { commandsOf } from '../places/registry.js';

/** What the script does at one place: shell lines, and lines that the reader prints when it is as wanted. */
export interface ScriptStep {
  readonly read: string;
  readonly keep?: string;
  readonly set: readonly string[];
  readonly want: readonly string[];
  readonly putBack: readonly string[];
}

/** `original` and `saved` are where the step's own lines and the file are kept, as words of shell. */
export function scriptStep(change: Change, n: number, { original, saved }: { readonly original: string; readonly saved: string }): ScriptStep {
  const set = commandsOf(change.place, change.desired);
  switch (change.place.kind) {
    case 'kernel-value': {
      const path = shellWord(change.place.path);
      const desired = change.desired as string;
      return {
        read: `${change.place.choice ? 'choice' : 'value'} ${path}`,
        set,
        want: [comparable(desired)],
        putBack: [`cat ${original} > ${path}`],
      };
    }
    case 'entry': {
      const path = shellWord(change.place.path);
      const want = wantedEntry(change.desired as Entry | { readonly kind: 'nothing' });
      return { read: `entry ${path}`, keep: `keep_entry ${path} ${saved}`, set, want, putBack: [`put_back_entry ${path} ${saved} ${original}`] };
    }
    case 'offloads': {
      const name = shellWord(change.place.interface);
      const want = Object.entries(change.desired as Record<string, boolean>).map(([offload, on]) => `${offload} ${on ? 'on' : 'off'}`);
      return { read: `offloads ${name}`, set, want, putBack: [`put_back_offloads ${name} ${original}`] };
    }
    case 'coalescing':
    case 'rings':
    case 'channels': {
      const [read, option] = { coalescing: ['coalescing', '-C'], rings: ['counts -g', '-G'], channels: ['counts -l', '-L'] }[change.place.kind] as [
        string,
        string,
      ];
      const name = shellWord(change.place.interface);
      // The very words of the command that sets them.
      const words = (set[0] ?? '').slice(`ethtool ${option} ${name} `.length).split(' ');
      const want = words.flatMap((word, at) => (at % 2 === 0 ? [`${word} ${words[at + 1] ?? ''}`] : []));
      return { read: `${read} ${name}`, set, want, putBack: [`xargs ethtool ${option} ${name} < ${original}`] };
    }
    case 'root-queue': {
      const name = shellWord(change.place.interface);
      const { queue, leaf, byKernel } = change.desired as { readonly queue: string; readonly leaf?: string; readonly byKernel: boolean };
      const want = [`queue ${queue}`, `by ${byKernel ? 'kernel' : 'somebody'}`, ...(leaf === undefined ? [] : [`below ${leaf}`])];
      return { read: `queue ${name}`, set, want, putBack: [`put_back_queue ${name} ${original}`] };
    }
    case 'nft-table': {
      const table = `${change.place.family} ${shellWord(change.place.name)}`;
      const want = change.desired === null ? [] : [`table ${change.place.family} ${change.place.name} {`];
      return { read: `table ${table}`, set, want, putBack: [`put_back_table ${table} ${original}`] };
    }
    case 'macos-sysctl': {
      const name = shellWord(change.place.name);
      return { read: `sysctl -n ${name}`, set, want: [String(change.desired as string)], putBack: [`sysctl -w ${name}="$(cat ${original})"`] };
    }
    case 'forwarding':
    case 'latency-hold':
    case 'tailscale-pref':
    case 'macos-media':
    case 'macos-address':
      return { read: `unseen ${n}`, set, want: ['set by this script'], putBack: commandsOf(change.place, change.original as never) };
  }
}

/** As the script's `value` prints it. */
function comparable(text: string): string {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => (/^[0-9a-f,]+$/.test(word) ? word.replace(/^[0,]+/, '') || '0' : word))
    .join(' ');
}

/** As the script's `entry` prints it; the content is not told beforehand, but its length is. */
function wantedEntry(entry: Entry | { readonly kind: 'nothing' }): string[] {
  const lines = [`kind ${entry.kind}`];
  if (entry.kind === 'link') lines.push(`target ${entry.target}`);
  if (entry.kind === 'file') lines.push(`size ${atob(entry.bytesBase64).length}`);
  if (entry.kind === 'file' || entry.kind === 'folder') {
    lines.push(`mode ${entry.kind === 'folder' ? 'd' : '-'}${permissions(entry.mode)}`, `owner ${entry.ownerId} ${entry.groupId}`);
  }
  return lines;
}

/** As ls -l prints them, but for the letters of set-user-id and the like, which nothing of ours has. */
function permissions(mode: number): string {
  return [6, 3, 0].map((shift) => ['r', 'w', 'x'].map((letter, at) => (((mode >> shift) & (4 >> at)) === 0 ? '-' : letter)).join('')).join('');
}
