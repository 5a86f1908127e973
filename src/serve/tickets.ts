import { createHash, timingSafeEqual } from 'node:crypto';

/** Random bytes in a ticket, written as twice as many hex digits. */
const TICKET_BYTES = 24;

export interface TicketOptions {
  /** How long a ticket is valid. */
  readonly lifetimeMs: number;
  /** How many are valid at once; the oldest gives way. */
  readonly max: number;
  /** Unpredictable bytes. */
  readonly random: (count: number) => Uint8Array;
}

/**
 * What a proof of the key on a control connection opens over HTTP, where there is no handshake: a
 * short-lived random word, valid only from the address of the client that got it. HTTP goes in the
 * clear, so a ticket must not be worth stealing for long or from elsewhere.
 *
 * Tickets are kept by their hash. Looking one up compares hashes, which an attacker cannot steer, and
 * the last comparison takes the same time wherever the two differ.
 */
export class Tickets {
  readonly #options: TicketOptions;
  /** By the hex of the hash, oldest first. */
  readonly #valid = new Map<string, { readonly hash: Uint8Array; readonly untilMs: number }>();

  constructor(options: TicketOptions) {
    this.#options = options;
  }

  /** @param client whatever tells clients apart, the address without its port */
  issue(client: string, nowMs: number): string {
    this.#expire(nowMs);
    if (this.#valid.size >= this.#options.max) {
      const oldest = this.#valid.keys().next();
      if (!oldest.done) this.#valid.delete(oldest.value);
    }
    const ticket = Array.from(this.#options.random(TICKET_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const hash = hashOf(client, ticket);
    this.#valid.set(hash.toString('hex'), { hash, untilMs: nowMs + this.#options.lifetimeMs });
    return ticket;
  }

  check(client: string, ticket: string, nowMs: number): boolean {
    const hash = hashOf(client, ticket.slice(0, 2 * TICKET_BYTES + 1));
    const found = this.#valid.get(hash.toString('hex'));
    return found !== undefined && timingSafeEqual(found.hash, hash) && nowMs < found.untilMs;
  }

  get size(): number {
    return this.#valid.size;
  }

  /** Tickets are kept in the order of their issue, so the expired ones are in front. */
  #expire(nowMs: number): void {
    for (const [key, { untilMs }] of this.#valid) {
      if (nowMs < untilMs) return;
      this.#valid.delete(key);
    }
  }
}

function hashOf(client: string, ticket: string): Buffer {
  return createHash('sha256').update(client).update('\0').update(ticket).digest();
}
