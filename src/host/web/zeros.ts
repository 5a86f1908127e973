import type { Clock } from '../../base/index.js';

const CHUNK_BYTES_MAX = 256 * 1024;
const CHUNK_BYTES_MIN = 4 * 1024;
const CHUNK_BYTES_FIRST = 64 * 1024;
/** How much of the path's time one chunk may take: what lies in it delays everything behind it. */
const CHUNK_MS = 5;
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
  /** How much the stream takes in about five milliseconds, told when it has changed by much. */
  readonly onPace?: (bytes: number) => void;
  readonly onDone?: () => void;
}

/**
 * Writes zeros as fast as the stream takes them, in chunks of about five milliseconds of what it takes:
 * a large backlog of data that is already handed over would hide how responsive the path is.
 */
export function pourZeros(sink: Sink, options: PourOptions): void {
  let left = options.bytes ?? Number.POSITIVE_INFINITY;
  let chunkBytes = CHUNK_BYTES_FIRST;
  let bound = 0;
  const pour = (): void => {
    while (!sink.destroyed && !sink.writableEnded) {
      if (left <= 0) return options.onDone?.();
      const size = Math.min(left, chunkBytes);
      left -= size;
      const startMs = options.clock.nowMs();
      const more = sink.write(ZEROS.subarray(0, size), (error) => {
        if (error) return;
        options.onWritten?.(size);
        chunkBytes = nextChunkBytes(chunkBytes, size, options.clock.nowMs() - startMs);
        // Set again only when it has changed by much: each time is a system call.
        if (chunkBytes <= bound / 2 || chunkBytes >= bound * 2) options.onPace?.((bound = chunkBytes));
      });
      if (!more) {
        sink.once('drain', pour);
        return;
      }
    }
  };
  pour();
}

/** Moves a quarter of the way towards what the last chunk's rate would carry in CHUNK_MS. */
export function nextChunkBytes(chunkBytes: number, writtenBytes: number, tookMs: number): number {
  const wanted = tookMs <= 0 ? CHUNK_BYTES_MAX : (writtenBytes / tookMs) * CHUNK_MS;
  const next = chunkBytes + (wanted - chunkBytes) / 4;
  return Math.max(CHUNK_BYTES_MIN, Math.min(CHUNK_BYTES_MAX, Math.round(next)));
}
