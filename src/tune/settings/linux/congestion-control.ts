import type { HostView, Setting } from '../../setting.js';
import { releaseAtLeast } from './kernel-release.js';
import { modulePresence } from './kernel-modules.js';
import { BBR, IP_SYSCTL } from './sources.js';
import { notDone } from '../steps.js';
import { readKernel } from './kernel-steps.js';
import { inChildNamespace, sysctlSetting } from './sysctl-setting.js';
import type { Sysctl } from './sysctl.js';

const IPV4 = '/proc/sys/net/ipv4';

const ROW: Sysctl = {
  id: 'net.ipv4.tcp_congestion_control',
  title: 'TCP congestion control',
  group: 'congestion',
  reach: 'namespace',
  form: {
    kind: 'word',
    words: [
      'bbr',
      'cubic',
      'reno',
      'bbr3',
      'bic',
      'cdg',
      'dctcp',
      'highspeed',
      'htcp',
      'hybla',
      'illinois',
      'lp',
      'nv',
      'scalable',
      'vegas',
      'veno',
      'westwood',
      'yeah',
    ],
  },
  better: 'neither',
  effect: 'measurable',
  why: 'BBR follows the rate and the round trip that it measures instead of losses, so that losses that are no congestion do not slow it down, and it fills queues less. It concerns what this host sends over TCP; UDP does not notice.',
  sources: [BBR, IP_SYSCTL],
  example: 'bbr',
  moves: ['throughput.up', 'rtt.loaded.up', 'cpu.up'],
};

/**
 * The algorithm for new connections. A kernel takes any that it has, and loads the module of one that it has not, as long
 * as root asks outside a container (net/ipv4/tcp_cong.c, tcp_ca_find_autoload). Only the first network namespace may
 * choose one that is not in tcp_allowed_congestion_control (tcp_set_default_congestion_control).
 */
export const congestionControl: Setting<string> = sysctlSetting(ROW, async (view, wanted, now) => {
  const shown = { now, proposed: wanted };
  const available = await words(view, `${IPV4}/tcp_available_congestion_control`);
  const present = available.includes(wanted);
  const module = present ? 'in-use' : await modulePresence(view, `tcp_${wanted}`);
  if (!present && module !== 'loadable') return { step: notDone('absent', whyMissing(view, wanted, available, module === 'missing'), shown) };
  if (await inChildNamespace(view)) {
    const allowed = await words(view, `${IPV4}/tcp_allowed_congestion_control`);
    if (!present) return { step: notDone('absent', `only the host can load it: run 'modprobe tcp_${wanted}' there, then plan again`, shown) };
    if (!allowed.includes(wanted)) {
      return {
        step: notDone(
          'not-applicable',
          `only the host's first network namespace may choose ${wanted}: here ${allowed.join(', ')} are allowed`,
          shown,
        ),
      };
    }
  }
  const loads = `the kernel loads its module tcp_${wanted} when it is chosen; it stays loaded after a roll-back, where it does nothing ('modprobe -r tcp_${wanted}' unloads it)`;
  return {
    notes: [
      ...(present ? [] : [loads]),
      ...(wanted.startsWith('bbr') ? pacing(view) : []),
      'connections that are open keep the algorithm that they have',
    ],
  };
});

function whyMissing(view: HostView, wanted: string, available: readonly string[], surely: boolean): string {
  const has = available.length === 0 ? '' : `; it has ${available.join(', ')}`;
  const { kernel } = view.identity;
  if (wanted === 'bbr' && !releaseAtLeast(kernel, '4.9')) return `kernel ${kernel} has no bbr, which came with Linux 4.9${has}`;
  if (view.environment.kind === 'container')
    return `the kernel has not loaded ${wanted}${has}. A container cannot load it: run 'modprobe tcp_${wanted}' on the host, then plan again`;
  const since = wanted === 'bbr' ? ' (Linux 4.9 or later)' : '';
  if (surely) return `kernel ${kernel} has no module tcp_${wanted}${has}. Install a kernel that has it${since}`;
  return `the kernel has not loaded ${wanted}${has}. Try 'modprobe tcp_${wanted}'${since}, then plan again`;
}

/** BBR needs a pacer: fq is one; without it TCP paces by timers of its own since Linux 4.13 (commit 218af599fa63). */
function pacing(view: HostView): readonly string[] {
  const roots = view.links.filter(({ name }) => view.uplinks.includes(name)).flatMap(({ qdiscs = [] }) => qdiscs.map(({ kind }) => kind));
  if (roots.includes('fq')) return [];
  return [
    releaseAtLeast(view.identity.kernel, '4.13')
      ? 'unless the queue discipline is, or becomes, fq, TCP paces itself by a timer for each connection: it works, at more CPU'
      : `before Linux 4.13 BBR needs the queue discipline fq to pace it: set queue-discipline too`,
  ];
}

async function words(view: HostView, path: string): Promise<readonly string[]> {
  const read = await readKernel(view, path);
  return 'text' in read ? read.text.split(/\s+/).filter(Boolean) : [];
}
