/*
 * Link modes by the kernel's table: bit numbers of enum ethtool_link_mode_bit_indices
 * (include/uapi/linux/ethtool.h, up to Linux 6.18), names as net/ethtool/common.c gives them. Newer kernels name
 * newer bits themselves when they are asked over netlink; the table is for the ioctl, which only has bits.
 */
const NAMES: readonly string[] = [
  ...['10baseT/Half', '10baseT/Full', '100baseT/Half', '100baseT/Full', '1000baseT/Half', '1000baseT/Full'],
  ...['Autoneg', 'TP', 'AUI', 'MII', 'FIBRE', 'BNC'],
  ...['10000baseT/Full', 'Pause', 'Asym_Pause', '2500baseX/Full', 'Backplane'],
  ...['1000baseKX/Full', '10000baseKX4/Full', '10000baseKR/Full', '10000baseR_FEC', '20000baseMLD2/Full', '20000baseKR2/Full'],
  ...['40000baseKR4/Full', '40000baseCR4/Full', '40000baseSR4/Full', '40000baseLR4/Full'],
  ...['56000baseKR4/Full', '56000baseCR4/Full', '56000baseSR4/Full', '56000baseLR4/Full'],
  ...['25000baseCR/Full', '25000baseKR/Full', '25000baseSR/Full', '50000baseCR2/Full', '50000baseKR2/Full'],
  ...['100000baseKR4/Full', '100000baseSR4/Full', '100000baseCR4/Full', '100000baseLR4_ER4/Full'],
  ...['50000baseSR2/Full', '1000baseX/Full', '10000baseCR/Full', '10000baseSR/Full', '10000baseLR/Full', '10000baseLRM/Full', '10000baseER/Full'],
  ...['2500baseT/Full', '5000baseT/Full', 'None', 'RS', 'BASER'],
  ...['50000baseKR/Full', '50000baseSR/Full', '50000baseCR/Full', '50000baseLR_ER_FR/Full', '50000baseDR/Full'],
  ...['100000baseKR2/Full', '100000baseSR2/Full', '100000baseCR2/Full', '100000baseLR2_ER2_FR2/Full', '100000baseDR2/Full'],
  ...['200000baseKR4/Full', '200000baseSR4/Full', '200000baseLR4_ER4_FR4/Full', '200000baseDR4/Full', '200000baseCR4/Full'],
  ...['100baseT1/Full', '1000baseT1/Full'],
  ...['400000baseKR8/Full', '400000baseSR8/Full', '400000baseLR8_ER8_FR8/Full', '400000baseDR8/Full', '400000baseCR8/Full', 'LLRS'],
  ...['100000baseKR/Full', '100000baseSR/Full', '100000baseLR_ER_FR/Full', '100000baseCR/Full', '100000baseDR/Full'],
  ...['200000baseKR2/Full', '200000baseSR2/Full', '200000baseLR2_ER2_FR2/Full', '200000baseDR2/Full', '200000baseCR2/Full'],
  ...['400000baseKR4/Full', '400000baseSR4/Full', '400000baseLR4_ER4_FR4/Full', '400000baseDR4/Full', '400000baseCR4/Full'],
  ...['100baseFX/Half', '100baseFX/Full', '10baseT1L/Full'],
  ...['800000baseCR8/Full', '800000baseKR8/Full', '800000baseDR8/Full', '800000baseDR8_2/Full', '800000baseSR8/Full', '800000baseVR8/Full'],
  ...['10baseT1S/Full', '10baseT1S/Half', '10baseT1S_P2MP/Half', '10baseT1BRR/Full'],
  ...['200000baseCR/Full', '200000baseKR/Full', '200000baseDR/Full', '200000baseDR_2/Full', '200000baseSR/Full', '200000baseVR/Full'],
  ...['400000baseCR2/Full', '400000baseKR2/Full', '400000baseDR2/Full', '400000baseDR2_2/Full', '400000baseSR2/Full', '400000baseVR2/Full'],
  ...['800000baseCR4/Full', '800000baseKR4/Full', '800000baseDR4/Full', '800000baseDR4_2/Full', '800000baseSR4/Full', '800000baseVR4/Full'],
  ...['1600000baseCR8/Full', '1600000baseKR8/Full', '1600000baseDR8/Full', '1600000baseDR8_2/Full'],
];

/** The name of a bit, or undefined for one that is newer than the table. */
export function linkModeName(bit: number): string | undefined {
  return NAMES[bit];
}

/** Whether it is a way to send, and not a port, a pause or an error correction, which share the bits. */
export function isLinkMode(name: string): boolean {
  return speedOf(name) !== undefined;
}

/** The fastest of the modes in bits per second; undefined for none. */
export function fastestBps(modes: readonly string[]): number | undefined {
  const speeds = modes.flatMap((mode) => speedOf(mode) ?? []);
  return speeds.length === 0 ? undefined : Math.max(...speeds);
}

/** `2500baseT/Full` is 2.5 Gbit/s: the number before `base` is Mbit/s. */
function speedOf(name: string): number | undefined {
  const mbps = /^(\d+)base[^/]+\/(?:Full|Half)$/.exec(name)?.[1];
  return mbps === undefined ? undefined : Number(mbps) * 1e6;
}

/** `port` of struct ethtool_link_settings, in words. */
export function portName(port: number | undefined): string | undefined {
  return port === undefined ? undefined : PORTS.get(port);
}

const PORTS: ReadonlyMap<number, string> = new Map([
  [0, 'twisted pair'],
  [1, 'AUI'],
  [2, 'MII'],
  [3, 'fibre'],
  [4, 'BNC'],
  [5, 'direct attach'],
]);

/** A speed in Mbit/s as drivers write it: 0 and all ones are "unknown". */
export function speedBps(mbps: number | undefined): number | undefined {
  return mbps === undefined || mbps === 0 || mbps === 0xffffffff ? undefined : mbps * 1e6;
}

export function duplexName(duplex: number | undefined): 'full' | 'half' | undefined {
  return duplex === 1 ? 'full' : duplex === 0 ? 'half' : undefined;
}
