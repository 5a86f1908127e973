import { TautlineError } from '../base/index.js';
import type { PacketLog, Packets } from '../base/index.js';

/** Single packets over a simulated path. */
export class SimPackets implements Packets {
  probe(): Promise<PacketLog> {
    return Promise.reject(new TautlineError('unsupported', 'single packets are not there yet'));
  }
}
