import { isIP } from 'node:net';
import { cpus } from 'node:os';
import type { CpuInfo } from 'node:os';
import type { Commands, HostFacts, LinkFacts, NetworkInterface, ProcessorTimes, Route, TextFiles } from '../../base/index.js';
import { TCP_SYSCTLS, parseIfconfigLinks, parseNetstat, parseRoute, parseSysctl, supportedModes } from './darwin-links.js';
import { identify } from './identity.js';
import { addressedInterfaces } from './interfaces.js';
import { parseResolvConf } from './resolv-conf.js';

const COMMAND_TIMEOUT_MS = 2000;

/** Facts of a macOS host, from the programs that every macOS has: route, scutil, ifconfig, sw_vers. */
export function darwinFacts(files: TextFiles, commands: Commands, listInterfaces = addressedInterfaces): HostFacts {
  const output = async (program: string, ...args: string[]): Promise<string> => {
    const result = await commands.run(program, args, { timeoutMs: COMMAND_TIMEOUT_MS });
    return result.outcome === 'exited' && result.code === 0 ? result.stdout : '';
  };
  return {
    identity: async () => {
      const version = (await output('sw_vers', '-productVersion')).trim();
      const identity = await identify(files);
      return version === '' ? identity : { ...identity, os: `macOS ${version}` };
    },
    interfaces: async () => {
      const details = parseIfconfig(await output('ifconfig'));
      return listInterfaces().map((item): NetworkInterface => ({ ...item, ...details.get(item.name) }));
    },
    defaultRoutes: async () => [
      ...parseRouteGet(await output('route', '-n', 'get', 'default'), 4),
      ...parseRouteGet(await output('route', '-n', 'get', '-inet6', 'default'), 6),
    ],
    links: async (name) => {
      const [listed, counted] = await Promise.all([
        output('ifconfig', '-v', '-m', ...(name === undefined ? [] : [name])),
        output('netstat', '-ibdn'),
      ]);
      const counters = parseNetstat(counted);
      return Promise.all(
        parseIfconfigLinks(listed).map(async (link): Promise<LinkFacts> => {
          const unlisted = link.kind === 'ethernet' && link.supported === undefined && link.carrier === true;
          const more = unlisted ? supportedModes((await output('networksetup', '-listValidMedia', link.name)).split('\n')) : {};
          const own = counters.get(link.name);
          return { ...link, ...more, ...(own ? { counters: own } : {}) };
        }),
      );
    },
    routeTo: async (address) => parseRoute(await output('route', '-n', 'get', ...(address.includes(':') ? ['-inet6'] : []), address)),
    processors: () => Promise.resolve(processorsOf(cpus(), performance.now())),
    // It fails when a name is unknown, and has printed the others all the same.
    tcpSettings: async () => {
      const result = await commands.run('sysctl', TCP_SYSCTLS, { timeoutMs: COMMAND_TIMEOUT_MS });
      return parseSysctl(result.outcome === 'exited' ? result.stdout : '');
    },
    resolvers: async () => {
      const found = parseScutilDns(await output('scutil', '--dns'));
      return found.length > 0 ? found : parseResolvConf((await files.readText('/etc/resolv.conf').catch(() => undefined)) ?? '');
    },
  };
}

/** Node's own count of processor times (host_processor_info); soft interrupts are not told apart from the kernel's other work. */
export function processorsOf(processors: readonly CpuInfo[], atMs: number): ProcessorTimes | undefined {
  if (processors.length === 0) return undefined;
  return {
    atMs,
    cpus: processors.map(({ times }) => ({ busyMs: times.user + times.nice + times.sys + times.irq, softirqMs: 0, stealMs: 0, idleMs: times.idle })),
  };
}

/** `route -n get default`: one route, its fields a line each. A route without a gateway (a tunnel) has none. */
export function parseRouteGet(text: string, family: 4 | 6): Route[] {
  const gateway = /^\s*gateway:\s*(\S+)/m.exec(text)?.[1];
  const name = /^\s*interface:\s*(\S+)/m.exec(text)?.[1];
  if (gateway === undefined || name === undefined || isIP(gateway.replace(/%.*$/, '')) !== family) return [];
  return [{ gateway, family, interfaceName: name }];
}

/** `scutil --dns`: the name servers of the first resolvers, without the scoped repeats and multicast DNS. */
export function parseScutilDns(text: string): string[] {
  const general = text.split(/^DNS configuration \(for scoped queries\)/m)[0] ?? '';
  const servers: string[] = [];
  for (const block of general.split(/^resolver #\d+/m)) {
    if (/^\s*options\s*:\s*mdns/m.test(block) || /^\s*domain\s*:/m.test(block)) continue;
    for (const match of block.matchAll(/^\s*nameserver\[\d+\]\s*:\s*(\S+)/gm)) {
      if (match[1] !== undefined) servers.push(match[1]);
    }
  }
  return [...new Set(servers)];
}

/** `ifconfig`: MTU, state, and the speed of Ethernet media (`media: autoselect (1000baseT <full-duplex>)`). */
export function parseIfconfig(text: string): Map<string, { mtu?: number; up: boolean; speedBps?: number }> {
  const found = new Map<string, { mtu?: number; up: boolean; speedBps?: number }>();
  for (const block of text.split(/^(?=\S)/m)) {
    const head = /^([^\s:]+): flags=\w+<([^>]*)>.*?(?:mtu (\d+))?\s*$/m.exec(block);
    if (!head?.[1]) continue;
    const media = /^\s*media:.*\((\d+(?:\.\d+)?)(G?)base/im.exec(block);
    const status = /^\s*status:\s*(\w+)/m.exec(block)?.[1];
    found.set(head[1], {
      ...(head[3] === undefined ? {} : { mtu: Number(head[3]) }),
      up: (head[2] ?? '').split(',').includes('UP') && (status === undefined || status === 'active'),
      ...(media ? { speedBps: Number(media[1]) * (media[2] === '' ? 1e6 : 1e9) } : {}),
    });
  }
  return found;
}
