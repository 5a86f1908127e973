import type { Target } from '../base/index.js';
import { canonicalAddress, isLinkLocal, kindOfAddress } from './address-kind.js';
import type { AddressKnowledge } from './address-kind.js';
import { ONLY_PATH } from './peer.js';
import type { Path, PathKind, PathSource, Peer } from './peer.js';

/** One way to the peer that somebody knows of. */
export interface FoundPath {
  readonly source: PathSource;
  readonly target: Target;
  /** Where it leads, as far as that is known. */
  readonly addresses: readonly string[];
  readonly sshAlias?: string;
  /** `ssh` goes there over another host: nothing else can be measured on it. */
  readonly proxied?: boolean;
  /** The name that the person gave it. */
  readonly name?: string;
}

/** Whom to believe where several know of one path: its name and target are the first one's. */
const SOURCES: readonly PathSource[] = ['configuration', 'typed', 'dns', 'mdns', 'tailscale', 'ssh'];
/** What to use unless another path is asked for, where nobody said so. */
const DEFAULT_KINDS: readonly PathKind[] = ['lan', 'tailscale', 'wan', 'loopback', 'other', 'ssh'];

/**
 * Joins what was found into one peer. Two that lead to the same address (and not to two different ports) are one
 * path. Paths that the person declared stay as they are; others are named for their kind, then for their alias.
 */
export function assemblePeer(
  head: Pick<Peer, 'name'> & Partial<Pick<Peer, 'defaultPath' | 'keyFile'>>,
  found: readonly FoundPath[],
  known: AddressKnowledge,
): Peer {
  const places: Place[] = [];
  const ordered = SOURCES.flatMap((source) => found.filter((each) => each.source === source));
  for (const each of ordered) for (const place of placesOf(each, known)) add(places, place);
  const kept = places.filter((place) => !needless(place, places));
  const paths = named(kept);
  return {
    name: head.name,
    paths,
    defaultPath: head.defaultPath ?? defaultOf(kept, paths),
    ...(head.keyFile === undefined ? {} : { keyFile: head.keyFile }),
  };
}

interface Place {
  readonly target: Target;
  readonly source: PathSource;
  readonly kind: PathKind | undefined;
  readonly addresses: readonly string[];
  readonly name?: string;
  sshAlias?: string;
}

/** A name may lead to addresses of several kinds (of the local network and of a tailnet): each is a path of its own. */
function placesOf(found: FoundPath, known: AddressKnowledge): Place[] {
  const { source, target, sshAlias, name } = found;
  const base = { source, ...(sshAlias === undefined ? {} : { sshAlias }), ...(name === undefined ? {} : { name }) };
  if (found.proxied === true) return [{ ...base, target, kind: 'ssh', addresses: [] }];
  const kinds = new Map<PathKind, string[]>();
  for (const address of found.addresses) {
    const kind = kindOfAddress(address, known);
    kinds.set(kind, [...(kinds.get(kind) ?? []), address]);
  }
  const [first] = kinds.keys();
  // What the person declared is one path, whatever it leads to.
  if (name !== undefined || kinds.size <= 1) return [{ ...base, target, kind: first, addresses: found.addresses }];
  return [...kinds].map(([kind, addresses]) => ({
    ...base,
    target: { host: addresses[0] ?? target.host, text: addresses[0] ?? target.text },
    kind,
    addresses,
  }));
}

function add(places: Place[], place: Place): void {
  const same = places.find(
    (other) => leadTogether(other, place) || (place.kind === 'ssh' && other.target.host === place.sshAlias && other.addresses.length === 0),
  );
  // A person may have written the same place down twice, and then means two paths.
  if (!same || place.name !== undefined) {
    places.push(place);
    return;
  }
  if (place.sshAlias !== undefined) same.sshAlias ??= place.sshAlias;
}

function leadTogether(a: Place, b: Place): boolean {
  if (a.kind === 'ssh' || b.kind === 'ssh') return false;
  if (a.target.port !== undefined && b.target.port !== undefined && a.target.port !== b.target.port) return false;
  const there = b.addresses.map(canonicalAddress);
  return a.addresses.some((address) => there.includes(canonicalAddress(address)));
}

/** What has but a link-local address is the cable of another path of the local network once more. */
function needless(place: Place, places: readonly Place[]): boolean {
  if (place.name !== undefined || place.kind !== 'lan' || !place.addresses.every(isLinkLocal)) return false;
  return places.some((other) => other !== place && other.kind === 'lan' && !other.addresses.every(isLinkLocal));
}

function named(places: readonly Place[]): Path[] {
  const taken = new Set(places.flatMap(({ name }) => name ?? []));
  const alone = places.length === 1;
  return places.map((place) => {
    const { target, kind, source, sshAlias } = place;
    const name = place.name ?? (alone ? ONLY_PATH : freeName(place, taken));
    taken.add(name);
    return { name, target, source, ...(kind === undefined ? {} : { kind }), ...(sshAlias === undefined ? {} : { sshAlias }) };
  });
}

function freeName({ kind, sshAlias }: Place, taken: ReadonlySet<string>): string {
  const plain = kind ?? 'other';
  const alias = sshAlias !== undefined && /^[\w.-]+$/.test(sshAlias) ? sshAlias : undefined;
  const wanted = plain === 'other' ? [alias, plain] : [plain, alias];
  const free = wanted.find((name) => name !== undefined && !taken.has(name));
  if (free !== undefined) return free;
  let number = 2;
  while (taken.has(`${plain}-${number}`)) number++;
  return `${plain}-${number}`;
}

/** What the name itself leads to, as programs would use it; else the nearest. */
function defaultOf(places: readonly Place[], paths: readonly Path[]): string {
  const byName = places.findIndex(({ source }) => source === 'dns' || source === 'typed' || source === 'configuration');
  const byKind = DEFAULT_KINDS.map((kind) => paths.findIndex((path) => (path.kind ?? 'other') === kind)).find((index) => index >= 0);
  return paths[byName >= 0 ? byName : (byKind ?? 0)]?.name ?? ONLY_PATH;
}
