import { randomBytes } from 'node:crypto';
import { formatEndpoint } from '../base/index.js';
import type { Endpoint, Ports } from '../base/index.js';
import { CONTROL_NONCE_BYTES, FrameChannel, controlTranscript, proveKey, sameProof } from '../wire/index.js';
import type { ControlLimits } from '../wire/index.js';
import { INTERRUPTED, connectFailure, oddAnswer, open } from './control-answer.js';
import type { ControlFailure } from './control-answer.js';
import { runStreamTest } from './stream-test.js';
import type { StreamTest, StreamTestResult } from './stream-test.js';

export interface ControlOptions {
  readonly ports: Pick<Ports, 'clock' | 'streams'>;
  readonly remote: Endpoint;
  readonly key?: Uint8Array;
  readonly dscp?: number;
  /** For connecting, and again for the handshake. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type ControlOutcome = { readonly outcome: 'ok'; readonly control: Control } | ControlFailure;

/** A control connection on which both sides have proved the key, where there is one. `close` ends it and whatever test runs, and may be called twice. */
export interface Control {
  /** What opens the HTTP paths of this server that move bytes: the header `tautline-ticket`. */
  readonly ticket: string;
  readonly limits: ControlLimits;
  /** What the server calls itself. */
  readonly software: string;
  readonly connectMs: number;
  /** Moves bulk data over TCP; one test at a time. */
  test(test: StreamTest): Promise<StreamTestResult>;
  close(): void;
}

/** Opens a control connection to a `tautline serve`. Never rejects for what the network or the server did. */
export async function openControl(options: ControlOptions): Promise<ControlOutcome> {
  const { ports, remote, timeoutMs, signal } = options;
  if (signal.aborted) return { outcome: 'unchecked', reason: INTERRUPTED };
  const made = await ports.streams.connect({ remote, timeoutMs, signal, ...(options.dscp === undefined ? {} : { dscp: options.dscp }) });
  if (signal.aborted) {
    if (made.outcome === 'ok') made.connection.close();
    return { outcome: 'unchecked', reason: INTERRUPTED };
  }
  if (made.outcome !== 'ok') return connectFailure(made);
  const channel = new FrameChannel(made.connection);
  const shaken = await handshake(channel, options);
  if ('outcome' in shaken) {
    channel.connection.close();
    return shaken;
  }
  return {
    outcome: 'ok',
    control: {
      ...shaken,
      connectMs: made.connectMs,
      test: (test) => runStreamTest({ ...options, channel }, test),
      close: () => channel.connection.close(),
    },
  };
}

interface Shaken {
  readonly ticket: string;
  readonly limits: ControlLimits;
  readonly software: string;
}

async function handshake(channel: FrameChannel, options: ControlOptions): Promise<Shaken | ControlFailure> {
  const { key, remote, signal } = options;
  const where = formatEndpoint(remote);
  const wait = { timeoutMs: options.timeoutMs, signal };
  const nonce = new Uint8Array(randomBytes(CONTROL_NONCE_BYTES));
  await open(channel.connection, { type: 'hello', nonce: hexOf(nonce) });
  const challenge = await channel.next(wait);
  if (challenge.kind !== 'frame' || challenge.frame.type !== 'challenge') return oddAnswer(challenge, options);
  if (challenge.frame.auth && !key)
    return { outcome: 'refused', byServe: true, reason: `the server at ${where} wants a key: pass its file with --key-file` };
  if (!challenge.frame.auth && key) {
    return {
      outcome: 'refused',
      byServe: true,
      reason: `the server at ${where} was started without a key and cannot prove that it is yours: leave out --key-file to measure against it all the same`,
    };
  }
  const transcript = controlTranscript(nonce, Uint8Array.from(Buffer.from(challenge.frame.nonce, 'hex')));
  await channel.send({ type: 'auth', mac: key ? hexOf(proveKey(key, 'client', transcript)) : '' });
  const welcome = await channel.next(wait);
  if (welcome.kind !== 'frame' || welcome.frame.type !== 'welcome') return oddAnswer(welcome, options);
  if (key && !sameProof(proveKey(key, 'server', transcript), Uint8Array.from(Buffer.from(welcome.frame.mac, 'hex')))) {
    return {
      outcome: 'refused',
      byServe: true,
      reason: `the server at ${where} does not know the key: it may not be the one that you mean`,
    };
  }
  return { ticket: welcome.frame.ticket, limits: welcome.frame.limits, software: challenge.frame.software };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
