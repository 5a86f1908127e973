import { randomBytes } from 'node:crypto';
import { formatEndpoint } from '../base/index.js';
import type { Clock, DatagramFlow, Endpoint } from '../base/index.js';
import type { Outcome } from '../results/index.js';
import {
  HELLO_BYTES,
  MAC_BYTES,
  NONCE_BYTES,
  OPEN_BYTES,
  REFUSAL,
  decodeServerDatagram,
  encodeHello,
  encodeOpen,
  openTranscript,
  proveKey,
  sameProof,
} from '../wire/index.js';
import type { ServerDatagram } from '../wire/index.js';
import { ask, failureOf } from './ask.js';

export interface HandshakeOptions {
  readonly clock: Clock;
  readonly key?: Uint8Array;
  /** For all of it. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What the responder allows, as it said when it opened the session. */
export interface SessionLimits {
  readonly echoPerSecondMax: number;
  readonly floodBpsMax: number;
  readonly floodMsMax: number;
}

export interface SessionFailure {
  readonly outcome: Exclude<Outcome, 'ok'>;
  readonly reason: string;
}

export type Handshake =
  | { readonly ok: true; readonly id: bigint; readonly limits: SessionLimits; readonly elapsedMs: number }
  | ({ readonly ok: false } & SessionFailure);

export const INTERRUPTED = 'interrupted before anything was measured';

/** hello -> cookie, open -> opened, each repeated until it is answered or the time is up. */
export async function handshake(flow: DatagramFlow, options: HandshakeOptions): Promise<Handshake> {
  const { clock, key, signal } = options;
  const { remote } = flow;
  const clientNonce = new Uint8Array(randomBytes(NONCE_BYTES));
  const odd = new Set<string>();
  const accept = (bytes: Uint8Array): ServerDatagram | undefined => {
    const datagram = decodeServerDatagram(bytes);
    if (datagram.kind === 'garbled') odd.add(datagram.why);
    const ours =
      (datagram.kind === 'cookie' || datagram.kind === 'opened' || datagram.kind === 'refused') && sameBytes(datagram.clientNonce, clientNonce);
    return ours ? datagram : undefined;
  };
  const question = { flow, clock, signal, accept };
  const hello = await ask({ ...question, payload: encodeHello(clientNonce), paddingOffset: HELLO_BYTES - 2, timeoutMs: options.timeoutMs });
  if (hello.answer?.kind === 'refused') return failed(refusal(hello.answer, remote));
  if (hello.answer?.kind !== 'cookie') return failed(silence(hello, odd, { remote, timeoutMs: options.timeoutMs }));
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
  if (open.answer?.kind !== 'opened') return failed(silence(open, odd, { remote, timeoutMs: options.timeoutMs }));
  const { session, maxPps, maxBps, maxDurationMs } = open.answer;
  if (key && !sameProof(proveKey(key, 'server', withSession(transcript, session)), open.answer.mac)) {
    return failed({
      outcome: 'refused',
      reason: `the responder at ${formatEndpoint(remote)} does not know the key: it may not be the one that you mean`,
    });
  }
  return {
    ok: true,
    id: session,
    limits: { echoPerSecondMax: maxPps, floodBpsMax: maxBps, floodMsMax: maxDurationMs },
    elapsedMs: hello.elapsedMs + open.elapsedMs,
  };
}

function failed(failure: SessionFailure): Handshake {
  return { ok: false, ...failure };
}

function keyMismatch(authRequired: boolean, key: Uint8Array | undefined, remote: Endpoint): SessionFailure | undefined {
  const where = formatEndpoint(remote);
  if (authRequired && !key) return { outcome: 'refused', reason: `the responder at ${where} wants a key: pass its file with --key-file` };
  if (!authRequired && key) {
    return {
      outcome: 'refused',
      reason: `the responder at ${where} was started without a key and cannot prove that it is yours: leave out --key-file to measure against it all the same`,
    };
  }
  return undefined;
}

function refusal(refused: Extract<ServerDatagram, { kind: 'refused' }>, remote: Endpoint): SessionFailure {
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
      return {
        outcome: 'unsupported',
        reason: `the responder at ${where} speaks another version of the protocol: use the same release at both ends`,
      };
    default:
      return { outcome: 'refused', reason: `the responder at ${where} refused (code ${refused.code})${again}` };
  }
}

/** Why there was no answer: the network said so, something else answers there, or nobody does. */
function silence(
  asked: { readonly errors: Readonly<Record<string, number>>; readonly aborted: boolean },
  odd: ReadonlySet<string>,
  asking: { remote: Endpoint; timeoutMs: number },
): SessionFailure {
  const where = formatEndpoint(asking.remote);
  if (asked.aborted) return { outcome: 'unchecked', reason: INTERRUPTED };
  const failure = failureOf(asked.errors);
  if (failure?.outcome === 'refused' && asked.errors['ECONNREFUSED']) {
    return { outcome: 'refused', reason: `${where}: ${failure.why}; start \`tautline serve\` there, or give its port` };
  }
  if (failure) return { outcome: failure.outcome, reason: `${where}: ${failure.why}` };
  if (odd.size > 0) {
    return { outcome: 'unsupported', reason: `what answers at ${where} is not a tautline serve of this release: ${[...odd].slice(0, 3).join('; ')}` };
  }
  return {
    outcome: 'timeout',
    reason: `${where} did not answer within ${Math.round(asking.timeoutMs)} ms: no tautline serve there, or a firewall drops UDP on the way`,
  };
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
