import type { SettingOwner } from '../setting.js';

/** Something that sets what Tautline sets, or that set it once. */
export interface Found {
  /** `/etc/sysctl.d/99-local.conf`, `TuneD`, `irqbalance`. */
  readonly who: string;
  readonly what: string;
  /** What to do about it, or why nothing needs to be done. */
  readonly advice: string;
  /** By a sysctl's name or a setting's id, what it decides. */
  readonly decides?: ReadonlyMap<string, SettingOwner>;
}
