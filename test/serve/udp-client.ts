import assert from 'node:assert/strict';
import { UdpResponder, limitsOf } from '../../src/serve/index.js';
import { decodeServerDatagram, encodeAddress, encodeHello, encodeOpen, openTranscript, proveKey } from '../../src/wire/index.js';
import type { ServerDatagram } from '../../src/wire/index.js';

const START_NS = 1_800_000_000_000_000_000n;

/** A responder in virtual time: what a client at some address sends, and what it gets. */
export class Desk {
  readonly responder: UdpResponder;
  readonly key: Uint8Array | undefined;
  nowMs = 0;

  constructor(options: { key?: Uint8Array; limits?: Record<string, number>; secret?: Uint8Array } = {}) {
    this.key = options.key;
    this.responder = new UdpResponder({
      secret: options.secret ?? new Uint8Array(32).fill(4),
      limits: limitsOf(options.limits ?? {}),
      ...(options.key ? { key: options.key } : {}),
    });
  }

  get nowNs(): bigint {
    return START_NS + BigInt(Math.round(this.nowMs * 1e6));
  }

  /** Sends a copy, since an answer may be written into what was sent. */
  send(bytes: Uint8Array, from: Uint8Array): Uint8Array | undefined {
    return this.responder.receive(bytes.slice(), from, this.nowNs, this.nowNs)?.slice();
  }

  ask(bytes: Uint8Array, from: Uint8Array): ServerDatagram | undefined {
    const answer = this.send(bytes, from);
    return answer && decodeServerDatagram(answer);
  }

  /** The `open` that goes with a cookie for this address. */
  prepareOpen(from: Uint8Array, options: { nonce?: number; key?: Uint8Array } = {}): Uint8Array {
    const clientNonce = new Uint8Array(16).fill(options.nonce ?? 1);
    const cookie = this.ask(encodeHello(clientNonce), from);
    assert.ok(cookie?.kind === 'cookie');
    const key = options.key ?? this.key;
    const mac = key ? proveKey(key, 'client', openTranscript(clientNonce, cookie.serverNonce, cookie.cookie)) : new Uint8Array(32);
    return encodeOpen({ clientNonce, cookie: cookie.cookie, serverNonce: cookie.serverNonce, mac });
  }

  open(from: Uint8Array, nonce?: number): bigint {
    const opened = this.ask(this.prepareOpen(from, nonce === undefined ? {} : { nonce }), from);
    assert.ok(opened?.kind === 'opened', `opened, not ${opened?.kind}`);
    return opened.session;
  }
}

export function address(host: string, port = 40_000): Uint8Array {
  return encodeAddress({ host, port, family: host.includes(':') ? 6 : 4 });
}
