import type { Change } from '../../place.js';
import type { HostView, Persisted } from '../../setting.js';
import { readOnce } from '../once.js';

const MOUNTS = '/proc/self/mounts';

export function kernelValue(path: string, original: string, desired: string): Change {
  return { place: { kind: 'kernel-value', path }, original, desired };
}

export function choiceValue(path: string, original: string, desired: string): Change {
  return { place: { kind: 'kernel-value', path, choice: true }, original, desired };
}

/** Outlives a boot by a line of shell, run again once the interface is there. */
export function atBoot(commands: readonly string[], interfaceName?: string): readonly Persisted[] {
  return [{ by: 'boot', commands, ...(interfaceName === undefined ? {} : { interface: interfaceName }) }];
}

/** A kernel value as text with its first and last white space gone, or why it cannot be read. */
export async function readKernel(
  view: HostView,
  path: string,
): Promise<{ readonly text: string } | { readonly absent: true } | { readonly unreadable: string }> {
  try {
    const text = await view.ports.control.readValue(path);
    return text === undefined ? { absent: true } : { text: text.trim() };
  } catch (error) {
    return { unreadable: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Why nobody may write here, as far as that can be told beforehand: the file system is mounted read-only (containers), or
 * not even root may. Somebody who is not root is told elsewhere that root is needed.
 */
export async function whyReadOnly(view: HostView, path: string): Promise<string | undefined> {
  if (await view.ports.control.mayWrite(path)) return undefined;
  const mounts = await readOnce(view, MOUNTS, () => view.ports.files.readText(MOUNTS).catch(() => undefined));
  const mount = mounts === undefined ? undefined : mountOf(mounts, path);
  if (mount?.readOnly === true) {
    const outside = view.environment.kind === 'container' ? '; set it on the host, or when the container is made (docker run --sysctl)' : '';
    return `${mount.point} is mounted read-only here${outside}`;
  }
  return view.identity.root ? `not even root may write ${path} here` : undefined;
}

/** The last mount whose point is above the path: /proc/self/mounts lists them in the order in which they cover each other. */
function mountOf(mounts: string, path: string): { readonly point: string; readonly readOnly: boolean } | undefined {
  let best: { point: string; readOnly: boolean } | undefined;
  for (const line of mounts.split('\n')) {
    const [, point = '', , options = ''] = line.split(' ');
    const above = point === '/' || path === point || path.startsWith(`${point}/`);
    if (point !== '' && above && point.length >= (best?.point.length ?? 0)) best = { point, readOnly: options.split(',').includes('ro') };
  }
  return best;
}
