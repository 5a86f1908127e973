import { TautlineError } from '../base/index.js';
import type { SimMachine } from './control-machine.js';
import type { TreeNode } from './control-tree.js';
import { parentOf } from './control-tree.js';

export interface SimUser {
  readonly ownerId: number;
  readonly groupId: number;
}

type Doing = 'read' | 'write';

/** What one user may do on the host: permission bits, read-only file systems, and room on the disk. */
export class SimAccess {
  readonly owner: SimUser;
  readonly #machine: SimMachine;
  readonly #faults: { readonly prefix: string; readonly doing: Doing; readonly error: () => TautlineError }[] = [];

  constructor(machine: SimMachine, user: SimUser) {
    this.#machine = machine;
    this.owner = user;
  }

  get root(): boolean {
    return this.owner.ownerId === 0;
  }

  /** From now on reading or writing below this path fails. */
  break(prefix: string, doing: Doing, error: () => TautlineError): void {
    this.#faults.push({ prefix, doing, error });
  }

  /** Everything is well again. */
  repair(): void {
    this.#faults.length = 0;
  }

  checkRoot(what: string): void {
    if (!this.root) throw new TautlineError('permission', `cannot ${what}: operation not permitted (EPERM)`, { hint: 'it needs root' });
  }

  checkReadValue(path: string): void {
    this.#check(path, 'read');
    if (!this.root && (this.#machine.values.modeOf(path) & 0o004) === 0) throw denied('read', path);
  }

  checkWriteValue(path: string): void {
    this.#check(path, 'write');
    const why = this.#machine.values.notWritable(path);
    if (why === 'read-only file system') throw readOnly(path);
    if (why !== undefined || (!this.root && (this.#machine.values.modeOf(path) & 0o002) === 0)) throw denied('write', path);
  }

  mayWrite(path: string): boolean {
    try {
      const at = this.#machine.tree.resolve(path, true);
      const node = this.#machine.tree.at(at);
      if (this.#machine.values.has(path)) this.checkWriteValue(path);
      else if (node) this.checkWriteFile(at, node);
      else return false;
      return true;
    } catch {
      return false;
    }
  }

  checkRead(path: string, node: TreeNode): void {
    this.#check(path, 'read');
    if (node.kind === 'file' && !this.#may(node, 0o4)) throw denied('read', path);
  }

  checkWriteFile(path: string, node: TreeNode): void {
    this.#check(path, 'write');
    this.#checkMounted(path);
    if (node.kind !== 'link' && !this.#may(node, 0o2)) throw denied('write', path);
  }

  /** Making, replacing and removing are writes to the folder. */
  checkWriteBelow(path: string): void {
    this.#check(path, 'write');
    this.#checkMounted(path);
    const folder = this.#machine.tree.at(parentOf(path));
    if (folder === undefined) throw new TautlineError('io', `cannot write ${path}: the directory does not exist`, { hint: 'create it first' });
    if (folder.kind !== 'folder')
      throw new TautlineError('io', `cannot write ${path}: a part of the path is not a directory`, { hint: 'check the path' });
    if (!this.#may(folder, 0o2)) throw denied('write', path);
  }

  /** Only root gives files to others. */
  checkOwner(path: string, owner: SimUser): void {
    if (!this.root && owner.ownerId !== this.owner.ownerId) throw denied('write', path);
  }

  checkRoom(path: string, moreBytes: number): void {
    const { tree } = this.#machine;
    if (tree.usedBytes() + moreBytes <= tree.capacityBytes) return;
    throw new TautlineError('io', `cannot write ${path}: the disk is full`, { hint: 'free some space or write to another disk' });
  }

  #may(node: Exclude<TreeNode, { kind: 'link' }>, bit: 0o2 | 0o4): boolean {
    if (this.root) return true;
    if (node.ownerId === this.owner.ownerId) return (node.mode & (bit << 6)) !== 0;
    if (node.groupId === this.owner.groupId) return (node.mode & (bit << 3)) !== 0;
    return (node.mode & bit) !== 0;
  }

  #checkMounted(path: string): void {
    if (this.#machine.readOnlyBelow.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))) throw readOnly(path);
  }

  #check(path: string, doing: Doing): void {
    const broken = this.#faults.find((fault) => fault.doing === doing && path.startsWith(fault.prefix));
    if (broken) throw broken.error();
  }
}

function denied(doing: Doing, path: string): TautlineError {
  return new TautlineError('permission', `cannot ${doing} ${path}: permission denied`, { hint: 'it needs root' });
}

function readOnly(path: string): TautlineError {
  return new TautlineError('permission', `cannot write ${path}: the file system is read-only`, {
    hint: 'in a container the host decides this: apply it on the host, or give the container the right to',
  });
}
