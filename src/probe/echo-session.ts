import { TautlineError, formatEndpoint } from '../base/index.js';
import type { Clock, DatagramFlow, Endpoint, Ports } from '../base/index.js';
import { ECHO_BYTES_MIN, ECHO_SEQUENCE_OFFSET, FINISH_BYTES, decodeServerDatagram, encodeEcho, encodeFinish } from '../wire/index.js';
import type { SessionReport } from '../wire/index.js';
import { ask } from './ask.js';
import { INTERRUPTED, handshake } from './echo-handshake.js';
import type { Handshake, HandshakeOptions, SessionFailure, SessionLimits } from './echo-handshake.js';
import { EchoTally, REPLY_BYTES_KEPT } from './echo-run.js';
import type { EchoRun } from './echo-run.js';
import { runSeries } from './series.js';

export interface EchoSessionOptions {
  readonly ports: Pick<Ports, 'clock' | 'datagrams'>;
  readonly remote: Endpoint;
  readonly key?: Uint8Array;
  readonly dscp?: number;
  /** What the client sends goes whole or not at all. */
  readonly dontFragment?: boolean;
  /** For the whole handshake. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface EchoRunOptions {
  readonly count: number;
  readonly intervalMs: number;
  /** Payload bytes of each echo and of its answer, at least 64. */
  readonly sizeBytes?: number;
  /** How long to wait for answers after the last echo. */
  readonly waitMs: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (sent: number, received: number) => void;
}

export type EchoSessionOutcome = { readonly outcome: 'ok'; readonly session: EchoSession } | SessionFailure;

/** How long a report is asked for; less when a person waits for an interrupted run to end. */
const FINISH_MS = 2000;
const FINISH_MS_ABORTED = 400;
/** Room for the report's figures per interval, within any path's MTU. */
export const FINISH_BYTES_WITH_INTERVALS = 1200;

/** Opens a session at a `tautline serve`: proves this address, and with a key each side to the other. Never rejects for what the network did. */
export async function openEchoSession(options: EchoSessionOptions): Promise<EchoSessionOutcome> {
  if (options.signal.aborted) return { outcome: 'unchecked', reason: INTERRUPTED };
  let flow: DatagramFlow;
  try {
    flow = await options.ports.datagrams.open({
      protocol: 'udp',
      remote: options.remote,
      ...(options.dscp === undefined ? {} : { dscp: options.dscp }),
      ...(options.dontFragment === undefined ? {} : { dontFragment: options.dontFragment }),
    });
  } catch (error) {
    return openFailure(error, options.remote);
  }
  const shaken = await handshake(flow, handshakeOptions(options)).catch(async (error: unknown) => {
    await flow.close();
    throw error;
  });
  if (shaken.ok) return { outcome: 'ok', session: new EchoSession(flow, options, shaken) };
  await flow.close();
  return { outcome: shaken.outcome, reason: shaken.reason };
}

/**
 * Opens a session at the first of a host's addresses that has a responder: a name may stand for an
 * IPv6 and an IPv4 address, and serve may listen on one of them. The first failure is the one reported.
 */
export async function openFirstSession(remotes: readonly Endpoint[], options: Omit<EchoSessionOptions, 'remote'>): Promise<EchoSessionOutcome> {
  let first: EchoSessionOutcome | undefined;
  for (const remote of remotes) {
    const opened = await openEchoSession({ ...options, remote });
    if (opened.outcome === 'ok' || opened.outcome === 'unchecked') return opened;
    first ??= opened;
  }
  return first ?? { outcome: 'lost', reason: 'the target has no address' };
}

/** One client's session. Runs one thing at a time; `close` ends it, and may be called twice. */
export class EchoSession {
  readonly flow: DatagramFlow;
  readonly limits: SessionLimits;
  /** Time from the first hello to the session. */
  readonly handshakeMs: number;
  readonly #options: EchoSessionOptions;
  #id: bigint;
  #used = false;
  #finishNonce = 0;
  #closed = false;

  constructor(flow: DatagramFlow, options: EchoSessionOptions, shaken: Extract<Handshake, { ok: true }>) {
    this.flow = flow;
    this.limits = shaken.limits;
    this.handshakeMs = shaken.elapsedMs;
    this.#options = options;
    this.#id = shaken.id;
  }

  /** The session's number; a further run gets a new one. */
  get id(): bigint {
    return this.#id;
  }

  /** Makes the session fresh where it has been used: sequence numbers begin again. */
  async renew(signal: AbortSignal): Promise<SessionFailure | undefined> {
    if (this.#used) {
      const shaken = await handshake(this.flow, { ...handshakeOptions(this.#options), signal });
      if (!shaken.ok) return { outcome: shaken.outcome, reason: shaken.reason };
      this.#id = shaken.id;
    }
    this.#used = true;
    return undefined;
  }

  /** Renews the session now, so that the next run sends its first echo at once: a handshake amid a load waits in its queues. */
  async prepare(signal: AbortSignal): Promise<SessionFailure | undefined> {
    const failure = await this.renew(signal);
    if (!failure) this.#used = false;
    return failure;
  }

  /** Sends a train of echoes and asks for the report. A peer that has gone away makes a run with losses. */
  async run(options: EchoRunOptions): Promise<EchoRun> {
    const lost = await this.renew(options.signal);
    const tally = new EchoTally(this.#id, options.count);
    const series = await runSeries(this.flow, {
      // A peer that does not answer the second handshake gets no train: its errors would say nothing new.
      count: lost ? 0 : options.count,
      payload: (first) => encodeEcho(this.#id, first, Math.max(ECHO_BYTES_MIN, options.sizeBytes ?? ECHO_BYTES_MIN)),
      sequenceOffset: ECHO_SEQUENCE_OFFSET + 2,
      intervalMs: options.intervalMs,
      waitMs: options.waitMs,
      replyBytesMax: REPLY_BYTES_KEPT,
      signal: options.signal,
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
      onReply: ({ bytes, arrivedMs }, log) => tally.reply(bytes, arrivedMs, log.sentMs),
    });
    const report = lost ? undefined : await this.finish({ timeoutMs: series.aborted ? FINISH_MS_ABORTED : FINISH_MS });
    return tally.finish(series, report);
  }

  /** What the peer has counted, or undefined when it does not say in time. */
  async finish(options: { sizeBytes?: number; timeoutMs?: number } = {}): Promise<SessionReport | undefined> {
    const nonce = ++this.#finishNonce;
    const { answer } = await ask({
      flow: this.flow,
      clock: this.#options.ports.clock,
      payload: encodeFinish(this.#id, nonce, options.sizeBytes ?? FINISH_BYTES),
      paddingOffset: FINISH_BYTES - 2,
      timeoutMs: options.timeoutMs ?? FINISH_MS,
      signal: NEVER,
      accept: (bytes) => {
        const datagram = decodeServerDatagram(bytes);
        return datagram.kind === 'report' && datagram.session === this.#id && datagram.nonce === nonce ? datagram : undefined;
      },
    });
    return answer;
  }

  get clock(): Clock {
    return this.#options.ports.clock;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.flow.close();
  }
}

const NEVER = new AbortController().signal;

/** Turns what `Datagrams.open` threw into an outcome. */
export function openFailure(error: unknown, remote: Endpoint): SessionFailure {
  if (!(error instanceof TautlineError) || error.code === 'usage') throw error;
  const outcome = error.code === 'unsupported' || error.code === 'permission' ? 'unsupported' : 'lost';
  return {
    outcome,
    reason: `cannot open a socket to ${formatEndpoint(remote)}: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`,
  };
}

function handshakeOptions({ ports, key, timeoutMs, signal }: EchoSessionOptions): HandshakeOptions {
  return { clock: ports.clock, timeoutMs, signal, ...(key ? { key } : {}) };
}
