import type { LinkFacts } from '../../../base/index.js';
import type { HostView, Step } from '../../setting.js';
import { notDone } from '../steps.js';

/**
 * Plans for each interface that is meant: those that were named, else the uplinks; of a bond or team its ports, as they are
 * the cards. What the kernel makes up itself (veth, tun, bridges, VLANs) is left alone unless it was named, because its
 * packets pass a card's queues and offloads further down.
 */
export async function atLinks(view: HostView, plan: (link: LinkFacts) => Promise<Step> | Step): Promise<readonly Step[]> {
  const names = view.interfaces ?? view.uplinks;
  if (names.length === 0) return [notDone('not-applicable', 'no interface carries a default route: name one with --interface')];
  const each = names.flatMap((name) => meant(view, name).map((link) => ({ name, link })));
  const seen = new Set<string>();
  const chosen = each.filter(({ name, link }) => {
    const key = link?.name ?? name;
    return seen.has(key) ? false : seen.add(key);
  });
  return Promise.all(
    chosen.map(async ({ name, link }) => {
      if (!link) return notDone('absent', `there is no interface ${name} here`, { instance: name });
      const virtual = whyVirtual(view, link);
      return virtual === undefined ? plan(link) : notDone('virtual-device', virtual, { instance: link.name });
    }),
  );
}

function meant(view: HostView, name: string): readonly (LinkFacts | undefined)[] {
  const link = view.links.find((one) => one.name === name);
  if (link?.type !== 'bond' && link?.type !== 'team') return [link];
  const ports = view.links.filter(({ master }) => master === name);
  return ports.length > 0 ? ports : [link];
}

function whyVirtual(view: HostView, { name, kind, type }: LinkFacts): string | undefined {
  const named = view.interfaces?.includes(name) === true;
  const never = kind === 'loopback' || kind === 'bridge';
  if (!never && (named || (type === undefined && kind !== 'virtual' && kind !== 'tunnel'))) return undefined;
  const what = type ?? kind;
  const inside = view.environment.kind === 'container' && type === 'veth' ? ": set it on the host's card" : '';
  return `${name} is no card but made by the kernel (${what}), and what is sent over it passes a card's queue and offloads elsewhere${inside}`;
}
