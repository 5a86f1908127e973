import type { Endpoint, HostAbout, HostFacts, LinkFacts, NetworkInterface } from '../base/index.js';
import type { Outcome } from '../results/index.js';
import { decodeAddress, encodeAddress } from '../wire/index.js';
import { openControl } from './control-client.js';
import type { ControlOptions } from './control-client.js';

export interface AskAboutOptions extends Omit<ControlOptions, 'remote'> {
  /** Tried in this order. */
  readonly remotes: readonly Endpoint[];
}

export interface AskAboutResult {
  readonly outcome: Outcome;
  readonly about?: HostAbout;
  /** The address that answered. */
  readonly remote?: Endpoint;
  /** Always there unless the outcome is ok. */
  readonly reason?: string;
}

/** Asks a `tautline serve` over a connection of its own what bounds the path at its end. Never rejects for what the network or the server did. */
export async function askAbout({ remotes, ...options }: AskAboutOptions): Promise<AskAboutResult> {
  let first: AskAboutResult | undefined;
  for (const remote of remotes) {
    const opened = await openControl({ ...options, remote });
    if (opened.outcome === 'ok') {
      const answer = await opened.control.about();
      opened.control.close();
      return answer.outcome === 'ok' ? { outcome: 'ok', about: answer.about, remote } : { outcome: answer.outcome, reason: answer.reason, remote };
    }
    first ??= { outcome: opened.outcome, reason: opened.reason, remote };
    if (opened.outcome === 'unchecked') break;
  }
  return first ?? { outcome: 'unchecked', reason: 'the target has no address' };
}

/** The same of this host: what bounds a path to this address at the near end. What cannot be read is left out. */
export async function nearAbout(facts: HostFacts, remoteAddress: string): Promise<HostAbout> {
  const [identity, route, tcp, interfaces] = await Promise.all([
    facts.identity(),
    facts.routeTo(remoteAddress),
    facts.tcpSettings(),
    facts.interfaces(),
  ]);
  const links = await facts.links();
  const link = links.find(({ name }) => name === route?.interfaceName);
  return {
    name: identity.name,
    os: identity.os,
    kernel: identity.kernel,
    cpus: identity.cpus,
    ...(link ? { link } : {}),
    ...(route ? { route } : {}),
    ...(Object.keys(tcp).length === 0 ? {} : { tcp }),
    ...(links.length === 0 ? {} : { containerSubnets: containerSubnets(links, interfaces) }),
  };
}

/** Bridges of Docker, Podman, CNI plugins, LXC and Incus, as these name them. */
const CONTAINER_BRIDGE = /^(?:docker|br-|podman|cni|cbr|nerdctl|lxcbr|lxdbr|incusbr)/;

/** The subnets of bridges that container engines made. */
function containerSubnets(links: readonly LinkFacts[], interfaces: readonly NetworkInterface[]): string[] {
  const bridges = new Set(links.filter(({ kind, name }) => kind === 'bridge' && CONTAINER_BRIDGE.test(name)).map(({ name }) => name));
  return interfaces
    .filter(({ name }) => bridges.has(name))
    .flatMap(({ addresses }) => addresses.filter(({ scope }) => scope === 'global'))
    .map(({ address, family, prefix }) => subnetOf(address, family, prefix));
}

/** `172.18.0.1` with 16 bits is in `172.18.0.0/16`. */
function subnetOf(address: string, family: 4 | 6, prefix: number): string {
  const bytes = encodeAddress({ host: address, port: 0, family });
  for (let bit = prefix; bit < 8 * (bytes.length - 3); bit++) bytes[3 + (bit >> 3)] = (bytes[3 + (bit >> 3)] ?? 0) & ~(0x80 >> (bit & 7));
  return `${decodeAddress(bytes).host}/${prefix}`;
}
