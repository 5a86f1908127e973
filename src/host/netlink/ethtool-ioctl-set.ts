import type { LinkChannels, LinkCoalescing } from '../../base/index.js';
import { encodeCommand } from './ethtool-ioctl.js';
import { u32At } from './message.js';

/*
 * Orders by ioctl (include/uapi/linux/ethtool.h): the structure that the question filled in, with other numbers and the
 * other command. Only features have a mask of their own.
 */
const SCOALESCE = 0x0f;
const SRINGPARAM = 0x11;
const SFEATURES = 0x3b;
const SCHANNELS = 0x3d;

/**
 * `struct ethtool_sfeatures`: blocks of valid (what is meant) and requested (what is to be on), by the features' places; as
 * many blocks as the kernel has, or it refuses (ethtool_set_features, net/ethtool/ioctl.c).
 */
export function encodeFeatureBlocksSet(blocks: number, features: readonly { readonly bit: number; readonly on: boolean }[]): Uint8Array<ArrayBuffer> {
  const bytes = encodeCommand(8 + 8 * blocks, SFEATURES, blocks);
  for (const { bit, on } of features) {
    const at = 8 + 8 * (bit >> 5);
    if (at + 8 > bytes.length) continue;
    addBit(bytes, at, bit & 31);
    if (on) addBit(bytes, at + 4, bit & 31);
  }
  return bytes;
}

/** `struct ethtool_ringparam`. */
export function encodeRingsOrder(told: Uint8Array, { rx, tx }: { readonly rx?: number; readonly tx?: number }): Uint8Array<ArrayBuffer> {
  return changed(told, SRINGPARAM, { 5: rx, 8: tx });
}

/** `struct ethtool_channels`. */
export function encodeChannelsOrder(told: Uint8Array, { rx, tx, combined }: LinkChannels): Uint8Array<ArrayBuffer> {
  return changed(told, SCHANNELS, { 5: rx, 6: tx, 8: combined });
}

/** `struct ethtool_coalesce`. */
export function encodeCoalescingOrder(told: Uint8Array, { rxUsecs, txUsecs, adaptiveRx, adaptiveTx }: LinkCoalescing): Uint8Array<ArrayBuffer> {
  const asNumber = (on: boolean | undefined): number | undefined => (on === undefined ? undefined : on ? 1 : 0);
  return changed(told, SCOALESCE, { 1: rxUsecs, 5: txUsecs, 10: asNumber(adaptiveRx), 11: asNumber(adaptiveTx) });
}

/** Queue counts of `struct ethtool_channels`; kinds that the driver does not have at all are left out. */
export function decodeChannelNumbers(bytes: Uint8Array): LinkChannels {
  const at = (word: number): number => u32At(bytes, 4 * word) ?? 0;
  return {
    ...(at(1) > 0 ? { rx: at(5), rxMax: at(1) } : {}),
    ...(at(2) > 0 ? { tx: at(6), txMax: at(2) } : {}),
    ...(at(4) > 0 ? { combined: at(8), combinedMax: at(4) } : {}),
  };
}

function changed(told: Uint8Array, command: number, words: Readonly<Record<number, number | undefined>>): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(new ArrayBuffer(told.length));
  bytes.set(told);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, command, true);
  for (const [word, value] of Object.entries(words)) if (value !== undefined) view.setUint32(4 * Number(word), value, true);
  return bytes;
}

function addBit(bytes: Uint8Array<ArrayBuffer>, at: number, bit: number): void {
  const view = new DataView(bytes.buffer);
  view.setUint32(at, (view.getUint32(at, true) | (1 << bit)) >>> 0, true);
}
