import type { HostView } from '../setting.js';

/** Something that several settings look at, asked for once a plan where the view can remember it. */
export function readOnce<T>(view: HostView, what: string, read: () => Promise<T>): Promise<T> {
  return view.once ? view.once(what, read) : read();
}
