import type { LinkFacts } from '../../base/index.js';
import type { RawLink } from './rtnetlink.js';

const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
/** PPP, raw IP (WWAN), IPv4 and IPv6 tunnels, SIT, GRE, GRE over IPv6, none (tun): devices that carry packets without an Ethernet header. */
const ARPHRD_TUNNELS = [512, 519, 768, 769, 776, 778, 823, 65534];
const ARPHRD_WIRELESS = [801, 802, 803];

const BRIDGES = ['bridge', 'openvswitch'];
/** They pass on what an interface of a bus below them is and does. */
const ABOVE_ETHERNET = ['vlan', 'bond', 'team', 'macsec', 'hsr', 'dsa'];
const TUNNELS = [
  ...['wireguard', 'gre', 'gretap', 'ip6gre', 'ip6gretap', 'erspan', 'ip6erspan', 'ipip', 'ip6tnl', 'sit', 'vti', 'vti6', 'xfrm'],
  ...['vxlan', 'geneve', 'bareudp', 'gtp', 'amt', 'ppp', 'l2tp', 'ovpn', 'ovpn-dco', 'ipoib'],
];

/**
 * What a link is, from the kernel's own kind (`ip -d link` shows it) and its hardware type. A driver of
 * a bus has no such kind: virtio_net counts as Ethernet. A tun device is a tunnel; a tap one carries Ethernet for a
 * virtual machine or a VPN and is only virtual.
 */
export function kindOf(link: Pick<RawLink, 'hardware' | 'kind' | 'loopback' | 'name'>, wireless: boolean): LinkFacts['kind'] {
  const { hardware, kind } = link;
  if (hardware === ARPHRD_LOOPBACK || link.loopback) return 'loopback';
  if (wireless || ARPHRD_WIRELESS.includes(hardware)) return 'wireless';
  if (kind !== undefined) {
    if (BRIDGES.includes(kind)) return 'bridge';
    if (TUNNELS.includes(kind) || ARPHRD_TUNNELS.includes(hardware)) return 'tunnel';
    return ABOVE_ETHERNET.includes(kind) ? 'ethernet' : 'virtual';
  }
  if (ARPHRD_TUNNELS.includes(hardware)) return 'tunnel';
  return hardware === ARPHRD_ETHER ? 'ethernet' : 'other';
}
