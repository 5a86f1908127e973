import type { HostView } from '../../setting.js';
import { readKernel } from './kernel-steps.js';

const FOLDER = '/sys/class/power_supply';

/** The battery that this host itself runs on; those of mice and keyboards say that they are a device's (Documentation/ABI/testing/sysfs-class-power). */
export async function batteryOf(view: HostView): Promise<string | undefined> {
  const names = (await view.ports.files.list(FOLDER).catch(() => undefined)) ?? [];
  for (const name of names) {
    const [type, scope] = await Promise.all([readKernel(view, `${FOLDER}/${name}/type`), readKernel(view, `${FOLDER}/${name}/scope`)]);
    if ('text' in type && type.text === 'Battery' && !('text' in scope && scope.text === 'Device')) return name;
  }
  return undefined;
}
