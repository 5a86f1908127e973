/** What a network interface is and does. What could not be read is left out, and `unread` says why. */
export interface LinkFacts {
  readonly name: string;
  readonly kind: 'ethernet' | 'wireless' | 'tunnel' | 'bridge' | 'virtual' | 'loopback' | 'other';
  /** Switched on; whether it has a partner says `carrier`. */
  readonly up: boolean;
  readonly carrier?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  /** The kernel's own word for what is no device of a bus: `veth`, `vlan`, `wireguard`. */
  readonly type?: string;
  /** The bridge, bond or team that it is a port of. */
  readonly master?: string;
  readonly driver?: string;
  readonly firmware?: string;
  /** Where it sits, as the driver names it: `0000:3b:00.0`. */
  readonly bus?: string;
  readonly speedBps?: number;
  readonly duplex?: 'full' | 'half';
  readonly autonegotiation?: boolean;
  /** `twisted pair`, `fibre`, `direct attach` ... */
  readonly port?: string;
  /** Link modes by the kernel's names (`10000baseT/Full`). */
  readonly supported?: readonly string[];
  readonly advertised?: readonly string[];
  /** What the other end of the cable said it can do. */
  readonly partner?: readonly string[];
  /** The fastest of the modes above. */
  readonly supportedBpsMax?: number;
  readonly partnerBpsMax?: number;
  readonly queues?: { readonly rx: number; readonly tx: number; readonly rxMax?: number; readonly txMax?: number };
  readonly rings?: { readonly rx: number; readonly tx: number; readonly rxMax?: number; readonly txMax?: number };
  /** Offloads by the names that ethtool -k prints (`tcp-segmentation-offload`). */
  readonly features?: Readonly<Record<string, { readonly on: boolean; readonly changeable: boolean }>>;
  /** Interrupt coalescing in microseconds. */
  readonly coalescing?: { readonly rxUsecs?: number; readonly txUsecs?: number; readonly adaptiveRx?: boolean; readonly adaptiveTx?: boolean };
  /** Cumulative; names of `struct rtnl_link_stats64` (rx_packets, rx_errors, rx_dropped, rx_crc_errors ...). */
  readonly counters?: Readonly<Record<string, number>>;
  readonly qdiscs?: readonly QueueFacts[];
  readonly unread?: readonly { readonly what: string; readonly why: string }[];
}

/** A queue discipline or class of an interface. */
export interface QueueFacts {
  /** `fq_codel`, `tbf`, `htb` ... */
  readonly kind: string;
  /** `root`, `ingress` or the parent's handle. */
  readonly parent: string;
  readonly handle: string;
  /** What it lets through, where it shapes. */
  readonly rateBps?: number;
  /** What a class gets in any case, where that is less than what it may take. */
  readonly assuredBps?: number;
  /** What a single flow is paced to (fq), where that is bounded. */
  readonly flowRateBps?: number;
  /** What is added or lost on purpose (netem). */
  readonly delayMs?: number;
  readonly lossRatio?: number;
  readonly burstBytes?: number;
  readonly limitBytes?: number;
  readonly limitPackets?: number;
  readonly sentBytes?: number;
  readonly drops?: number;
  readonly overlimits?: number;
  readonly backlogBytes?: number;
}

/** How the kernel would send to an address now. */
export interface RouteFacts {
  readonly interfaceName: string;
  readonly source?: string;
  readonly gateway?: string;
  /** Of the route, else of the interface. */
  readonly mtu?: number;
  readonly advmss?: number;
  readonly local: boolean;
}

/** Cumulative processor time in milliseconds, one entry a processor. */
export interface ProcessorTimes {
  readonly atMs: number;
  readonly cpus: readonly {
    readonly busyMs: number;
    /** Part of `busyMs` that network interrupts and other soft interrupts took. */
    readonly softirqMs: number;
    /** Time in which a hypervisor ran somebody else; not part of `busyMs`. */
    readonly stealMs: number;
    readonly idleMs: number;
  }[];
}

/** The TCP settings that bound a connection. */
export interface TcpSettings {
  /** Least, default, most: net.ipv4.tcp_rmem and tcp_wmem (macOS: auto{rcv,snd}bufmax as most). */
  readonly receiveBytes?: readonly [number, number, number];
  readonly sendBytes?: readonly [number, number, number];
  /** net.core.rmem_max, wmem_max: what an application may ask for. */
  readonly receiveBytesAsked?: number;
  readonly sendBytesAsked?: number;
  readonly congestion?: string;
  readonly windowScaling?: boolean;
  readonly timestamps?: boolean;
  readonly sack?: boolean;
  readonly mtuProbing?: number;
  readonly slowStartAfterIdle?: boolean;
  /** net.ipv4.tcp_adv_win_scale: 1 leaves half of the buffer to the window. */
  readonly windowShare?: number;
}

/** What a host says of itself to a peer that has proven the key: what bounds the peer's path at this end. */
export interface HostAbout {
  readonly name: string;
  readonly os: string;
  readonly kernel: string;
  readonly cpus: number;
  /** The address that the peer was seen with: it tells of address translation on the way. */
  readonly observed?: string;
  /** The interface that answers go out of. */
  readonly link?: LinkFacts;
  readonly route?: RouteFacts;
  readonly tcp?: TcpSettings;
  /** Subnets of container networks, as `172.18.0.0/16`; undefined where it could not be told. */
  readonly containerSubnets?: readonly string[];
}
