import type { Entry, LinkCoalescing } from '../base/index.js';
import type { TunePorts } from './ports.js';

/**
 * Where on a host a value stands. It is written to the journal as it is, so its form is kept from release to release; what
 * can be done at a place of each kind is in `places/`, one file a kind.
 */
export type PlaceRef =
  /** A file of /proc or /sys. `choice`: one word of several, shown as `always [madvise] never`. */
  | { readonly kind: 'kernel-value'; readonly path: string; readonly choice?: true }
  /** A file, link or folder of the disk. */
  | { readonly kind: 'entry'; readonly path: string }
  | { readonly kind: 'offloads'; readonly interface: string }
  | { readonly kind: 'coalescing'; readonly interface: string }
  | { readonly kind: 'rings'; readonly interface: string }
  | { readonly kind: 'channels'; readonly interface: string }
  | { readonly kind: 'root-queue'; readonly interface: string }
  /** Whether the host forwards, and what the kernel changes with that. */
  | { readonly kind: 'forwarding'; readonly family: 4 | 6 }
  /** A table of nftables that is ours alone. */
  | { readonly kind: 'nft-table'; readonly family: 'inet' | 'ip' | 'ip6'; readonly name: string }
  /** What a process of ours holds /dev/cpu_dma_latency at. */
  | { readonly kind: 'latency-hold' }
  /** A preference of the Tailscale client, by its name in ipn.Prefs (`RouteAll`). */
  | { readonly kind: 'tailscale-pref'; readonly name: string }
  | { readonly kind: 'macos-sysctl'; readonly name: string }
  /** `networksetup -getMedia` of a network service. */
  | { readonly kind: 'macos-media'; readonly service: string }
  /** `networksetup -getinfo` of a network service: how it has its IPv4 address. */
  | { readonly kind: 'macos-address'; readonly service: string };

export type PlaceKind = PlaceRef['kind'];

/** What a place holds, as it goes into the journal. */
export interface PlaceStates {
  /** Words separated by single spaces; of a `choice` the chosen word. */
  readonly 'kernel-value': string;
  readonly entry: Entry | { readonly kind: 'nothing' };
  /** Every offload that can be changed, on or off: drivers tie them together, and undoing one must undo what it dragged along. As a wish: only those that are meant. */
  readonly offloads: Readonly<Record<string, boolean>>;
  readonly coalescing: LinkCoalescing;
  readonly rings: { readonly rx?: number; readonly tx?: number };
  readonly channels: { readonly rx?: number; readonly tx?: number; readonly combined?: number };
  /** `byKernel`: nobody has set it (handle 0:); undoing means removing ours. `leaf`: what every queue below `mq` is. */
  readonly 'root-queue': { readonly queue: string; readonly byKernel: boolean; readonly leaf?: string };
  /** By paths below /proc/sys/net/ipv4 or ipv6. As a wish: only those that are meant. */
  readonly forwarding: Readonly<Record<string, number>>;
  /** What `nft -f` takes to make the table, null when there is none. */
  readonly 'nft-table': string | null;
  readonly 'latency-hold': number | null;
  readonly 'tailscale-pref': boolean | string | readonly string[] | null;
  readonly 'macos-sysctl': string;
  readonly 'macos-media': { readonly media: string; readonly options: readonly string[] };
  readonly 'macos-address': { readonly by: 'dhcp' | 'manual'; readonly address?: string; readonly mask?: string; readonly router?: string };
}

export type PlaceOf<K extends PlaceKind> = Extract<PlaceRef, { kind: K }>;

/** Everything that can be done at places of one kind. Reading changes nothing; writing is one change (or, undone half way, can be done again). */
export interface Place<K extends PlaceKind> {
  readonly kind: K;
  /** @returns undefined where there is no such place on this host (a key that vanished, an interface that is gone) */
  read(ports: TunePorts, ref: PlaceOf<K>): Promise<PlaceStates[K] | undefined>;
  /** Puts the value there, to apply as well as to undo. May be done twice. @throws TautlineError */
  write(ports: TunePorts, ref: PlaceOf<K>, state: PlaceStates[K]): Promise<void>;
  /** Whether what is there is what was meant; a wish may say less than what is there (some offloads of many). */
  holds(state: PlaceStates[K], meant: PlaceStates[K]): boolean;
  /** For people: `net.ipv4.tcp_rmem`, `eth0 offloads`, `/etc/sysctl.d/90-tautline.conf`. */
  label(ref: PlaceOf<K>): string;
  /** For people, short: `4096 131072 16777216`, `gro off, tso off`, `a file of 312 bytes`. */
  show(state: PlaceStates[K], beside?: PlaceStates[K]): string;
  /** POSIX shell lines that put the value there without Tautline, for `--script` and for the unit that runs at boot; every foreign word is quoted with `shellWord`. */
  commands(ref: PlaceOf<K>, state: PlaceStates[K]): readonly string[];
  /** How far the place reaches: a value of a network namespace is undone in that namespace only; a boot forgets all but `disk`. */
  readonly reach: (ref: PlaceOf<K>) => 'network' | 'machine' | 'disk';
}

/** One change of a host: where, from what, to what. */
export type Change = {
  [K in PlaceKind]: { readonly place: PlaceOf<K>; readonly original: PlaceStates[K]; readonly desired: PlaceStates[K] };
}[PlaceKind];
