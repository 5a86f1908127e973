import type { LinkFacts } from '../../base/index.js';
import { withoutUndefined, wordsToNames } from './ethtool.js';
import { featuresByName } from './features.js';
import type { KernelFeature } from './features.js';
import { duplexName, fastestBps, isLinkMode, linkModeName, portName, speedBps } from './link-modes.js';
import { textOf, u32At } from './message.js';

/*
 * The older way to the same facts: ioctl SIOCETHTOOL with a command's structure (include/uapi/linux/
 * ethtool.h). It alone tells of driver, firmware and bus; the rest is for kernels without the netlink family.
 */
export const SIOCETHTOOL = 0x8946;
export const GDRVINFO = 0x03;
export const GCOALESCE = 0x0e;
export const GRINGPARAM = 0x10;
export const GSTRINGS = 0x1b;
export const GSSET_INFO = 0x37;
export const GFEATURES = 0x3a;
export const GCHANNELS = 0x3c;
export const GLINKSETTINGS = 0x4c;

export const DRIVER_INFO_BYTES = 196;
export const NUMBERS_BYTES = 96;
export const STRINGS_HEADER_BYTES = 12;
export const STRING_BYTES = 32;
const FEATURES_SET = 4;
const SETTINGS_BYTES = 48;
const WORDS_AT = 15;
/** No kernel has more words of link modes, or blocks of features. */
const WORDS_MAX = 127;
export const BLOCKS_MAX = 16;

/** `struct ifreq`: a name, and where the command's structure is. */
export function encodeIfreq(name: string, address: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(40));
  bytes.set(new TextEncoder().encode(name).subarray(0, 15));
  new DataView(bytes.buffer).setBigUint64(16, address, true);
  return bytes;
}

/** A command's structure with nothing in it but its number and, for some, what follows. */
export function encodeCommand(sizeBytes: number, ...words: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(sizeBytes));
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(4 * i, word, true));
  return bytes;
}

/** `struct ethtool_drvinfo`. Drivers that have nothing to say leave it empty or write `N/A`. */
export function decodeDriverInfo(bytes: Uint8Array): Partial<LinkFacts> {
  const text = (at: number): string | undefined => {
    const found = textOf(bytes.subarray(at, at + 32)).trim();
    return found === '' || /^n\/a$/i.test(found) ? undefined : found;
  };
  return withoutUndefined({ driver: text(4), firmware: text(68), bus: text(100) });
}

/** Room for the structure with so many words a mask; with none the kernel says how many it wants. */
export function encodeLinkSettings(words: number): Uint8Array<ArrayBuffer> {
  const bytes = encodeCommand(SETTINGS_BYTES + 12 * words, GLINKSETTINGS);
  bytes[WORDS_AT] = words;
  return bytes;
}

/** How many words a mask the kernel wants: it answers with the negative number. */
export function wordsWanted(bytes: Uint8Array): number {
  const words = -(((bytes[WORDS_AT] ?? 0) << 24) >> 24);
  return words > 0 && words <= WORDS_MAX ? words : 0;
}

/** `struct ethtool_link_settings`: figures, then three masks: what it can, what it offers, what the partner offers. */
export function decodeLinkSettings(bytes: Uint8Array): Partial<LinkFacts> {
  const words = bytes[WORDS_AT] ?? 0;
  if (bytes.length < SETTINGS_BYTES + 12 * words) return {};
  const [supported, advertised, partner] = [0, 1, 2].map((n) => {
    const at = SETTINGS_BYTES + 4 * words * n;
    return wordsToNames(bytes.subarray(at, at + 4 * words), linkModeName).filter(isLinkMode);
  });
  return withoutUndefined({
    speedBps: speedBps(u32At(bytes, 4)),
    duplex: duplexName(bytes[8]),
    port: portName(bytes[9]),
    autonegotiation: bytes[11] === 1,
    ...(supported?.length ? { supported, advertised, supportedBpsMax: fastestBps(supported) } : {}),
    ...(partner?.length ? { partner, partnerBpsMax: fastestBps(partner) } : {}),
  });
}

/** `struct ethtool_sset_info`, asking how many features there are. */
export function encodeFeatureCount(): Uint8Array<ArrayBuffer> {
  return encodeCommand(24, GSSET_INFO, 0, 1 << FEATURES_SET, 0);
}

export function decodeFeatureCount(bytes: Uint8Array): number {
  const mask = u32At(bytes, 8) ?? 0;
  return mask === 0 ? 0 : Math.min(u32At(bytes, 16) ?? 0, 32 * BLOCKS_MAX);
}

export function encodeFeatureNames(count: number): Uint8Array<ArrayBuffer> {
  return encodeCommand(STRINGS_HEADER_BYTES + STRING_BYTES * count, GSTRINGS, FEATURES_SET, count);
}

/** `struct ethtool_gstrings` with the features' names and `struct ethtool_gfeatures`: blocks of available, requested, active, never changed. */
export function decodeFeatureBlocks(names: Uint8Array, blocks: Uint8Array): Partial<LinkFacts> {
  const found = decodeKernelFeatureBlocks(names, blocks);
  return found.length === 0 ? {} : { features: featuresByName(found) };
}

/** The same by the kernel's own names, each with its place among the bits. */
export function decodeKernelFeatureBlocks(names: Uint8Array, blocks: Uint8Array): (KernelFeature & { readonly bit: number })[] {
  const count = Math.min(u32At(names, 8) ?? 0, 32 * BLOCKS_MAX);
  const bit = (n: number, word: number): boolean => (((u32At(blocks, 8 + 16 * (n >> 5) + 4 * word) ?? 0) >>> (n & 31)) & 1) === 1;
  return Array.from({ length: count }, (_, n) => ({
    bit: n,
    name: textOf(names.subarray(STRINGS_HEADER_BYTES + STRING_BYTES * n, STRINGS_HEADER_BYTES + STRING_BYTES * (n + 1))),
    on: bit(n, 2),
    changeable: bit(n, 0) && !bit(n, 3),
  })).filter(({ name, on, changeable }) => name !== '' && (on || changeable));
}

/** How many blocks of features the kernel has: it writes the number into what it fills in. */
export function blocksOf(blocks: Uint8Array): number {
  return Math.min(u32At(blocks, 4) ?? 0, BLOCKS_MAX);
}

/** `struct ethtool_ringparam`. */
export function decodeRings(bytes: Uint8Array): Partial<LinkFacts> {
  const at = (word: number): number => u32At(bytes, 4 * word) ?? 0;
  return bytes.length < 36 ? {} : { rings: { rx: at(5), tx: at(8), rxMax: at(1), txMax: at(4) } };
}

/** `struct ethtool_channels`: combined ones count both ways. */
export function decodeChannels(bytes: Uint8Array): Partial<LinkFacts> {
  const at = (word: number): number => u32At(bytes, 4 * word) ?? 0;
  if (bytes.length < 36) return {};
  return { queues: { rx: at(5) + at(8), tx: at(6) + at(8), rxMax: at(1) + at(4), txMax: at(2) + at(4) } };
}

/** `struct ethtool_coalesce`. */
export function decodeCoalescing(bytes: Uint8Array): Partial<LinkFacts> {
  const at = (word: number): number => u32At(bytes, 4 * word) ?? 0;
  if (bytes.length < 48) return {};
  return { coalescing: { rxUsecs: at(1), txUsecs: at(5), adaptiveRx: at(10) !== 0, adaptiveTx: at(11) !== 0 } };
}
