import { readEnvironment, platformOf } from './environment.js';
import { readManagers } from './others/read-others.js';
import type { Managers } from './others/read-others.js';
import type { TunePorts } from './ports.js';
import type { HostView } from './setting.js';

export interface ViewOptions {
  readonly homeFolder: string;
  /** `--interface`; left out: the uplinks. */
  readonly interfaces?: readonly string[];
}

/** A view, with everything that was found of those who set the same things. */
export type FullView = HostView & { readonly managers: Managers };

/** Reads once, and all at the same time, what settings look at. On Linux no program is started. */
export async function createView(ports: TunePorts, { homeFolder, interfaces }: ViewOptions): Promise<FullView> {
  const [identity, environment, links, routes, managers] = await Promise.all([
    ports.facts.identity(),
    readEnvironment(ports),
    ports.facts.links(),
    ports.facts.defaultRoutes(),
    readManagers(ports),
  ]);
  return {
    ports,
    identity,
    platform: platformOf(identity),
    environment,
    links,
    uplinks: routes.length > 0 ? [...new Set(routes.map(({ interfaceName }) => interfaceName))] : await uplinksWithoutGateway(ports),
    homeFolder,
    ...(interfaces === undefined || interfaces.length === 0 ? {} : { interfaces }),
    managedBy: (key) => managers.managedBy(key),
    once: onceEach(),
    managers,
  };
}

/** Addresses far away on the internet, for asking the kernel where it would send; nothing is sent. */
const FAR = ['1.1.1.1', '2606:4700:4700::1111'] as const;

/** A default route may lead into an interface without naming a gateway (PPP, WireGuard, some providers' networks). */
async function uplinksWithoutGateway({ facts }: TunePorts): Promise<string[]> {
  const found = await Promise.all(FAR.map((address) => facts.routeTo(address).catch(() => undefined)));
  return [...new Set(found.flatMap((route) => (route && !route.local ? [route.interfaceName] : [])))];
}

/** Remembers what was asked for while it is still being read, so that settings that look at the same time ask once. */
function onceEach(): NonNullable<HostView['once']> {
  const asked = new Map<string, Promise<unknown>>();
  return <T>(what: string, read: () => Promise<T>): Promise<T> => {
    const running = (asked.get(what) as Promise<T> | undefined) ?? read();
    asked.set(what, running);
    return running;
  };
}
