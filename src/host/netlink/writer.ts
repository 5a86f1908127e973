import type { LinkChannels, LinkCoalescing } from '../../base/index.js';
import type { Libc } from '../libc/index.js';
import { EthtoolIoctl } from './ethtool-ioctl-socket.js';
import * as order from './ethtool-ioctl-set.js';
import { GCHANNELS, GCOALESCE, GRINGPARAM, NUMBERS_BYTES, encodeCommand } from './ethtool-ioctl.js';
import { decodeChannelCounts, encodeChannelsSet, encodeCoalesceSet, encodeFeaturesSet, encodeRingsSet } from './ethtool-set.js';
import { ETHTOOL, decodeKernelFeatures, encodeEthtoolGet, genericHeader } from './ethtool.js';
import { familyOf } from './family.js';
import { featuresToSet } from './features.js';
import type { KernelFeature } from './features.js';
import { RTM_DELQDISC, RTM_GETQDISC, RTM_NEWQDISC, decodeQueue, encodeGetQueues, encodeRemoveRootQueue, encodeRootQueue } from './queues.js';
import { NETLINK_GENERIC, NETLINK_ROUTE, NLM_F_CREATE, NLM_F_REPLACE, NetlinkSocket } from './socket.js';
import type { NetlinkAnswer } from './socket.js';

/** What the kernel would not do: its word (`EPERM`), and its reason where it gives one. */
export interface Refusal {
  readonly error: string;
  readonly reason?: string;
}

export interface Device {
  readonly index: number;
  readonly name: string;
}

/**
 * Offloads by the names that `ethtool -k` prints. The kernel takes orders for what the driver does not change and does
 * nothing, so they are looked for before, and what did not come about after.
 */
export function writeFeatures(libc: Libc, device: Device, features: Readonly<Record<string, boolean>>): Refusal | undefined {
  return onEthtool(libc, device, (ethtool) => {
    const before = ethtool.features();
    if ('error' in before) return before;
    const { set, unknown, fixed } = featuresToSet(before, features);
    if (unknown.length > 0) return { error: 'EOPNOTSUPP', reason: `it has no ${unknown.join(', ')}` };
    if (fixed.length > 0) return { error: 'EOPNOTSUPP', reason: `the driver does not let ${fixed.join(', ')} be changed` };
    if (Object.keys(set).length === 0) return undefined;
    const refused = ethtool.setFeatures(set);
    if (refused) return refused;
    const after = ethtool.features();
    if ('error' in after) return after;
    const other = after.filter(({ name, on }) => Object.hasOwn(set, name) && set[name] !== on).map(({ name, on }) => `${name} ${on ? 'on' : 'off'}`);
    return other.length === 0 ? undefined : { error: 'EOPNOTSUPP', reason: `the driver left ${other.join(', ')}` };
  });
}

export function writeRings(libc: Libc, device: Device, values: { readonly rx?: number; readonly tx?: number }): Refusal | undefined {
  return onEthtool(libc, device, (ethtool) =>
    ethtool.set(encodeRingsSet(device.index, values), GRINGPARAM, (told) => order.encodeRingsOrder(told, values)),
  );
}

export function writeChannels(libc: Libc, device: Device, values: LinkChannels): Refusal | undefined {
  return onEthtool(libc, device, (ethtool) =>
    ethtool.set(encodeChannelsSet(device.index, values), GCHANNELS, (told) => order.encodeChannelsOrder(told, values)),
  );
}

export function writeCoalescing(libc: Libc, device: Device, values: LinkCoalescing): Refusal | undefined {
  return onEthtool(libc, device, (ethtool) =>
    ethtool.set(encodeCoalesceSet(device.index, values), GCOALESCE, (told) => order.encodeCoalescingOrder(told, values)),
  );
}

/** Queue counts as the driver has them; undefined where it has none that could be counted. */
export function readChannelCounts(libc: Libc, device: Device): LinkChannels | Refusal | undefined {
  return onEthtool(libc, device, (ethtool) => {
    const found = ethtool.channels();
    return 'error' in found || Object.keys(found).length > 0 ? found : undefined;
  });
}

/** Handles of our own: numbers that are free on the interface, below those that the kernel gives out itself (8001: and up). */
const HANDLES_MAX = 0x7fff;

/**
 * Replaces the root discipline by one with the kernel's defaults, or removes it, whereupon the kernel puts its own there.
 * With a handle that is not in use the kernel makes a new one; without, it would change one of the same kind and keep its
 * options (tc_modify_qdisc, net/sched/sch_api.c), and the children of `mq` would not be made anew.
 */
export function writeRootQueue(libc: Libc, { index }: Device, kind: string | undefined): Refusal | undefined {
  return onSocket(libc, NETLINK_ROUTE, (socket) => {
    if (kind === undefined) {
      const refused = refusalOf(socket.change(RTM_DELQDISC, encodeRemoveRootQueue(index)));
      // What the kernel put there itself cannot be removed, and need not be.
      return refused?.error === 'ENOENT' ? undefined : refused;
    }
    const listed = socket.dump(RTM_GETQDISC, encodeGetQueues());
    if (!listed.ok) return refusalOf(listed);
    const taken = new Set(
      listed.messages.flatMap(({ body }) => {
        const told = decodeQueue(body);
        return told?.index === index ? [Number.parseInt(told.queue.handle, 16)] : [];
      }),
    );
    let major = 1;
    while (taken.has(major) && major < HANDLES_MAX) major++;
    return refusalOf(socket.change(RTM_NEWQDISC, encodeRootQueue(index, major << 16, kind), NLM_F_CREATE | NLM_F_REPLACE));
  });
}

/** Number of TCP_METRICS_CMD_DEL (include/uapi/linux/tcp_metrics.h): without an address it means all. */
const TCP_METRICS_DEL = 2;

export function clearTcpMetrics(libc: Libc): Refusal | undefined {
  return onSocket(libc, NETLINK_GENERIC, (socket) => {
    const family = familyOf(socket, 'tcp_metrics');
    if (family === undefined) return { error: 'EOPNOTSUPP', reason: 'the kernel has no tcp_metrics' };
    return refusalOf(socket.change(family, genericHeader(TCP_METRICS_DEL)));
  });
}

/** One device over the `ethtool` family, and by ioctl for what a kernel's family does not have yet. */
class Ethtool {
  readonly #libc: Libc;
  readonly #device: Device;
  readonly #socket: NetlinkSocket | undefined;
  readonly #family: number | undefined;
  readonly #ioctl: EthtoolIoctl;

  constructor(libc: Libc, device: Device, socket: NetlinkSocket | undefined, fd: number) {
    this.#libc = libc;
    this.#device = device;
    this.#socket = socket;
    this.#family = socket && familyOf(socket, 'ethtool');
    this.#ioctl = new EthtoolIoctl(libc, fd);
  }

  features(): readonly KernelFeature[] | Refusal {
    const answer = this.#ask((socket, family) => socket.request(family, encodeEthtoolGet(ETHTOOL.FEATURES_GET, this.#device.index)));
    if (answer.ok) return decodeKernelFeatures(answer.messages[0]?.body ?? new Uint8Array(0));
    return isLacking(answer) ? this.#ioctl.kernelFeatures(this.#device.name).features : answer;
  }

  setFeatures(features: Readonly<Record<string, boolean>>): Refusal | undefined {
    const answer = this.#ask((socket, family) => socket.change(family, encodeFeaturesSet(this.#device.index, features)));
    if (answer.ok || !isLacking(answer)) return refusalOf(answer);
    const { features: known, blocks } = this.#ioctl.kernelFeatures(this.#device.name);
    const bits = known.flatMap(({ name, bit }) => (Object.hasOwn(features, name) ? [{ bit, on: features[name] === true }] : []));
    if (bits.length === 0) return refusalOf(answer);
    // It answers with flags of what it did not do as told; what came about is looked at anyway.
    return this.#ioctl.give(this.#device.name, order.encodeFeatureBlocksSet(blocks, bits)) < 0 ? this.#lastError() : undefined;
  }

  channels(): LinkChannels | Refusal {
    const answer = this.#ask((socket, family) => socket.request(family, encodeEthtoolGet(ETHTOOL.CHANNELS_GET, this.#device.index)));
    if (answer.ok) return decodeChannelCounts(answer.messages[0]?.body ?? new Uint8Array(0));
    if (!isLacking(answer)) return answer;
    const told = encodeCommand(NUMBERS_BYTES, GCHANNELS);
    return this.#ioctl.give(this.#device.name, told) < 0 ? {} : order.decodeChannelNumbers(told);
  }

  /** Gives an order over netlink, or where that is lacking asks by ioctl with `question` and gives what `change` makes of the answer. */
  set(message: Uint8Array, question: number, change: (told: Uint8Array) => Uint8Array<ArrayBuffer>): Refusal | undefined {
    const answer = this.#ask((socket, family) => socket.change(family, message));
    if (answer.ok || !isLacking(answer)) return refusalOf(answer);
    const told = encodeCommand(NUMBERS_BYTES, question);
    if (this.#ioctl.give(this.#device.name, told) < 0) return refusalOf(answer);
    return this.#ioctl.give(this.#device.name, change(told)) < 0 ? this.#lastError() : undefined;
  }

  #ask(work: (socket: NetlinkSocket, family: number) => NetlinkAnswer): NetlinkAnswer {
    return this.#socket && this.#family !== undefined ? work(this.#socket, this.#family) : { ok: false, error: LACKING };
  }

  #lastError(): Refusal {
    return { error: this.#libc.errnoName(this.#libc.errno()) };
  }
}

const LACKING = 'EOPNOTSUPP';

/** A driver that does not have it refuses with the same word as a family that does not: then the ioctl says the same once more. */
function isLacking(answer: NetlinkAnswer): boolean {
  return !answer.ok && (answer.error === LACKING || answer.error === 'ENOTSUP');
}

function onEthtool<T>(libc: Libc, device: Device, work: (ethtool: Ethtool) => T): T | Refusal {
  const { AF_INET, SOCK_DGRAM, SOCK_CLOEXEC = 0 } = libc.constants;
  const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return { error: libc.errnoName(libc.errno()) };
  const socket = NetlinkSocket.open(libc, NETLINK_GENERIC);
  try {
    return work(new Ethtool(libc, device, typeof socket === 'string' ? undefined : socket, fd));
  } finally {
    if (typeof socket !== 'string') socket.close();
    libc.close(fd);
  }
}

function onSocket<T>(libc: Libc, protocol: number, work: (socket: NetlinkSocket) => T): T | Refusal {
  const socket = NetlinkSocket.open(libc, protocol);
  if (typeof socket === 'string') return { error: socket };
  try {
    return work(socket);
  } finally {
    socket.close();
  }
}

function refusalOf(answer: NetlinkAnswer): Refusal | undefined {
  return answer.ok ? undefined : { error: answer.error, ...(answer.reason === undefined ? {} : { reason: answer.reason }) };
}
