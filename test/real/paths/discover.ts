/** Prints every path to a name, as a check would find them: `node discover.js NAME`. A program for tests. */
import { homedir } from 'node:os';
import { discoverPaths } from '../../../src/app/discover-paths.js';
import { createHostPorts } from '../../../src/host/index.js';

const ports = createHostPorts({ logLevel: 'none' });
const startMs = ports.clock.nowMs();
const request = { text: process.argv[2] ?? '', peers: [], signal: new AbortController().signal, homeFolder: homedir() };
const found = await discoverPaths(ports, request);
const tookMs = ports.clock.nowMs() - startMs;
process.stdout.write(`${JSON.stringify({ ...found, tookMs })}\n`);
await ports.close();
// What does not answer would hold the process.
process.exit(0);
