import type { Socket } from 'node:net';
import type { Clock } from '../../base/index.js';
import type { HttpAsk, HttpReply, HttpResponder } from '../../wire/index.js';
import { unsentOf } from './unsent.js';
import { pourZeros } from './zeros.js';

/** How often a running request is looked at. */
const WATCH_MS = 1000;

/** One request, whatever the version of HTTP that it came over. */
export interface Transport {
  readonly socket: Socket;
  readonly incoming: NodeJS.ReadableStream;
  readonly outgoing: NodeJS.WritableStream & { readonly destroyed: boolean; readonly writableEnded: boolean };
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /** Lets go of a request whose body nobody wants to see. */
  dismiss(): void;
  /** Ends this request hard; over HTTP/1.1 that costs the connection. */
  cut(): void;
}

/** Where every request is counted, kept within the limits, answered and watched until it is over. */
export class RequestDesk {
  readonly counters = { httpRequests: 0, httpRefused: 0, httpCut: 0, httpBytesIn: 0, httpBytesOut: 0 };
  readonly #clock: Clock;
  readonly #responder: HttpResponder;
  readonly #perClient = new Map<string, number>();
  #running = 0;

  constructor(clock: Clock, responder: HttpResponder) {
    this.#clock = clock;
    this.#responder = responder;
  }

  get running(): number {
    return this.#running;
  }

  serve(ask: HttpAsk, transport: Transport, seat: Seat): void {
    const { incoming, outgoing } = transport;
    incoming.on('error', () => undefined);
    outgoing.on('error', () => undefined);
    const beyond = this.#admit(ask.client);
    const reply = beyond === undefined ? this.#responder.answer(ask) : this.#responder.refuse(beyond);
    this.counters.httpRequests++;
    if (reply.status >= 400) this.counters.httpRefused++;
    const watch = this.#watch(transport);
    const end = seat.begin(() => {
      watch.stop();
      this.#release(ask.client);
    });
    outgoing.once('close', end);
    this.#send(reply, { ask, transport, watch });
  }

  /** Takes a place, and says whose limit that breaks. */
  #admit(client: string): 'client' | 'all' | undefined {
    const { limits } = this.#responder;
    const mine = this.#perClient.get(client) ?? 0;
    const beyond = this.#running >= limits.httpRequestsMax ? 'all' : mine >= limits.httpRequestsPerClientMax ? 'client' : undefined;
    this.#running++;
    this.#perClient.set(client, mine + 1);
    return beyond;
  }

  #release(client: string): void {
    this.#running--;
    const left = (this.#perClient.get(client) ?? 1) - 1;
    if (left > 0) this.#perClient.set(client, left);
    else this.#perClient.delete(client);
  }

  /** Cuts a request that takes too long in all, or stands still. */
  #watch(transport: Transport): Watch {
    const { httpRequestMs, httpStallMs } = this.#responder.limits;
    const startMs = this.#clock.nowMs();
    let lastMs = startMs;
    let cuts = 0;
    const cut = (): void => {
      if (cuts++ === 0) this.counters.httpCut++;
      // A session that has shut down inside no longer closes its streams: then the socket has to go.
      if (cuts > 1) transport.socket.destroy();
      else transport.cut();
    };
    const timer = setInterval(
      () => {
        const nowMs = this.#clock.nowMs();
        if (nowMs - startMs >= httpRequestMs || nowMs - lastMs >= httpStallMs) cut();
      },
      Math.min(httpStallMs, httpRequestMs, WATCH_MS),
    );
    return { cut, moved: () => (lastMs = this.#clock.nowMs()), stop: () => clearInterval(timer) };
  }

  #send(reply: HttpReply, { ask, transport, watch }: { ask: HttpAsk; transport: Transport; watch: Watch }): void {
    const { incoming, outgoing } = transport;
    const { body } = reply;
    if (body.kind === 'sink') return this.#sink(reply, body.bytesMax, { transport, watch });
    const refused = reply.status >= 400 && ask.method !== 'GET' && ask.method !== 'HEAD';
    transport.head(reply.status, reply.headers);
    if (refused) outgoing.once('finish', () => transport.dismiss());
    // A body that nobody asked for is dropped, within the time that a request has.
    incoming.resume();
    if (ask.method === 'HEAD') {
      outgoing.end();
    } else if (body.kind === 'bytes') {
      outgoing.end(body.bytes);
    } else {
      pourZeros(outgoing, {
        clock: this.#clock,
        bytes: body.bytes,
        onWritten: (bytes) => {
          this.counters.httpBytesOut += bytes;
          watch.moved();
        },
        unsent: unsentOf(transport.socket),
        onDone: () => outgoing.end(),
      });
    }
  }

  #sink(reply: HttpReply, bytesMax: number, { transport, watch }: { transport: Transport; watch: Watch }): void {
    const { incoming, outgoing } = transport;
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      this.counters.httpBytesIn += chunk.length;
      watch.moved();
      if (bytes > bytesMax && bytes - chunk.length <= bytesMax) watch.cut();
    });
    incoming.on('end', () => {
      transport.head(reply.status, reply.headers);
      outgoing.end(this.#responder.uploadReceipt(bytes));
    });
  }
}

interface Watch {
  readonly cut: () => void;
  readonly moved: () => void;
  readonly stop: () => void;
}

/** One connection's time: the first head must come soon, and between requests it may idle only so long. */
export class Seat {
  readonly client: string;
  readonly #limits: HttpResponder['limits'];
  readonly #socket: Socket;
  /** What ends each running request. */
  readonly #running = new Set<() => void>();
  #timer: NodeJS.Timeout;
  #begun = 0;

  constructor(limits: HttpResponder['limits'], client: string, socket: Socket) {
    this.#limits = limits;
    this.client = client;
    this.#socket = socket;
    this.#timer = setTimeout(() => socket.destroy(), limits.httpHeadMs);
  }

  /**
   * A request is over with its connection at the latest: Node does not tell the answers that still
   * queue behind others (pipelining) that the connection has gone.
   * @param onEnd called once
   * @returns what ends the request
   */
  begin(onEnd: () => void): () => void {
    clearTimeout(this.#timer);
    const end = (): void => {
      if (!this.#running.delete(end)) return;
      onEnd();
      this.#rest();
    };
    this.#running.add(end);
    if (++this.#begun > this.#limits.httpRequestsPerConnectionMax) this.#socket.destroy();
    return end;
  }

  close(): void {
    for (const end of this.#running) end();
    clearTimeout(this.#timer);
  }

  #rest(): void {
    if (this.#running.size > 0 || this.#socket.destroyed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.destroy(), this.#limits.httpIdleMs);
  }
}
