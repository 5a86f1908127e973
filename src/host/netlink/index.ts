/**
 * What Linux tells of its network, and lets be changed, without a program: links, addresses, routes and queue disciplines
 * over rtnetlink, and what drivers know (speed, link modes, offloads, queues) over the `ethtool` family or
 * its ioctl. Byte formats are pure and never throw; sockets are opened for a question and closed after it. Orders return the
 * kernel's refusal. What the facts mean for a path, and what is to be changed, is for others.
 *
 *     const libc = loadLibc();
 *     const links = libc && readLinks(libc);
 *     const drivers = libc && readDrivers(libc, links ?? []);
 */
export { readDrivers } from './ethtool-reader.js';
export type { DriverFacts } from './ethtool-reader.js';
export { kindOf } from './link-kind.js';
export { readAddresses, readLinks, readQueues, readRoute } from './reader.js';
export type { RawAddress, RawLink, RawRoute } from './rtnetlink.js';
export { clearTcpMetrics, readChannelCounts, writeChannels, writeCoalescing, writeFeatures, writeRings, writeRootQueue } from './writer.js';
export type { Device, Refusal } from './writer.js';
