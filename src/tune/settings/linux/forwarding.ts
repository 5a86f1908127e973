import type { Change } from '../../place.js';
import { sysctlPath } from '../../places/kernel-value.js';
import type { HostView } from '../../setting.js';
import { IP_SYSCTL, TAILSCALE_ROUTER } from './sources.js';
import { kernelValue, readKernel } from './kernel-steps.js';
import { notDone } from '../steps.js';
import { sysctlSetting } from './sysctl-setting.js';
import type { Sysctl } from './sysctl.js';

const common = { group: 'vpn', reach: 'namespace', effect: 'risky' } as const;

const FORWARD4: Sysctl = {
  ...common,
  id: 'net.ipv4.ip_forward',
  title: 'IPv4 forwarding',
  form: { kind: 'switch' },
  better: 'higher',
  why: 'A host that passes packets on (a subnet router or exit node of a mesh) has to forward. Every other host is safer without.',
  sources: [IP_SYSCTL, TAILSCALE_ROUTER],
  example: 1,
  notes: ["this host then forwards between all of its networks: its firewall's forward chain decides what"],
};

const FORWARD6: Sysctl = {
  ...common,
  id: 'net.ipv6.conf.all.forwarding',
  title: 'IPv6 forwarding',
  form: { kind: 'switch' },
  better: 'higher',
  why: 'A host that passes IPv6 packets on (a subnet router or exit node of a mesh) has to forward. Every other host is safer without.',
  sources: [IP_SYSCTL, TAILSCALE_ROUTER],
  example: 1,
  notes: ["this host then forwards between all of its networks: its firewall's forward chain decides what"],
};

const RP_FILTER: Sysctl = {
  ...common,
  id: 'net.ipv4.conf.all.rp_filter',
  title: 'Reverse path filter',
  form: { kind: 'integer', min: 0, max: 2 },
  better: 'neither',
  why: 'Strict filtering (1) drops packets that come in over another interface than the answer would leave by, as happens on mesh routers and hosts with several uplinks. Loose (2) only asks for any route to the sender (RFC 3704).',
  sources: [IP_SYSCTL, TAILSCALE_ROUTER],
  example: 2,
};

/**
 * Turning forwarding on changes more than the one key (net/ipv4/devinet.c, inet_forward_change): every interface's
 * forwarding follows, and conf.all.accept_redirects becomes 0; turned off again, it becomes 1, whatever it was. What a
 * roll-back would not bring back by itself is therefore among the changes, before forwarding so that it is undone after it.
 */
export const ipForward = sysctlSetting(FORWARD4, async (view, wanted) => {
  const also: Change[] = [];
  const redirects = await valueOf(view, 'net.ipv4.conf.all.accept_redirects');
  if (wanted === '1' && redirects === '0') also.push(unchanged('net.ipv4.conf.all.accept_redirects', redirects));
  also.push(...(await forwardingAlready(view, '/proc/sys/net/ipv4/conf', wanted)));
  return { notes: [], before: also };
});

/**
 * The same for IPv6 (net/ipv6/addrconf.c, addrconf_fixup_forwarding): a router does not listen to router advertisements
 * where accept_ra is 1, and the default routes that it learnt of them are removed. On uplinks it becomes 2, which means
 * "forwarding or not", before forwarding is turned on: else a host with a learnt default route would cut itself off.
 */
export const ipv6Forward = sysctlSetting(FORWARD6, async (view, wanted) => {
  const before: Change[] = [];
  const notes: string[] = [];
  for (const name of wanted === '1' ? view.uplinks : []) {
    const path = `/proc/sys/net/ipv6/conf/${name}/accept_ra`;
    const read = await readKernel(view, path);
    if (!('text' in read) || read.text !== '1') continue;
    before.push(kernelValue(path, '1', '2'));
    notes.push(`accept_ra of ${name} becomes 2, so that it keeps the default route that its router announces`);
  }
  before.push(...(await forwardingAlready(view, '/proc/sys/net/ipv6/conf', wanted)));
  return { notes, before };
});

/** The kernel takes the larger of conf.all and the interface's own, so 2 for all is loose everywhere. */
export const reversePath = sysctlSetting(RP_FILTER, async (view, wanted, now) => {
  const folder = '/proc/sys/net/ipv4/conf';
  const names = (await view.ports.files.list(folder).catch(() => undefined)) ?? [];
  const own = await Promise.all(
    names
      .filter((name) => name !== 'all' && name !== 'default')
      .map(async (name) => ({ name, read: await readKernel(view, `${folder}/${name}/rp_filter`) })),
  );
  const strict = own.filter(({ read }) => 'text' in read && Math.max(Number(read.text), Number(now)) === 1).map(({ name }) => name);
  if (wanted === '2' && strict.length === 0) {
    return { step: notDone('not-applicable', 'no interface filters strictly here, so there is nothing to loosen', { now, proposed: wanted }) };
  }
  return {
    notes:
      wanted === '2' ? [`${strict.join(', ')} filtered strictly; the larger of conf.all and its own counts, so all interfaces filter loosely`] : [],
  };
});

/** Interfaces that forward already, of which turning it off for all would make ones that do not. */
async function forwardingAlready(view: HostView, folder: string, wanted: string): Promise<readonly Change[]> {
  const names = (await view.ports.files.list(folder).catch(() => undefined)) ?? [];
  const found = await Promise.all(
    names
      .filter((name) => name !== 'all')
      .map(async (name) => ({ path: `${folder}/${name}/forwarding`, read: await readKernel(view, `${folder}/${name}/forwarding`) })),
  );
  return found.flatMap(({ path, read }) =>
    'text' in read && read.text === wanted && wanted === '1' ? [kernelValue(path, read.text, read.text)] : [],
  );
}

function unchanged(id: string, value: string): Change {
  return kernelValue(sysctlPath(id), value, value);
}

async function valueOf(view: HostView, id: string): Promise<string | undefined> {
  const read = await readKernel(view, sysctlPath(id));
  return 'text' in read ? read.text : undefined;
}
