import type { Clock } from '../../base/index.js';
import type { Unsent } from './unsent.js';

const CHUNK_BYTES_MAX = 256 * 1024;
const CHUNK_BYTES_MIN = 1448;
const CHUNK_BYTES_FIRST = 4 * 1024;
/** How much of the path's time one chunk may take: what lies in it delays everything behind it. */
const CHUNK_MS = 5;
/** Where chunks are this long, the kernel's own bound on what waits unsent is as good. */
const SEGMENT_BYTES_MAX = 64 * 1024;
/** The rate is taken over at least this long: a single chunk goes into a buffer in no time, or waits for a full one. */
const PACE_WINDOW_MS = 50;
const ZEROS = Buffer.alloc(CHUNK_BYTES_MAX);

/** The part of a writable stream that bulk data goes through. */
export interface Sink {
  write(chunk: Uint8Array, written: (error?: Error | null) => void): boolean;
  once(event: 'drain', listener: () => void): unknown;
  readonly destroyed: boolean;
  readonly writableEnded: boolean;
}

export interface PourOptions {
  readonly clock: Clock;
  /** All that is to be written; left out, there is no end. */
  readonly bytes?: number;
  readonly onWritten?: (bytes: number) => void;
  /** The socket below, whose backlog is kept as short as a chunk. */
  readonly unsent?: Unsent;
  readonly onDone?: () => void;
}

/**
 * Writes zeros as fast as the stream takes them, in chunks of about five milliseconds of what it takes:
 * a large backlog of data that is already handed over would hide how responsive the path is.
 */
export function pourZeros(sink: Sink, options: PourOptions): void {
  let left = options.bytes ?? Number.POSITIVE_INFINITY;
  const pace = new Pace(options.clock.nowMs());
  const { unsent } = options;
  let bound = pace.chunkBytes;
  unsent?.bound(bound);
  const written = (size: number): void => {
    options.onWritten?.(size);
    const chunkBytes = pace.wrote(size, options.clock.nowMs());
    // Only when it has changed by much: each time costs a system call.
    if (chunkBytes <= bound / 2 || chunkBytes >= bound * 2) unsent?.bound((bound = chunkBytes));
  };
  const pour = (): void => {
    while (!sink.destroyed && !sink.writableEnded) {
      if (left <= 0) return options.onDone?.();
      if (pace.chunkBytes < SEGMENT_BYTES_MAX && (unsent?.bytes() ?? 0) > pace.chunkBytes) {
        setTimeout(pour, CHUNK_MS / 2);
        return;
      }
      const size = Math.min(left, pace.chunkBytes);
      left -= size;
      const more = sink.write(ZEROS.subarray(0, size), (error) => {
        if (!error) written(size);
      });
      if (!more) {
        sink.once('drain', pour);
        return;
      }
    }
  };
  pour();
}

/** How large a chunk is that takes CHUNK_MS at the rate of the last window. */
export class Pace {
  #sinceMs: number;
  #bytes = 0;
  #chunkBytes = CHUNK_BYTES_FIRST;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  get chunkBytes(): number {
    return this.#chunkBytes;
  }

  /** @returns the size of the next chunk */
  wrote(bytes: number, nowMs: number): number {
    this.#bytes += bytes;
    const tookMs = nowMs - this.#sinceMs;
    if (tookMs < PACE_WINDOW_MS) return this.#chunkBytes;
    const wanted = Math.round((this.#bytes / tookMs) * CHUNK_MS);
    this.#chunkBytes = Math.max(CHUNK_BYTES_MIN, Math.min(CHUNK_BYTES_MAX, wanted));
    this.#sinceMs = nowMs;
    this.#bytes = 0;
    return this.#chunkBytes;
  }
}
