import { numbers, wholeNumber } from '../control-values.js';
import type { ValueRule, ValueSpec } from '../control-values.js';

const PREFIX = '/proc/sys/';
const AVAILABLE = 'net.ipv4.tcp_available_congestion_control';
const ALLOWED = 'net.ipv4.tcp_allowed_congestion_control';
const INTEGER = wholeNumber({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const FLAG = wholeNumber({ min: 0, max: 1 });
/** proc_dou8vec_minmax without bounds of its own. */
const OCTET = wholeNumber({ min: 0, max: 255 });
const LONG = wholeNumber({ min: 0 });

/** What kernels take, by key: net/ipv4/sysctl_net_ipv4.c, net/core/sysctl_net_core.c, kernel/sysctl.c. Other keys take an int. */
const RULES: Readonly<Record<string, ValueRule>> = {
  'net.ipv4.tcp_rmem': numbers(3, wholeNumber({ min: 1, max: 2 ** 31 - 1 })),
  'net.ipv4.tcp_wmem': numbers(3, wholeNumber({ min: 1, max: 2 ** 31 - 1 })),
  'net.ipv4.tcp_mem': numbers(3, LONG),
  'net.ipv4.udp_mem': numbers(3, LONG),
  'net.ipv4.ip_local_port_range': numbers(2, wholeNumber({ min: 1, max: 65_535 })),
  'net.ipv4.tcp_notsent_lowat': wholeNumber({ min: 0, max: 2 ** 32 - 1 }),
  'net.ipv4.tcp_sack': OCTET,
  'net.ipv4.tcp_timestamps': OCTET,
  'net.ipv4.tcp_window_scaling': OCTET,
  'net.ipv4.tcp_mtu_probing': OCTET,
  'net.ipv4.tcp_slow_start_after_idle': OCTET,
  'net.ipv4.tcp_no_metrics_save': OCTET,
  'net.ipv4.tcp_autocorking': FLAG,
  'net.ipv4.tcp_ecn': wholeNumber({ min: 0, max: 2 }),
  'net.ipv4.tcp_tw_reuse': wholeNumber({ min: 0, max: 2 }),
  'net.core.rmem_max': wholeNumber({ min: 2304, max: 2 ** 31 - 1 }),
  'net.core.rmem_default': wholeNumber({ min: 2304, max: 2 ** 31 - 1 }),
  'net.core.wmem_max': wholeNumber({ min: 4608, max: 2 ** 31 - 1 }),
  'net.core.wmem_default': wholeNumber({ min: 4608, max: 2 ** 31 - 1 }),
  'net.core.somaxconn': wholeNumber({ min: 0, max: 2 ** 31 - 1 }),
  'net.core.busy_poll': wholeNumber({ min: 0, max: 2 ** 31 - 1 }),
  'net.core.busy_read': wholeNumber({ min: 0, max: 2 ** 31 - 1 }),
  'vm.swappiness': wholeNumber({ min: 0, max: 200 }),
  'kernel.numa_balancing': wholeNumber({ min: 0, max: 3 }),
  'kernel.timer_migration': FLAG,
  'fs.file-max': LONG,
  'fs.nr_open': wholeNumber({ min: 64, max: 2_147_483_584 }),
};
const READ_ONLY: readonly string[] = [
  AVAILABLE,
  'net.ipv4.tcp_available_ulp',
  'net.ipv4.tcp_ehash_entries',
  'kernel.osrelease',
  'kernel.random.boot_id',
];

/**
 * Keys as a kernel would have them: each takes what it takes, and choosing a congestion control loads its module, which then
 * stays (net/ipv4/tcp_cong.c).
 * @param modules congestion controls and queue disciplines that can be had
 */
export function sysctlValues(
  keys: Readonly<Record<string, string>>,
  modules: { readonly congestion: readonly string[]; readonly queues: readonly string[] },
): Record<string, ValueSpec> {
  const withWord = (kept: string, list: string): string => (list.split(' ').includes(kept) ? list : `${list} ${kept}`);
  const special: Readonly<Record<string, Partial<ValueSpec>>> = {
    'net.ipv4.tcp_congestion_control': {
      accepts: modules.congestion,
      follow: { [pathOf(AVAILABLE)]: withWord, [pathOf(ALLOWED)]: withWord },
    },
    'net.core.default_qdisc': { accepts: modules.queues },
    [AVAILABLE]: { told: true },
    [ALLOWED]: { told: true, accepts: (text) => (text.split(/\s+/).every((word) => modules.congestion.includes(word)) ? text : undefined) },
  };
  const value = ([key, text]: readonly [string, string]): [string, ValueSpec] => [
    pathOf(key),
    { text, ...(READ_ONLY.includes(key) ? { readOnly: true as const } : { accepts: RULES[key] ?? INTEGER }), ...special[key] },
  ];
  return Object.fromEntries(Object.entries(keys).map(value));
}

/**
 * Forwarding of the host and of its interfaces, off. Turning it on or off for all does so for each, and for IPv4 turns
 * conf.all.accept_redirects the other way (net/ipv4/devinet.c, inet_forward_change; net/ipv6/addrconf.c, addrconf_forward_change).
 */
export function forwardingValues(interfaces: readonly string[]): Record<string, ValueSpec> {
  const each = ['default', 'lo', ...interfaces];
  const four = (name: string): string => pathOf('net.ipv4.conf') + `/${name}/forwarding`;
  const six = (name: string): string => pathOf('net.ipv6.conf') + `/${name}/forwarding`;
  const same = (kept: string): string => kept;
  const all = (pathsOf: (name: string) => string, others: ValueSpec['follow']): ValueSpec => ({
    text: '0',
    accepts: INTEGER,
    follow: { ...Object.fromEntries(each.map((name) => [pathsOf(name), same])), ...others },
  });
  const redirects = pathOf('net.ipv4.conf.all.accept_redirects');
  const contrary = { [redirects]: (kept: string) => (Number(kept) === 0 ? '1' : '0') };
  const own = (pathsOf: (name: string) => string): [string, ValueSpec][] => each.map((name) => [pathsOf(name), { text: '0', accepts: INTEGER }]);
  const routers = each.map((name): [string, ValueSpec] => [pathOf('net.ipv6.conf') + `/${name}/accept_ra`, { text: '1', accepts: INTEGER }]);
  return {
    [pathOf('net.ipv4.ip_forward')]: all(four, { ...contrary, [four('all')]: same }),
    [four('all')]: all(four, { ...contrary, [pathOf('net.ipv4.ip_forward')]: same }),
    [six('all')]: all(six, {}),
    [redirects]: { text: '1', accepts: INTEGER },
    ...Object.fromEntries([...own(four), ...own(six), ...routers]),
  };
}

function pathOf(key: string): string {
  return `${PREFIX}${key.replaceAll('.', '/')}`;
}
