import type { Clock, Connection, Endpoint, HostAbout, HostFacts, Streams } from '../base/index.js';
import {
  CLIENT_FRAME_BYTES_MAX,
  CONTROL_NONCE_BYTES,
  FrameChannel,
  TEST_STREAMS_MAX,
  controlTranscript,
  encodeAddress,
  proveKey,
  sameProof,
  trimAbout,
} from '../wire/index.js';
import type { ControlFrame, RefusedFrame } from '../wire/index.js';
import type { Limits } from './limits.js';
import { RunningTest, refuseTest, sendOrClose } from './running-test.js';
import { clientOf } from './sessions.js';
import type { Tickets } from './tickets.js';
import { TokenBucket } from './token-bucket.js';

export interface ControlPorts {
  readonly clock: Pick<Clock, 'nowMs' | 'sleep'>;
  readonly pump: Streams['pump'];
  /** Unpredictable bytes. */
  readonly random: (count: number) => Uint8Array;
  /** How busy this host is, for reports of tests; left out: not told. */
  readonly processors?: HostFacts['processors'];
}

export interface ControlOptions {
  readonly limits: Limits;
  readonly key?: Uint8Array;
  /** What this server calls itself. */
  readonly software: string;
  /** What a proved client gets for HTTP. */
  readonly tickets: Tickets;
  /** What this host says of itself to a client at this address; left out: nothing. */
  readonly about?: (remote: Endpoint) => Promise<HostAbout>;
}

/**
 * The server's side of the TCP protocol: takes connections that begin with our preface and serves
 * them to their end, control connections (handshake, tests one after another) and data connections
 * (which a test then owns) alike. A control connection that ends frees everything that hung on it.
 */
export class ControlServer {
  readonly #ports: ControlPorts;
  readonly #options: ControlOptions;
  readonly #tests = new Map<string, RunningTest>();
  readonly #control = new Set<FrameChannel>();
  readonly #counters = {
    controls: 0,
    joins: 0,
    tests: 0,
    abouts: 0,
    refusedKey: 0,
    refusedLimit: 0,
    refusedOther: 0,
    garbled: 0,
    handshakeTimeouts: 0,
    bytesReceived: 0,
    bytesSent: 0,
  };
  readonly #aboutBudget: TokenBucket;
  #closed = false;

  constructor(ports: ControlPorts, options: ControlOptions) {
    this.#ports = ports;
    this.#options = options;
    const { aboutPerSecondMax } = options.limits;
    this.#aboutBudget = new TokenBucket({ perSecond: aboutPerSecondMax, burst: aboutPerSecondMax, nowMs: ports.clock.nowMs() });
  }

  /**
   * Serves a connection, from its preface on. Resolves when the connection has ended or, for a data
   * connection, belongs to a test; never rejects.
   * @param onProven called once the peer has shown that it may be here
   */
  async accept(connection: Connection, onProven: () => void = () => {}): Promise<void> {
    if (this.#closed) return connection.close();
    const channel = new FrameChannel(connection, { preface: true, frameBytesMax: CLIENT_FRAME_BYTES_MAX });
    const deadlineMs = this.#ports.clock.nowMs() + this.#options.limits.handshakeMs;
    const first = await this.#frame(channel, deadlineMs);
    if (first?.type === 'hello') {
      this.#counters.controls++;
      this.#control.add(channel);
      await this.#serveControl(channel, first.nonce, { deadlineMs, onProven });
      this.#control.delete(channel);
      connection.close();
    } else if (first?.type === 'join') {
      this.#counters.joins++;
      await this.#join(channel, first, onProven);
    } else {
      if (first) await this.#refuse(channel, protocolRefusal(`a connection that begins with '${first.type}'`));
      connection.close();
    }
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, testsRunning: this.#tests.size, controlsOpen: this.#control.size };
  }

  /** Ends every test and connection. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const test of this.#tests.values()) test.close();
    for (const channel of this.#control) channel.connection.close();
  }

  async #serveControl(channel: FrameChannel, clientNonce: string, how: { deadlineMs: number; onProven: () => void }): Promise<void> {
    const { connection } = channel;
    const { clock, random } = this.#ports;
    const { key, limits, software, tickets } = this.#options;
    const nonce = random(CONTROL_NONCE_BYTES);
    await channel.send({ type: 'challenge', nonce: hexOf(nonce), auth: key !== undefined, software });
    const auth = await this.#frame(channel, how.deadlineMs);
    if (auth?.type !== 'auth') {
      if (auth) await this.#refuse(channel, protocolRefusal(`'${auth.type}' before the handshake was over`));
      return;
    }
    const transcript = controlTranscript(bytesOf(clientNonce), nonce);
    if (key && !sameProof(proveKey(key, 'client', transcript), bytesOf(auth.mac))) {
      await this.#refuse(channel, {
        type: 'refused',
        code: 'key',
        message: auth.mac === '' ? 'this server wants a key' : 'this server has another key',
        hint: auth.mac === '' ? 'pass the key file with --key-file' : 'compare the key files of both ends',
      });
      return;
    }
    how.onProven();
    const client = clientOf(encodeAddress(connection.remote));
    await channel.send({
      type: 'welcome',
      mac: key ? hexOf(proveKey(key, 'server', transcript)) : '',
      ticket: tickets.issue(client, clock.nowMs()),
      limits: {
        streamsMax: Math.min(limits.streamsMax, TEST_STREAMS_MAX),
        durationMsMax: limits.testMs,
        rateBpsMax: limits.streamRateBpsMax,
      },
      about: this.#options.about !== undefined,
    });
    await this.#serveTests(channel, client);
  }

  async #serveTests(channel: FrameChannel, client: string): Promise<void> {
    const { limits } = this.#options;
    let test: RunningTest | undefined;
    let lastMs = this.#ports.clock.nowMs();
    try {
      while (!this.#closed) {
        const event = await channel.next({ timeoutMs: limits.controlIdleMs });
        if (test?.over) test = this.#drop(test);
        const nowMs = this.#ports.clock.nowMs();
        if (event.kind === 'timeout') {
          if (!test && nowMs - lastMs >= limits.controlIdleMs) return;
          if (test) lastMs = nowMs;
          continue;
        }
        lastMs = nowMs;
        if (event.kind === 'ended') return;
        if (event.kind === 'garbled') {
          this.#counters.garbled++;
          await this.#refuse(channel, protocolRefusal(event.why));
          return;
        }
        const { frame } = event;
        if (frame.type === 'test' && !test) test = await this.#open(channel, frame, client);
        else if (frame.type === 'start' && test?.start()) continue;
        else if (frame.type === 'stop') test?.stop();
        else if (frame.type === 'about' && !test && this.#options.about) await this.#about(channel, this.#options.about);
        else {
          await this.#refuse(
            channel,
            protocolRefusal(`'${frame.type}' does not fit here${frame.type === 'start' ? ': not every stream has joined' : ''}`),
          );
          return;
        }
      }
    } finally {
      if (test) this.#drop(test);
    }
  }

  /** Reading the facts costs a millisecond of system calls, and is not to be had without end. */
  async #about(channel: FrameChannel, read: NonNullable<ControlOptions['about']>): Promise<void> {
    if (!this.#aboutBudget.take(1, this.#ports.clock.nowMs())) {
      await this.#refuse(channel, {
        type: 'refused',
        code: 'limit',
        message: `this server tells about itself ${this.#options.limits.aboutPerSecondMax} times a second at most`,
        hint: 'ask again later, or raise aboutPerSecondMax at the server',
      });
      return;
    }
    this.#counters.abouts++;
    const about = await read(channel.connection.remote).catch(() => undefined);
    await sendOrClose(channel, { type: 'about', ...(about ? { about: trimAbout(about) } : {}) }, this.#ports.clock);
  }

  async #open(channel: FrameChannel, frame: Extract<ControlFrame, { type: 'test' }>, client: string): Promise<RunningTest | undefined> {
    const refusal = refuseTest(frame, { limits: this.#options.limits, client, running: [...this.#tests.values()] });
    if (refusal) {
      await this.#refuse(channel, refusal);
      return undefined;
    }
    const id = hexOf(this.#ports.random(16));
    const test = new RunningTest({
      ports: this.#ports,
      limits: this.#options.limits,
      frame,
      client,
      channel,
      onBytes: (received, sent) => {
        this.#counters.bytesReceived += received;
        this.#counters.bytesSent += sent;
      },
      onOver: () => this.#tests.delete(id),
    });
    this.#tests.set(id, test);
    this.#counters.tests++;
    await sendOrClose(channel, { type: 'ready', test: id }, this.#ports.clock);
    return test;
  }

  #drop(test: RunningTest): undefined {
    test.close();
    return undefined;
  }

  async #join(channel: FrameChannel, frame: Extract<ControlFrame, { type: 'join' }>, onProven: () => void): Promise<void> {
    const test = this.#tests.get(frame.test);
    const why = test ? test.join(channel.connection, frame) : 'there is no such test (any more)';
    if (why !== undefined) {
      await this.#refuse(channel, { type: 'refused', code: 'unknown-test', message: why, hint: 'measure again' });
      channel.connection.close();
      return;
    }
    onProven();
    await channel.send({ type: 'joined' });
  }

  /** The next frame before the handshake's deadline; undefined when none came that could be read. */
  async #frame(channel: FrameChannel, deadlineMs: number): Promise<ControlFrame | undefined> {
    const event = await channel.next({ timeoutMs: Math.max(1, deadlineMs - this.#ports.clock.nowMs()) });
    if (event.kind === 'frame') return event.frame;
    if (event.kind === 'timeout') this.#counters.handshakeTimeouts++;
    if (event.kind === 'garbled') {
      this.#counters.garbled++;
      await this.#refuse(channel, protocolRefusal(event.why));
    }
    return undefined;
  }

  async #refuse(channel: FrameChannel, refusal: RefusedFrame): Promise<void> {
    if (refusal.code === 'key') this.#counters.refusedKey++;
    else if (refusal.code === 'limit') this.#counters.refusedLimit++;
    else this.#counters.refusedOther++;
    await sendOrClose(channel, refusal, this.#ports.clock, { canMiss: true });
  }
}

function protocolRefusal(what: string): RefusedFrame {
  return {
    type: 'refused',
    code: 'protocol',
    message: `this server does not understand ${what}`,
    hint: 'use the same release of tautline at both ends',
  };
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
