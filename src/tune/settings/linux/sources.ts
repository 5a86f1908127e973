import type { Source } from '../../setting.js';

/** What the Linux settings rest on. */
export const IP_SYSCTL: Source = {
  title: 'Linux, Documentation/networking/ip-sysctl.rst',
  url: 'https://docs.kernel.org/networking/ip-sysctl.html',
};
export const NET_SYSCTL: Source = {
  title: 'Linux, Documentation/admin-guide/sysctl/net.rst',
  url: 'https://docs.kernel.org/admin-guide/sysctl/net.html',
};
export const VM_SYSCTL: Source = {
  title: 'Linux, Documentation/admin-guide/sysctl/vm.rst',
  url: 'https://docs.kernel.org/admin-guide/sysctl/vm.html',
};
export const KERNEL_SYSCTL: Source = {
  title: 'Linux, Documentation/admin-guide/sysctl/kernel.rst',
  url: 'https://docs.kernel.org/admin-guide/sysctl/kernel.html',
};
export const FS_SYSCTL: Source = {
  title: 'Linux, Documentation/admin-guide/sysctl/fs.rst',
  url: 'https://docs.kernel.org/admin-guide/sysctl/fs.html',
};
export const SCALING: Source = { title: 'Linux, Documentation/networking/scaling.rst', url: 'https://docs.kernel.org/networking/scaling.html' };
export const OFFLOAD_DOC: Source = {
  title: 'Linux, Documentation/networking/segmentation-offloads.rst',
  url: 'https://docs.kernel.org/networking/segmentation-offloads.html',
};
export const CPUFREQ: Source = {
  title: 'Linux, Documentation/admin-guide/pm/cpufreq.rst',
  url: 'https://docs.kernel.org/admin-guide/pm/cpufreq.html',
};
export const PM_QOS: Source = {
  title: 'Linux, Documentation/power/pm_qos_interface.rst',
  url: 'https://docs.kernel.org/power/pm_qos_interface.html',
};
export const THP: Source = {
  title: 'Linux, Documentation/admin-guide/mm/transhuge.rst',
  url: 'https://docs.kernel.org/admin-guide/mm/transhuge.html',
};
export const IRQ_AFFINITY: Source = {
  title: 'Linux, Documentation/core-api/irq/irq-affinity.rst',
  url: 'https://docs.kernel.org/core-api/irq/irq-affinity.html',
};
const TUNED = 'https://github.com/redhat-performance/tuned';
const tuned = (profile: string): Source => ({ title: `TuneD profile ${profile}`, url: `${TUNED}/blob/master/profiles/${profile}/tuned.conf` });
export const TUNED_THROUGHPUT = tuned('network-throughput');
export const TUNED_NETWORK_LATENCY = tuned('network-latency');
export const TUNED_LATENCY = tuned('latency-performance');
export const TUNED_UDP_MEM: Source = { title: 'TuneD pull request 354: udp_mem is left to the kernel', url: `${TUNED}/pull/354` };
export const FASTERDATA: Source = { title: 'ESnet fasterdata, Linux tuning', url: 'https://fasterdata.es.net/host-tuning/linux/' };
export const QUIC_GO: Source = { title: 'quic-go, UDP buffer sizes', url: 'https://github.com/quic-go/quic-go/wiki/UDP-Buffer-Sizes' };
export const LIVEKIT: Source = {
  title: 'LiveKit server: it warns where UDP receive buffers are below 5,000,000 bytes',
  url: 'https://github.com/livekit/livekit',
};
export const BBR: Source = { title: 'BBR', url: 'https://github.com/google/bbr' };
export const PREQUEUE_REMOVED: Source = {
  title: 'Linux commit e7942d0633c4: tcp: remove prequeue support',
  url: 'https://git.kernel.org/linus/e7942d0633c4',
};
export const TAILSCALE_ROUTER: Source = { title: 'Tailscale, subnet routers', url: 'https://tailscale.com/kb/1019/subnets' };
export const ENA: Source = {
  title: 'AWS ENA Linux driver, best practices for latency',
  url: 'https://github.com/amzn/amzn-drivers/blob/master/kernel/linux/ena/ENA_Linux_Best_Practices.rst',
};
export const FIREDANCER: Source = {
  title: 'Firedancer pull request 7071: receive offload on again, 400 to 900 MB/s',
  url: 'https://github.com/firedancer-io/firedancer/pull/7071',
};
