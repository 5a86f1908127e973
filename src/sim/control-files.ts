import { TautlineError } from '../base/index.js';
import type { FileStatus, Files } from '../base/index.js';
import type { SimAccess } from './control-access.js';
import type { SimProcess } from './control-process.js';
import { parentOf } from './control-tree.js';
import type { SimTree } from './control-tree.js';

/** The `Files` of a process of a simulated host: the same disk and kernel values that its `SimControl` sees and changes. */
export class SimProcessFiles implements Files {
  readonly #self: SimProcess;
  readonly #access: SimAccess;

  constructor(self: SimProcess, access: SimAccess) {
    this.#self = self;
    this.#access = access;
  }

  readText(path: string): Promise<string | undefined> {
    return this.#self.look(() => {
      const { values } = this.#self.machine;
      const at = this.#tree.resolve(path, true);
      const value = values.text(at);
      if (value !== undefined) {
        this.#access.checkReadValue(at);
        return `${value}\n`;
      }
      const node = this.#tree.at(at);
      if (node === undefined) return undefined;
      this.#access.checkRead(at, node);
      if (node.kind !== 'file') throw new TautlineError('io', `cannot read ${path}: it is a ${node.kind === 'folder' ? 'directory' : node.kind}`);
      return new TextDecoder().decode(node.bytes);
    });
  }

  writeText(path: string, text: string, options: { readonly mode?: number } = {}): Promise<void> {
    return this.#self.change(`put ${path}`, () => {
      const at = this.#tree.resolve(path, true);
      const before = this.#tree.at(at);
      if (this.#self.machine.values.has(at)) throw new TautlineError('io', `cannot write ${path}: it is no file of a disk`);
      this.#access.checkWriteBelow(at);
      if (before !== undefined && before.kind !== 'file') throw new TautlineError('io', `cannot write ${path}: it is a ${before.kind}`);
      const bytes = new TextEncoder().encode(text);
      this.#access.checkRoom(at, bytes.length);
      const now = this.#self.machine.nowNs();
      const mode = before?.mode ?? options.mode ?? 0o644;
      return {
        whole: () => {
          this.#tree.put(at, { kind: 'file', bytes, mode, ...this.#access.owner, modifiedNs: now, accessedNs: now });
          this.#tree.sync(at);
        },
      };
    });
  }

  list(folder: string): Promise<readonly string[] | undefined> {
    return this.#self.look(() => {
      const at = this.#tree.resolve(folder, true);
      const below = at === '/' ? '/' : `${at}/`;
      const values = this.#self.machine.values
        .paths()
        .flatMap((path) => (path.startsWith(below) ? [path.slice(below.length).split('/')[0] ?? ''] : []));
      const names = this.#tree.names(at);
      if (names === undefined && values.length === 0) return undefined;
      return [...new Set([...(names ?? []), ...values])].sort();
    });
  }

  status(path: string, options: { readonly follow?: boolean } = {}): Promise<FileStatus | undefined> {
    return this.#self.look(() => {
      const { values } = this.#self.machine;
      const at = this.#tree.resolve(path, options.follow === true);
      if (values.has(at)) return { kind: 'file', sizeBytes: 4096, modifiedMs: 0, mode: values.modeOf(at), ownerId: 0 };
      const node = this.#tree.at(at);
      if (node === undefined) {
        const folder = values.paths().some((other) => other.startsWith(`${at}/`));
        // A process's own folder belongs to whom it runs as (proc(5)).
        const ownerId = at === '/proc/self' ? this.#access.owner.ownerId : 0;
        return folder ? { kind: 'folder', sizeBytes: 0, modifiedMs: 0, mode: 0o555, ownerId } : undefined;
      }
      return {
        kind: node.kind === 'other' ? node.is : node.kind,
        sizeBytes: node.kind === 'file' ? node.bytes.length : 0,
        modifiedMs: node.kind === 'file' ? Number(node.modifiedNs / 1000n) / 1000 : 0,
        mode: node.kind === 'link' ? 0o777 : node.mode & 0o777,
        ownerId: node.ownerId,
      };
    });
  }

  makeFolder(path: string): Promise<void> {
    return this.#self.change(`make folder ${path}`, () => {
      const missing: string[] = [];
      for (let at = this.#tree.resolve(path, true); this.#tree.at(at) === undefined; at = parentOf(at)) missing.unshift(at);
      const [first] = missing;
      if (first !== undefined) this.#access.checkWriteBelow(first);
      else if (this.#tree.at(this.#tree.resolve(path, true))?.kind !== 'folder')
        throw new TautlineError('io', `cannot write ${path}: it is no directory`);
      return {
        whole: () => {
          for (const at of missing) this.#tree.put(at, { kind: 'folder', mode: 0o700, ...this.#access.owner });
        },
      };
    });
  }

  remove(path: string): Promise<void> {
    return this.#self.change(`remove ${path}`, () => {
      const at = this.#tree.resolve(path, false);
      const node = this.#tree.at(at);
      if (node !== undefined) this.#access.checkWriteBelow(at);
      if (node?.kind === 'folder') throw new TautlineError('io', `cannot write ${path}: it is a directory`);
      // Not synced: a power cut may bring it back.
      return { whole: () => this.#tree.remove(at) };
    });
  }

  get #tree(): SimTree {
    return this.#self.machine.tree;
  }
}
