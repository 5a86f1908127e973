import type { Entry } from '../base/index.js';
import type { Change } from './place.js';
import type { HostView } from './setting.js';

/**
 * The host as it will be after these changes of files: what a setting has to see that edits a file which an earlier one of the
 * same plan edits too. Without it each would start from the file as it is now, and the last would undo the others.
 */
export function viewAfter(view: HostView, changes: readonly Change[]): HostView {
  const later = new Map<string, Entry | undefined>();
  for (const change of changes) {
    if (change.place.kind !== 'entry') continue;
    const desired = change.desired as Extract<Change, { place: { kind: 'entry' } }>['desired'];
    later.set(change.place.path, desired.kind === 'nothing' ? undefined : desired);
  }
  const { control } = view.ports;
  const readEntry = (path: string): Promise<Entry | undefined> => (later.has(path) ? Promise.resolve(later.get(path)) : control.readEntry(path));
  const seen = new Proxy(control, {
    get(target, name) {
      const member: unknown = name === 'readEntry' ? readEntry : Reflect.get(target, name, target);
      // With its own `this`: private fields are not seen through a proxy.
      return typeof member === 'function' && name !== 'readEntry' ? (member.bind(target) as unknown) : member;
    },
  });
  return { ...view, ports: { ...view.ports, control: seen } };
}

/** Whether a step changes a file that one of these changes. */
export function meets(step: { readonly changes: readonly Change[] }, earlier: readonly Change[]): boolean {
  const paths = new Set(earlier.flatMap(({ place }) => (place.kind === 'entry' ? [place.path] : [])));
  return step.changes.some(({ place }) => place.kind === 'entry' && paths.has(place.path));
}
