/**
 * Single packets with their own TTL and size, and what became of each: the `Packets` port on this machine.
 * A thread of its own sends a plan's packets over ordinary sockets and reads answers and ICMP errors from
 * them, so that no privilege is needed where the kernel queues errors by socket (Linux: IP_RECVERR). What
 * the answers mean is for probes.
 *
 *     const log = await createPackets().probe({ protocol: 'udp', remote, packets: [{ ttl: 1 }, { ttl: 2 }], intervalMs: 10, timeoutMs: 1000 });
 */
export * from './packets.js';
