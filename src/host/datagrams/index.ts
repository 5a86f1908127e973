/**
 * Datagrams on this machine: the `Datagrams` port (UDP and ICMP flows, each a native socket with a
 * thread of its own, precise to microseconds) and the loop that serves UDP. What the datagrams mean
 * is for others: probes hand over plans and read logs, a `DatagramResponder` makes the answers. Where
 * the system's functions cannot be reached, both fall back to `node:dgram`, and say so.
 *
 *     const flow = await createDatagrams(clock).open({ protocol: 'udp', remote });
 *     const log = await flow.exchange({ payload, count: 1000, intervalNs: 1e6, waitNs: 1e9, sequence: { offset: 16, width: 4 } });
 *     await flow.close();
 */
export * from './datagrams.js';
export * from './udp-loop.js';
export * from './udp-node.js';
