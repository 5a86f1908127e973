import { formatQuantity } from '../../base/index.js';
import type { Measurement, TailscaleDetails } from '../../results/index.js';
import { type Layer, type LayerCell, ago, bad, bytes, factsBlock, list } from './layer.js';

type Peer = NonNullable<TailscaleDetails['peer']>;

/** The tunnel to a peer: direct or by a relay, and what the client knows of the network around it. */
export function tailscaleLayer(measurements: readonly Measurement[]): Layer | undefined {
  const told = measurements.filter(({ details }) => (details as Partial<TailscaleDetails> | undefined)?.state !== undefined);
  const [first] = told;
  if (!first) return undefined;
  const found = Object.assign({}, ...told.map(({ details }) => details)) as Partial<TailscaleDetails>;
  const { state, version, self, peer, netcheck, netcheckMissing, directButBroken, userspace, health, packets } = found;
  return {
    title: 'Tailscale',
    of: told,
    short: `tailscale: ${[
      state === 'Running' ? undefined : state,
      peer && `${peer.name} ${peer.online ? connectionOf(peer) : 'offline'}`,
      directButBroken === true ? 'but packets do not come through' : undefined,
      found.mtu === undefined ? undefined : `MTU ${found.mtu}`,
    ]
      .filter((part) => part !== undefined)
      .join(', ')}`,
    blocks: factsBlock([
      ['state', state === 'Running' || state === undefined ? state : bad(state)],
      ['version', version],
      ['this host', self && [self.name, ...self.addresses].join(', ')],
      ['peer', peer && [peer.name, ...peer.addresses].join(', ')],
      ['peer is', peer && (peer.online ? 'online' : bad('offline'))],
      ['connection', peer && connectionCell(peer)],
      ['in truth', directButBroken === true ? bad('it says direct, and packets do not come through') : undefined],
      [
        'packets',
        packets
          ?.map(
            ({ to, bytes: size, sent, received }) => `${received} of ${sent} of ${size} B to its ${to === 'peer' ? 'tunnel address' : 'endpoint'}`,
          )
          .join(', '),
      ],
      ['last handshake', ago(peer?.handshakeAgeMs)],
      ['exit node', peer?.exitNode === true ? 'yes' : undefined],
      ['MTU', bytes(found.mtu)],
      ['mode', userspace === true ? 'userspace: other programs cannot use the tunnel' : undefined],
      ['UDP', netcheck && (netcheck.udp ? 'works' : bad('blocked'))],
      ['IPv6', netcheck?.ipv6 === undefined ? undefined : netcheck.ipv6 ? 'works' : 'none'],
      ['address translation', netcheck?.mappingVaries === undefined ? undefined : netcheck.mappingVaries ? 'hard (varies by destination)' : 'easy'],
      ['port mapping', netcheck?.portMapping],
      ['nearest relay', netcheck?.nearestRelay && relayOf(netcheck.nearestRelay, netcheck.relayLatencyMs)],
      ['no netcheck', netcheckMissing],
      ['health', health === undefined || health.length === 0 ? undefined : bad(list(health) ?? '')],
    ]),
  };
}

function connectionOf({ connection, relay }: Peer): string {
  return connection === 'relayed' && relay !== undefined ? `by the relay ${relay}` : connection;
}

function connectionCell(peer: Peer): LayerCell {
  const text = `${connectionOf(peer)}${peer.endpoint === undefined ? '' : `, ${peer.endpoint}`}`;
  return peer.connection === 'relayed' ? bad(text) : text;
}

function relayOf(name: string, latencies: Readonly<Record<string, number>> | undefined): string {
  const own = latencies?.[name];
  return own === undefined ? name : `${name}, ${formatQuantity(own, 'ms')}`;
}
