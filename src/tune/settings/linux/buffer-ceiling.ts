import { formatBytes, formatMs, formatRate } from '../../../base/index.js';

/** From here down a buffer bounds connections that people really have. */
const SMALL_BYTES = 1 << 20;
const ROUND_TRIPS_MS = [1, 20, 100];

/**
 * What a socket buffer bounds a connection to: no more than the buffer can be under way in one round trip, so that its
 * rate stays below buffer / RTT whatever the link. Silent where the buffer is large enough for it not to matter.
 */
export function ceilingNotes(bytes: number): readonly string[] {
  if (bytes >= SMALL_BYTES) return [];
  const each = ROUND_TRIPS_MS.map((rttMs) => `${formatRate((bytes * 8) / (rttMs / 1000))} at ${formatMs(rttMs)}`);
  return [`a buffer of ${formatBytes(bytes)} bounds a connection to buffer / RTT: ${each.join(', ')} of round trip, whatever the link can do`];
}
