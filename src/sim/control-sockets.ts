import type { HttpClient, HttpOutcome, HttpRequest, Web } from '../base/index.js';
import type { SimMachine } from './control-machine.js';
import type { SimProcess } from './control-process.js';

/** What answers on a Unix socket, and what it does to the host when the request changes something. */
export type SocketService = (
  request: { readonly method: string; readonly path: string; readonly body: string | undefined },
  host: { readonly machine: SimMachine; readonly root: boolean },
) => { readonly status?: number; readonly body?: string; readonly change?: () => void };

/** Web of a process on a simulated host: services on Unix sockets answer at once, everything else goes over the network. */
export class SimSocketWeb implements Web {
  readonly #self: SimProcess;
  readonly #network: Web;
  readonly #root: boolean;
  readonly #services: ReadonlyMap<string, SocketService>;

  constructor(self: SimProcess, options: { readonly network: Web; readonly root: boolean; readonly services: ReadonlyMap<string, SocketService> }) {
    this.#self = self;
    this.#network = options.network;
    this.#root = options.root;
    this.#services = options.services;
  }

  client(): HttpClient {
    const outside = this.#network.client();
    return {
      request: (request) => (request.socketPath === undefined ? outside.request(request) : this.#ask(request, request.socketPath)),
      close: () => outside.close(),
    };
  }

  load(options: Parameters<Web['load']>[0]): ReturnType<Web['load']> {
    return this.#network.load(options);
  }

  tls(options: Parameters<Web['tls']>[0]): ReturnType<Web['tls']> {
    return this.#network.tls(options);
  }

  async #ask(request: HttpRequest, socketPath: string): Promise<HttpOutcome> {
    this.#self.alive();
    const service = this.#services.get(this.#self.machine.tree.resolve(socketPath, true));
    if (!service) return { outcome: 'failed', reason: `there is no socket ${socketPath}`, errno: 'ENOENT' };
    const { method, body: sent } = request;
    const { pathname, search } = new URL(request.url);
    const {
      status = 200,
      body = '',
      change,
    } = service({ method, path: pathname + search, body: sent }, { machine: this.#self.machine, root: this.#root });
    if (change) await this.#self.change(`${method} ${pathname}`, () => ({ whole: change }));
    const bytes = new TextEncoder().encode(body);
    return {
      outcome: 'ok',
      status,
      version: '1.1',
      bytes: bytes.length,
      ttfbMs: 0.2,
      totalMs: 0.3,
      reused: false,
      ...(request.keepBytesMax === undefined ? {} : { body: bytes.subarray(0, request.keepBytesMax) }),
    };
  }
}

/** tailscaled's preferences (ipn/localapi), as it keeps them over a boot. */
export function tailscaled(prefs: Readonly<Record<string, unknown>>): SocketService {
  const key = 'tailscale prefs';
  return ({ method, path, body }, { machine, root }) => {
    if (path !== '/localapi/v0/prefs') return { status: 404, body: 'not found' };
    const now = { ...prefs, ...(JSON.parse(machine.kept.get(key) ?? '{}') as Record<string, unknown>) };
    if (method === 'GET') return { body: JSON.stringify(now) };
    if (!root) return { status: 403, body: 'prefs write access denied' };
    const asked = JSON.parse(body ?? '{}') as Record<string, unknown>;
    const set = Object.fromEntries(Object.entries(asked).filter(([name]) => asked[`${name}Set`] === true));
    const after = { ...now, ...set };
    // What is as it was installed is not told apart from what was never set.
    const differs = Object.fromEntries(Object.entries(after).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(prefs[name])));
    const change = (): void => {
      if (Object.keys(differs).length === 0) machine.kept.delete(key);
      else machine.kept.set(key, JSON.stringify(differs));
      machine.keepOverBoot(key);
    };
    return { body: JSON.stringify(after), change };
  };
}
