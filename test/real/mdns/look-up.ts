/** Looks a name up as a probe would and prints what came: `node look-up.js NAME [4|6] [TIMEOUT_MS]`. A program for tests. */
import { createHostPorts } from '../../../src/host/index.js';

const [name = '', family = '', timeoutMs = '3000'] = process.argv.slice(2);
const ports = createHostPorts({ logLevel: 'none' });
const options = { timeoutMs: Number(timeoutMs), ...(family === '4' ? { family: 4 as const } : family === '6' ? { family: 6 as const } : {}) };
process.stdout.write(`${JSON.stringify(await ports.names.lookup(name, options))}\n`);
await ports.close();
// A lookup by the system cannot be taken back, and would hold the process.
process.exit(0);
