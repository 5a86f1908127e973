import type { Setting } from '../setting.js';
import { SYSCTL_SETTINGS } from './linux/sysctls.js';

/** Every setting. A new one is one file beside its siblings and a line here. */
export const SETTINGS: readonly Setting[] = [...SYSCTL_SETTINGS];

export function findSetting(id: string): Setting | undefined {
  return SETTINGS.find((setting) => setting.id === id);
}
