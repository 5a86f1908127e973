import { randomBytes } from 'node:crypto';
import { formatEndpoint } from '../base/index.js';
import type { Endpoint, HostAbout, Ports } from '../base/index.js';
import { CONTROL_NONCE_BYTES, FrameChannel, controlTranscript, proveKey, sameProof } from '../wire/index.js';
import type { ControlLimits } from '../wire/index.js';
import { INTERRUPTED, connectFailure, oddAnswer, open } from './control-answer.js';
import type { ControlFailure } from './control-answer.js';
import { runStreamTest } from './stream-test.js';
import type { StreamTest, StreamTestResult } from './stream-test.js';

export interface ControlOptions {
  /** With facts, tests tell how busy this host was too. */
  readonly ports: Pick<Ports, 'clock' | 'streams'> & Partial<Pick<Ports, 'facts'>>;
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
  /** What the server says of the host that it runs on; not while a test runs. A refusal leaves the connection as it was. */
  about(): Promise<AboutOutcome>;
  close(): void;
}

export type AboutOutcome = { readonly outcome: 'ok'; readonly about: HostAbout } | ControlFailure;

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
      ticket: shaken.ticket,
      limits: shaken.limits,
      software: shaken.software,
      connectMs: made.connectMs,
      test: (test) => runStreamTest({ ...options, channel }, test),
      about: () => ask(channel, options, shaken.answersAbout),
      close: () => channel.connection.close(),
    },
  };
}

interface Shaken {
  readonly ticket: string;
  readonly limits: ControlLimits;
  readonly software: string;
  /** Undefined: a release that does not know the question, and would close the connection over it. */
  readonly answersAbout: boolean | undefined;
}

async function ask(channel: FrameChannel, options: ControlOptions, answers: boolean | undefined): Promise<AboutOutcome> {
  const where = formatEndpoint(options.remote);
  if (answers === undefined)
    return { outcome: 'unsupported', reason: `the server at ${where} is of a release that does not tell about its host: update it there` };
  if (!answers) return { outcome: 'refused', byServe: true, reason: `the server at ${where} is set not to tell about its host (serve.about)` };
  await channel.send({ type: 'about' });
  const answer = await channel.next({ timeoutMs: options.timeoutMs, signal: options.signal });
  if (answer.kind !== 'frame' || answer.frame.type !== 'about') return oddAnswer(answer, options);
  const { about } = answer.frame;
  return about ? { outcome: 'ok', about } : { outcome: 'unsupported', reason: `the server at ${where} cannot read what its host is` };
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
  const { ticket, limits, about } = welcome.frame;
  return { ticket, limits, software: challenge.frame.software, answersAbout: about };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
