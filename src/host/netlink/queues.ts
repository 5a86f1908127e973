import type { QueueFacts } from '../../base/index.js';
import { withoutUndefined } from './ethtool.js';
import { Attributes, attributeText, join, u32At } from './message.js';

/*
 * Queue disciplines and their classes (include/uapi/linux/rtnetlink.h, pkt_sched.h). Times in ticks of
 * 64 ns (PSCHED_SHIFT 6, include/net/pkt_sched.h), rates in bytes a second.
 */
export const RTM_NEWQDISC = 36;
export const RTM_DELQDISC = 37;
export const RTM_GETQDISC = 38;
export const RTM_NEWTCLASS = 40;
export const RTM_GETTCLASS = 42;

const HEADER_BYTES = 20;
const TICK_NS = 64;
const ROOT = 0xffffffff;
const INGRESS = 0xfffffff1;
const UNLIMITED_32 = 0xffffffff;
/** Limits of 2^64-1 become this as a number. */
const UNLIMITED_64 = 2 ** 64;

/** `struct tcmsg`: disciplines come in one dump for all interfaces, classes in one for each. */
export function encodeGetQueues(index = 0): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  new DataView(bytes.buffer).setInt32(4, index, true);
  return bytes;
}

/** A discipline of this kind with the kernel's defaults at the root; as `handle` says, `7:` is 0x70000. */
export function encodeRootQueue(index: number, handle: number, kind: string): Uint8Array {
  return join(rootHeader(index, handle), attributeText(1, kind));
}

/** Whatever is at the root goes. */
export function encodeRemoveRootQueue(index: number): Uint8Array {
  return rootHeader(index, 0);
}

function rootHeader(index: number, handle: number): Uint8Array {
  const bytes = encodeGetQueues(index);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, handle, true);
  view.setUint32(12, ROOT, true);
  return bytes;
}

/** @returns undefined for bytes that are neither discipline nor class */
export function decodeQueue(body: Uint8Array): { readonly index: number; readonly queue: QueueFacts } | undefined {
  if (body.length < HEADER_BYTES) return undefined;
  const view = new DataView(body.buffer, body.byteOffset);
  const a = new Attributes(body.subarray(HEADER_BYTES));
  const kind = a.text(1);
  if (kind === undefined) return undefined;
  const options = a.bytes(2) ?? new Uint8Array(0);
  return {
    index: view.getInt32(4, true),
    queue: {
      kind,
      parent: handleText(view.getUint32(12, true)),
      handle: handleText(view.getUint32(8, true)),
      ...withoutUndefined(Object.hasOwn(OPTIONS, kind) ? (OPTIONS[kind]?.(options) ?? {}) : {}),
      ...withoutUndefined(statisticsOf(a.nested(7))),
    },
  };
}

/** `1:10` in hexadecimal as tc writes it; the minor part of a discipline is left out. */
function handleText(handle: number): string {
  if (handle === ROOT) return 'root';
  if (handle === INGRESS) return 'ingress';
  const minor = handle & 0xffff;
  return `${(handle >>> 16).toString(16)}:${minor === 0 ? '' : minor.toString(16)}`;
}

/** TCA_STATS2: `gnet_stats_basic` (bytes, packets) and `gnet_stats_queue` (length, backlog, drops, requeues, overlimits). */
function statisticsOf(a: Attributes): Options {
  const queue = a.bytes(3);
  return { sentBytes: a.u64(1), backlogBytes: u32At(queue, 4), drops: u32At(queue, 8), overlimits: u32At(queue, 16) };
}

type Options = { readonly [K in keyof QueueFacts]?: QueueFacts[K] | undefined };

const OPTIONS: Readonly<Record<string, (bytes: Uint8Array) => Options>> = {
  tbf: decodeTbf,
  htb: decodeHtb,
  netem: decodeNetem,
  fq_codel: (bytes) => {
    const a = new Attributes(bytes);
    return { limitPackets: a.u32(2), limitBytes: bounded(a.u32(9)) };
  },
  fq: (bytes) => {
    const a = new Attributes(bytes);
    // It paces each flow to this; the whole is not shaped.
    return { limitPackets: a.u32(1), flowRateBps: bitsOf(bounded(a.u32(7))) };
  },
  cake: (bytes) => {
    const a = new Attributes(bytes);
    return { rateBps: bitsOf(a.u64(2)), limitBytes: bounded(a.u32(10)) };
  },
  codel: (bytes) => ({ limitPackets: new Attributes(bytes).u32(2) }),
  pie: (bytes) => ({ limitPackets: new Attributes(bytes).u32(2) }),
  fq_pie: (bytes) => ({ limitPackets: new Attributes(bytes).u32(1) }),
  pfifo: (bytes) => ({ limitPackets: u32At(bytes, 0) }),
  pfifo_head_drop: (bytes) => ({ limitPackets: u32At(bytes, 0) }),
  bfifo: (bytes) => ({ limitBytes: u32At(bytes, 0) }),
  /** `struct tc_sfq_qopt`: quantum, perturbation, limit. */
  sfq: (bytes) => ({ limitPackets: u32At(bytes, 8) }),
  red: (bytes) => ({ limitBytes: u32At(new Attributes(bytes).bytes(1), 0) }),
};

/** `struct tc_tbf_qopt`: rate and peak rate (12 bytes each, the figure last), limit in bytes, bucket in ticks at that rate. */
function decodeTbf(bytes: Uint8Array): Options {
  const a = new Attributes(bytes);
  const parms = a.bytes(1);
  const rate = a.u64(4) ?? u32At(parms, 8);
  return { rateBps: bitsOf(rate), limitBytes: u32At(parms, 24), burstBytes: bytesIn(u32At(parms, 28), rate) };
}

/** A class: `struct tc_htb_opt` with rate, ceiling, and buckets in ticks. The discipline itself has none of these. */
function decodeHtb(bytes: Uint8Array): Options {
  const a = new Attributes(bytes);
  const parms = a.bytes(1);
  if (!parms) return {};
  const rate = a.u64(6) ?? u32At(parms, 8);
  const ceiling = a.u64(7) ?? u32At(parms, 20);
  return { rateBps: bitsOf(ceiling), assuredBps: bitsOf(rate), burstBytes: bytesIn(u32At(parms, 28), ceiling) };
}

/** `struct tc_netem_qopt` (24 bytes: latency in ticks, limit, loss as a part of 2^32 ...), then attributes. */
function decodeNetem(bytes: Uint8Array): Options {
  const a = new Attributes(bytes.subarray(24));
  const [ticks, limitPackets, loss] = [u32At(bytes, 0), u32At(bytes, 4), u32At(bytes, 8)];
  const latencyNs = a.u64(10) ?? (ticks === undefined ? undefined : ticks * TICK_NS);
  const rate = a.u64(8) ?? u32At(a.bytes(6), 0);
  return {
    rateBps: bitsOf(rate),
    limitPackets,
    ...(latencyNs === undefined || latencyNs === 0 ? {} : { delayMs: latencyNs / 1e6 }),
    ...(loss === undefined || loss === 0 ? {} : { lossRatio: loss / UNLIMITED_32 }),
  };
}

/** Bytes a second as bits a second; none where nothing is shaped. */
function bitsOf(bytesPerSecond: number | undefined): number | undefined {
  return bytesPerSecond === undefined || bytesPerSecond === 0 || bytesPerSecond >= UNLIMITED_64 ? undefined : bytesPerSecond * 8;
}

function bytesIn(ticks: number | undefined, bytesPerSecond: number | undefined): number | undefined {
  return ticks === undefined || bytesPerSecond === undefined ? undefined : Math.round((ticks * TICK_NS * bytesPerSecond) / 1e9);
}

function bounded(value: number | undefined): number | undefined {
  return value === UNLIMITED_32 ? undefined : value;
}
