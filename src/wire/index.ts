/**
 * Byte formats, pure: what goes between two tautlines (datagrams, TCP control frames, proofs of the
 * key) and what goes to others (ICMP, DNS, SSH). Encoding and decoding only: no sockets, no clocks.
 * Bytes from a peer never throw past a decoder; what cannot be read comes back as `garbled`.
 *
 *     const datagram = decodeClientDatagram(bytes);
 *     if (datagram.kind === 'garbled') counters.garbled++;
 */
export { trimAbout } from './about.js';
export * from './address.js';
export * from './auth.js';
export * from './control.js';
export * from './control-reader.js';
export * from './datagram.js';
export * from './dns.js';
export * from './flood-counter.js';
export * from './frame-channel.js';
export * from './header.js';
export * from './host-load.js';
export * from './http-responder.js';
export * from './icmp.js';
export * from './mdns.js';
export * from './mtu-datagrams.js';
export * from './responder.js';
export * from './sequence-window.js';
export { plainText } from './ssh-bytes.js';
export * from './ssh-exchange.js';
