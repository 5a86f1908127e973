import type { HostAbout } from '../base/index.js';
import type { Measurement } from '../results/index.js';

/** All that is known of one path when it is judged. What was not looked at is missing, and is then never held against it. */
export interface PathEvidence {
  /** As findings call it. */
  readonly peer: string;
  readonly path: string;
  /** `lan`, `tailscale`, `ssh`, `wan`, `loopback` or `other`. */
  readonly kind: string;
  readonly address?: string;
  /** Everything that was measured on it, `link`, `mtu`, `trace` and the like included; their details have the types of `results/details.ts`. */
  readonly measurements: readonly Measurement[];
  /** The end that measured, and the other one where it told. */
  readonly near?: HostAbout;
  readonly far?: HostAbout;
}

/** One check: the paths that were measured, and what concerns this host whatever the path (docker, resolvers). */
export interface Evidence {
  readonly paths: readonly PathEvidence[];
  readonly host: readonly Measurement[];
}
