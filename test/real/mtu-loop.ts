import { createInterface } from 'node:readline';
import { readKey } from '../../src/app/key.js';
import { parseTarget } from '../../src/base/index.js';
import { createHostPorts } from '../../src/host/index.js';
import { mtuProbe } from '../../src/probe/index.js';

/* Measures the path MTU to the target of its arguments once for each line that comes in, and prints the measurements in one line. */
const [target = '', keyFile = ''] = process.argv.slice(2);
const ports = createHostPorts({});
const key = await readKey(ports.files, keyFile);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'end') break;
  const measurements = await mtuProbe.run({
    target: parseTarget(target),
    path: 'default',
    options: { ...mtuProbe.defaults, method: 'responder' },
    ports,
    key,
    seed: 1,
    signal: AbortSignal.timeout(60_000),
    onProgress: () => {},
  });
  process.stdout.write(`${JSON.stringify(measurements)}\n`);
}
