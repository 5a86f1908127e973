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
}

export interface Files {
  /** The file's text, or undefined when there is none. @throws TautlineError `io` or `permission` otherwise */
  readText(path: string): Promise<string | undefined>;
  /** Writes whole and atomically (temporary file, fsync, rename). @throws TautlineError `io` or `permission` */
  writeText(path: string, text: string): Promise<void>;
}

export type CommandResult =
  | { readonly outcome: 'exited'; readonly code: number; readonly stdout: string; readonly stderr: string }
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'timeout'; readonly stdout: string; readonly stderr: string };

export interface Commands {
  /** Runs a program without a shell. Output beyond 4 MiB is cut. */
  run(program: string, args: readonly string[], options: { timeoutMs: number; signal?: AbortSignal }): Promise<CommandResult>;
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
  /** Resolves as the system's programs do (getaddrinfo: hosts file, mDNS, DNS). IP literals resolve to themselves. */
  lookup(host: string, options: { family?: 4 | 6; timeoutMs: number; signal?: AbortSignal }): Promise<Resolution>;
}
