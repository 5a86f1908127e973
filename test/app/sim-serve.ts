import { proveKey } from '../../src/wire/index.js';
import { nearAbout } from '../../src/probe/index.js';
import { ControlServer, Tickets, UdpResponder, createHttpResponder, limitsOf } from '../../src/serve/index.js';
import type { SimHost } from '../../src/sim/index.js';

/** Unpredictable to nobody, and the same in every run. */
function bytesFrom(seed: string): (count: number) => Uint8Array {
  let turn = 0;
  return (count) => {
    turn++;
    return proveKey(new TextEncoder().encode(seed), 'server', Uint8Array.of(turn >> 8, turn)).slice(0, count);
  };
}

/** Starts the cores of `tautline serve` on a simulated host, wired as the real one wires them. */
export function serveOn(host: SimHost, options: { port: number; key?: Uint8Array }): void {
  const limits = limitsOf({});
  const random = bytesFrom(host.name);
  const key = options.key ? { key: options.key } : {};
  const tickets = new Tickets({ lifetimeMs: limits.ticketMs, max: limits.ticketsMax, random });
  const { clock, streams, facts } = host.ports;
  const control = new ControlServer(
    { clock, pump: (plan) => streams.pump(plan), random, processors: () => facts.processors() },
    {
      limits,
      software: 'tautline/test',
      tickets,
      ...key,
      about: async (remote) => ({ ...(await nearAbout(facts, remote.host)), observed: remote.host }),
    },
  );
  const responder = createHttpResponder({
    limits,
    software: 'tautline/test',
    ...(options.key ? { checkTicket: (client: string, ticket: string) => tickets.check(client, ticket, clock.nowMs()) } : {}),
  });
  host.serveDatagrams(options.port, new UdpResponder({ secret: random(32), limits, ...key }));
  host.listen(options.port, { onConnection: (connection) => void control.accept(connection), http: { responder, protocol: 'h2' } });
}
