import type { Ports } from '../base/index.js';
import type { Peer } from '../paths/index.js';
import { discoverPaths } from './discover-paths.js';
import type { Unchecked } from './discover-paths.js';
import { pathsOf, resolveTargets } from './targets.js';
import type { NamedTarget } from './targets.js';

/** The paths to one peer, the one to use by default first. */
export interface PeerPaths {
  readonly name: string;
  readonly paths: readonly NamedTarget[];
}

export interface SelectRequest {
  readonly target?: string;
  readonly peers: readonly Peer[];
  readonly family?: 4 | 6;
  readonly signal: AbortSignal;
  readonly discover?: { readonly homeFolder: string };
}

/**
 * What a check of this name looks at: the paths that are written down, and those that this host knows of by
 * itself. Without a name: the peers of the configuration, as they are written down.
 * @throws TautlineError `usage` for a name that is none
 */
export async function selectPaths(ports: Ports, request: SelectRequest): Promise<{ groups: PeerPaths[]; unchecked: readonly Unchecked[] }> {
  const { target, peers, discover } = request;
  if (target === undefined) return { groups: peers.map((peer) => ({ name: peer.name, paths: pathsOf(peer) })), unchecked: [] };
  const written = resolveTargets(target, peers);
  const name = written[0]?.peer?.name ?? target;
  if (!discover) return { groups: [{ name, paths: written }], unchecked: [] };
  const { peer, unchecked } = await discoverPaths(ports, {
    text: target,
    peers,
    signal: request.signal,
    homeFolder: discover.homeFolder,
    ...(request.family === undefined ? {} : { family: request.family }),
  });
  return { groups: [{ name, paths: pathsOf(peer) }], unchecked };
}
