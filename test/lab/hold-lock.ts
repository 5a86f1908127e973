import { createHostPorts } from '../../src/host/index.js';

// A program: takes the lock that it is told, says so, and keeps it until it is killed.
const [path = ''] = process.argv.slice(2);
const held = await createHostPorts().control.lock(path);
process.stdout.write('release' in held ? 'held\n' : `held by ${held.heldBy}\n`);
setInterval(() => undefined, 60_000);
