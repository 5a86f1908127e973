import { LATENCY_DEVICE, TautlineError } from '../base/index.js';
import type { Entry, HostControl, HostLock, HostPlace, LinkChannels, LinkCoalescing } from '../base/index.js';
import type { SimAccess } from './control-access.js';
import type { SimMachine } from './control-machine.js';
import type { Change, SimProcess } from './control-process.js';
import { fromBase64, parentOf, toBase64 } from './control-tree.js';
import type { TreeNode } from './control-tree.js';

/** `HostControl` of a simulated host, as one process of it has it. Every change is one write of that process (see `SimProcess`). */
export class SimControl implements HostControl {
  /** What a guard that was started does; without it, it only runs. */
  onGuard: ((args: readonly string[], pid: number) => void) | undefined;
  readonly #self: SimProcess;
  readonly #machine: SimMachine;
  readonly #access: SimAccess;

  constructor(self: SimProcess, access: SimAccess) {
    this.#self = self;
    this.#machine = self.machine;
    this.#access = access;
  }

  // --- Values of the kernel ------------------------------------------------------------------

  readValue(path: string): Promise<string | undefined> {
    return this.#self.look(() => {
      const text = this.#machine.values.text(path);
      if (text !== undefined) this.#access.checkReadValue(path);
      return text;
    });
  }

  writeValue(path: string, text: string): Promise<void> {
    const { values } = this.#machine;
    return this.#self.change(`write ${path}`, () => {
      if (!values.has(path))
        throw new TautlineError('unsupported', `cannot write ${path}: there is no such file`, { hint: 'this kernel does not have it' });
      this.#access.checkWriteValue(path);
      const kept = values.judge(path, text);
      return { whole: () => values.set(path, kept) };
    });
  }

  mayWrite(path: string): Promise<boolean> {
    return this.#self.look(() => this.#access.mayWrite(path));
  }

  // --- Files, links and folders --------------------------------------------------------------

  readEntry(path: string): Promise<Entry | undefined> {
    return this.#self.look(() => {
      const at = this.#machine.tree.resolve(path, false);
      const node = this.#machine.tree.at(at);
      if (!node) return undefined;
      this.#access.checkRead(at, node);
      return this.#entryOf(at, node);
    });
  }

  writeEntry(path: string, entry: Entry): Promise<void> {
    const { tree } = this.#machine;
    return this.#self.change(`put ${path}`, (): Change<void> => {
      const at = tree.resolve(path, false);
      const before = tree.at(at);
      this.#access.checkWriteBelow(at);
      if (entry.kind === 'other') throw new TautlineError('unsupported', `cannot write ${path}: a ${entry.is} cannot be made`);
      this.#access.checkOwner(at, entry);
      const node = this.#nodeOf(entry);
      if (before !== undefined && (before.kind === 'folder') !== (entry.kind === 'folder')) {
        throw new TautlineError('io', `cannot write ${path}: it is a ${before.kind}`, { hint: 'move it out of the way' });
      }
      // The old file and the new one are on the disk at once.
      if (node.kind === 'file') this.#access.checkRoom(at, node.bytes.length);
      return {
        whole: () => {
          tree.remove(leftover(at));
          tree.put(at, node);
          tree.sync(leftover(at));
          tree.sync(at);
        },
        ...(node.kind === 'folder' ? {} : { half: () => tree.put(leftover(at), halfOf(node)) }),
      };
    });
  }

  removeEntry(path: string): Promise<void> {
    const { tree } = this.#machine;
    return this.#self.change(`remove ${path}`, () => {
      const at = tree.resolve(path, false);
      const node = tree.at(at);
      if (node !== undefined) this.#access.checkWriteBelow(at);
      const stays = node?.kind === 'folder' && (tree.names(at) ?? []).length > 0;
      return {
        whole: () => {
          tree.remove(leftover(at));
          if (!stays) tree.remove(at);
          tree.sync(leftover(at));
          if (tree.at(parentOf(at))) tree.sync(at);
        },
      };
    });
  }

  realPath(path: string): Promise<string> {
    return this.#self.look(() => this.#machine.tree.resolve(path, true));
  }

  append(path: string, text: string): Promise<void> {
    const { tree } = this.#machine;
    return this.#self.change(`append ${path}`, () => {
      const at = tree.resolve(path, true);
      const before = tree.at(at);
      if (before !== undefined && before.kind !== 'file')
        throw new TautlineError('io', `cannot write ${path}: it is a ${before.kind}`, { hint: 'name a file' });
      if (before) this.#access.checkWriteFile(at, before);
      else this.#access.checkWriteBelow(at);
      const bytes = new TextEncoder().encode(text);
      this.#access.checkRoom(at, bytes.length);
      const add = (added: Uint8Array): void => {
        const now = this.#machine.nowNs();
        const file = before ?? { kind: 'file', bytes: new Uint8Array(), mode: 0o600, ...this.#access.owner, modifiedNs: now, accessedNs: now };
        const all = new Uint8Array(file.bytes.length + added.length);
        all.set(file.bytes);
        all.set(added, file.bytes.length);
        const changed = { ...file, bytes: all, modifiedNs: now };
        if (before) tree.change(at, changed);
        else tree.put(at, changed);
      };
      return {
        whole: () => {
          add(bytes);
          tree.sync(at);
        },
        half: () => add(bytes.subarray(0, Math.floor(bytes.length / 2))),
      };
    });
  }

  lock(path: string): Promise<HostLock | { readonly heldBy: number | undefined }> {
    return this.#self.look(() => {
      const { locks, tree } = this.#machine;
      const at = tree.resolve(path, true);
      const holder = locks.get(at);
      if (holder !== undefined) return { heldBy: holder };
      this.#access.checkWriteBelow(at);
      const { pid } = this.#self;
      locks.set(at, pid);
      return {
        release: async () => {
          if (locks.get(at) === pid) locks.delete(at);
        },
      };
    });
  }

  // --- Interfaces ----------------------------------------------------------------------------

  setFeatures(interfaceName: string, features: Readonly<Record<string, boolean>>): Promise<void> {
    const first = Object.entries(features).slice(0, 1);
    return this.#changeLink(
      `offloads of ${interfaceName}`,
      interfaceName,
      (link) => link.setFeatures(features),
      (link) => link.setFeatures(Object.fromEntries(first)),
    );
  }

  setCoalescing(interfaceName: string, values: LinkCoalescing): Promise<void> {
    return this.#changeLink(`coalescing of ${interfaceName}`, interfaceName, (link) => link.setCoalescing(values));
  }

  setRings(interfaceName: string, values: { readonly rx?: number; readonly tx?: number }): Promise<void> {
    return this.#changeLink(`rings of ${interfaceName}`, interfaceName, (link) => link.setRings(values));
  }

  setChannels(interfaceName: string, values: LinkChannels): Promise<void> {
    return this.#changeLink(`channels of ${interfaceName}`, interfaceName, (link) => link.setChannels(values));
  }

  readChannels(interfaceName: string): Promise<LinkChannels | undefined> {
    return this.#self.look(() => this.#machine.link(interfaceName).channels());
  }

  setRootQueue(interfaceName: string, kind: string | undefined): Promise<void> {
    if (kind !== undefined && !this.#machine.queueKinds.includes(kind)) {
      return this.#self.look(() => {
        throw new TautlineError('unsupported', `this kernel has no queue discipline '${kind}' (ENOENT)`, {
          hint: `it may be a module that is not installed: sch_${kind}`,
        });
      });
    }
    return this.#changeLink(`root queue of ${interfaceName}`, interfaceName, (link) => link.setRootQueue(kind, this.#machine.defaultQueue()));
  }

  forgetTcpMetrics(): Promise<void> {
    return this.#self.change('forget tcp metrics', () => {
      this.#access.checkRoot('forget what TCP learnt of other hosts');
      return { whole: () => void (this.#machine.tcpMetrics = 0) };
    });
  }

  // --- Processes -----------------------------------------------------------------------------

  holdLatency(microseconds: number): Promise<number> {
    return this.#self.change('hold the latency', () => {
      if (this.#machine.tree.at(LATENCY_DEVICE) === undefined) {
        throw new TautlineError('unsupported', `cannot hold ${LATENCY_DEVICE}: there is no such device`, {
          hint: 'this kernel has no power management of processors',
        });
      }
      this.#access.checkRoot(`hold ${LATENCY_DEVICE}`);
      const start = (): number => {
        const pid = this.#machine.startProcess();
        this.#machine.latencyHolds.set(pid, microseconds);
        return pid;
      };
      return { whole: start, half: () => void start() };
    });
  }

  heldLatency(): Promise<number | undefined> {
    return this.#self.look(() => {
      const held = [...this.#machine.latencyHolds.values()];
      return held.length === 0 ? undefined : Math.min(...held);
    });
  }

  dropLatency(): Promise<void> {
    return this.#self.change('drop the latency', () => ({
      whole: () => {
        for (const pid of [...this.#machine.latencyHolds.keys()]) this.#machine.endProcess(pid);
      },
    }));
  }

  startGuard(args: readonly string[], _readyTimeoutMs: number): Promise<number> {
    return this.#self.change(`start guard ${args.join(' ')}`, () => ({
      whole: () => {
        const pid = this.#machine.startProcess();
        this.#machine.guards.set(pid, args);
        this.onGuard?.(args, pid);
        return pid;
      },
    }));
  }

  isAlive(pid: number): Promise<boolean> {
    return this.#self.look(() => this.#machine.isAlive(pid));
  }

  place(): Promise<HostPlace> {
    return this.#self.look(() => this.#machine.place());
  }

  #changeLink(
    what: string,
    name: string,
    work: (link: ReturnType<SimMachine['link']>) => void,
    half?: (link: ReturnType<SimMachine['link']>) => void,
  ): Promise<void> {
    return this.#self.change(what, () => {
      const link = this.#machine.link(name);
      this.#access.checkRoot(`change the ${what}`);
      // What the driver refuses is refused before anything has happened.
      link.rehearse(work);
      return { whole: () => work(link), ...(half ? { half: () => half(link) } : {}) };
    });
  }

  #entryOf(at: string, node: TreeNode): Entry {
    const owner = { ownerId: node.ownerId, groupId: node.groupId };
    switch (node.kind) {
      case 'file':
        return {
          kind: 'file',
          bytesBase64: toBase64(node.bytes),
          links: this.#machine.tree.linksOf(at),
          mode: node.mode,
          ...owner,
          modifiedNs: String(node.modifiedNs),
          accessedNs: String(node.accessedNs),
        };
      case 'folder':
        return { kind: 'folder', mode: node.mode, ...owner };
      case 'link':
        return { kind: 'link', target: node.target, ...owner };
      case 'other':
        return { kind: 'other', is: node.is };
    }
  }

  #nodeOf(entry: Exclude<Entry, { kind: 'other' }>): TreeNode {
    const owner = { ownerId: entry.ownerId, groupId: entry.groupId };
    if (entry.kind === 'link') return { kind: 'link', target: entry.target, ...owner };
    if (entry.kind === 'folder') return { kind: 'folder', mode: entry.mode, ...owner };
    const now = this.#machine.nowNs();
    const time = (ns: string | undefined): bigint => (ns === undefined ? now : BigInt(ns));
    return {
      kind: 'file',
      bytes: fromBase64(entry.bytesBase64),
      mode: entry.mode,
      ...owner,
      modifiedNs: time(entry.modifiedNs),
      accessedNs: time(entry.accessedNs),
    };
  }
}

/** Beside the path, under a name that says whose it is: as the real one does it. */
function leftover(path: string): string {
  const folder = parentOf(path);
  return `${folder === '/' ? '' : folder}/.tautline-${path.slice(path.lastIndexOf('/') + 1)}.tmp`;
}

/** A temporary file as far as it was written. */
function halfOf(node: TreeNode): TreeNode {
  return node.kind === 'file' ? { ...node, bytes: node.bytes.subarray(0, Math.floor(node.bytes.length / 2)), mode: 0o600 } : node;
}
