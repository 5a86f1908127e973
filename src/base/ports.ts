import type { Datagrams } from './ports-datagrams.js';
import type { Clock, Commands, Files, HostFacts, Log, Names } from './ports-host.js';
import type { Packets } from './ports-packets.js';
import type { Streams } from './ports-streams.js';
import type { Web } from './ports-web.js';

/** Everything a probe may touch. `host/` makes the real one, `sim/` the simulated one. */
export interface Ports {
  readonly clock: Clock;
  readonly names: Names;
  readonly datagrams: Datagrams;
  readonly packets: Packets;
  readonly streams: Streams;
  readonly web: Web;
  readonly facts: HostFacts;
  readonly files: Files;
  readonly commands: Commands;
  readonly log: Log;
  /** Where figures that are made over these ports come from; measured unless it says otherwise. */
  readonly provenance?: 'measured' | 'simulated';
}
