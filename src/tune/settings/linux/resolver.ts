import type { HostView, Setting, Source, Step } from '../../setting.js';
import { quietFiles } from '../../others/quiet-files.js';
import { changesToText, isLook, lookAtOwnFile, SYSTEM_FILE } from '../file-look.js';
import { changeFiles, notDone } from '../steps.js';

interface Wanted {
  readonly cache: 'yes' | 'no-negative' | 'no';
  readonly servers?: readonly string[];
}

const RESOLVED_CONF: Source = {
  title: 'resolved.conf(5)',
  url: 'https://www.freedesktop.org/software/systemd/man/latest/resolved.conf.html',
};
const FILE = '/etc/systemd/resolved.conf.d/90-tautline.conf';
const FOLDERS = ['/etc/systemd', '/run/systemd', '/usr/local/lib/systemd', '/usr/lib/systemd', '/lib/systemd'] as const;
const SERVERS_MAX = 8;

/** The cache of systemd-resolved, and its servers where a profile names them. */
export const resolver: Setting<Wanted> = {
  id: 'resolver',
  title: 'Cache of the resolver',
  platforms: ['linux'],
  effect: 'measurable',
  scope: 'service',
  group: 'names',
  needs: { root: true, restart: 'systemd-resolved' },
  sources: [RESOLVED_CONF],
  why: 'A name that is in the cache costs no round trip to a name server. It shortens setting up connections by name, and nothing else.',
  takes: "'cache', 'no-negative' or 'no', or a mapping of `cache` and `servers` (addresses)",
  parse(value) {
    const given = typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : { cache: value };
    const unknown = Object.keys(given).find((key) => key !== 'cache' && key !== 'servers');
    if (unknown !== undefined) return { problem: `there is no '${unknown}' in it` };
    const cache = CACHES[String(given['cache'] ?? 'cache')];
    if (!cache) return { problem: `'${String(given['cache'])}' is no way to cache` };
    const { servers } = given;
    if (servers === undefined) return { value: { cache } };
    if (!Array.isArray(servers) || servers.length === 0 || servers.length > SERVERS_MAX || !servers.every(isServer)) {
      return { problem: `the servers are a list of 1 to ${SERVERS_MAX} addresses, such as 9.9.9.9 or 9.9.9.9#dns.quad9.net` };
    }
    return { value: { cache, servers } };
  },
  write: ({ cache, servers }) => (servers ? `cache ${cache}, servers ${servers.join(' ')}` : cache === 'yes' ? 'cache' : cache),
  plan: async (view, wanted) => [await planResolver(view, wanted)],
};

const CACHES: Readonly<Record<string, Wanted['cache']>> = {
  cache: 'yes',
  yes: 'yes',
  true: 'yes',
  'no-negative': 'no-negative',
  no: 'no',
  false: 'no',
};

/** As DNS= takes it: an address, perhaps with a port, an interface and a name for TLS. */
function isServer(value: unknown): value is string {
  return typeof value === 'string' && /^(?:\[[0-9A-Fa-f:.]+\](?::\d+)?|[0-9A-Fa-f:.]+)(?:%[\w.-]+)?(?:#[\w.-]+)?$/.test(value) && /[.:]/.test(value);
}

async function planResolver(view: HostView, wanted: Wanted): Promise<Step> {
  const { ports } = view;
  const elsewhere = await whyElsewhere(view);
  if (elsewhere) return elsewhere;
  const found = await effective(view);
  const now = { cache: found.Cache?.value ?? 'yes', servers: found.DNS?.value ?? '' };
  const meansServers = wanted.servers !== undefined && wanted.servers.join(' ') !== now.servers;
  const cacheNow = CACHES[now.cache] ?? 'yes';
  const shown = { now: text(cacheNow, wanted.servers ? now.servers : ''), proposed: text(wanted.cache, wanted.servers?.join(' ') ?? '') };
  if (cacheNow === wanted.cache && !meansServers) {
    const by = found.Cache ? found.Cache.at : 'its default';
    return notDone('already', `systemd-resolved caches already (Cache=${now.cache}, ${by}), and programs ask it through 127.0.0.53`, shown);
  }
  const later = [found.Cache, meansServers ? found.DNS : undefined].find((each) => each && each.name > '90-tautline.conf');
  if (later) return notDone('managed', `${later.at} is read after 90-tautline.conf and wins: change it there`, shown);
  const look = await lookAtOwnFile(ports.control, FILE);
  if (!isLook(look)) return look;
  const lines = ['# Made by Tautline; `tautline tune rollback` takes it away.', '[Resolve]', `Cache=${wanted.cache}`];
  // An empty DNS= forgets what earlier files have listed; without it servers add up.
  if (wanted.servers) lines.push('DNS=', `DNS=${wanted.servers.join(' ')}`);
  return changeFiles({
    ...shown,
    why: resolver.why,
    changes: await changesToText(ports.control, look, `${lines.join('\n')}\n`, SYSTEM_FILE),
    takesEffect: 'sudo systemctl restart systemd-resolved',
    notes: wanted.servers ? ['servers that an interface got by DHCP are asked too; what they answer for is shown by resolvectl'] : [],
  });
}

/** Why systemd-resolved has no say in how names are resolved here. */
async function whyElsewhere(view: HostView): Promise<Step | undefined> {
  const files = quietFiles(view.ports);
  const conf = await files.text('/etc/resolv.conf');
  if (conf === undefined) return notDone('not-applicable', 'there is no /etc/resolv.conf that could be read');
  const servers = [...conf.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '');
  if (servers.includes('127.0.0.53') || servers.includes('127.0.0.54')) {
    if (await files.exists('/run/systemd/resolve/stub-resolv.conf')) return undefined;
    return notDone(
      'not-applicable',
      'resolv.conf names the stub of systemd-resolved (127.0.0.53), but systemd-resolved does not run: start it, or names cannot be resolved',
    );
  }
  const target = await view.ports.control.realPath('/etc/resolv.conf');
  const comments = conf
    .split('\n')
    .filter((line) => /^\s*[#;]/.test(line))
    .join('\n');
  const writer = WRITERS.find(({ path, comment }) => (path !== undefined && target.startsWith(path)) || comment.test(comments));
  if (writer)
    return notDone('managed', `${writer.who} writes /etc/resolv.conf, and programs ask ${servers.join(', ') || 'nobody'}: ${writer.advice}`);
  if (target.startsWith('/run/systemd/resolve/')) {
    return notDone(
      'not-applicable',
      'resolv.conf gives programs the name servers themselves, past the cache of systemd-resolved: link it to /run/systemd/resolve/stub-resolv.conf to use the cache',
    );
  }
  if (servers.includes('127.0.0.11'))
    return notDone(
      'not-applicable',
      "127.0.0.11 is the resolver of the container's network, which asks the host's servers: nothing of it is set in here",
    );
  const [local] = servers.filter((server) => server.startsWith('127.') || server === '::1');
  if (local !== undefined) return notDone('not-applicable', `programs ask another local resolver (${local}), and not systemd-resolved`);
  return notDone('not-applicable', `programs ask ${servers.join(', ') || 'nobody'} directly, as /etc/resolv.conf says, and not systemd-resolved`);
}

const WRITERS: readonly { readonly who: string; readonly comment: RegExp; readonly path?: string; readonly advice: string }[] = [
  {
    who: 'NetworkManager',
    comment: /NetworkManager/,
    path: '/run/NetworkManager/',
    advice: 'its setting dns= (NetworkManager.conf) can hand them to systemd-resolved',
  },
  { who: 'Tailscale', comment: /tailscale/i, advice: 'it answers names of the tailnet itself (MagicDNS)' },
  { who: 'resolvconf', comment: /resolvconf/, path: '/run/resolvconf/', advice: 'it collects the servers of all interfaces; change them there' },
  { who: 'dhclient', comment: /dhclient|dhcpcd/, advice: 'the servers come by DHCP with every lease' },
  { who: 'connman', comment: /connman/i, path: '/run/connman/', advice: 'change them there' },
];

interface Found {
  readonly value: string;
  readonly at: string;
  readonly name: string;
}

/** The last lines of resolved.conf and its drop-ins; DNS= adds up until it is emptied. */
async function effective(view: HostView): Promise<{ readonly Cache?: Found; readonly DNS?: Found }> {
  const files = quietFiles(view.ports);
  const chosen = new Map<string, string>();
  for (const folder of FOLDERS) {
    for (const name of await files.list(`${folder}/resolved.conf.d`)) {
      if (name.endsWith('.conf') && !chosen.has(name)) chosen.set(name, `${folder}/resolved.conf.d/${name}`);
    }
  }
  const dropIns = [...chosen].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const mains = await Promise.all(FOLDERS.map((folder) => files.exists(`${folder}/resolved.conf`)));
  const main = FOLDERS[mains.indexOf(true)];
  let found: { Cache?: Found; DNS?: Found } = {};
  for (const [name, path] of [...(main === undefined ? [] : [['', `${main}/resolved.conf`] as const]), ...dropIns]) {
    ((await files.text(path)) ?? '').split('\n').forEach((line, at) => {
      const [, key, value = ''] = /^\s*(Cache|DNS)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      const where = { at: `${path}:${at + 1}`, name };
      if (key === 'Cache') found = { ...found, Cache: { value, ...where } };
      if (key === 'DNS') found = { ...found, DNS: { value: value === '' ? '' : [found.DNS?.value ?? '', value].join(' ').trim(), ...where } };
    });
  }
  return found;
}

function text(cache: string, servers: string): string {
  return `cache ${cache}${servers === '' ? '' : `, servers ${servers}`}`;
}
