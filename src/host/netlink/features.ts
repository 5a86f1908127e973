import type { LinkFacts } from '../../base/index.js';

type Features = NonNullable<LinkFacts['features']>;

/** What the kernel says of one offload, by its own names (netdev_features_strings, net/ethtool/common.c). */
export interface KernelFeature {
  readonly name: string;
  readonly on: boolean;
  readonly changeable: boolean;
}

/*
 * ethtool -k shows some of the kernel's features under names of its own. Such a name stands for one
 * feature, which it replaces, or for several, which are beside it and any of which makes it on.
 */
const GROUPS: readonly { readonly name: string; readonly of: RegExp; readonly several?: true }[] = [
  { name: 'rx-checksumming', of: /^rx-checksum$/ },
  { name: 'tx-checksumming', of: /^tx-checksum-/, several: true },
  { name: 'scatter-gather', of: /^tx-scatter-gather/, several: true },
  { name: 'tcp-segmentation-offload', of: /^tx-tcp.*-segmentation$/, several: true },
  { name: 'generic-segmentation-offload', of: /^tx-generic-segmentation$/ },
  { name: 'generic-receive-offload', of: /^rx-gro$/ },
  { name: 'large-receive-offload', of: /^rx-lro$/ },
  { name: 'rx-vlan-offload', of: /^rx-vlan-hw-parse$/ },
  { name: 'tx-vlan-offload', of: /^tx-vlan-hw-insert$/ },
  { name: 'ntuple-filters', of: /^rx-ntuple-filter$/ },
  { name: 'receive-hashing', of: /^rx-hashing$/ },
];

/**
 * Features by the names that ethtool -k prints. The kernel lists those that are on or can be changed:
 * a group without any is off and stays so, and so is a feature that is not listed.
 */
export function featuresByName(kernel: readonly KernelFeature[]): Features {
  const features: Record<string, { on: boolean; changeable: boolean }> = {};
  const replaced = new Set<string>();
  for (const { name, of, several } of GROUPS) {
    const members = kernel.filter((feature) => of.test(feature.name));
    if (several !== true) for (const member of members) replaced.add(member.name);
    features[name] = { on: members.some(({ on }) => on), changeable: members.some(({ changeable }) => changeable) };
  }
  for (const { name, on, changeable } of kernel) if (!replaced.has(name)) features[name] = { on, changeable };
  return features;
}
