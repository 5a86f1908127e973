import type { Source } from './setting.js';

/** A profile as its file says, before its parents' settings are put under its own. */
export interface ProfileFile {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly extends?: string;
  /** Its values are set even where they lower what is there. */
  readonly exact?: boolean;
  readonly risk: 'very low' | 'low' | 'medium' | 'high';
  readonly settings: Readonly<Record<string, WantedSetting>>;
}

/** What a profile wants of one setting, and why in its case. `value: null` takes an inherited setting away. */
export interface WantedSetting {
  readonly value: unknown;
  readonly why?: string;
  readonly source?: Source;
  /** `voice.yaml:12` */
  readonly at: string;
}

/** A profile with everything inherited. */
export interface Profile {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly risk: ProfileFile['risk'];
  readonly exact: boolean;
  /** Itself first, then its parents. */
  readonly lineage: readonly string[];
  readonly settings: readonly { readonly id: string; readonly wanted: WantedSetting; readonly from: string }[];
}
