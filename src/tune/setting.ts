import type { HostIdentity, LinkFacts } from '../base/index.js';
import { GROUPS } from '../results/index.js';
import type { NotDone } from '../results/index.js';
import type { Change } from './place.js';
import type { TunePorts } from './ports.js';

export type Platform = 'linux' | 'macos';

/** `none`: known to do nothing, listed with the reason; `risky`: may cost more than it gains, so only a profile that names it changes it. */
export type Effect = 'none' | 'measurable' | 'risky';

export { GROUPS };
export type Group = (typeof GROUPS)[number];

/** Where a value or a claim comes from. */
export interface Source {
  readonly title: string;
  readonly url?: string;
}

/** Why something is not done. */
export type Reason = NotDone['reason'];

/** What of a change outlives a boot. `file` changes are in `changes` themselves. */
export type Persisted =
  | { readonly by: 'sysctl'; readonly key: string; readonly value: string }
  /** Shell lines for the unit that runs at boot; `interface`: once that one is there. */
  | { readonly by: 'boot'; readonly commands: readonly string[]; readonly interface?: string }
  | { readonly by: 'itself' };

/** What one setting would do at one place (an interface, or the whole host). */
export type Step =
  | {
      readonly verdict: 'change';
      /** The interface or service, where there may be several. */
      readonly instance?: string;
      readonly now: string;
      readonly proposed: string;
      readonly why: string;
      readonly changes: readonly Change[];
      readonly persist: readonly Persisted[];
      /** What must happen for it to take effect and is not done by itself: `restart dockerd`, `log in again`. */
      readonly takesEffect?: string;
      /** Where these values are riskier than the setting is in general. */
      readonly effect?: Effect;
      readonly notes?: readonly string[];
    }
  | {
      readonly verdict: 'not-done';
      readonly instance?: string;
      readonly reason: Reason;
      readonly why: string;
      readonly now?: string;
      readonly proposed?: string;
    };

/** What settings look at: read once a plan, and the same for all of them. */
export interface HostView {
  readonly ports: TunePorts;
  readonly identity: HostIdentity;
  readonly platform: Platform;
  readonly environment: EnvironmentFacts;
  readonly links: readonly LinkFacts[];
  /** Interfaces that carry a default route. */
  readonly uplinks: readonly string[];
  readonly homeFolder: string;
  /** Interfaces to change, by `--interface`; else the uplinks and whatever a setting says itself. */
  readonly interfaces?: readonly string[];
  /** Who else sets a kernel value, found in files that are read at boot and in programs that manage them. */
  managedBy(key: string): SettingOwner | undefined;
  /** Asks for something once a plan, however many settings want it; a view without it asks each time. */
  readonly once?: <T>(what: string, read: () => Promise<T>) => Promise<T>;
}

export interface SettingOwner {
  /** `/etc/sysctl.d/99-local.conf:3`, `TuneD profile throughput-performance`. */
  readonly who: string;
  /** The value it sets, where it tells. */
  readonly value?: string;
}

/** What kind of host this is, and how that is known. */
export interface EnvironmentFacts {
  readonly kind: 'metal' | 'vm' | 'container';
  /** `kvm`, `docker`, `lxc` ... */
  readonly virtualization?: string;
  /** `hetzner-cloud`, `hetzner-dedicated`, `aws` ... from DMI. */
  readonly provider?: string;
  /** The provider's name for the machine: `CPX31`. */
  readonly product?: string;
  /** Where the provider runs it, in the provider's own word: `eu-central`, `us-east-1`. */
  readonly region?: string;
  readonly init: 'systemd' | 'launchd' | 'other';
  readonly evidence: readonly string[];
}

export interface PlanRules {
  /** The profile's values are set even where they lower what is there. */
  readonly exact: boolean;
}

/**
 * One thing that can be tuned. `plan` reads, probes whether the setting exists and does anything here, and says what it would
 * change; it never writes. Applying, verifying and undoing follow from the places of its changes (`places/`), so a setting
 * is all that is particular to it and nothing else.
 */
export interface Setting<Wanted = unknown> {
  /** A sysctl's own name, else words with hyphens; what profiles call it. */
  readonly id: string;
  readonly title: string;
  readonly platforms: readonly Platform[];
  readonly effect: Effect;
  readonly scope: 'namespace' | 'host' | 'interface' | 'user' | 'service';
  readonly group: Group;
  readonly needs: { readonly root: boolean; readonly restart?: string };
  readonly sources: readonly Source[];
  /** Why it helps, or that it does not and why; one or two sentences. */
  readonly why: string;
  /** What a profile may say, in words. */
  readonly takes: string;
  /** The value that a profile gives, or what is wrong with it. */
  parse(value: unknown): { readonly value: Wanted } | { readonly problem: string };
  /** The value as a profile would write it. */
  write(value: Wanted): string;
  plan(view: HostView, wanted: Wanted, rules: PlanRules): Promise<readonly Step[]>;
  /** Metrics that it can change, for `tune try`: `throughput.up`, `rtt`, `rtt.loaded.up`, `connect`, `jitter`, `cpu.up`. */
  readonly moves?: readonly string[];
}
