import { EXIT_ROUTES, readTailscalePrefs } from '../../places/tailscale-client.js';
import type { TailscalePrefs } from '../../places/tailscale-client.js';
import type { HostView, Setting, Source } from '../../setting.js';
import { readOnce } from '../once.js';
import { notDone, STAYS } from '../steps.js';
import type { NotDoneStep } from '../steps.js';

const SUBNETS: Source = { title: 'Tailscale, subnet routers', url: 'https://tailscale.com/kb/1019/subnets' };
const EXIT_NODES: Source = { title: 'Tailscale, exit nodes', url: 'https://tailscale.com/kb/1103/exit-nodes' };
const CONNECTIONS: Source = { title: 'Tailscale, connection types', url: 'https://tailscale.com/kb/1257/connection-types' };
const base = { platforms: ['linux', 'macos'], scope: 'service', group: 'vpn', needs: { root: false } } as const;

/** Whether routes into the networks of others are taken over. */
export const tailscaleAcceptRoutes: Setting<boolean> = {
  ...base,
  id: 'tailscale-accept-routes',
  title: 'Tailscale takes routes of subnet routers',
  effect: 'risky',
  sources: [SUBNETS],
  why: 'Hosts behind a subnet router are reached only with it; on Linux it is off by default. It makes nothing faster, and a route that overlaps with a network of this host takes its traffic into the tunnel.',
  takes: 'on or off',
  parse: parseSwitch,
  write: (on) => (on ? 'on' : 'off'),
  async plan(view, wanted) {
    const prefs = await usable(view);
    if ('verdict' in prefs) return [prefs];
    const now = prefs.RouteAll ?? false;
    const shown = { now: now ? 'on' : 'off', proposed: wanted ? 'on' : 'off' };
    if (now === wanted) return [notDone('already', `it is ${shown.now} already`, shown)];
    const refused = whyRefused(view, prefs);
    if (refused) return [{ ...refused, ...shown }];
    const place = { kind: 'tailscale-pref', name: 'RouteAll' } as const;
    return [{ verdict: 'change', ...shown, why: tailscaleAcceptRoutes.why, changes: [{ place, original: now, desired: wanted }], persist: STAYS }];
  },
};

/** Whether this host offers itself as the way to the internet. */
export const tailscaleExitNode: Setting<boolean> = {
  ...base,
  id: 'tailscale-exit-node',
  title: 'Tailscale offers this host as exit node',
  effect: 'risky',
  sources: [EXIT_NODES],
  why: "An exit node carries the internet traffic of others. Where nobody uses it, taking the offer back changes no figure; where somebody does, it ends their way out and gives this host's link back.",
  takes: "on or off (on also needs an administrator's approval and IP forwarding)",
  parse: parseSwitch,
  write: (on) => (on ? 'on' : 'off'),
  async plan(view, wanted) {
    const prefs = await usable(view);
    if ('verdict' in prefs) return [prefs];
    const routes = prefs.AdvertiseRoutes ?? [];
    const now = EXIT_ROUTES.some((route) => routes.includes(route));
    const shown = { now: now ? 'offered' : 'not offered', proposed: wanted ? 'offered' : 'not offered' };
    if (now === wanted) return [notDone('already', `an exit node is ${shown.now} already`, shown)];
    const refused = whyRefused(view, prefs);
    if (refused) return [{ ...refused, ...shown }];
    const others = routes.filter((route) => !EXIT_ROUTES.includes(route));
    const place = { kind: 'tailscale-pref', name: 'AdvertiseRoutes' } as const;
    const notes = others.length === 0 ? [] : [`routes that are offered beside it stay: ${others.join(', ')}`];
    const changes = [{ place, original: prefs.AdvertiseRoutes ?? null, desired: wanted ? [...others, ...EXIT_ROUTES] : others }];
    return [{ verdict: 'change', ...shown, why: tailscaleExitNode.why, changes, persist: STAYS, notes }];
  },
};

/** What people ask for and no preference gives. */
export const tailscaleDirect: Setting<boolean> = {
  ...base,
  id: 'tailscale-direct',
  title: 'Tailscale connects directly',
  effect: 'none',
  sources: [CONNECTIONS],
  why: 'Tailscale always tries to connect directly, and no preference makes it succeed: it does where UDP port 41641 of one end can be reached.',
  takes: 'on',
  parse: parseSwitch,
  write: (on) => (on ? 'on' : 'off'),
  async plan(view) {
    const prefs = await usable(view);
    if ('verdict' in prefs) return [prefs];
    return [
      notDone(
        'no-effect',
        'no preference forces direct connections: let UDP port 41641 in at one end (firewall, router, cloud security group), and see with `tailscale netcheck` and `tautline measure tailscale` whether they are direct',
      ),
    ];
  },
};

function parseSwitch(value: unknown): { readonly value: boolean } | { readonly problem: string } {
  if (value === true || value === 'on') return { value: true };
  if (value === false || value === 'off') return { value: false };
  return { problem: 'on or off is expected' };
}

async function usable(view: HostView): Promise<TailscalePrefs | NotDoneStep> {
  const prefs = await readOnce(view, 'the preferences of the Tailscale client', () => readTailscalePrefs(view.ports));
  if (!prefs) return notDone('not-applicable', 'there is no Tailscale client here, or it does not run');
  if (prefs.LoggedOut === true) return notDone('not-applicable', 'the Tailscale client is logged out: tailscale up');
  return prefs;
}

/** Only root and the operator may change preferences (ipn/localapi, PermitWrite). */
function whyRefused(view: HostView, { OperatorUser = '' }: TailscalePrefs): NotDoneStep | undefined {
  if (view.identity.root || view.platform === 'macos') return undefined;
  const user = view.homeFolder.slice(view.homeFolder.lastIndexOf('/') + 1);
  if (OperatorUser !== '' && OperatorUser === user) return undefined;
  const operator = OperatorUser === '' ? 'nobody' : OperatorUser;
  return notDone(
    'needs-root',
    `only root and the operator (${operator}) may change it: run it as root, or once: sudo tailscale set --operator=${user}`,
  );
}
