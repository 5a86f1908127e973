/**
 * Peers and the several paths to a peer: what they are called, where they lead, and which one is
 * meant when none is named. Reading them from a file and measuring them is for others.
 *
 *     const beta = definePeer('beta', { paths: { lan: '10.0.0.2', vpn: '100.64.0.2:7227' } });
 *     choosePath(beta).name; // 'lan'
 */
export { isAddress, kindOfAddress } from './address-kind.js';
export type { AddressKnowledge } from './address-kind.js';
export * from './assemble-peer.js';
export * from './choose.js';
export * from './compare.js';
export * from './peer.js';
export * from './ssh-aliases.js';
export * from './tailnet.js';
