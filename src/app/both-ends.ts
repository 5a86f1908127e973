import type { HostAbout, Ports } from '../base/index.js';
import { askAbout, nearAbout } from '../probe/index.js';
import type { TargetFindings } from './discover.js';
import type { Unchecked } from './discover-paths.js';
import type { NamedTarget } from './targets.js';

export interface BothEnds {
  readonly near?: HostAbout;
  readonly far?: HostAbout;
  readonly unchecked?: Unchecked;
}

export interface PathEnds {
  readonly named: NamedTarget;
  readonly found: TargetFindings;
  readonly key: Uint8Array | undefined;
}

const TIMEOUT_MS = 2000;

/** What both ends of each path say of themselves: this host by looking, the far one by asking its responder. */
export async function askBothEnds(ports: Ports, paths: readonly PathEnds[], signal: AbortSignal): Promise<BothEnds[]> {
  const near = await nearEnds(
    ports,
    paths.map(({ found }) => found.address?.host),
  );
  const far = await Promise.all(paths.map((path) => askFarEnd(ports, path, signal)));
  return paths.map((_, i) => ({ ...(near[i] ? { near: near[i] } : {}), ...far[i] }));
}

/** This host as it would send to each address. */
export function nearEnds(ports: Ports, addresses: readonly (string | undefined)[]): Promise<(HostAbout | undefined)[]> {
  return Promise.all(addresses.map((address) => (address === undefined ? Promise.resolve(undefined) : nearAbout(ports.facts, address))));
}

async function askFarEnd(ports: Ports, { named, found, key }: PathEnds, signal: AbortSignal): Promise<Omit<BothEnds, 'near'>> {
  const { address, serve } = found;
  if (!address || serve.answers !== 'yes') return {};
  const answer = await askAbout({ ports, remotes: [{ ...address, port: serve.port }], timeoutMs: TIMEOUT_MS, signal, ...(key ? { key } : {}) });
  if (answer.about) return { far: answer.about };
  return { unchecked: { what: `what bounds the far end of ${named.target.text}`, why: answer.reason ?? answer.outcome } };
}
