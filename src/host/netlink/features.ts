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

/** What of the kernel's features to switch so that those of these names are as wanted. */
export interface FeaturesToSet {
  readonly set: Readonly<Record<string, boolean>>;
  /** Names that stand for nothing here. */
  readonly unknown: readonly string[];
  /** Names of what the driver does not let change, and is not as wanted. */
  readonly fixed: readonly string[];
}

/**
 * Names that `ethtool -k` prints as features of the kernel. A name that stands for several means all of them that can be
 * changed, as for `ethtool -K`; one of those that is named itself goes before.
 */
export function featuresToSet(kernel: readonly KernelFeature[], wanted: Readonly<Record<string, boolean>>): FeaturesToSet {
  const ofGroups: Record<string, boolean> = {};
  const ofNames: Record<string, boolean> = {};
  const unknown: string[] = [];
  const fixed: string[] = [];
  for (const [name, on] of Object.entries(wanted)) {
    const group = GROUPS.find((entry) => entry.name === name);
    const members = kernel.filter((feature) => (group ? group.of.test(feature.name) : feature.name === name));
    const changeable = members.filter((feature) => feature.changeable);
    // The kernel lists what is on or can be changed: a group without members is off for good.
    if (members.length === 0 && !group) unknown.push(name);
    else if (changeable.length === 0 && members.some((feature) => feature.on) !== on) fixed.push(name);
    for (const feature of changeable) (group ? ofGroups : ofNames)[feature.name] = on;
  }
  return { set: { ...ofGroups, ...ofNames }, unknown, fixed };
}
