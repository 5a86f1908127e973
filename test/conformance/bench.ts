import type { Endpoint, Ports } from '../../src/base/index.js';
import type { DatagramResponder, DueFlood } from '../../src/wire/index.js';

/** What the suite needs beside the ports: something at the other end of each, real or simulated. */
export interface Bench {
  readonly ports: Ports;
  /** Runs the body of a test: at once on a real host, with time advancing in a simulation. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** A folder that exists. */
  readonly folder: string;
  readonly udp: {
    /** Sends everything back. */
    readonly echo: Endpoint;
    /** Nobody there, and the host says so. */
    readonly closed: Endpoint;
    /** Takes everything and says nothing. */
    readonly counting: Endpoint;
    readonly counted: () => number;
    /** Answers each datagram with `FLOOD_COUNT` datagrams, once. */
    readonly flooding: Endpoint;
  };
  readonly tcp: {
    readonly echo: Endpoint;
    readonly closed: Endpoint;
    /** Counts until the client ends, then ends too. */
    readonly counting: Endpoint;
    /** Bytes of every connection that has ended, in the order of their ends. */
    readonly counted: () => readonly number[];
    /** Sends `SOURCE_BYTES` bytes, each the low byte of its offset, then ends. */
    readonly source: Endpoint;
    /** Accepts and says nothing. */
    readonly mute: Endpoint;
    /**
     * Breaks the connection off once it has heard something. It sends nothing before: Node takes bytes and a reset that
     * come at once for an orderly end.
     */
    readonly breaking: Endpoint;
  };
  /** Serves `/` (200, `PAGE_BYTES`), `/large` (endless) and `/upload` (takes all); everything else is a 404. */
  readonly web: { readonly url: string; readonly closedUrl: string };
  /** Unix sockets: `page` serves as `web` does, `prefs` keeps the object `PREFS` and takes a PATCH of it, `mute` takes requests and never answers, `ended` was left behind by a program that is gone. */
  readonly sockets: { readonly page: string; readonly prefs: string; readonly mute: string; readonly ended: string; readonly missing: string };
  /** Where the simulation or this machine can ping; undefined where programs may not. */
  readonly pingable: Endpoint;
  close(): Promise<void>;
}

export const FLOOD_COUNT = 300;
export const FLOOD_BYTES = 200;
export const FLOOD_MARK = Uint8Array.from([0xf1, 0x00, 0xd0, 0x01]);
export const SOURCE_BYTES = 500_000;
export const PAGE_BYTES = 1234;
export const PREFS = { RouteAll: false, Hostname: 'café' };

/** Sends everything back. */
export function echoResponder(): DatagramResponder {
  return responder((bytes) => bytes);
}

/** Counts what comes. */
export function countingResponder(): DatagramResponder & { readonly seen: () => number } {
  let seen = 0;
  return {
    ...responder(() => {
      seen++;
      return undefined;
    }),
    seen: () => seen,
  };
}

/** Answers the first datagram of each client with a flood. */
export function floodingResponder(): DatagramResponder {
  const served = new Set<string>();
  const waiting: DueFlood[] = [];
  return {
    ...responder((_, from) => {
      const client = from.join();
      if (served.has(client)) return undefined;
      served.add(client);
      const template = new Uint8Array(FLOOD_BYTES);
      template.set(FLOOD_MARK);
      waiting.push({
        to: from.slice(),
        template,
        sizeBytes: FLOOD_BYTES,
        count: FLOOD_COUNT,
        sequenceStart: 0,
        sequenceOffset: 4,
        stampOffset: 8,
      });
      return undefined;
    }),
    due: () => ({ floods: waiting.splice(0), nextNs: undefined }),
  };
}

function responder(receive: (bytes: Uint8Array, from: Uint8Array) => Uint8Array | undefined): DatagramResponder {
  return { receive, due: () => ({ floods: [], nextNs: undefined }), unsent() {}, dropped() {}, counters: () => ({}) };
}

/** The bytes that the source sends. */
export function sourceBytes(): Uint8Array {
  return Uint8Array.from({ length: SOURCE_BYTES }, (_, i) => i & 0xff);
}
