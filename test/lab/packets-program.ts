import type { PacketPlan } from '../../src/base/index.js';
import { createPackets } from '../../src/host/packets/index.js';
import type { PacketsOptions } from '../../src/host/packets/index.js';

/*
 * A program for a namespace: carries out a plan of single packets and prints the log.
 *
 *     node packets-program.js '{"protocol": "udp", "remote": {...}, "packets": [{"ttl": 1}], "intervalMs": 5, "timeoutMs": 500}' '{}'
 */
const [, , plan = '', options = '{}'] = process.argv;
const log = await createPackets(JSON.parse(options) as PacketsOptions).probe(JSON.parse(plan) as PacketPlan);
process.stdout.write(JSON.stringify(log));
