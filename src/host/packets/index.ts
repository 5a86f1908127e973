/** Single packets with their own TTL and size, and what became of each. */
import { TautlineError } from '../../base/index.js';
import type { Packets } from '../../base/index.js';

export function createPackets(): Packets {
  return { probe: () => Promise.reject(new TautlineError('unsupported', 'single packets are not there yet')) };
}
