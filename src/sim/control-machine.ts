import { TautlineError } from '../base/index.js';
import type { HostPlace } from '../base/index.js';
import { SimLink } from './control-links.js';
import type { LinkRules } from './control-links.js';
import { SimTree, toBase64 } from './control-tree.js';
import type { TreeNode } from './control-tree.js';
import { SimValues } from './control-values.js';
import type { ValueSpec } from './control-values.js';
import type { InterfaceSpec } from './scenario.js';

/** A file with more than its text. */
export interface SimFileSpec {
  readonly text: string;
  /** Default 0o644. */
  readonly mode?: number;
  readonly ownerId?: number;
  readonly groupId?: number;
  readonly modifiedNs?: bigint;
}

export interface MachineSpec {
  /** What is on the disk. Folders above are made. */
  readonly files?: Readonly<Record<string, string | SimFileSpec>>;
  /** Folders that may be empty, by mode. */
  readonly folders?: Readonly<Record<string, number>>;
  /** Symbolic links by their path. */
  readonly symlinks?: Readonly<Record<string, string>>;
  /** Sockets, devices and the like, as a process sees that they are there. */
  readonly devices?: readonly string[];
  /** /proc and /sys. */
  readonly values?: Readonly<Record<string, string | ValueSpec>>;
  /** Folders on file systems that nobody may write. */
  readonly readOnlyBelow?: readonly string[];
  readonly interfaces?: readonly InterfaceSpec[];
  readonly links?: Readonly<Record<string, LinkRules>>;
  /** Queue disciplines that the kernel has. */
  readonly queueKinds?: readonly string[];
  readonly place?: Partial<HostPlace>;
}

const QUEUE_KINDS = ['pfifo_fast', 'fq', 'fq_codel', 'mq', 'noqueue'];
const DEFAULT_QUEUE = '/proc/sys/net/core/default_qdisc';
/** When everything that is there at the start was last changed: odd, so that a time that was not put back shows. */
const INSTALLED_NS = 1_735_689_599_123_456_789n;

/** What is left of a host when its programs are taken away: disk, kernel, drivers, and which processes run. */
export class SimMachine {
  readonly tree = new SimTree();
  readonly values: SimValues;
  readonly links: ReadonlyMap<string, SimLink>;
  readonly queueKinds: readonly string[];
  readonly readOnlyBelow: readonly string[];
  /** The process that holds a lock, by the lock's path. */
  readonly locks = new Map<string, number>();
  /** Processes that keep the latency device open, and at how many microseconds. */
  readonly latencyHolds = new Map<number, number>();
  /** Guards that were started and run. */
  readonly guards = new Map<number, readonly string[]>();
  /** What programs keep (`nft`, `sysctl` of macOS): by program and name. */
  readonly kept = new Map<string, string>();
  /** Hosts of which TCP has learnt something. */
  tcpMetrics = 3;
  readonly #machine: string;
  readonly #network: string;
  readonly #now: () => bigint;
  readonly #alive = new Set<number>([1]);
  #madeAtBoot: readonly (readonly [string, TreeNode])[] = [];
  #boots = 0;
  #lastPid = 1000;
  readonly #keptAtBoot = new Map<string, string>();

  constructor(spec: MachineSpec, nowNs: () => bigint) {
    this.#now = nowNs;
    this.#machine = spec.place?.machine ?? '4b1d5f0c9e8a4d31a5a8f3a2b9c0d7e6';
    this.#network = spec.place?.network ?? '4026531840';
    this.readOnlyBelow = spec.readOnlyBelow ?? [];
    this.queueKinds = spec.queueKinds ?? QUEUE_KINDS;
    this.values = new SimValues(spec.values ?? {}, { readOnlyBelow: this.readOnlyBelow, there: (path) => this.#queueIsThere(path) });
    this.links = new Map((spec.interfaces ?? []).map((one) => [one.name, new SimLink(one, spec.links?.[one.name] ?? {}, this.defaultQueue())]));
    this.#install(spec);
  }

  nowNs(): bigint {
    return this.#now();
  }

  place(): HostPlace {
    const boot = `00000000-0000-4000-8000-${(this.#boots + 1).toString(16).padStart(12, '0')}`;
    return { machine: this.#machine, boot, network: this.#network };
  }

  defaultQueue(): string {
    return this.values.text(DEFAULT_QUEUE) ?? 'pfifo_fast';
  }

  /** @throws TautlineError `unsupported` */
  link(name: string): SimLink {
    const link = this.links.get(name);
    if (!link) throw new TautlineError('unsupported', `there is no interface '${name}' (ENODEV)`, { hint: 'it may have been renamed or taken out' });
    return link;
  }

  startProcess(): number {
    this.#alive.add(++this.#lastPid);
    return this.#lastPid;
  }

  endProcess(pid: number): void {
    this.#alive.delete(pid);
    this.latencyHolds.delete(pid);
    this.guards.delete(pid);
    for (const [path, holder] of this.locks) if (holder === pid) this.locks.delete(path);
  }

  isAlive(pid: number): boolean {
    return this.#alive.has(pid);
  }

  /** What a program keeps under this name is on the disk, and there again after a boot. */
  keepOverBoot(name: string): void {
    const kept = this.kept.get(name);
    if (kept === undefined) this.#keptAtBoot.delete(name);
    else this.#keptAtBoot.set(name, kept);
  }

  /** The host as it starts again after its current failed: what was not synced is gone, the kernel knows nothing of what was set. */
  powerCut(): void {
    this.tree.powerCut();
    this.#boot();
  }

  /** An orderly end and a new start. */
  reboot(): void {
    this.tree.syncAll();
    this.tree.powerCut();
    this.#boot();
  }

  /** Everything that can be told of the host, in one order: two hosts are the same when their snapshots are. */
  snapshot(options: { readonly without?: readonly string[] } = {}): string {
    const counts = (path: string): boolean => !(options.without ?? []).some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
    const entries = this.tree.all().filter(([path]) => counts(path));
    const files = entries.map(([path, node]) =>
      node.kind === 'file'
        ? {
            path,
            ...node,
            bytes: toBase64(node.bytes),
            modifiedNs: String(node.modifiedNs),
            accessedNs: String(node.accessedNs),
            links: this.tree.linksOf(path),
          }
        : { path, ...node },
    );
    const values = Object.fromEntries(this.values.paths().flatMap((path) => (this.values.counts(path) ? [[path, this.values.text(path)]] : [])));
    const links = Object.fromEntries([...this.links].map(([name, link]) => [name, link.state()]));
    const kept = Object.fromEntries([...this.kept].sort(([a], [b]) => (a < b ? -1 : 1)));
    const latencyHolds = [...this.latencyHolds.values()].sort((a, b) => a - b);
    return JSON.stringify({ files, values, links, kept, latencyHolds, guards: [...this.guards.values()] }, undefined, 1);
  }

  #boot(): void {
    for (const pid of [...this.#alive]) if (pid !== 1) this.endProcess(pid);
    this.#boots++;
    this.tcpMetrics = 0;
    this.values.boot();
    this.kept.clear();
    for (const [key, value] of this.#keptAtBoot) this.kept.set(key, value);
    for (const link of this.links.values()) link.boot(this.defaultQueue());
    // What the system makes anew at every boot.
    for (const [path, node] of this.#madeAtBoot) this.tree.put(path, node);
    this.tree.syncAll();
  }

  #install(spec: MachineSpec): void {
    const root = { ownerId: 0, groupId: 0 };
    for (const [path, mode] of Object.entries(spec.folders ?? {})) {
      this.tree.addFoldersAbove(path);
      this.tree.put(path, { kind: 'folder', mode, ...root });
    }
    for (const [path, given] of Object.entries(spec.files ?? {})) {
      const file: SimFileSpec = typeof given === 'string' ? { text: given } : given;
      const owner = { ownerId: file.ownerId ?? 0, groupId: file.groupId ?? file.ownerId ?? 0 };
      const modifiedNs = file.modifiedNs ?? INSTALLED_NS;
      this.tree.addFoldersAbove(path, owner);
      this.tree.put(path, {
        kind: 'file',
        bytes: new TextEncoder().encode(file.text),
        mode: file.mode ?? 0o644,
        ...owner,
        modifiedNs,
        accessedNs: modifiedNs + 86_400_000_000_007n,
      });
    }
    for (const [path, target] of Object.entries(spec.symlinks ?? {})) {
      this.tree.addFoldersAbove(path);
      this.tree.put(path, { kind: 'link', target, ...root });
    }
    for (const path of spec.devices ?? []) {
      this.tree.addFoldersAbove(path);
      this.tree.put(path, { kind: 'other', is: path.endsWith('.sock') ? 'socket' : 'other', mode: 0o600, ...root });
    }
    this.tree.syncAll();
    this.#madeAtBoot = this.tree.all().filter(([path]) => path.startsWith('/run/'));
  }

  /** `/sys/class/net/eth0/queues/rx-3/...` is there while the interface has four queues or more. */
  #queueIsThere(path: string): boolean {
    const [, name = '', way, number] = /^\/sys\/class\/net\/([^/]+)\/queues\/(rx|tx)-(\d+)\//.exec(path) ?? [];
    const link = this.links?.get(name);
    return link === undefined || way === undefined || Number(number) < link.queueCount(way as 'rx' | 'tx');
  }
}
