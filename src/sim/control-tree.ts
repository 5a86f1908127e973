import { TautlineError } from '../base/index.js';
import type { FileStatus } from '../base/index.js';

interface Owned {
  readonly ownerId: number;
  readonly groupId: number;
}

/** What is at a path. Nodes never change: two paths with the same node are two names (hard links) of one file. */
export type TreeNode =
  | ({ readonly kind: 'file'; readonly bytes: Uint8Array; readonly mode: number; readonly modifiedNs: bigint; readonly accessedNs: bigint } & Owned)
  | ({ readonly kind: 'folder'; readonly mode: number } & Owned)
  | ({ readonly kind: 'link'; readonly target: string } & Owned)
  | ({ readonly kind: 'other'; readonly is: FileStatus['kind']; readonly mode: number } & Owned);
export type FileNode = Extract<TreeNode, { kind: 'file' }>;

const LINKS_FOLLOWED_MAX = 40;
/** What a boot empties. */
const FORGOTTEN = ['/run/', '/dev/shm/'];
const ROOT: TreeNode = { kind: 'folder', mode: 0o755, ownerId: 0, groupId: 0 };

/** Files, links and folders of a disk, and what of them is safe from a power cut. Paths are absolute and have no `.` or `..`. */
export class SimTree {
  /** Room for the bytes of files. */
  capacityBytes = Number.POSITIVE_INFINITY;
  #nodes = new Map<string, TreeNode>([['/', ROOT]]);
  #durable = new Map<string, TreeNode>([['/', ROOT]]);

  at(path: string): TreeNode | undefined {
    return this.#nodes.get(path);
  }

  /** Paths and nodes, sorted by path. */
  all(): (readonly [string, TreeNode])[] {
    return [...this.#nodes].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Names in a folder, sorted; undefined where there is no folder. */
  names(folder: string): string[] | undefined {
    if (this.#nodes.get(folder)?.kind !== 'folder') return undefined;
    const below = folder === '/' ? '/' : `${folder}/`;
    return [...this.#nodes.keys()].flatMap((path) => (path !== '/' && parentOf(path) === folder ? [path.slice(below.length)] : [])).sort();
  }

  /** How many names the file at this path has. */
  linksOf(path: string): number {
    const node = this.#nodes.get(path);
    return [...this.#nodes.values()].filter((other) => other === node).length;
  }

  usedBytes(): number {
    const files = new Set([...this.#nodes.values()].filter((node) => node.kind === 'file'));
    return [...files].reduce((sum, file) => sum + file.bytes.length, 0);
  }

  /** Makes what is missing above a path: for what was there at the start. */
  addFoldersAbove(path: string, owner: Owned = ROOT): void {
    const parent = parentOf(path);
    if (parent === path || this.#nodes.has(parent)) return;
    this.addFoldersAbove(parent, owner);
    this.put(parent, { kind: 'folder', mode: 0o755, ownerId: owner.ownerId, groupId: owner.groupId });
    this.sync(parent);
  }

  put(path: string, node: TreeNode): void {
    this.#nodes.set(path, node);
  }

  /** Replaces a file by another state of the same file, under each of its names. */
  change(path: string, node: FileNode): void {
    const before = this.#nodes.get(path);
    for (const [name, found] of this.#nodes) if (found === before) this.#nodes.set(name, node);
  }

  remove(path: string): void {
    this.#nodes.delete(path);
  }

  /** What is at the path now (or that nothing is) outlives a power cut, and so do the folders above. */
  sync(path: string): void {
    const node = this.#nodes.get(path);
    if (node) this.#durable.set(path, node);
    else this.#durable.delete(path);
    if (path !== '/') this.sync(parentOf(path));
  }

  /** An orderly end writes everything to the disk. */
  syncAll(): void {
    this.#durable = new Map(this.#nodes);
  }

  powerCut(): void {
    this.#nodes = new Map([...this.#durable].filter(([path]) => !FORGOTTEN.some((prefix) => path.startsWith(prefix))));
    this.#durable = new Map(this.#nodes);
  }

  /**
   * Where the links of a path lead. What is missing is taken as it is named.
   * @param followEnd whether a link at the very end is followed too
   */
  resolve(path: string, followEnd: boolean, budget = { left: LINKS_FOLLOWED_MAX }): string {
    let at = '';
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    for (const [i, part] of parts.entries()) {
      if (part === '..') {
        at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
        continue;
      }
      const here = `${at}/${part}`;
      const node = this.#nodes.get(here);
      if (node?.kind !== 'link' || (i === parts.length - 1 && !followEnd)) {
        at = here;
        continue;
      }
      if (--budget.left < 0) throw new TautlineError('io', `${path}: its symbolic links go in a circle`, { hint: 'check the path' });
      at = this.resolve(node.target.startsWith('/') ? node.target : `${at}/${node.target}`, true, budget);
      if (at === '/') at = '';
    }
    return at === '' ? '/' : at;
  }
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf('/')));
}

export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
