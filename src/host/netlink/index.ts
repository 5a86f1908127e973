/**
 * What Linux tells of its network without a program: links, addresses, routes and queue disciplines
 * over rtnetlink, and what drivers know (speed, link modes, offloads, queues) over the `ethtool` family or
 * its ioctl. Byte formats are pure and never throw; sockets are opened for a question and closed after it.
 * What the facts mean for a path is for others.
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
