/**
 * The system's own functions, by FFI (koffi), for what Node does not offer: kernel receive stamps,
 * TCP_INFO, DSCP, segmentation offload, unprivileged ICMP, waits shorter than a millisecond. Small
 * typed functions and the platforms' numbers and layouts; what they are used for is decided by
 * `host/datagrams` and `host/streams`. It is loaded on the first call, and may be missing: whoever
 * uses it has another way on plain Node.
 *
 *     const libc = loadLibc();
 *     if (!libc) return fallback(libcUnavailable());
 *     const fd = libc.socket(libc.constants.AF_INET, libc.constants.SOCK_DGRAM, 0);
 *     if (fd < 0) throw new TautlineError('io', `no socket: ${libc.errnoName(libc.errno())}`);
 */
export * from './constants.js';
export * from './darwin.js';
export * from './libc.js';
export * from './linux.js';
export * from './options.js';
export * from './sockaddr.js';
