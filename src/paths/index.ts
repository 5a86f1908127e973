/**
 * Peers and the several paths to a peer: what they are called, where they lead, and which one is
 * meant when none is named. Reading them from a file and measuring them is for others.
 *
 *     const beta = definePeer('beta', { paths: { lan: '10.0.0.2', vpn: '100.64.0.2:7227' } });
 *     choosePath(beta).name; // 'lan'
 */
export * from './peer.js';
