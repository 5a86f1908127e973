import type { Target } from '../base/index.js';
import { TautlineError, parseTarget } from '../base/index.js';

/** What a path goes through; it decides what is worth measuring on it. */
export const PATH_KINDS = ['loopback', 'lan', 'tailscale', 'ssh', 'wan', 'other'] as const;
export type PathKind = (typeof PATH_KINDS)[number];

/** Who said that the path exists. */
export type PathSource = 'configuration' | 'ssh' | 'tailscale' | 'mdns' | 'dns' | 'typed';

/** One way to reach a peer: a cable, a tunnel, a relay. */
export interface Path {
  readonly name: string;
  readonly target: Target;
  /** Undefined until its address is known, where the name does not tell. */
  readonly kind?: PathKind;
  readonly source?: PathSource;
  /** The name that `ssh` knows the peer by on this path. */
  readonly sshAlias?: string;
}

/** Another host that matters, and the ways to reach it, as the person declared them. */
export interface Peer {
  readonly name: string;
  readonly paths: readonly Path[];
  /** The path to use unless another one is asked for. */
  readonly defaultPath: string;
  /** The pre-shared key of the peer's `tautline serve`, if not the general one. */
  readonly keyFile?: string;
}

/** A peer as it is written down: an address, or addresses by path name. */
export interface PeerDeclaration {
  readonly paths: Readonly<Record<string, string>>;
  readonly defaultPath?: string;
  readonly keyFile?: string;
}

/** The name of a path where only one exists. */
export const ONLY_PATH = 'default';

/** @throws TautlineError `config` when a target cannot be read, or the default path is none of the paths */
export function definePeer(name: string, declaration: PeerDeclaration): Peer {
  const paths = Object.entries(declaration.paths).map(([path, text]) => ({ name: path, target: parseTarget(text) }));
  const [first] = paths;
  if (!first) throw new TautlineError('config', `peer '${name}' has no paths`, { hint: 'give it at least one address' });
  const defaultPath = declaration.defaultPath ?? first.name;
  if (!paths.some((path) => path.name === defaultPath)) {
    throw new TautlineError('config', `peer '${name}' has no path '${defaultPath}'`, {
      hint: `its paths are ${paths.map((path) => path.name).join(', ')}`,
    });
  }
  return { name, paths, defaultPath, ...(declaration.keyFile === undefined ? {} : { keyFile: declaration.keyFile }) };
}

/** The path of that name, or the default one. @throws TautlineError `usage` when there is no such path */
export function choosePath(peer: Peer, name: string = peer.defaultPath): Path {
  const path = peer.paths.find((candidate) => candidate.name === name);
  if (path) return path;
  throw new TautlineError('usage', `peer '${peer.name}' has no path '${name}'`, {
    hint: `its paths are ${peer.paths.map((candidate) => candidate.name).join(', ')}`,
  });
}

/** What a person may write for a peer or one of its paths: `beta`, `beta/vpn`. Undefined when no peer is meant. */
export function findPeer(peers: readonly Peer[], text: string): { peer: Peer; path: Path | undefined } | undefined {
  const [name, pathName] = text.split('/', 2);
  const peer = peers.find((candidate) => candidate.name === name);
  if (!peer) return undefined;
  return { peer, path: pathName === undefined ? undefined : choosePath(peer, pathName) };
}
