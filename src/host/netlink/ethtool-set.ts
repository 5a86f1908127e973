import type { LinkChannels, LinkCoalescing } from '../../base/index.js';
import { GENERIC_HEADER_BYTES, deviceHeader, genericHeader, withoutUndefined } from './ethtool.js';
import { Attributes, attribute, attributeText, attributeU32, join, nest } from './message.js';

/*
 * Orders to the `ethtool` family, each naming only what is to change (Documentation/networking/ethtool-netlink.rst, numbers
 * from include/uapi/linux/ethtool_netlink.h). Features, rings and channels since Linux 5.7, coalescing since 5.8.
 */
export const ETHTOOL_SET = { FEATURES: 12, RINGS: 16, CHANNELS: 18, COALESCE: 20 } as const;

const FEATURES_WANTED = 3;
const BITSET_BITS = 3;
const BITSET_BIT = 1;
const BIT_NAME = 2;
const BIT_VALUE = 3;

/** Features by the kernel's names. The bits that are listed are the mask, those with a value are to be on. */
export function encodeFeaturesSet(index: number, features: Readonly<Record<string, boolean>>): Uint8Array {
  const bits = Object.entries(features).map(([name, on]) =>
    nest(BITSET_BIT, attributeText(BIT_NAME, name), ...(on ? [attribute(BIT_VALUE, new Uint8Array(0))] : [])),
  );
  return join(genericHeader(ETHTOOL_SET.FEATURES), deviceHeader(index), nest(FEATURES_WANTED, nest(BITSET_BITS, ...bits)));
}

export function encodeRingsSet(index: number, { rx, tx }: { readonly rx?: number; readonly tx?: number }): Uint8Array {
  return join(genericHeader(ETHTOOL_SET.RINGS), deviceHeader(index), number(6, rx), number(9, tx));
}

export function encodeChannelsSet(index: number, { rx, tx, combined }: LinkChannels): Uint8Array {
  return join(genericHeader(ETHTOOL_SET.CHANNELS), deviceHeader(index), number(6, rx), number(7, tx), number(9, combined));
}

export function encodeCoalesceSet(index: number, { rxUsecs, txUsecs, adaptiveRx, adaptiveTx }: LinkCoalescing): Uint8Array {
  const head = join(genericHeader(ETHTOOL_SET.COALESCE), deviceHeader(index));
  return join(head, number(2, rxUsecs), number(6, txUsecs), flag(11, adaptiveRx), flag(12, adaptiveTx));
}

/** Queue counts as the driver has them, of an answer to CHANNELS_GET: it tells only of the kinds that it has. */
export function decodeChannelCounts(body: Uint8Array): LinkChannels {
  const a = new Attributes(body.subarray(GENERIC_HEADER_BYTES));
  return withoutUndefined({ rx: a.u32(6), tx: a.u32(7), combined: a.u32(9), rxMax: a.u32(2), txMax: a.u32(3), combinedMax: a.u32(5) });
}

const NOTHING = new Uint8Array(0);

function number(type: number, value: number | undefined): Uint8Array {
  return value === undefined ? NOTHING : attributeU32(type, value);
}

function flag(type: number, on: boolean | undefined): Uint8Array {
  return on === undefined ? NOTHING : attribute(type, Uint8Array.of(on ? 1 : 0));
}
