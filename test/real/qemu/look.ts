/**
 * The beginning of a job. `look` prints, a line each, what the settings read: kernel values, processors, interrupts and the
 * card. `disk` prints what is on the disk beside the outer machine's files. `tune ARGS` is the command line.
 */
export const lookWith = (tautline: readonly string[]): string => `
# Code that is made at run time is what an emulated processor is slowest at.
export NODE_OPTIONS=--jitless
tautline=(${tautline.map((word) => `'${word}'`).join(' ')})
tune() { "\${tautline[@]}" tune "$@" 2>> said; }
look() {
  # Counters, keys drawn by lot at each boot, and what only acts when it is written.
  grep -rs '' /proc/sys/net /proc/sys/vm | grep -vE '^/proc/sys/(net/(core/netdev_rss_key|ipv4/tcp_fastopen_key|netfilter/nf_conntrack_count|ipv[46]/route/flush)|vm/(stat_refresh|compact_memory|drop_caches)):' | sort
  grep -s '' /sys/kernel/mm/transparent_hugepage/{enabled,defrag,shmem_enabled}
  grep -s '' /sys/class/net/eth0/{mtu,tx_queue_len,gro_flush_timeout,napi_defer_hard_irqs} /sys/class/net/eth0/queues/*/{rps_cpus,rps_flow_cnt,xps_cpus,xps_rxqs}
  grep -s '' $(awk '/virtio[0-9]+-(input|output)/ { sub(":", "", $1); print "/proc/irq/" $1 "/smp_affinity_list" }' /proc/interrupts)
  ethtool -k eth0; ethtool -g eth0; ethtool -l eth0; ethtool -c eth0 2> /dev/null || true; tc qdisc show dev eth0; ip -o link show eth0
  echo "latency $(latency)"
}
# Four bytes, in this machine's order (Documentation/power/pm_qos_interface.rst).
latency() { od -An -td4 -N4 /dev/cpu_dma_latency | tr -d ' '; }
disk() {
  # A folder's times change with what is made in it for a moment; the journal stays as a record.
  (cd /mnt/written; find . \\( -path ./var -o -path ./tmp -o -path ./root \\) -prune -o ! -type d -printf '%p %M %U:%G %T@ %l\\n' | sort)
  kept='/etc/sysctl.d /etc/sysctl.conf /etc/security /etc/systemd /etc/network /etc/docker /etc/tautline /etc/ssh'
  find $kept -type f -printf '%p %M %U:%G %T@\\n' 2> /dev/null | sort
  find $kept -type f -exec sha256sum {} + 2> /dev/null | sort
}
# Runs a command where processors seem to have a governor and idle states, which none that can be emulated has: files in the
# place of the kernel's, for this command alone. The device that holds idle states is the kernel's own.
cat > processors.sh <<'END'
mount -t tmpfs tmpfs /sys/devices/system/cpu
(
  cd /sys/devices/system/cpu
  for file in online possible present; do echo 0-2 > $file; done
  for cpu in 0 1 2; do
    mkdir -p cpufreq/policy$cpu cpu$cpu/cpuidle/state0
    echo 'performance powersave schedutil' > cpufreq/policy$cpu/scaling_available_governors
    echo schedutil > cpufreq/policy$cpu/scaling_governor
    echo C6 > cpu$cpu/cpuidle/state0/name; echo 133 > cpu$cpu/cpuidle/state0/latency
  done
  mkdir cpuidle; echo intel_idle > cpuidle/current_driver
)
exec "$@"
END
with_processors() { unshare --mount --propagation private sh processors.sh "$@"; }
profile() { printf 'title: Lab\\nabout: What only a whole machine has.\\nrisk: low\\nsettings:\\n' > "$1.yaml"; cat >> "$1.yaml"; }
`;
