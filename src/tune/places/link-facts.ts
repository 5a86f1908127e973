import { TautlineError } from '../../base/index.js';
import type { LinkFacts } from '../../base/index.js';
import type { TunePorts } from '../ports.js';

/** What is known of an interface; undefined where there is none of this name. */
export async function linkFacts(ports: TunePorts, name: string): Promise<LinkFacts | undefined> {
  return (await ports.facts.links(name)).find((link) => link.name === name);
}

/** A wish may say less than what is there. */
export function agrees<T extends object>(state: T, meant: T): boolean {
  return Object.entries(meant).every(([key, value]) => value === undefined || state[key as keyof T] === value);
}

/** What of the wish is not so yet. All that these places hold may be left out. */
export function differing<T extends object>(meant: T, state: T): T {
  return Object.fromEntries(Object.entries(meant).filter(([key, value]) => value !== undefined && state[key as keyof T] !== value)) as T;
}

export function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}

/** The interface went away, or its driver no longer tells. */
export function gone(name: string, what: string): TautlineError {
  return new TautlineError('unsupported', `${name} no longer tells of its ${what}`, {
    hint: 'the interface or its driver is gone: `ip link` lists what there is',
  });
}
