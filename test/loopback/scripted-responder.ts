import type { DatagramResponder, DueFlood, DueWhole } from '../../src/wire/index.js';

/** What the first byte of a datagram asks for. */
export const ASK = { echo: 1, count: 2, flood: 3, silence: 4, whole: 5 } as const;
export const SEQUENCE_OFFSET = 4;
export const STAMP_OFFSET = 8;
/** A flood asked for begins with this. */
export const FLOOD_MARK = Uint8Array.of(0xf1, 0x00, 0xd0, 0x01);

/** A request for `count` datagrams of `sizeBytes`. */
export function floodRequest(count: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[0] = ASK.flood;
  const view = new DataView(bytes.buffer);
  view.setUint32(4, count);
  view.setUint32(8, sizeBytes);
  return bytes;
}

/** A request for one datagram of `sizeBytes` in one piece. */
export function wholeRequest(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[0] = ASK.whole;
  new DataView(bytes.buffer).setUint32(8, sizeBytes);
  return bytes;
}

/** What a datagram in one piece tells of itself: how it was sent, and the MTU that the kernel believed in. */
export function readWhole(bytes: Uint8Array): { how: string; pathMtuBytes: number } {
  const how = ['whole', 'size', 'unable'][bytes[0] ?? 9] ?? 'nothing';
  return { how, pathMtuBytes: new DataView(bytes.buffer, bytes.byteOffset).getUint32(4) };
}

/**
 * Echoes, counts, stays silent or floods, as it is asked. An echo carries the port that the responder
 * saw (bytes 2 and 3) and the family (byte 1); a flood goes out in parts, a part each time it is asked what is due.
 */
export function scriptedResponder(): DatagramResponder {
  const PART = 100;
  const counters = { echoes: 0, counted: 0, countedBytes: 0, lateStamps: 0, flooded: 0, takenBack: 0, clients: 0 };
  const clients = new Set<string>();
  const flooded = new Set<string>();
  const floods: { flood: DueFlood; left: number; next: number }[] = [];
  const wholes: DueWhole[] = [];
  const due = (): DueFlood[] =>
    floods.flatMap((one) => {
      const count = Math.min(PART, one.left);
      if (count === 0) return [];
      const flood = { ...one.flood, count, sequenceStart: one.next };
      one.left -= count;
      one.next += count;
      counters.flooded += count;
      return [flood];
    });
  return {
    receive(bytes, from, rxNs, nowNs, via) {
      clients.add(from.join());
      counters.clients = clients.size;
      if (rxNs > nowNs) counters.lateStamps++;
      switch (bytes[0]) {
        case ASK.echo:
          counters.echoes++;
          bytes[1] = from[0] ?? 0;
          bytes[2] = from[1] ?? 0;
          bytes[3] = from[2] ?? 0;
          return bytes;
        case ASK.count:
          counters.counted++;
          counters.countedBytes += bytes.length;
          return undefined;
        case ASK.flood: {
          if (flooded.has(from.join())) return undefined;
          flooded.add(from.join());
          const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
          const template = new Uint8Array(view.getUint32(8));
          template.set(FLOOD_MARK);
          const flood = {
            to: from.slice(),
            ...(via ? { via: via.slice() } : {}),
            template,
            sizeBytes: template.length,
            count: 0,
            sequenceStart: 0,
            sequenceOffset: SEQUENCE_OFFSET,
            stampOffset: STAMP_OFFSET,
          };
          floods.push({ flood, left: view.getUint32(4), next: 0 });
          return undefined;
        }
        case ASK.whole: {
          const sizeBytes = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(8);
          wholes.push({
            to: from.slice(),
            ...(via ? { via: via.slice() } : {}),
            make({ pathMtuBytes = 0, refused }) {
              const answer = new Uint8Array(refused ? 16 : sizeBytes);
              answer[0] = ['whole', 'size', 'unable'].indexOf(refused ?? 'whole');
              new DataView(answer.buffer).setUint32(4, pathMtuBytes);
              return answer;
            },
          });
          return undefined;
        }
        default:
          return undefined;
      }
    },
    due(nowNs) {
      const now = due();
      return { floods: now, wholes: wholes.splice(0), nextNs: floods.some(({ left }) => left > 0) ? nowNs + 300_000n : undefined };
    },
    unsent(flood, missing) {
      counters.takenBack += missing;
      for (const one of floods) {
        if (one.flood.template !== flood.template) continue;
        one.left += missing;
        one.next -= missing;
      }
    },
    dropped() {},
    counters: () => counters,
  };
}
