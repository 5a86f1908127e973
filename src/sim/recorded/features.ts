type Features = Record<string, { on: boolean; changeable?: boolean }>;

/** `ethtool -k` of virtio-net with Debian's kernel 6.1 in qemu; what is off for good and stands for nothing is left out. */
export function virtioFeatures(): Features {
  return {
    'rx-checksumming': { on: true, changeable: false },
    'tx-checksumming': { on: true },
    'tx-checksum-ip-generic': { on: true },
    'scatter-gather': { on: true },
    'tx-scatter-gather': { on: true },
    'tcp-segmentation-offload': { on: true },
    'tx-tcp-segmentation': { on: true },
    'tx-tcp-ecn-segmentation': { on: true },
    'tx-tcp-mangleid-segmentation': { on: false },
    'tx-tcp6-segmentation': { on: true },
    'generic-segmentation-offload': { on: true },
    'generic-receive-offload': { on: true },
    'large-receive-offload': { on: false, changeable: false },
    'rx-vlan-offload': { on: false, changeable: false },
    'tx-vlan-offload': { on: false, changeable: false },
    'ntuple-filters': { on: false, changeable: false },
    'receive-hashing': { on: false, changeable: false },
    highdma: { on: true, changeable: false },
    'rx-vlan-filter': { on: true, changeable: false },
    'tx-gso-robust': { on: true, changeable: false },
    'tx-nocache-copy': { on: false },
    'rx-gro-hw': { on: true },
    'rx-gro-list': { on: false },
    'rx-udp-gro-forwarding': { on: false },
  };
}

/** `ethtool -k` of an Intel X710 (i40e), kernel 6.8, as the driver declares them (drivers/net/ethernet/intel/i40e/i40e_main.c, i40e_config_netdev). */
export function i40eFeatures(): Features {
  return {
    'rx-checksumming': { on: true },
    'tx-checksumming': { on: true },
    'tx-checksum-ipv4': { on: true },
    'tx-checksum-ipv6': { on: true },
    'tx-checksum-sctp': { on: true },
    'scatter-gather': { on: true },
    'tx-scatter-gather': { on: true },
    'tcp-segmentation-offload': { on: true },
    'tx-tcp-segmentation': { on: true },
    'tx-tcp-ecn-segmentation': { on: true },
    'tx-tcp-mangleid-segmentation': { on: false },
    'tx-tcp6-segmentation': { on: true },
    'generic-segmentation-offload': { on: true },
    'generic-receive-offload': { on: true },
    'large-receive-offload': { on: false, changeable: false },
    'rx-vlan-offload': { on: true },
    'tx-vlan-offload': { on: true },
    'ntuple-filters': { on: true },
    'receive-hashing': { on: true },
    highdma: { on: true },
    'rx-vlan-filter': { on: true, changeable: false },
    'tx-gre-segmentation': { on: true },
    'tx-gre-csum-segmentation': { on: true },
    'tx-ipxip4-segmentation': { on: true },
    'tx-ipxip6-segmentation': { on: true },
    'tx-udp_tnl-segmentation': { on: true },
    'tx-udp_tnl-csum-segmentation': { on: true },
    'tx-gso-partial': { on: true },
    'tx-udp-segmentation': { on: true },
    'tx-nocache-copy': { on: false },
    loopback: { on: false },
    'hw-tc-offload': { on: false },
    'rx-udp_tunnel-port-offload': { on: true },
    'rx-gro-list': { on: false },
    'rx-udp-gro-forwarding': { on: false },
  };
}

/** `ethtool -k` of one end of a veth pair (drivers/net/veth.c, VETH_FEATURES). */
export function vethFeatures(): Features {
  return {
    'rx-checksumming': { on: true },
    'tx-checksumming': { on: true },
    'tx-checksum-ip-generic': { on: true },
    'tx-checksum-sctp': { on: true },
    'scatter-gather': { on: true },
    'tx-scatter-gather': { on: true },
    'tx-scatter-gather-fraglist': { on: true },
    'tcp-segmentation-offload': { on: true },
    'tx-tcp-segmentation': { on: true },
    'tx-tcp-ecn-segmentation': { on: true },
    'tx-tcp-mangleid-segmentation': { on: true },
    'tx-tcp6-segmentation': { on: true },
    'generic-segmentation-offload': { on: true },
    'generic-receive-offload': { on: false },
    'large-receive-offload': { on: false, changeable: false },
    'tx-udp-segmentation': { on: true },
    'rx-udp-gro-forwarding': { on: false },
    'rx-gro-list': { on: false },
  };
}
