import { tuneTry } from '../../src/app/tune/try.js';
import type { TuneTryRequest } from '../../src/app/tune/requests.js';
import { createHostPorts, keepHeapSmall } from '../../src/host/index.js';

/*
 * A program for a namespace or a kernel of its own: makes an experiment and prints its document. It says what it is doing
 * on stderr, and an interrupt (SIGINT) ends it as it ends the command line.
 *
 *     node try-program.js '{"folder": "/tmp/x", "target": "10.0.0.2:7227", "settings": [{"id": "net.ipv4.tcp_low_latency", "value": "1"}]}'
 */
keepHeapSmall();
const [, , request = '{}'] = process.argv;
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const document = await tuneTry(createHostPorts(), {
  homeFolder: '/root',
  profileFolders: [],
  peers: [],
  seed: 1,
  keep: false,
  progress: {
    planned: ({ lines, totalMs }) => void process.stderr.write(`${lines.join('\n')}: ${Math.round(totalMs / 1000)} s\n`),
    update: (doing) => void process.stderr.write(`${doing}\n`),
  },
  signal: stop.signal,
  ...(JSON.parse(request) as Pick<TuneTryRequest, 'folder' | 'target'> & Partial<TuneTryRequest>),
});
process.stdout.write(JSON.stringify(document));
