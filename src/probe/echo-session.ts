import { randomBytes } from 'node:crypto';
import { TautlineError, formatEndpoint } from '../base/index.js';
import type { Clock, DatagramFlow, Endpoint, Ports } from '../base/index.js';
import type { Outcome } from '../results/index.js';
import {
  ECHO_BYTES_MIN,
  ECHO_SEQUENCE_OFFSET,
  FINISH_BYTES,
  HELLO_BYTES,
  MAC_BYTES,
  NONCE_BYTES,
  OPEN_BYTES,
  REFUSAL,
  decodeServerDatagram,
  encodeEcho,
  encodeFinish,
  encodeHello,
  encodeOpen,
  openTranscript,
  proveKey,
  sameProof,
} from '../wire/index.js';
import type { ServerDatagram, SessionReport } from '../wire/index.js';
import { ask, failureOf } from './ask.js';
import { EchoTally, REPLY_BYTES_KEPT } from './echo-run.js';
import type { EchoRun } from './echo-run.js';
import { runSeries } from './series.js';

export interface EchoSessionOptions {
  readonly ports: Pick<Ports, 'clock' | 'datagrams'>;
  readonly remote: Endpoint;
  readonly key?: Uint8Array;
  readonly dscp?: number;
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

export interface SessionLimits {
  readonly echoPerSecondMax: number;
  readonly floodBpsMax: number;
  readonly floodMsMax: number;
}

export type EchoSessionOutcome =
  | { readonly outcome: 'ok'; readonly session: EchoSession }
  | { readonly outcome: Exclude<Outcome, 'ok'>; readonly reason: string };

type Failure = Exclude<EchoSessionOutcome, { outcome: 'ok' }>;
type Handshake = { readonly ok: true; readonly id: bigint; readonly limits: SessionLimits; readonly elapsedMs: number } | ({ readonly ok: false } & Failure);

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
    flow = await options.ports.datagrams.open({ protocol: 'udp', remote: options.remote, ...(options.dscp === undefined ? {} : { dscp: options.dscp }) });
  } catch (error) {
    return openFailure(error, options.remote);
  }
  const shaken = await handshake(flow, options).catch(async (error: unknown) => {
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
  async renew(signal: AbortSignal): Promise<Failure | undefined> {
    if (this.#used) {
      const shaken = await handshake(this.flow, { ...this.#options, signal });
      if (!shaken.ok) return { outcome: shaken.outcome, reason: shaken.reason };
      this.#id = shaken.id;
    }
    this.#used = true;
    return undefined;
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

const INTERRUPTED = 'interrupted before anything was measured';
const NEVER = new AbortController().signal;

/** Turns what `Datagrams.open` threw into an outcome. */
export function openFailure(error: unknown, remote: Endpoint): Failure {
  if (!(error instanceof TautlineError) || error.code === 'usage') throw error;
  const outcome = error.code === 'unsupported' || error.code === 'permission' ? 'unsupported' : 'lost';
  return { outcome, reason: `cannot open a socket to ${formatEndpoint(remote)}: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}` };
}

// --- Handshake -------------------------------------------------------------------------------

/** hello -> cookie, open -> opened, each repeated until it is answered or the time is up. */
async function handshake(flow: DatagramFlow, options: EchoSessionOptions): Promise<Handshake> {
  const { ports, remote, key, signal } = options;
  const clientNonce = new Uint8Array(randomBytes(NONCE_BYTES));
  const odd = new Set<string>();
  const accept = (bytes: Uint8Array): ServerDatagram | undefined => {
    const datagram = decodeServerDatagram(bytes);
    if (datagram.kind === 'garbled') odd.add(datagram.why);
    const ours = (datagram.kind === 'cookie' || datagram.kind === 'opened' || datagram.kind === 'refused') && sameBytes(datagram.clientNonce, clientNonce);
    return ours ? datagram : undefined;
  };
  const question = { flow, clock: ports.clock, signal, accept };
  const hello = await ask({ ...question, payload: encodeHello(clientNonce), paddingOffset: HELLO_BYTES - 2, timeoutMs: options.timeoutMs });
  if (hello.answer?.kind === 'refused') return failed(refusal(hello.answer, remote));
  if (hello.answer?.kind !== 'cookie') return failed(silence(hello, odd, options));
  const { cookie, serverNonce, authRequired } = hello.answer;
  const mismatch = keyMismatch(authRequired, key, remote);
  if (mismatch) return failed(mismatch);
  const transcript = openTranscript(clientNonce, serverNonce, cookie);
  const mac = key ? proveKey(key, 'client', transcript) : new Uint8Array(MAC_BYTES);
  const leftMs = Math.max(1, options.timeoutMs - hello.elapsedMs);
  const open = await ask({
    ...question,
    payload: encodeOpen({ clientNonce, cookie, serverNonce, mac }),
    paddingOffset: OPEN_BYTES - 2,
    timeoutMs: leftMs,
    // A second cookie, for a hello that was sent twice, is not the answer to `open`.
    accept: (bytes) => {
      const datagram = accept(bytes);
      return datagram?.kind === 'cookie' ? undefined : datagram;
    },
  });
  if (open.answer?.kind === 'refused') return failed(refusal(open.answer, remote));
  if (open.answer?.kind !== 'opened') return failed(silence(open, odd, options));
  const { session, maxPps, maxBps, maxDurationMs } = open.answer;
  if (key && !sameProof(proveKey(key, 'server', withSession(transcript, session)), open.answer.mac)) {
    return failed({ outcome: 'refused', reason: `the responder at ${formatEndpoint(remote)} does not know the key: it may not be the one that you mean` });
  }
  return {
    ok: true,
    id: session,
    limits: { echoPerSecondMax: maxPps, floodBpsMax: maxBps, floodMsMax: maxDurationMs },
    elapsedMs: hello.elapsedMs + open.elapsedMs,
  };
}

function failed(failure: Failure): Handshake {
  return { ok: false, ...failure };
}

function keyMismatch(authRequired: boolean, key: Uint8Array | undefined, remote: Endpoint): Failure | undefined {
  const where = formatEndpoint(remote);
  if (authRequired && !key) return { outcome: 'refused', reason: `the responder at ${where} wants a key: pass its file with --key-file` };
  if (!authRequired && key) {
    return { outcome: 'refused', reason: `the responder at ${where} was started without a key and cannot prove that it is yours: leave out --key-file to measure against it all the same` };
  }
  return undefined;
}

function refusal(refused: Extract<ServerDatagram, { kind: 'refused' }>, remote: Endpoint): Failure {
  const where = formatEndpoint(remote);
  const again = refused.retryAfterMs > 0 ? `, try again in ${Math.ceil(refused.retryAfterMs / 1000)} s` : '';
  switch (refused.code) {
    case REFUSAL.key:
      return { outcome: 'refused', reason: `the responder at ${where} has another key: compare the key files of both ends` };
    case REFUSAL.sessions:
      return { outcome: 'refused', reason: `the responder at ${where} has as many sessions as its limits allow${again}` };
    case REFUSAL.rate:
      return { outcome: 'refused', reason: `the responder at ${where} is busy with as many floods as its limits allow${again}` };
    case REFUSAL.version:
      return { outcome: 'unsupported', reason: `the responder at ${where} speaks another version of the protocol: use the same release at both ends` };
    default:
      return { outcome: 'refused', reason: `the responder at ${where} refused (code ${refused.code})${again}` };
  }
}

/** Why there was no answer: the network said so, something else answers there, or nobody does. */
function silence(asked: { readonly errors: Readonly<Record<string, number>>; readonly aborted: boolean }, odd: ReadonlySet<string>, options: EchoSessionOptions): Failure {
  const where = formatEndpoint(options.remote);
  if (asked.aborted) return { outcome: 'unchecked', reason: INTERRUPTED };
  const failure = failureOf(asked.errors);
  if (failure?.outcome === 'refused' && asked.errors['ECONNREFUSED']) {
    return { outcome: 'refused', reason: `${where}: ${failure.why}; start \`tautline serve\` there, or give its port` };
  }
  if (failure) return { outcome: failure.outcome, reason: `${where}: ${failure.why}` };
  if (odd.size > 0) {
    return { outcome: 'unsupported', reason: `what answers at ${where} is not a tautline serve of this release: ${[...odd].slice(0, 3).join('; ')}` };
  }
  return { outcome: 'timeout', reason: `${where} did not answer within ${Math.round(options.timeoutMs)} ms: no tautline serve there, or a firewall drops UDP on the way` };
}

function withSession(transcript: Uint8Array, session: bigint): Uint8Array {
  const bytes = new Uint8Array(transcript.length + 8);
  bytes.set(transcript);
  new DataView(bytes.buffer).setBigUint64(transcript.length, session);
  return bytes;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
