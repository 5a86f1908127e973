import type { Names, Resolution } from '../base/index.js';
import { DNS_PORT, answersQuestion, decodeDnsMessage, encodeDnsQuery, isDnsName, isMdnsName } from '../wire/index.js';
import type { SimHost } from './host.js';

type LookupOptions = Parameters<Names['lookup']>[1];
type Family = 4 | 6;

/** A resolver's client asks again after this long (RES_TIMEOUT of the C library). */
const RETRY_MS = 5000;
/** How long neighbours are asked by multicast, and when the question is sent again. */
const MDNS_MS_MAX = 1000;
const MDNS_SEND_AT_MS = [0, 250, 750];
const MDNS_BYTES = 100;

/**
 * Looks names up as host/ does: literals, then the hosts file, then neighbours for what is below `.local`, else the
 * resolvers, by datagrams over the simulated paths.
 */
export class SimNames implements Names {
  readonly #host: SimHost;
  #nextId = 1;

  constructor(host: SimHost) {
    this.#host = host;
  }

  async lookup(host: string, options: LookupOptions): Promise<Resolution> {
    const { network, spec } = this.#host;
    const startMs = network.nowMs;
    const elapsedMs = (): number => network.nowMs - startMs;
    const family = literalFamily(host);
    if (family !== undefined) {
      if (options.family !== undefined && options.family !== family)
        return { outcome: 'unknown', reason: `${host} is an IPv${family} address`, elapsedMs: 0 };
      return { outcome: 'ok', addresses: [{ host, family }], elapsedMs: 0 };
    }
    const name = host.toLowerCase().replace(/\.$/, '');
    const local = (name === 'localhost' ? ['127.0.0.1', '::1'] : spec.hosts?.[name])?.map(withFamily).filter(wanted(options.family));
    if (local && local.length > 0) return { outcome: 'ok', addresses: local, elapsedMs: 0 };
    if (!isDnsName(name)) return { outcome: 'unknown', reason: `'${host}' is not a name`, elapsedMs: 0 };
    if (isMdnsName(name)) return this.#askNeighbours(host, name, options);
    const resolvers = spec.resolvers ?? [];
    if (resolvers.length === 0) return { outcome: 'failed', reason: `'${host}' could not be looked up: this host has no resolver`, elapsedMs: 0 };
    const families: Family[] = options.family === undefined ? [4, 6] : [options.family];
    const deadline = network.timeline.after(options.timeoutMs * 1e6, () => late.resolve('timeout'));
    const late = network.timeline.deferred<'timeout' | 'aborted'>();
    const abort = (): void => late.resolve('aborted');
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener('abort', abort);
    const stop = { stopped: false };
    const answers = await Promise.race([late.promise, Promise.all(families.map((each) => this.#ask(resolvers, name, { family: each, stop })))]);
    stop.stopped = true;
    deadline.cancelled = true;
    options.signal?.removeEventListener('abort', abort);
    if (answers === 'timeout')
      return {
        outcome: 'timeout',
        reason: `no answer to the lookup of '${host}' within ${options.timeoutMs} ms: check that the resolver can be reached`,
        elapsedMs: elapsedMs(),
      };
    if (answers === 'aborted') return { outcome: 'failed', reason: `the lookup of '${host}' was interrupted`, elapsedMs: elapsedMs() };
    const addresses = answers.flatMap((answer) => answer.addresses);
    if (addresses.length > 0) return { outcome: 'ok', addresses, elapsedMs: elapsedMs() };
    if (answers.some((answer) => answer.rcode === 'SERVFAIL'))
      return { outcome: 'failed', reason: `'${host}' could not be looked up: the resolver failed`, elapsedMs: elapsedMs() };
    const what =
      options.family === undefined
        ? 'is not known: check the spelling, or use the address'
        : `has no IPv${options.family} address: check the spelling, or leave the choice of IPv4 or IPv6 open`;
    return { outcome: 'unknown', reason: `'${host}' ${what}`, elapsedMs: elapsedMs() };
  }

  async #askNeighbours(host: string, name: string, options: LookupOptions): Promise<Resolution> {
    const { network } = this.#host;
    const { timeline } = network;
    const startMs = network.nowMs;
    const done = timeline.deferred<readonly string[] | 'aborted'>();
    const abort = (): void => done.resolve('aborted');
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener('abort', abort);
    const end = timeline.after(Math.min(MDNS_MS_MAX, options.timeoutMs) * 1e6, () => done.resolve([]));
    for (const neighbour of network.announcing(name)) {
      const addresses = neighbour.spec.addresses.filter((address) => wanted(options.family)(withFamily(address)));
      const route = addresses[0] === undefined ? undefined : network.route(this.#host, addresses[0]);
      if (route?.kind !== 'path') continue;
      for (const atMs of MDNS_SEND_AT_MS) {
        timeline.at((startMs + atMs) * 1e6, () => {
          if (done.settled) return;
          const askedNs = route.forward.offer(MDNS_BYTES);
          if (askedNs < 0) return;
          timeline.at(askedNs, () => {
            const answeredNs = route.back.offer(MDNS_BYTES);
            if (answeredNs >= 0) timeline.at(answeredNs, () => done.resolve(addresses));
          });
        });
      }
    }
    const answer = await done.promise;
    end.cancelled = true;
    options.signal?.removeEventListener('abort', abort);
    const elapsedMs = network.nowMs - startMs;
    if (answer === 'aborted') return { outcome: 'failed', reason: `the lookup of '${host}' was interrupted`, elapsedMs };
    if (answer.length > 0) return { outcome: 'ok', addresses: answer.map(withFamily), elapsedMs };
    return { outcome: 'unknown', reason: `'${host}' is not known: no neighbour answers for it (mDNS)`, elapsedMs };
  }

  /** Asks the resolvers in turn until one answers; what is refused or garbled is asked again at the next. */
  #ask(
    resolvers: readonly string[],
    name: string,
    options: { family: Family; stop: { stopped: boolean } },
  ): Promise<{ rcode: string; addresses: { host: string; family: Family }[] }> {
    const { timeline } = this.#host.network;
    const { family, stop } = options;
    const done = timeline.deferred<{ rcode: string; addresses: { host: string; family: Family }[] }>();
    const id = this.#nextId++ & 0xffff;
    const question = { name, type: family === 4 ? 'A' : 'AAAA' } as const;
    const query = encodeDnsQuery(id, question);
    const attempt = (tried: number): void => {
      if (stop.stopped || done.settled) return;
      const resolver = resolvers[tried % resolvers.length] ?? '';
      const again = timeline.after(RETRY_MS * 1e6, () => next());
      const next = (): void => {
        again.cancelled = true;
        close();
        attempt(tried + 1);
      };
      const close = this.#host.query({ host: resolver, port: DNS_PORT, family: resolver.includes(':') ? 6 : 4 }, query, (payload) => {
        const answer = decodeDnsMessage(payload);
        if (answer.kind !== 'answer' || answer.id !== id || !answersQuestion(answer, question)) return;
        again.cancelled = true;
        close();
        done.resolve({
          rcode: answer.rcode,
          addresses: answer.answers.filter(({ type }) => type === question.type).map(({ text }) => ({ host: text, family })),
        });
      });
    };
    attempt(0);
    return done.promise;
  }
}

function literalFamily(host: string): Family | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(host)) return 4;
  return host.includes(':') ? 6 : undefined;
}

function withFamily(host: string): { host: string; family: Family } {
  return { host, family: host.includes(':') ? 6 : 4 };
}

function wanted(family: Family | undefined): (address: { family: Family }) => boolean {
  return (address) => family === undefined || address.family === family;
}
