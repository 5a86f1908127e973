import type { LinkFacts } from '../base/index.js';

/*
 * What the `details` of some probes' measurements hold. Diagnosis and reports read them through these types;
 * everything is optional that a host or a peer may not tell.
 */

/** In the details of `rtt`, `rtt.idle` and `rtt.loaded.*`: what the summary leaves out, for pictures. */
export interface SpreadDetails {
  readonly distribution?: Distribution;
  readonly overTime?: OverTime;
}

/** In `turns` of the details of a measurement that was put together from several turns. */
export interface TurnDetails {
  readonly turn: number;
  readonly startedAt: string;
  readonly outcome: string;
  readonly n?: number;
  readonly median?: number;
  /** Of throughput: where this turn begins in the joined `intervals`, and how much of its start does not count. */
  readonly offsetMs?: number;
  readonly omittedMs?: number;
  /** Of round trips: from the start of this turn. */
  readonly overTime?: OverTime;
}

/** How many samples lie around each value; values ascend, in the unit of the summary. */
export interface Distribution {
  readonly values: readonly number[];
  readonly counts: readonly number[];
}

/** The samples by their time of sending, in steps of equal length. */
export interface OverTime {
  readonly unit: 'ms';
  /** When the first step begins: from the start of the load where there is one, else from the start of the train. */
  readonly startMs: number;
  readonly stepMs: number;
  /** null where nothing that was sent in this step was answered. */
  readonly medians: readonly (number | null)[];
  readonly maxima: readonly (number | null)[];
}

/** `mtu.up` and `mtu.down`: the summary is the path MTU in bytes of the whole IP packet. */
export interface MtuDetails {
  readonly direction: 'up' | 'down' | 'both';
  readonly method: 'responder' | 'icmp' | 'udp';
  /** The largest packet that came through, and the smallest that did not. */
  readonly passesBytes?: number;
  readonly failsBytes?: number;
  /** Large packets vanish and nobody says so. */
  readonly blackHole: boolean;
  /** The router that said "too big", and the MTU that it named. */
  readonly tooBigFrom?: string;
  readonly tooBigMtuBytes?: number;
  /** Of the interface that packets leave through. */
  readonly interfaceName?: string;
  readonly interfaceMtuBytes?: number;
  readonly kernelMtuBytes?: number;
  /** What TCP may put into one segment: path MTU less 40 (IPv4) or 60 (IPv6). */
  readonly mssBytes?: number;
  /** What to clamp or set where that would help: `nft ... set rt mtu`, `ip link set mtu`. */
  readonly clamp?: {
    readonly mssBytes: number;
    readonly command: string;
    readonly why: string;
    /** What does the same elsewhere. */
    readonly others?: readonly { readonly where: string; readonly command: string }[];
  };
  /** Sizes tried and what became of each. */
  readonly tried: readonly { readonly bytes: number; readonly sent: number; readonly passed: number }[];
  /** Both bounds were confirmed, or nothing larger can be sent at all. */
  readonly verified?: boolean;
  /** How likely it is that `failsBytes` fits and chance lost every packet of that size. */
  readonly chance?: number;
  /** The sending host's own interface is what bounds it. */
  readonly ownInterface?: boolean;
  /** Packets above the MTU that left and of which nothing was heard. */
  readonly vanished?: number;
  /** Packets that fit: how many were sent, and how many arrived. Loss, told apart from size. */
  readonly fitting?: { readonly sent: number; readonly passed: number };
  /** Sizes below the MTU that do not pass all the same. */
  readonly surprises?: readonly number[];
  /** How often the path MTU changed while it was measured. */
  readonly changes?: number;
  /** What TCP puts into one segment on a connection to the same port (tcp_info), where there was one. */
  readonly tcpMssBytes?: number;
  readonly remote?: string;
}

/** `link`: one measurement an interface; the summary is the negotiated speed in bps. */
export interface LinkDetails {
  /** What matters of it, in words for a person. */
  readonly inShort?: string;
  readonly link: LinkFacts;
  /** Events a second while it was watched, by counter name; only what is not zero. */
  readonly ratesPerSecond?: Readonly<Record<string, number>>;
  readonly watchedMs?: number;
  /** Network soft-interrupt load while it was watched: the busiest processor's share, and the mean. */
  readonly softirq?: { readonly busiest: number; readonly mean: number };
}

/** `ssh.banner`, `ssh.kex`, `ssh` (login, fresh), `ssh.multiplexed`. */
export interface SshDetails {
  readonly alias?: string;
  readonly user?: string;
  readonly host?: string;
  readonly port?: number;
  readonly software?: string;
  readonly kex?: string;
  readonly hostKey?: string;
  readonly hostKeyBits?: number;
  /** Of the host key, as ssh shows it: `SHA256:...`. */
  readonly fingerprint?: string;
  /** Whether the server has proven that it holds that key; it is not said whether the key is the one on record. */
  readonly signature?: 'right' | 'unchecked';
  /** What the server would rather have agreed on keys by, where that is not `kex`. */
  readonly kexPreferred?: string;
  readonly proxy?: string;
  readonly compression?: boolean;
  readonly multiplexing?: {
    readonly configured: boolean;
    readonly socket?: string;
    readonly running: boolean;
    readonly persist?: string;
  };
  /** Sockets of masters that are gone. */
  readonly staleSockets?: readonly string[];
  readonly keys?: readonly { readonly path: string; readonly problem?: string; readonly fix?: string }[];
}

export interface DockerDetails {
  readonly engine: 'docker' | 'podman';
  readonly version?: string;
  readonly socket: string;
  readonly containers: readonly {
    readonly name: string;
    readonly image: string;
    readonly state: string;
    readonly health?: 'healthy' | 'unhealthy' | 'starting';
    readonly restarts: number;
    readonly networks: readonly string[];
    readonly ports: readonly { readonly host?: string; readonly published?: number; readonly inside: number; readonly protocol: string }[];
    readonly oomKilled?: boolean;
    readonly cpuShare?: number;
    readonly memoryBytes?: number;
    readonly memoryLimitBytes?: number;
  }[];
  readonly networks: readonly {
    readonly name: string;
    readonly driver: string;
    readonly scope?: string;
    readonly subnets: readonly string[];
    readonly mtu?: number;
    readonly interfaceName?: string;
    readonly containers: readonly string[];
  }[];
  /** Networks whose MTU is larger than a path's: `pathMtuBytes` where one was given to the probe. */
  readonly pathMtuBytes?: number;
  readonly overlaps: readonly { readonly subnet: string; readonly with: string; readonly what: string }[];
}

/** `docker.connect` and `docker.ttfb`: one measurement a published service. */
export interface DockerServiceDetails {
  readonly container: string;
  readonly published: number;
  readonly inside: number;
  readonly health?: string;
}

export interface TailscaleDetails {
  readonly source: 'socket' | 'command';
  readonly state: string;
  readonly version?: string;
  readonly self?: { readonly name: string; readonly addresses: readonly string[]; readonly relay?: string };
  readonly peer?: {
    readonly name: string;
    readonly addresses: readonly string[];
    readonly online: boolean;
    readonly active?: boolean;
    readonly connection: 'direct' | 'relayed' | 'idle' | 'unknown';
    readonly endpoint?: string;
    readonly relay?: string;
    readonly handshakeAgeMs?: number;
    /** Wall clock, milliseconds since 1970; only of peers that are offline. */
    readonly lastSeenMs?: number;
    readonly exitNode?: boolean;
  };
  readonly mtu?: number;
  readonly netcheck?: {
    readonly udp: boolean;
    readonly ipv6?: boolean;
    readonly mappingVaries?: boolean;
    readonly hairPinning?: boolean;
    readonly portMapping?: string;
    readonly nearestRelay?: string;
    readonly relayLatencyMs?: Readonly<Record<string, number>>;
    readonly globalAddress?: string;
  };
  /** Why there is no netcheck. */
  readonly netcheckMissing?: string;
  /** What was sent through the tunnel to the peer, and beside the tunnel to its endpoint, and how much of it was answered. */
  readonly packets?: readonly {
    readonly to: 'peer' | 'endpoint';
    /** Of the whole IP packet. */
    readonly bytes: number;
    readonly sent: number;
    readonly received: number;
  }[];
  /** It says direct, and packets do not come through; undefined where it does not say direct. */
  readonly directButBroken?: boolean;
  /** The client has no network interface; other programs' packets cannot go through it. */
  readonly userspace?: boolean;
  readonly health?: readonly string[];
}

/** `trace`: the summary is the round trip to the target; a hop's figures are in the details. */
export interface TraceDetails {
  /** The hops, in words for a person. */
  readonly inShort?: string;
  readonly protocol: 'udp' | 'icmp' | 'tcp';
  readonly reached: boolean;
  readonly hops: readonly {
    readonly ttl: number;
    readonly sent: number;
    readonly answered: number;
    /** Several where equal-cost routes lead over several routers. */
    readonly nodes: readonly {
      readonly address: string;
      readonly name?: string;
      readonly answered: number;
      readonly flows: readonly number[];
      readonly rttMs?: { readonly min: number; readonly median: number; readonly max: number };
    }[];
    /** Errors other than TTL exceeded that ended the trace here. */
    readonly ended?: string;
    /**
     * Why answers are missing although packets get past this hop: it never answers, or it limits how many errors
     * it sends. Neither is loss of the path.
     */
    readonly answers?: 'silent' | 'limited';
  }[];
  readonly flows: number;
  /** Whether that were enough flows to be 95 % sure that no further router stands beside those seen. */
  readonly allRoutersSeen?: boolean;
  /** What was tried before the protocol above, and what it came to. */
  readonly tried?: readonly { readonly protocol: 'udp' | 'icmp' | 'tcp'; readonly why: string }[];
  /** The routers that send packets round among each other. */
  readonly loop?: readonly string[];
  /** Where flows part and meet again, by TTL. */
  readonly parting?: { readonly fromTtl: number; readonly toTtl: number };
}
