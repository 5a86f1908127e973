import type { LinkFacts } from '../../../base/index.js';
import { commandsOf, readPlace } from '../../places/registry.js';
import type { HostView, Setting, Source, Step } from '../../setting.js';
import { notDone } from '../steps.js';
import { releaseAtLeast } from './kernel-release.js';
import { isForwarding } from './mss-clamp.js';

const KB_1320: Source = { title: 'Tailscale, performance best practices (KB 1320)', url: 'https://tailscale.com/kb/1320/performance-best-practices' };
const WANTED = { 'rx-udp-gro-forwarding': true, 'rx-gro-list': false } as const;

/** Lets a Tailscale router pass on datagrams that were received together as one. */
export const udpGroForwarding: Setting<true> = {
  id: 'udp-gro-forwarding',
  title: 'UDP packets of a Tailscale router are passed on in groups',
  platforms: ['linux'],
  effect: 'measurable',
  scope: 'interface',
  group: 'vpn',
  needs: { root: true },
  sources: [KB_1320],
  why: 'A subnet router or exit node gets many WireGuard datagrams of one flow; taken together they cross the kernel once instead of one by one (kernel 6.2 and later).',
  takes: 'on',
  parse: (value) => (value === true || value === 'on' ? { value: true } : { problem: "'on' is expected; left out, it stays as it is" }),
  write: () => 'on',
  moves: ['throughput.down', 'throughput.up', 'cpu.up'],
  async plan(view) {
    const reason = await whyNot(view);
    if (reason) return [reason];
    const chosen = view.interfaces ?? view.uplinks;
    const links = view.links.filter(({ name }) => chosen.includes(name));
    if (links.length === 0) return [notDone('not-applicable', 'there is no uplink')];
    return await Promise.all(links.map((link) => planLink(view, link)));
  },
};

async function whyNot(view: HostView): Promise<Step | undefined> {
  if (!view.links.some(({ name }) => name === 'tailscale0'))
    return notDone('not-applicable', 'there is no tailscale0: it is for hosts that route for a tailnet');
  if (!(await isForwarding(view)))
    return notDone('not-applicable', 'this host passes no packets on (net.ipv4.ip_forward is 0), so it is no subnet router and no exit node');
  if (!releaseAtLeast(view.identity.kernel, '6.2')) return notDone('absent', `it needs kernel 6.2, and this is ${view.identity.kernel}`);
  return undefined;
}

async function planLink(view: HostView, link: LinkFacts): Promise<Step> {
  const instance = link.name;
  const forwarding = link.features?.['rx-udp-gro-forwarding'];
  const list = link.features?.['rx-gro-list'];
  if (!forwarding) return notDone('absent', `the driver of ${instance} does not offer rx-udp-gro-forwarding`, { instance });
  const shown = {
    instance,
    now: show({ 'rx-udp-gro-forwarding': forwarding.on, ...(list ? { 'rx-gro-list': list.on } : {}) }),
    proposed: show(WANTED),
  };
  if (forwarding.on && list?.on !== true) return notDone('already', 'it is set already', shown);
  if ((!forwarding.on && !forwarding.changeable) || (list?.on === true && !list.changeable))
    return notDone('absent', `the driver of ${instance} does not let it be changed`, shown);
  const place = { kind: 'offloads', interface: instance } as const;
  const original = await readPlace(view.ports, place);
  if (!original) return notDone('absent', `${instance} is gone`, shown);
  // With receive offload off there is nothing to group.
  const offline = link.features?.['generic-receive-offload']?.on === false;
  const desired = list ? WANTED : { 'rx-udp-gro-forwarding': true };
  return {
    verdict: 'change',
    ...shown,
    why: udpGroForwarding.why,
    changes: [{ place, original, desired }],
    persist: [{ by: 'boot', commands: commandsOf(place, desired), interface: instance }],
    ...(offline ? { notes: [`generic-receive-offload of ${instance} is off: without it this does nothing`] } : {}),
  };
}

function show(features: Readonly<Record<string, boolean>>): string {
  return Object.entries(features)
    .map(([name, on]) => `${name} ${on ? 'on' : 'off'}`)
    .join(', ');
}
