import { parseTarget } from '../base/index.js';
import type { Target } from '../base/index.js';
import { ONLY_PATH, choosePath, findPeer } from '../paths/index.js';
import type { Path, PathKind, PathSource, Peer } from '../paths/index.js';

/** What a person named: a peer of the configuration (with one of its paths, or its default one), or a place. */
export interface NamedTarget {
  readonly target: Target;
  readonly path: string;
  readonly peer?: Peer;
  readonly kind?: PathKind;
  readonly source?: PathSource;
  readonly sshAlias?: string;
  /** Written down or typed by a person, and not only found. */
  readonly declared: boolean;
}

/** @throws TautlineError `usage` when it is neither */
export function resolveTarget(text: string, peers: readonly Peer[]): NamedTarget {
  const found = findPeer(peers, text);
  if (!found) return { target: parseTarget(text), path: ONLY_PATH, declared: true };
  return ofPath(found.peer, found.path ?? choosePath(found.peer));
}

/** Every path that a check of this name looks at: all of a peer's, or the one that was named. */
export function resolveTargets(text: string, peers: readonly Peer[]): NamedTarget[] {
  const found = findPeer(peers, text);
  if (!found || found.path) return [resolveTarget(text, peers)];
  return pathsOf(found.peer);
}

/** A peer's paths, the default one first. */
export function pathsOf(peer: Peer): NamedTarget[] {
  const first = choosePath(peer);
  return [first, ...peer.paths.filter((path) => path !== first)].map((path) => ofPath(peer, path));
}

function ofPath(peer: Peer, path: Path): NamedTarget {
  const { target, name, kind, source, sshAlias } = path;
  return {
    target,
    path: name,
    peer,
    ...(kind === undefined ? {} : { kind }),
    ...(source === undefined ? {} : { source }),
    ...(sshAlias === undefined ? {} : { sshAlias }),
    declared: source === undefined || source === 'configuration' || source === 'typed',
  };
}
