import { TautlineError } from '../base/index.js';
import type { FileStatus, Files } from '../base/index.js';

export type FileFault = 'full' | 'permission' | 'io';

/** Files in memory. A path can be made to fail, and the disk has a size. */
export class SimFiles implements Files {
  /** Room on the disk. */
  capacityBytes = Number.POSITIVE_INFINITY;
  readonly #files: Map<string, string>;
  readonly #folders = new Set<string>();
  readonly #sockets = new Set<string>();
  readonly #status = new Map<string, Partial<FileStatus>>();
  readonly #faults: { readonly prefix: string; readonly doing: 'read' | 'write'; readonly fault: FileFault }[] = [];

  constructor(files: Readonly<Record<string, string>> = {}) {
    this.#files = new Map(Object.entries(files));
  }

  /** From now on reading or writing below this path fails. */
  break(prefix: string, doing: 'read' | 'write', fault: FileFault): void {
    this.#faults.push({ prefix, doing, fault });
  }

  /** Everything is well again. */
  repair(): void {
    this.#faults.length = 0;
  }

  /** Paths of all files, sorted. */
  paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  async readText(path: string): Promise<string | undefined> {
    this.#check(path, 'read');
    if (this.#isFolder(path)) throw fault(path, 'read', 'folder');
    return this.#files.get(path);
  }

  async writeText(path: string, text: string, options: { readonly mode?: number } = {}): Promise<void> {
    this.#checkPlace(path);
    // Writing whole and atomically means that the old and the new text are on the disk at once.
    if (this.#usedBytes() + byteLength(text) > this.capacityBytes) throw fault(path, 'write', 'full');
    if (!this.#files.has(path) && options.mode !== undefined) this.describe(path, { mode: options.mode });
    this.#files.set(path, text);
  }

  async list(folder: string): Promise<readonly string[] | undefined> {
    this.#check(folder, 'read');
    const below = folder.endsWith('/') ? folder : `${folder}/`;
    const names = [...this.#files.keys()].filter((path) => path.startsWith(below)).map((path) => path.slice(below.length).split('/')[0] as string);
    if (names.length === 0 && !this.#folders.has(folder)) return undefined;
    return [...new Set(names)].sort();
  }

  async status(path: string): Promise<FileStatus | undefined> {
    this.#check(path, 'read');
    const text = this.#files.get(path);
    const folder = this.#isFolder(path) || this.#folders.has(path);
    const socket = this.#sockets.has(path);
    if (text === undefined && !folder && !socket) return undefined;
    const sizeBytes = text === undefined ? 0 : byteLength(text);
    const standard: FileStatus = {
      kind: socket ? 'socket' : folder ? 'folder' : 'file',
      sizeBytes,
      modifiedMs: 0,
      mode: folder ? 0o700 : 0o600,
      ownerId: 0,
    };
    return { ...standard, ...this.#status.get(path) };
  }

  async makeFolder(path: string): Promise<void> {
    this.#check(path, 'write');
    if (this.#files.has(path)) throw fault(path, 'write', 'file');
    this.#folders.add(path);
  }

  async remove(path: string): Promise<void> {
    this.#check(path, 'write');
    this.#files.delete(path);
  }

  /** There is a Unix socket of this name. */
  addSocket(path: string): void {
    this.#sockets.add(path);
  }

  /** What `status` says of a path beside what follows from its text. */
  describe(path: string, status: Partial<FileStatus>): void {
    this.#status.set(path, status);
  }

  /** As the real files do: whether a result could be written there. */
  async checkWritable(path: string): Promise<void> {
    this.#checkPlace(path);
    if (this.#usedBytes() >= this.capacityBytes) throw fault(path, 'write', 'full');
  }

  /** Folders exist as far as something is in them. */
  #isFolder(path: string): boolean {
    return [...this.#files.keys()].some((file) => file.startsWith(`${path}/`));
  }

  #checkPlace(path: string): void {
    this.#check(path, 'write');
    if (this.#isFolder(path)) throw fault(path, 'write', 'folder');
    if ([...this.#files.keys()].some((file) => path.startsWith(`${file}/`))) throw fault(path, 'write', 'file');
  }

  #check(path: string, doing: 'read' | 'write'): void {
    const broken = this.#faults.find((candidate) => candidate.doing === doing && path.startsWith(candidate.prefix));
    if (broken) throw fault(path, doing, broken.fault);
  }

  #usedBytes(): number {
    let used = 0;
    for (const text of this.#files.values()) used += byteLength(text);
    return used;
  }
}

const FAULTS = {
  full: { code: 'io', what: 'the disk is full', hint: 'free some space or write to another disk' },
  permission: { code: 'permission', what: 'permission denied', hint: 'choose a file that you may access, or change its permissions' },
  io: { code: 'io', what: 'input/output error', hint: 'check the disk' },
  folder: { code: 'io', what: 'it is a directory', hint: 'name a file inside it' },
  file: { code: 'io', what: 'a part of the path is not a directory', hint: 'check the path' },
} as const;

function fault(path: string, doing: 'read' | 'write', kind: keyof typeof FAULTS): TautlineError {
  const { code, what, hint } = FAULTS[kind];
  return new TautlineError(code, `cannot ${doing} ${path}: ${what}`, { hint });
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
