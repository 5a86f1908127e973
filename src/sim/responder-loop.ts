import type { Endpoint } from '../base/index.js';
import { decodeAddress, encodeAddress, view } from '../wire/index.js';
import type { DatagramResponder, DueFlood, DueWhole } from '../wire/index.js';
import type { PacketTaker, SimHost } from './host.js';
import type { Route } from './network.js';
import { sendAnswer, sendPacket } from './packets.js';
import type { Packet } from './packets.js';
import type { TimelineEvent } from './timeline.js';

/** A responder that asks to be called again at once is called after this. */
const DUE_GAP_NS = 1000;
/** Clients whose way here is remembered; the longest silent one is forgotten first. */
const CLIENTS_MAX = 10_000;

/** What the loop around a real socket does for a responder: hands over what came, sends what it answers and the floods that are due. */
export class ResponderLoop implements PacketTaker {
  readonly #host: SimHost;
  readonly #port: number;
  readonly #responder: DatagramResponder;
  /** Where each client sent to, so that answers and floods come from there. */
  readonly #reachedAt = new Map<string, Endpoint>();
  #freeNs = 0;
  #next: TimelineEvent | undefined;

  constructor(host: SimHost, port: number, responder: DatagramResponder) {
    this.#host = host;
    this.#port = port;
    this.#responder = responder;
  }

  take(packet: Packet): void {
    const { timeline } = this.#host.network;
    const arrivedNs = timeline.nowNs;
    // One program answers one datagram after the other.
    this.#freeNs = Math.max(this.#freeNs, arrivedNs) + this.#host.answerNs();
    timeline.at(this.#freeNs, () => this.#answer(packet, arrivedNs));
  }

  fail(): void {
    // The client is gone; its session expires by itself.
  }

  #answer(packet: Packet, arrivedNs: number): void {
    if (this.#host.dead) return;
    const { clock } = this.#host;
    const from = encodeAddress(packet.from);
    this.#remember(from.join(), packet.to);
    const answer = this.#responder.receive(packet.payload, from, clock.wallNs(arrivedNs), clock.wallNs());
    if (answer) sendAnswer(this.#host, packet, answer);
    this.#floods();
  }

  #remember(client: string, reachedAt: Endpoint): void {
    this.#reachedAt.delete(client);
    this.#reachedAt.set(client, reachedAt);
    const [oldest] = this.#reachedAt.keys();
    if (this.#reachedAt.size > CLIENTS_MAX && oldest !== undefined) this.#reachedAt.delete(oldest);
  }

  #floods(): void {
    if (this.#host.dead) return;
    const { clock, network } = this.#host;
    const { floods, wholes = [], nextNs } = this.#responder.due(clock.wallNs());
    for (const whole of wholes) this.#sendWhole(whole);
    for (const flood of floods) this.#send(flood);
    if (this.#next) this.#next.cancelled = true;
    if (nextNs === undefined) return;
    const atNs = Math.max(clock.atWallNs(nextNs), network.timeline.nowNs + DUE_GAP_NS);
    this.#next = network.timeline.at(atNs, () => this.#floods());
  }

  #way(address: Uint8Array): { to: Endpoint; from: Endpoint; route: Route } {
    const to = decodeAddress(address);
    const from = this.#reachedAt.get(address.join()) ?? { ...to, host: '', port: this.#port };
    return { to, from, route: this.#host.network.route(this.#host, to.host, from.host) };
  }

  #sendWhole(whole: DueWhole): void {
    const { to, from, route } = this.#way(whole.to);
    const told = route.kind === 'path' ? { pathMtuBytes: this.#host.believedMtu(route, to.host) } : {};
    const send = (bytes: Uint8Array, dontFragment: boolean): string | undefined =>
      sendPacket(this.#host, route, { protocol: 'udp', from, to, bytes: bytes.length, payload: () => bytes, dontFragment });
    if (send(whole.make(told), true) === 'EMSGSIZE') send(whole.make({ ...told, refused: 'size' }), false);
  }

  #send(flood: DueFlood): void {
    const { clock } = this.#host;
    const { to, from, route } = this.#way(flood.to);
    const stampNs = clock.wallNs();
    for (let i = 0; i < flood.count; i++) {
      const payload = (): Uint8Array => {
        const bytes = flood.template.slice(0, flood.sizeBytes);
        view(bytes).setUint32(flood.sequenceOffset, (flood.sequenceStart + i) >>> 0);
        view(bytes).setBigUint64(flood.stampOffset, stampNs);
        return bytes;
      };
      sendPacket(this.#host, route, { protocol: 'udp', from, to, bytes: flood.sizeBytes, payload });
    }
  }
}
