import type { Found } from './found.js';
import type { QuietFiles } from './quiet-files.js';

/**
 * What the scripts of the low-latency guide for speech-to-speech servers leave on a host. They keep copies of what they
 * changed, but nothing undoes them, and several of their values harm: buffers of 4 to 64 KB bound a connection to
 * buffer / RTT, and offloads that are off cost throughput and processor time.
 */
const FILES: readonly { readonly path: string; readonly what: string; readonly advice: string; readonly setting?: string }[] = [
  {
    path: '/etc/sysctl.d/99-low-latency-s2s.conf',
    what: 'kernel values of an earlier low-latency script; it is read late at boot and would win over what Tautline keeps',
    advice:
      'remove it: sudo rm /etc/sysctl.d/99-low-latency-s2s.conf; values that it has set stay until the next boot, since no file says what they were',
  },
  {
    path: '/etc/network/if-up.d/optimize-latency',
    what: 'an earlier low-latency script that changes offloads each time an interface comes up',
    advice:
      "remove it: sudo rm /etc/network/if-up.d/optimize-latency; then 'sudo ethtool -K eth0 gro on tso on gso on' with your interface's name, or boot anew",
    setting: 'offloads',
  },
  {
    path: '/etc/systemd/resolved.conf.d/low-latency.conf',
    what: 'name servers of an earlier low-latency script; they go before those of your network',
    advice: 'remove it: sudo rm /etc/systemd/resolved.conf.d/low-latency.conf && sudo systemctl restart systemd-resolved',
  },
];

const BACKUP = /^network-optimization-backup-\d{8}-\d{6}$/;

export async function findLeftBehind(files: QuietFiles): Promise<Found[]> {
  const [there, rootNames] = await Promise.all([Promise.all(FILES.map(({ path }) => files.exists(path))), files.list('/root')]);
  const found: Found[] = FILES.filter((_, i) => there[i] === true).map(({ path, what, advice, setting }) => ({
    who: path,
    what,
    advice,
    ...(setting === undefined ? {} : { decides: new Map([[setting, { who: path }]]) }),
  }));
  const backup = rootNames.findLast((name) => BACKUP.test(name));
  if (backup === undefined) return found;
  const folder = `/root/${backup}`;
  const kept = (await files.list(folder)).filter((name) => name.endsWith('.bak'));
  const copies = kept.map((name) => `${folder}/${name}`).join(', ');
  return [
    ...found,
    {
      who: folder,
      what: `the backup of an earlier low-latency script${kept.length === 0 ? '' : `: ${kept.join(', ')}`}`,
      advice:
        kept.length === 0
          ? 'it holds no copies, so there is nothing to restore from it'
          : `compare each with the file that it was made of (/etc/sysctl.conf, /etc/security/limits.conf, /etc/systemd/system.conf) and copy back what you want: ${copies}`,
    },
  ];
}
