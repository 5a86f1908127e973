/** What Ethernet adds to every IP packet on the wire: preamble 8, header 14, checksum 4, gap between frames 12 (IEEE 802.3). */
export const ETHERNET_BYTES = 38;
/** A token bucket of the kernel counts the frame without preamble, checksum and gap (qdisc_skb_cb.pkt_len). */
export const ETHERNET_HEADER_BYTES = 14;
const TCP_BYTES = 20;
/** RFC 7323: 10 bytes and 2 of padding in every segment. */
export const TIMESTAMP_BYTES = 12;
const UDP_BYTES = 8;
/** WireGuard's data message: type 4, key index 4, counter 8, tag 16 (whitepaper, 5.4.6). */
const WIREGUARD_BYTES = 32;

export function ipBytes(family: 4 | 6): number {
  return family === 4 ? 20 : 40;
}

export interface Framing {
  readonly mtuBytes: number;
  readonly family: 4 | 6;
  readonly timestamps: boolean;
  /** What goes around each IP packet of the connection; default Ethernet's 38 bytes. */
  readonly aroundBytes?: number;
}

/** The share of a link's rate that is left for TCP payload: 1448 / 1538 = 0.9415 at MTU 1500 with timestamps. */
export function tcpShare(framing: Framing): number {
  return tcpPayloadBytes(framing) / (framing.mtuBytes + (framing.aroundBytes ?? ETHERNET_BYTES));
}

export function tcpPayloadBytes({ mtuBytes, family, timestamps }: Framing): number {
  return Math.max(1, mtuBytes - ipBytes(family) - TCP_BYTES - (timestamps ? TIMESTAMP_BYTES : 0));
}

/** The share that is left for UDP payload of datagrams of that size, which fit into one packet. */
export function udpShare(sizeBytes: number, family: 4 | 6): number {
  return sizeBytes / (sizeBytes + UDP_BYTES + ipBytes(family) + ETHERNET_BYTES);
}

/** Around each packet in a WireGuard tunnel (Tailscale is one): 60 bytes over IPv4, 80 over IPv6. */
export function wireguardBytes(outerFamily: 4 | 6): number {
  return ipBytes(outerFamily) + UDP_BYTES + WIREGUARD_BYTES;
}
