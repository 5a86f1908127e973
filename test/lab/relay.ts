import { closeSync, constants, openSync } from 'node:fs';
import { seededRandom } from '../../src/base/index.js';
import { loadLibc } from '../../src/host/libc/index.js';

/*
 * A program for a router's namespace: what the router sends into the device `relay0` comes back out of it later,
 * or not at all. It does in user space what netem does in a kernel that has it.
 *
 *     node relay.js '{"far": "10.78.2.", "up": {"delayMs": 10}, "down": {"delayMs": 10}}'
 */

/** What happens to packets of one direction. */
export interface Treatment {
  readonly delayMs: number;
  /** Uniform in -jitterMs..jitterMs; later packets wait behind earlier ones, as in a queue. */
  readonly jitterMs?: number;
  readonly lossRatio?: number;
  /** This share takes `overtakenMs` longer, and the others do not wait for it. */
  readonly reorderRatio?: number;
  readonly overtakenMs?: number;
}

export interface RelayPlan {
  /** Packets to addresses that begin so go up, all others down. */
  readonly far: string;
  readonly up: Treatment;
  readonly down: Treatment;
  readonly seed?: number;
}

export const RELAY_DEVICE = 'relay0';
export const RELAY_READY = 'relay ready';

const PACKET_BYTES_MAX = 65_536;
/** Beyond this many packets under way new ones are dropped, as in any queue. */
const PACKETS_MAX = 20_000;
/** include/uapi/linux/if_tun.h: TUNSETIFF, IFF_TUN, IFF_NO_PI. */
const TUNSETIFF = 0x4004_54ca;
const IFF_TUN_NO_PI = 0x1001;
const POLLIN = 1;

interface Waiting {
  readonly dueMs: number;
  readonly bytes: Uint8Array;
}

function main(plan: RelayPlan): void {
  const libc = loadLibc();
  if (!libc?.ppoll) throw new Error('the relay needs libc');
  const random = seededRandom(plan.seed ?? 1);
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  const request = new Uint8Array(40);
  request.set(new TextEncoder().encode(RELAY_DEVICE));
  new DataView(request.buffer).setUint16(16, IFF_TUN_NO_PI, true);
  if (libc.ioctl(fd, TUNSETIFF, request) !== 0) throw new Error(`TUNSETIFF: ${libc.errnoName(libc.errno())}`);
  process.stdout.write(`${RELAY_READY}\n`);
  const queues = { up: [] as Waiting[], down: [] as Waiting[], late: [] as Waiting[] };
  const lastDueMs = { up: 0, down: 0 };
  const room = new Uint8Array(PACKET_BYTES_MAX);
  const polled = new Uint8Array(8);
  new DataView(polled.buffer).setInt32(0, fd, true);
  new DataView(polled.buffer).setInt16(4, POLLIN, true);
  const timeout = new BigInt64Array(2);

  const take = (bytes: Uint8Array, nowMs: number): void => {
    const direction = destination(bytes).startsWith(plan.far) ? 'up' : 'down';
    const { delayMs, jitterMs = 0, lossRatio = 0, reorderRatio = 0, overtakenMs = 0 } = plan[direction];
    if (random.next() < lossRatio || queues[direction].length >= PACKETS_MAX) return;
    if (random.next() < reorderRatio) {
      queues.late.push({ dueMs: nowMs + delayMs + overtakenMs, bytes });
      return;
    }
    const dueMs = Math.max(lastDueMs[direction], nowMs + delayMs + jitterMs * (2 * random.next() - 1));
    lastDueMs[direction] = dueMs;
    queues[direction].push({ dueMs, bytes });
  };
  const release = (queue: Waiting[], nowMs: number): number => {
    let gone = 0;
    while (gone < queue.length && (queue[gone] as Waiting).dueMs <= nowMs) {
      const { bytes } = queue[gone] as Waiting;
      libc.write(fd, bytes, bytes.length);
      gone++;
    }
    if (gone > 0) queue.splice(0, gone);
    return queue[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  };
  try {
    for (;;) {
      const nowMs = performance.now();
      const nextMs = Math.min(release(queues.up, nowMs), release(queues.down, nowMs), release(queues.late, nowMs));
      const waitNs = BigInt(Math.round(Math.min(1000, Math.max(0, nextMs - performance.now())) * 1e6));
      timeout[0] = waitNs / 1_000_000_000n;
      timeout[1] = waitNs % 1_000_000_000n;
      if (libc.ppoll(polled, 1, timeout, null) <= 0) continue;
      const readMs = performance.now();
      for (let taken = 0; taken < 256; taken++) {
        const length = libc.read(fd, room, room.length);
        if (length <= 0) break;
        take(room.slice(0, length), readMs);
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** The destination of an IPv4 packet; of anything else, nothing. */
function destination(bytes: Uint8Array): string {
  return (bytes[0] ?? 0) >> 4 === 4 ? bytes.subarray(16, 20).join('.') : '';
}

const [, script = '', plan] = process.argv;
if (plan !== undefined && script.endsWith('relay.js')) main(JSON.parse(plan) as RelayPlan);
