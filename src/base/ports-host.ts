import type { LinkFacts, ProcessorTimes, RouteFacts, TcpSettings } from './ports-facts.js';

/** Time. Durations everywhere are milliseconds as `number` unless the name ends in `Ns`. */
export interface Clock {
  /** Monotonic nanoseconds from an arbitrary origin. */
  nowNs(): bigint;
  /** The same clock in milliseconds, with a fraction. */
  nowMs(): number;
  /** Wall-clock milliseconds since 1970, only for stamping documents. */
  wallMs(): number;
  /** Resolves after `ms`, or at once when `signal` aborts; it never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What the host is, for the head of every document and for choosing what can be measured. */
export interface HostIdentity {
  readonly name: string;
  readonly os: string;
  readonly kernel: string;
  readonly arch: string;
  readonly cpus: number;
  readonly cpuModel: string;
  readonly memoryBytes: number;
  readonly node: string;
  readonly root: boolean;
}

export interface NetworkInterface {
  readonly name: string;
  readonly addresses: readonly {
    readonly address: string;
    readonly family: 4 | 6;
    readonly prefix: number;
    readonly scope: 'host' | 'link' | 'global';
  }[];
  readonly mac?: string;
  readonly mtu?: number;
  readonly up: boolean;
  readonly loopback: boolean;
  /** Negotiated link speed in bits per second, where the driver tells. */
  readonly speedBps?: number;
}

export interface Route {
  readonly gateway: string;
  readonly family: 4 | 6;
  readonly interfaceName: string;
}

/** Reads facts about this host; changes nothing. A fact that cannot be read is left out, never invented. */
export interface HostFacts {
  identity(): Promise<HostIdentity>;
  interfaces(): Promise<readonly NetworkInterface[]>;
  defaultRoutes(): Promise<readonly Route[]>;
  /** The resolvers in use, as addresses. */
  resolvers(): Promise<readonly string[]>;
  /** All that the drivers tell of every interface, or of the named one. */
  links(name?: string): Promise<readonly LinkFacts[]>;
  /** How the kernel would send to this address; undefined where it cannot or does not tell. */
  routeTo(address: string): Promise<RouteFacts | undefined>;
  processors(): Promise<ProcessorTimes | undefined>;
  tcpSettings(): Promise<TcpSettings>;
}

export interface Files {
  /** The file's text, or undefined when there is none. @throws TautlineError `io` or `permission` otherwise */
  readText(path: string): Promise<string | undefined>;
  /**
   * Writes whole and atomically (temporary file, fsync, rename). `mode` is for a file that is not there yet,
   * 0o644 by default, less what the umask takes. @throws TautlineError `io` or `permission`
   */
  writeText(path: string, text: string, options?: { readonly mode?: number }): Promise<void>;
  /** Names in a folder, sorted; undefined when there is none. @throws TautlineError `io` or `permission` otherwise */
  list(folder: string): Promise<readonly string[] | undefined>;
  /**
   * Follows no link at the end of the path unless told to; undefined when there is nothing.
   * @throws TautlineError `io` or `permission` otherwise
   */
  status(path: string, options?: { readonly follow?: boolean }): Promise<FileStatus | undefined>;
  /** Makes the folder and what is above it, for the owner alone. @throws TautlineError `io` or `permission` */
  makeFolder(path: string): Promise<void>;
  /** Removes one file; nothing happens when there is none. @throws TautlineError `io` or `permission` */
  remove(path: string): Promise<void>;
}

/** For those who only read. */
export type TextFiles = Pick<Files, 'readText'>;

export interface FileStatus {
  readonly kind: 'file' | 'folder' | 'socket' | 'link' | 'other';
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** The permission bits, 0o000..0o777. */
  readonly mode: number;
  readonly ownerId: number;
}

export type CommandResult =
  | { readonly outcome: 'exited'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'timeout'; readonly stdout: string; readonly stderr: string };

export interface Commands {
  /** Runs a program without a shell. Output beyond 4 MiB is cut. */
  run(program: string, args: readonly string[], options: CommandOptions): Promise<CommandResult>;
}

export interface CommandOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Variables beside this process's own; undefined takes one away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /**
   * `none`: the program and what it starts run in a session of their own, where they find no terminal to ask
   * questions on; when the program is cut short, what it started is too.
   */
  readonly terminal?: 'none';
}

export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

export type Resolution =
  | { readonly outcome: 'ok'; readonly addresses: readonly { readonly host: string; readonly family: 4 | 6 }[]; readonly elapsedMs: number }
  | { readonly outcome: 'unknown' | 'timeout' | 'failed'; readonly reason: string; readonly elapsedMs: number };

export interface Names {
  /**
   * Resolves as the system's programs do (getaddrinfo: hosts file, mDNS, DNS), and asks the neighbours itself for what
   * is below `.local` where the system does not. IP literals resolve to themselves.
   */
  lookup(host: string, options: { family?: 4 | 6; timeoutMs: number; signal?: AbortSignal }): Promise<Resolution>;
}
