import type { Carrier, Outcome, WorkloadKind } from '../workload.js';
import { lowest, plainQuantity } from '../workload.js';

/** One packet every 20 ms, as Opus, G.711 and WebRTC send by default. */
const PACKETS_PER_SECOND = 50;
/** RTP 12, UDP 8, IPv4 20, Ethernet with preamble and gap 38. */
const OVERHEAD_BYTES = 78;
const SHARE_MAX = 0.8;

/** Voice: a few kilobits a second each. Latency, jitter and loss decide, and a faster link changes none of them. */
export const realTimeAudio: WorkloadKind = {
  id: 'audio',
  title: 'real-time audio',
  main: 'streams',
  keys: {
    streams: { takes: 'count', help: 'streams in one direction at a time', min: 1, max: 10_000_000, default: 50 },
    rate: { takes: 'rate', help: 'of the codec, each', min: 1000, max: 10e6, default: 64_000 },
  },
  example: 'audio=50streams,rate=64k',
  judge: ({ streams = 50, rate = 64_000 }, { now, after }) => {
    const bps = streams * streamBps(rate);
    const [before, then] = [look(now, bps), look(after, bps)];
    const needed = before.share > SHARE_MAX;
    const savedUs = Number(((serializationMs(now, rate) - serializationMs(after, rate)) * 1000).toPrecision(2));
    return {
      title: `${streams} audio streams of ${plainQuantity(rate, 'bps')}`,
      now: before.outcome,
      after: then.outcome,
      factor: needed ? before.share / Math.max(then.share, SHARE_MAX) : 1,
      verdict: needed ? (then.share <= SHARE_MAX ? 'needs it' : 'helps') : 'changes nothing',
      why: needed
        ? `with headers they take ${plainQuantity(bps, 'bps')}, more than ${SHARE_MAX * 100} % of what the path carries now`
        : `with headers they take ${plainQuantity(bps, 'bps')}, ${Number((before.share * 100).toPrecision(2))} % of the path: latency and jitter decide, and a faster link saves ${savedUs} us a packet of the 150 ms that ITU-T G.114 allows`,
    };
  },
  sufficient: {
    need: `all streams take at most ${SHARE_MAX * 100} % of the path (64 kbit/s each, 20 ms packets)`,
    upTo: ({ bounds }) => `${Math.floor((lowest(bounds).bound.bps * SHARE_MAX) / streamBps(64_000))} streams`,
  },
};

function streamBps(codecBps: number): number {
  return codecBps + PACKETS_PER_SECOND * OVERHEAD_BYTES * 8;
}

function serializationMs(carrier: Carrier, codecBps: number): number {
  return (streamBps(codecBps) / PACKETS_PER_SECOND / carrier.linkBps) * 1000;
}

function look(carrier: Carrier, bps: number): { outcome: Outcome; share: number } {
  const { bound } = lowest(carrier.bounds);
  const share = bps / bound.bps;
  return {
    share,
    outcome: {
      text: share > 1 ? 'does not fit' : `${Number((share * 100).toPrecision(2))} % of the path`,
      bps: Math.min(bps, bound.bps),
      limitedBy: share > SHARE_MAX ? bound.what : 'latency and jitter',
    },
  };
}
