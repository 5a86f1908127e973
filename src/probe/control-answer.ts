import { formatEndpoint } from '../base/index.js';
import type { Connection, Endpoint } from '../base/index.js';
import type { Outcome } from '../results/index.js';
import { encodeFrame, encodePreface } from '../wire/index.js';
import type { ChannelEvent, ControlFrame } from '../wire/index.js';

export type ControlFailure = {
  readonly outcome: Exclude<Outcome, 'ok'>;
  readonly reason: string;
  /** Whether it was a tautline serve that said no, and not merely something that closed the connection. */
  readonly byServe?: true;
};

export const INTERRUPTED = 'interrupted before anything was measured';

/** Turns an unsuccessful connect into an outcome, with what to do about it. */
export function connectFailure(made: {
  readonly outcome: 'refused' | 'timeout' | 'unreachable' | 'failed';
  readonly reason: string;
}): ControlFailure {
  if (made.outcome === 'refused') return { outcome: 'refused', reason: `${made.reason}; start \`tautline serve\` there, or give its port` };
  return { outcome: made.outcome === 'timeout' ? 'timeout' : 'lost', reason: made.reason };
}

/** Sends the preface and a first frame in one write. */
export function open(connection: Connection, frame: ControlFrame): Promise<boolean> {
  return connection.write(new Uint8Array([...encodePreface(), ...encodeFrame(frame)])).then(
    () => true,
    () => false,
  );
}

/** What it means when something else came than the protocol foresees, or nothing. */
export function oddAnswer(
  event: ChannelEvent,
  options: { readonly remote: Endpoint; readonly signal: AbortSignal; readonly timeoutMs: number },
): ControlFailure {
  const where = formatEndpoint(options.remote);
  if (options.signal.aborted) return { outcome: 'unchecked', reason: INTERRUPTED };
  switch (event.kind) {
    case 'frame':
      if (event.frame.type === 'refused')
        return { outcome: 'refused', byServe: true, reason: `${where}: ${event.frame.message}: ${event.frame.hint}` };
      return {
        outcome: 'unsupported',
        reason: `the server at ${where} sent '${event.frame.type}' out of turn: use the same release of tautline at both ends`,
      };
    case 'garbled':
      return {
        outcome: 'unsupported',
        reason: `what answers at ${where} is not a tautline serve of this release (${event.why}): use the same release at both ends, or check the port`,
      };
    case 'ended':
      return {
        outcome: 'refused',
        reason: `${where} accepted the connection and closed it: no tautline serve there, or it has as many connections as its limits allow`,
      };
    case 'timeout':
      return {
        outcome: 'timeout',
        reason: `${where} accepted the connection and said nothing within ${Math.round(options.timeoutMs)} ms: no tautline serve there, or it hangs`,
      };
  }
}
