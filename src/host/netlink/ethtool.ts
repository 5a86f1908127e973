import type { LinkFacts } from '../../base/index.js';
import { featuresByName } from './features.js';
import type { KernelFeature } from './features.js';
import { duplexName, fastestBps, isLinkMode, linkModeName, portName, speedBps } from './link-modes.js';
import { Attributes, attributeU32, join, nest } from './message.js';

/*
 * The generic netlink family `ethtool` (Documentation/networking/ethtool-netlink.rst, numbers from
 * include/uapi/linux/ethtool_netlink.h). Every message carries a header attribute that names the device.
 */
export const ETHTOOL = {
  LINKINFO_GET: 2,
  LINKMODES_GET: 4,
  LINKSTATE_GET: 6,
  FEATURES_GET: 11,
  RINGS_GET: 15,
  CHANNELS_GET: 17,
  COALESCE_GET: 19,
} as const;
export type EthtoolCommand = (typeof ETHTOOL)[keyof typeof ETHTOOL];

/** `struct genlmsghdr`. */
export const GENERIC_HEADER_BYTES = 4;
const VERSION = 1;
const HEADER = 1;
const HEADER_DEV_INDEX = 1;

/** The attribute that names one interface, or in a dump none. */
export function deviceHeader(index?: number): Uint8Array {
  return nest(HEADER, ...(index === undefined ? [] : [attributeU32(HEADER_DEV_INDEX, index)]));
}

/** `struct genlmsghdr` of a command. */
export function genericHeader(command: number): Uint8Array {
  return Uint8Array.of(command, VERSION, 0, 0);
}

/** Asks for one interface, or (without an index) for all in a dump. Bitsets come with names, so that newer kernels name newer bits. */
export function encodeEthtoolGet(command: EthtoolCommand, index?: number): Uint8Array {
  return join(genericHeader(command), deviceHeader(index));
}

/** What one answer tells of which interface; undefined for bytes that are none. */
export function decodeEthtool(command: EthtoolCommand, body: Uint8Array): { readonly index: number; readonly facts: Partial<LinkFacts> } | undefined {
  const attributes = new Attributes(body.subarray(GENERIC_HEADER_BYTES));
  const index = attributes.nested(HEADER).u32(HEADER_DEV_INDEX);
  return index === undefined ? undefined : { index, facts: withoutUndefined(DECODERS[command](attributes)) };
}

type Loose = { readonly [K in keyof LinkFacts]?: LinkFacts[K] | undefined };

const DECODERS: Readonly<Record<EthtoolCommand, (a: Attributes) => Loose>> = {
  [ETHTOOL.LINKINFO_GET]: (a) => ({ port: portName(a.u8(2)) }),
  [ETHTOOL.LINKSTATE_GET]: (a) => ({ carrier: flag(a.u8(2)) }),
  [ETHTOOL.LINKMODES_GET]: decodeLinkModes,
  [ETHTOOL.FEATURES_GET]: decodeFeatures,
  [ETHTOOL.RINGS_GET]: (a) => ({ rings: counts({ rx: a.u32(6), tx: a.u32(9), rxMax: a.u32(2), txMax: a.u32(5) }) }),
  [ETHTOOL.CHANNELS_GET]: (a) => {
    const [combined, combinedMax] = [a.u32(9), a.u32(5)];
    const sum = (own: number | undefined, both: number | undefined): number | undefined =>
      own === undefined && both === undefined ? undefined : (own ?? 0) + (both ?? 0);
    return {
      queues: counts({
        rx: sum(a.u32(6), combined),
        tx: sum(a.u32(7), combined),
        rxMax: sum(a.u32(2), combinedMax),
        txMax: sum(a.u32(3), combinedMax),
      }),
    };
  },
  [ETHTOOL.COALESCE_GET]: (a) => {
    const coalescing = withoutUndefined({ rxUsecs: a.u32(2), txUsecs: a.u32(6), adaptiveRx: flag(a.u8(11)), adaptiveTx: flag(a.u8(12)) });
    return Object.keys(coalescing).length === 0 ? {} : { coalescing };
  },
};

function decodeLinkModes(a: Attributes): Loose {
  const ours = decodeBitset(a.nested(3), linkModeName);
  const peer = decodeBitset(a.nested(4), linkModeName);
  const supported = ours.mask.filter(isLinkMode);
  const advertised = ours.on.filter(isLinkMode);
  const partner = peer.on.filter(isLinkMode);
  return {
    autonegotiation: flag(a.u8(2)),
    speedBps: speedBps(a.u32(5)),
    duplex: duplexName(a.u8(6)),
    ...(supported.length === 0 ? {} : { supported, advertised, supportedBpsMax: fastestBps(supported) }),
    ...(partner.length === 0 ? {} : { partner, partnerBpsMax: fastestBps(partner) }),
  };
}

/** A feature can be changed when the driver lets it and the kernel does not forbid it. */
function decodeFeatures(a: Attributes): Loose {
  const features = kernelFeatures(a);
  return features.length === 0 ? {} : { features: featuresByName(features) };
}

/** The same by the kernel's own names; of an answer to FEATURES_GET. */
export function decodeKernelFeatures(body: Uint8Array): KernelFeature[] {
  return kernelFeatures(new Attributes(body.subarray(GENERIC_HEADER_BYTES)));
}

function kernelFeatures(a: Attributes): KernelFeature[] {
  const unnamed = (): undefined => undefined;
  const on = (type: number): Set<string> => new Set(decodeBitset(a.nested(type), unnamed).on);
  const [hardware, active, never] = [on(2), on(4), on(5)];
  const names = [...new Set([...hardware, ...active])].sort();
  return names.map((name) => ({ name, on: active.has(name), changeable: hardware.has(name) && !never.has(name) }));
}

export interface Bitset {
  /** Names of the bits that are set. */
  readonly on: readonly string[];
  /** Names of the bits that the mask covers; in a list without a mask those that are set. */
  readonly mask: readonly string[];
}

/** Names beyond this many are not read: no set of the kernel has so many. */
const BITS_MAX = 4096;

/** A bitset in either of its forms: a list of named bits, or words with or without a mask. A bit without a name is left out. */
export function decodeBitset(a: Attributes, nameOf: (bit: number) => string | undefined): Bitset {
  const value = a.bytes(4);
  if (value) {
    const on = wordsToNames(value, nameOf);
    const mask = a.bytes(5);
    return { on, mask: mask ? wordsToNames(mask, nameOf) : on };
  }
  const noMask = a.has(1);
  const on: string[] = [];
  const mask: string[] = [];
  for (const { value: bytes } of a.nested(3).all.slice(0, BITS_MAX)) {
    const bit = new Attributes(bytes);
    const name = bit.text(2) ?? nameOf(bit.u32(1) ?? -1);
    // The kernel has bits that it never named.
    if (name === undefined || name === '') continue;
    mask.push(name);
    if (noMask || bit.has(3)) on.push(name);
  }
  return { on, mask };
}

/** Bit n is in byte n/8: words are little endian. */
export function wordsToNames(words: Uint8Array, nameOf: (bit: number) => string | undefined): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < Math.min(words.length * 8, BITS_MAX); bit++) {
    const name = ((words[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0 ? undefined : nameOf(bit);
    if (name !== undefined) names.push(name);
  }
  return names;
}

function counts(all: { readonly [K in 'rx' | 'tx' | 'rxMax' | 'txMax']: number | undefined }): LinkFacts['rings'] {
  const { rx, tx, rxMax, txMax } = all;
  if (rx === undefined || tx === undefined) return undefined;
  return { rx, tx, ...withoutUndefined({ rxMax, txMax }) };
}

function flag(value: number | undefined): boolean | undefined {
  return value === undefined ? undefined : value !== 0;
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

export function withoutUndefined<T extends object>(object: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>;
}
