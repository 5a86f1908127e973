import type { Connection } from '../../src/base/index.js';
import { SimNetwork } from '../../src/sim/index.js';
import type { Scenario } from '../../src/sim/index.js';
import { serviceOf } from '../../src/sim/http-server.js';
import { PAGE_BYTES, PREFS, countingResponder, echoResponder, floodingResponder, sourceBytes } from './bench.js';
import type { Bench } from './bench.js';

const SCENARIO: Scenario = {
  hosts: {
    client: {
      addresses: ['10.0.0.1'],
      resolvers: ['10.0.0.2'],
      files: { '/data/there': 'yes' },
      commands: [
        { program: 'sh', args: ['-c', 'echo out; echo err >&2; exit 3'], code: 3, stdout: 'out\n', stderr: 'err\n', takesMs: 1 },
        { program: 'sh', args: ['-c', 'echo began; exec sleep 600'], stdout: 'began\n', takesMs: 600_000 },
      ],
      services: [
        { kind: 'web', socketPath: '/run/page.sock', routes: { '/': { bytes: PAGE_BYTES } } },
        { kind: 'web', socketPath: '/run/prefs.sock', routes: { '/': { body: JSON.stringify(PREFS), patches: 'accepted' } } },
        { kind: 'web', socketPath: '/run/mute.sock', routes: { '/': { serverMs: 3600e3 } } },
      ],
    },
    server: {
      addresses: ['10.0.0.2'],
      services: [
        { kind: 'dns' },
        { kind: 'tcp-echo', port: 7 },
        { kind: 'web', port: 8080, routes: { '/': { bytes: PAGE_BYTES }, '/large': { bytes: 'endless' }, '/upload': {} } },
      ],
    },
  },
  paths: [{ from: 'client', to: 'server', delayMs: 5, rateBps: 1e9, queueMs: 20 }],
};

/** A client and a server 5 ms and 1 Gbit/s apart. */
export async function simBench(): Promise<Bench> {
  const network = new SimNetwork(SCENARIO);
  const server = network.host('server');
  const at = (port: number) => ({ host: '10.0.0.2', port, family: 4 }) as const;
  const counting = countingResponder();
  const counted: number[] = [];
  server.serveDatagrams(1007, echoResponder());
  server.serveDatagrams(1008, counting);
  server.serveDatagrams(1009, floodingResponder());
  server.listen(2008, { onConnection: (connection) => void count(connection, counted) });
  server.listen(2009, { onConnection: (connection) => void connection.write(sourceBytes()).then(() => connection.close()) });
  server.listen(2010, { onConnection: () => {} });
  server.listen(2011, {
    onConnection: (connection) =>
      void (async () => {
        await connection.read();
        server.breakOff(connection);
      })(),
  });
  network
    .host('client')
    .listenOnSocket('/run/ended.sock', { http: serviceOf({ kind: 'web', routes: {} }), permitted: true })
    .close();
  return {
    ports: network.ports('client'),
    run: (work) => network.run(work),
    folder: '/data',
    udp: { echo: at(1007), closed: at(1099), counting: at(1008), counted: counting.seen, flooding: at(1009) },
    tcp: {
      echo: at(7),
      closed: at(2099),
      counting: at(2008),
      counted: () => counted,
      source: at(2009),
      mute: at(2010),
      breaking: at(2011),
    },
    web: { url: 'http://10.0.0.2:8080', closedUrl: 'http://10.0.0.2:81/' },
    sockets: {
      page: '/run/page.sock',
      prefs: '/run/prefs.sock',
      mute: '/run/mute.sock',
      ended: '/run/ended.sock',
      missing: '/run/missing.sock',
    },
    pingable: at(0),
    close: () => Promise.resolve(),
  };
}

async function count(connection: Connection, counted: number[]): Promise<void> {
  let bytes = 0;
  for (let part = await connection.read(); part; part = await connection.read()) bytes += part.length;
  counted.push(bytes);
  connection.close();
}
