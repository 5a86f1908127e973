import { createHostPorts } from '../../src/host/index.js';
import type { PacketPlan } from '../../src/base/index.js';

/*
 * A program for a namespace: carries out a plan of single packets and prints the log.
 *
 *     node packets-program.js '{"protocol": "udp", "remote": {...}, "packets": [{"ttl": 1}], "intervalMs": 5, "timeoutMs": 500}'
 */
const ports = createHostPorts({ logLevel: 'none' });
const log = await ports.packets.probe(JSON.parse(process.argv[2] ?? '') as PacketPlan);
await ports.close();
process.stdout.write(JSON.stringify(log));
