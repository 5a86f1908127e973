import type { SettingOwner } from '../setting.js';
import type { Found } from './found.js';
import type { QuietFiles } from './quiet-files.js';

const WANTS = '/etc/systemd/system';

/** Services that change, all the time or at boot, what Tautline sets once. */
export async function findServices(files: QuietFiles): Promise<Found[]> {
  const found = await Promise.all([irqbalance(files), powerProfiles(files), governorFiles(files), tlp(files), bpftune(files)]);
  return found.flat();
}

/** irqbalance(1) moves interrupts every ten seconds, and so undoes any affinity that was set by hand. */
async function irqbalance(files: QuietFiles): Promise<Found[]> {
  if (!(await anyExists(files, ['/run/irqbalance', '/run/irqbalance.pid', `${WANTS}/multi-user.target.wants/irqbalance.service`]))) return [];
  return [
    {
      who: 'irqbalance',
      what: 'spreads interrupts over the processors and moves them every few seconds',
      advice:
        "leave interrupt affinity to it, or name the interrupts that it must not touch with --banirq in IRQBALANCE_ARGS (/etc/default/irqbalance), or stop it: 'sudo systemctl disable --now irqbalance'",
      decides: new Map([['irq-affinity', { who: 'irqbalance' }]]),
    },
  ];
}

async function powerProfiles(files: QuietFiles): Promise<Found[]> {
  const units = ['graphical.target.wants', 'multi-user.target.wants'].map((target) => `${WANTS}/${target}/power-profiles-daemon.service`);
  if (!(await anyExists(files, units))) return [];
  const profile = /^Profile=(\S+)$/m.exec((await files.text('/var/lib/power-profiles-daemon/state.ini')) ?? '')?.[1];
  return [
    {
      who: 'power-profiles-daemon',
      what: `sets the processors' energy preference and governor${profile === undefined ? '' : ` (profile ${profile})`}`,
      advice: "choose there: 'powerprofilesctl set performance'; it would set the governor anew whenever the profile changes",
      decides: new Map([['cpu-governor', { who: 'power-profiles-daemon', ...(profile === 'performance' ? { value: 'performance' } : {}) }]]),
    },
  ];
}

/** The governor that cpufrequtils (Debian until 12) and cpupower (others) set at boot. */
async function governorFiles(files: QuietFiles): Promise<Found[]> {
  const known = [
    { path: '/etc/default/cpufrequtils', pattern: /^\s*(?:export\s+)?GOVERNOR=["']?([a-z]+)/m },
    { path: '/etc/default/cpupower', pattern: /^\s*(?:CPUPOWER_START_OPTS=.*-g\s+|governor=["']?)([a-z]+)/m },
    { path: '/etc/sysconfig/cpupower', pattern: /^\s*CPUPOWER_START_OPTS=.*-g\s+([a-z]+)/m },
  ];
  const found = await Promise.all(
    known.map(async ({ path, pattern }): Promise<Found[]> => {
      const text = (await files.text(path)) ?? '';
      const match = pattern.exec(text);
      const governor = match?.[1];
      if (!match || governor === undefined) return [];
      const line = text.slice(0, match.index + match[0].length).split('\n').length;
      return [
        {
          who: path,
          what: `sets the governor '${governor}' at boot`,
          advice: `change it there, or remove the line; an earlier low-latency script may have written it`,
          decides: new Map<string, SettingOwner>([['cpu-governor', { who: `${path}:${line}`, value: governor }]]),
        },
      ];
    }),
  );
  return found.flat();
}

async function tlp(files: QuietFiles): Promise<Found[]> {
  if (!(await files.exists(`${WANTS}/multi-user.target.wants/tlp.service`))) return [];
  return [
    {
      who: 'TLP',
      what: "sets the processors' governor and energy preference by power source",
      advice: 'set CPU_SCALING_GOVERNOR_ON_AC=performance in /etc/tlp.d/ instead',
      decides: new Map([['cpu-governor', { who: 'TLP' }]]),
    },
  ];
}

async function bpftune(files: QuietFiles): Promise<Found[]> {
  if (!(await anyExists(files, [`${WANTS}/multi-user.target.wants/bpftune.service`, '/run/bpftune']))) return [];
  return [
    {
      who: 'bpftune',
      what: 'raises TCP buffers, backlogs and the congestion control of single connections by what it sees',
      advice:
        'both may run: where someone else sets a value that it tunes, it stops tuning that one. Measure with it stopped, or it takes part in the experiment',
    },
  ];
}

/**
 * The file of kernel values that UFW writes when it starts, after systemd-sysctl: they win over all of sysctl.d.
 * Undefined where the firewall is off.
 */
export async function ufwSysctlFile(files: QuietFiles): Promise<string | undefined> {
  const [conf, defaults] = await Promise.all([files.text('/etc/ufw/ufw.conf'), files.text('/etc/default/ufw')]);
  if (!/^\s*ENABLED=["']?yes/im.test(conf ?? '')) return undefined;
  const path = /^\s*IPT_SYSCTL=["']?([^"'\s]*)/m.exec(defaults ?? '')?.[1] ?? '/etc/ufw/sysctl.conf';
  return path === '' ? undefined : path;
}

async function anyExists(files: QuietFiles, paths: readonly string[]): Promise<boolean> {
  return (await Promise.all(paths.map((path) => files.exists(path)))).includes(true);
}
