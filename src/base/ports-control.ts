import type { FileStatus } from './ports-host.js';

/**
 * Changes this host: the port of everything that `tune` writes. `host/` implements it on Linux and macOS, `sim/` on a
 * simulated host that can die after any single write. Each call is one change; what it was before is the caller's to keep.
 * All of them throw TautlineError: `permission` where more rights are needed, `unsupported` where the kernel, driver or
 * file system does not have it, `io` for the rest.
 */
export interface HostControl {
  /**
   * Text of a file of /proc or /sys, without its last line end; undefined when there is none.
   * @throws `permission` where it may not be read
   */
  readValue(path: string): Promise<string | undefined>;
  /** Opens an existing file of /proc or /sys and writes the text at once; makes no file. The kernel's refusal (EINVAL ...) is `unsupported`. */
  writeValue(path: string, text: string): Promise<void>;
  /** Whether the file is there and its file system and permission bits allow writing it: changes nothing, and a kernel may still refuse. */
  mayWrite(path: string): Promise<boolean>;

  /** What is at a path with all that makes it what it is; follows no link at its end. Undefined when there is nothing. */
  readEntry(path: string): Promise<Entry | undefined>;
  /**
   * Puts a file or link there whole, with owner, mode and times: made beside it, synced, renamed over it, folder synced.
   * A folder that is missing is made with that mode; one that is there is only given its mode and owner.
   * What a call that was killed left beside the path is taken away by the next `writeEntry` or `removeEntry` of the same path,
   * so whoever undoes a change that may have been begun calls one of them even where the place seems untouched.
   */
  writeEntry(path: string, entry: Entry): Promise<void>;
  /** Removes a file, a link or an empty folder, and syncs the folder above; nothing happens when there is nothing. A folder with something in it stays, and that is no error. */
  removeEntry(path: string): Promise<void>;
  /** Where the links of a path end, or the path itself when nothing is there. */
  realPath(path: string): Promise<string>;

  /** Adds text to the end of a file (made when missing, for the owner alone) and returns when it is on the disk (fsync, also of the folder when made). */
  append(path: string, text: string): Promise<void>;
  /** Holds a lock until it is released or the process ends, however it ends. Never waits. */
  lock(path: string): Promise<HostLock | { readonly heldBy: number | undefined }>;

  /** Offloads by the names that `ethtool -k` prints; those that are not named stay as they are, unless the driver ties them together. */
  setFeatures(interfaceName: string, features: Readonly<Record<string, boolean>>): Promise<void>;
  setCoalescing(interfaceName: string, values: LinkCoalescing): Promise<void>;
  setRings(interfaceName: string, values: { readonly rx?: number; readonly tx?: number }): Promise<void>;
  /** Queue counts as the driver has them. */
  setChannels(interfaceName: string, values: LinkChannels): Promise<void>;
  /** Queue counts as the driver tells them (not summed as in `LinkFacts`); undefined where it has none. */
  readChannels(interfaceName: string): Promise<LinkChannels | undefined>;

  /** Replaces the root queue discipline by this kind with the kernel's defaults; undefined removes it, and the kernel puts its default there. */
  setRootQueue(interfaceName: string, kind: string | undefined): Promise<void>;
  /** Forgets what TCP learnt of other hosts (tcp_metrics), so that one measurement's window does not start the next one's. */
  forgetTcpMetrics(): Promise<void>;

  /**
   * Starts a process that outlives this one and keeps /dev/cpu_dma_latency open at so many microseconds, until `dropLatency`.
   * @returns its process number
   */
  holdLatency(microseconds: number): Promise<number>;
  /** The figure that such a process of ours holds; undefined when none runs. */
  heldLatency(): Promise<number | undefined>;
  dropLatency(): Promise<void>;

  /** Starts this program again with these arguments, in a session of its own that outlives this process and its terminal. @returns its process number, once it has said that it is ready */
  startGuard(args: readonly string[], readyTimeoutMs: number): Promise<number>;
  /** Whether this process still runs. */
  isAlive(pid: number): Promise<boolean>;

  /** Which host, boot and network namespace this is: a change of one is not undone in another. */
  place(): Promise<HostPlace>;
}

/** A file, link or folder with all that a roll-back must restore. */
export type Entry =
  | ({ readonly kind: 'file'; readonly bytesBase64: string; readonly links: number } & EntryMeta)
  | ({ readonly kind: 'link'; readonly target: string } & Pick<EntryMeta, 'ownerId' | 'groupId'>)
  | ({ readonly kind: 'folder' } & Pick<EntryMeta, 'mode' | 'ownerId' | 'groupId'>)
  | { readonly kind: 'other'; readonly is: FileStatus['kind'] };

export interface EntryMeta {
  /** 0o0000 to 0o7777. */
  readonly mode: number;
  readonly ownerId: number;
  readonly groupId: number;
  /** Decimal nanoseconds since 1970, as text: they do not fit a number. Left out in an entry to be written: then it is now. */
  readonly modifiedNs?: string;
  readonly accessedNs?: string;
}

export interface HostLock {
  release(): Promise<void>;
}

export interface LinkCoalescing {
  readonly rxUsecs?: number;
  readonly txUsecs?: number;
  readonly adaptiveRx?: boolean;
  readonly adaptiveTx?: boolean;
}

export interface LinkChannels {
  readonly rx?: number;
  readonly tx?: number;
  readonly combined?: number;
  readonly rxMax?: number;
  readonly txMax?: number;
  readonly combinedMax?: number;
}

export interface HostPlace {
  /** /etc/machine-id, macOS: the platform's UUID; empty where there is none. */
  readonly machine: string;
  /** Changes with every boot. */
  readonly boot: string;
  /** Inode of the network namespace; `none` where the system has no such thing. */
  readonly network: string;
}
