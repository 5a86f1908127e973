import { releaseAtLeast } from './kernel-release.js';
import { SYSCTLS } from './sysctls.js';

/** What a line of a sysctl file is worth whose key is not there, or does nothing. */
export interface UnneededKey {
  readonly reason: 'no-effect' | 'absent';
  readonly why: string;
}

/**
 * Areas whose keys are part of the kernel itself: a key that is not there now does not come with a module or an interface.
 * Others (net.netfilter, net.bridge, net.ipv4.conf.eth1 ...) may come later in the boot, and are left alone.
 */
const BUILT_IN = /^(?:net\.ipv4\.(?:tcp|udp|ip)_|net\.core\.|vm\.)/;

/** Keys that the kernel's own documentation calls without effect. */
const LEGACY: ReadonlySet<string> = new Set(['net.ipv4.tcp_fack']);

/** Why a key need not be set on this kernel; undefined for one that does something, or might. */
export function keyIsUnneeded(key: string, { present, kernel }: { readonly present: boolean; readonly kernel: string }): UnneededKey | undefined {
  const row = SYSCTLS.find(({ id }) => id === key);
  if (!present) {
    if (row?.removed && (row.removed.in === undefined || releaseAtLeast(kernel, row.removed.in))) return { reason: 'absent', why: row.removed.why };
    if (!BUILT_IN.test(key)) return undefined;
    return { reason: 'absent', why: `kernel ${kernel} has no ${key}: sysctl -p ends with 1 at this line` };
  }
  // Without a release it is only not worth setting, and whoever set it may have had a reason.
  if (row?.inert?.since !== undefined && releaseAtLeast(kernel, row.inert.since)) return { reason: 'no-effect', why: row.inert.why };
  return LEGACY.has(key) ? { reason: 'no-effect', why: 'it is a legacy option without effect (Documentation/networking/ip-sysctl.rst)' } : undefined;
}
