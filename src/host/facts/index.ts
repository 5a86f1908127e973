/**
 * What this host is and how it is connected: interfaces and all that their drivers know, routes, resolvers,
 * processor times, TCP settings. Read-only, no root; on Linux from the kernel itself (`host/netlink`, /proc, /sys),
 * on macOS from the programs that every macOS has. A fact that cannot be read is left out; what a fact
 * means for a path is for others to say.
 *
 *     const facts = createFacts(files, commands);
 *     const [gateway] = await facts.defaultRoutes();
 *     const [link] = await facts.links('eth0');
 */
import type { Commands, TextFiles, HostFacts } from '../../base/index.js';
import { darwinFacts } from './darwin.js';
import { linuxFacts } from './linux.js';

export function createFacts(files: TextFiles, commands: Commands, platform: string = process.platform): HostFacts {
  return platform === 'darwin' ? darwinFacts(files, commands) : linuxFacts(files);
}
