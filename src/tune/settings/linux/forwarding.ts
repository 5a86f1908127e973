import type { Change } from '../../place.js';
import type { HostView } from '../../setting.js';
import { sysctlName } from '../../places/kernel-value.js';
import { readPlace } from '../../places/registry.js';
import { IP_SYSCTL, TAILSCALE_ROUTER } from './sources.js';
import { readKernel } from './kernel-steps.js';
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

/** Turning it on changes more than the one key, so the place is all of what changes with it. */
export const ipForward = sysctlSetting(FORWARD4, async (view, wanted) => {
  const place = { kind: 'forwarding', family: 4 } as const;
  const original = (await readPlace(view.ports, place)) ?? {};
  const merging = await mergingLinks(view, wanted);
  return { notes: merging.notes, changes: [...merging.changes, { place, original, desired: { ip_forward: Number(wanted) } }] };
});

/**
 * A router does not listen to router advertisements where accept_ra is 1, and the default routes that it learnt of them are
 * removed. On uplinks it becomes 2, which means "forwarding or not": else a host with a learnt default route would cut itself off.
 */
export const ipv6Forward = sysctlSetting(FORWARD6, async (view, wanted) => {
  const place = { kind: 'forwarding', family: 6 } as const;
  const original = (await readPlace(view.ports, place)) ?? {};
  const learning = wanted === '1' ? view.uplinks.filter((name) => original[`conf/${name}/accept_ra`] === 1) : [];
  const keys = learning.map((name) => `conf/${name}/accept_ra`);
  const merging = await mergingLinks(view, wanted);
  const desired = { ...Object.fromEntries(keys.map((key) => [key, 2])), 'conf/all/forwarding': Number(wanted) };
  return {
    notes: [
      ...learning.map((name) => `accept_ra of ${name} becomes 2, so that it keeps the default route that its router announces`),
      ...merging.notes,
    ],
    changes: [...merging.changes, { place, original, desired }],
    persist: keys.flatMap((key) => {
      const name = sysctlName(`/proc/sys/net/ipv6/${key}`);
      return name === undefined ? [] : [{ by: 'sysctl', key: name, value: '2' } as const];
    }),
  };
});

const LRO = 'large-receive-offload';

/**
 * Merged packets (LRO) cannot be passed on, so the kernel turns that off on every interface when forwarding is turned on
 * (dev_disable_lro in net/ipv4/devinet.c and net/ipv6/addrconf.c), and never on again. It is turned off here before, as a
 * change of its own, so that undoing it brings it back.
 */
async function mergingLinks(view: HostView, wanted: string): Promise<{ readonly notes: readonly string[]; readonly changes: readonly Change[] }> {
  const links = wanted === '1' ? view.links.filter(({ features }) => features?.[LRO]?.on === true && features[LRO].changeable) : [];
  const changes: Change[] = [];
  for (const { name } of links) {
    const place = { kind: 'offloads', interface: name } as const;
    const original = await readPlace(view.ports, place);
    if (original !== undefined) changes.push({ place, original, desired: { [LRO]: false } });
  }
  return {
    changes,
    notes:
      changes.length === 0
        ? []
        : [`large-receive-offload of ${links.map(({ name }) => name).join(', ')} goes off: what it merges cannot be passed on`],
  };
}

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
