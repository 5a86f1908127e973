import type { HostView } from '../../setting.js';
import { readOnce } from '../once.js';

/** `unknown`: nothing here tells, as in containers, and on kernels that keep no list of their modules. */
export type ModulePresence = 'in-use' | 'loadable' | 'missing' | 'unknown';

/**
 * Whether the kernel has a module, without loading it: it is loaded (/sys/module), is built in or lies on the disk (depmod's
 * lists of this very release, which a container sees only where it was given them), or a function of it is in
 * /proc/kallsyms. That one is long (5 MB, 50 to 150 ms), and so read last, and once a plan.
 */
export async function modulePresence(view: HostView, module: string, aFunction?: string): Promise<ModulePresence> {
  const { files } = view.ports;
  const read = (path: string): Promise<string | undefined> => readOnce(view, path, () => files.readText(path).catch(() => undefined));
  const names = [module, module.replaceAll('_', '-')];
  const loaded = await files.status(`/sys/module/${module}`).catch(() => undefined);
  if (loaded) return 'in-use';
  const folder = `/lib/modules/${view.identity.kernel}`;
  const [builtIn, onDisk] = await Promise.all([read(`${folder}/modules.builtin`), read(`${folder}/modules.dep`)]);
  const listedIn = (list: string | undefined): boolean => names.some((name) => list?.includes(`/${name}.ko`) === true);
  if (listedIn(builtIn)) return 'in-use';
  if (listedIn(onDisk)) return 'loadable';
  if (builtIn !== undefined && onDisk !== undefined) return 'missing';
  const symbols = aFunction === undefined ? undefined : await read('/proc/kallsyms');
  if (symbols === undefined || symbols === '' || aFunction === undefined) return 'unknown';
  return symbols.includes(` ${aFunction}\n`) || symbols.includes(` ${aFunction}\t`) ? 'in-use' : 'missing';
}
