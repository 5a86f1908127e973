import { formatEndpoint } from '../base/index.js';
import type { Endpoint } from '../base/index.js';
import { lossOf } from '../stats/index.js';
import type { Loss, Outcome } from '../results/index.js';
import type { CommonOptions, ProbeRequest } from './probe.js';
import type { Sampling } from './sampling.js';

/** Where nothing answers, so many tries say so; the rest would only take time. */
const GIVE_UP_AFTER = 3;
/** So many failures in a row after answers mean that these stopped, not that some were lost. */
const STOPPED_AFTER = 5;

export type PortFailure = { readonly outcome: 'refused' | 'timeout' | 'unreachable' | 'failed'; readonly reason: string };
export type Attempt<T> = { readonly outcome: 'ok'; readonly value: T } | PortFailure;

export interface AttemptPlan<T> {
  /** The target's addresses; the first that answers is kept to. */
  readonly remotes: readonly Endpoint[];
  readonly sampling: Sampling;
  readonly request: Pick<ProbeRequest<CommonOptions>, 'ports' | 'signal' | 'onProgress'>;
  /** For the progress line, such as `connecting`. */
  readonly doing: string;
  readonly attempt: (remote: Endpoint, index: number) => Promise<Attempt<T>>;
}

export interface Attempts<T> {
  readonly remote: Endpoint;
  readonly values: readonly T[];
  readonly failures: readonly PortFailure[];
  readonly sent: number;
  readonly planned: number;
  readonly aborted: boolean;
  /** Addresses of the target that did not answer before one that did, and why. */
  readonly passedOver: Readonly<Record<string, string>>;
}

/**
 * Tries again and again at a steady pace, one at a time, each on its own. It ends early when nothing
 * answers from the beginning, when answers stop, or on abort.
 */
export async function attemptAll<T>(plan: AttemptPlan<T>): Promise<Attempts<T>> {
  const { sampling, request } = plan;
  const { ports, signal } = request;
  const startMs = ports.clock.nowMs();
  const values: T[] = [];
  const failures: PortFailure[] = [];
  const passedOver: Record<string, string> = {};
  let remote = plan.remotes[0] as Endpoint;
  let inARow = 0;
  let sent = 0;
  for (let i = 0; i < sampling.count; i++) {
    const waitMs = startMs + i * sampling.intervalMs - ports.clock.nowMs();
    if (waitMs > 0) await ports.clock.sleep(waitMs, signal);
    if (signal.aborted) break;
    request.onProgress(`${plan.doing} ${formatEndpoint(remote)}, ${i + 1} of ${sampling.count}`, i / sampling.count);
    let result = await plan.attempt(remote, i);
    if (i === 0 && result.outcome !== 'ok' && !signal.aborted) {
      for (const other of plan.remotes.slice(1)) {
        const next = await plan.attempt(other, i);
        if (signal.aborted) break;
        if (next.outcome === 'ok') {
          passedOver[remote.host] = result.reason;
          remote = other;
          result = next;
          break;
        }
        passedOver[other.host] = next.reason;
      }
    }
    // An attempt that was cut short says nothing.
    if (result.outcome !== 'ok' && signal.aborted) break;
    sent++;
    if (result.outcome === 'ok') {
      values.push(result.value);
      inARow = 0;
    } else {
      failures.push(result);
      inARow++;
    }
    if (inARow >= (values.length === 0 ? GIVE_UP_AFTER : STOPPED_AFTER)) break;
  }
  return { remote, values, failures, sent, planned: sampling.count, aborted: signal.aborted, passedOver };
}

export interface AttemptVerdict {
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly partial?: true;
  readonly loss?: Loss;
}

/** What to call the attempts as a whole, why, and how many were lost. `what` names one, such as `connection`. */
export function verdictOf(attempts: Attempts<unknown>, what: string): AttemptVerdict {
  const { values, failures, sent, planned, aborted } = attempts;
  if (sent === 0) return { outcome: 'unchecked', reason: 'interrupted before anything was measured', ...(aborted ? { partial: true } : {}) };
  const loss = lossOf(sent, values.length);
  const last = failures.at(-1);
  if (values.length === 0) {
    const first = failures[0] as PortFailure;
    return { outcome: OUTCOMES[first.outcome], reason: first.reason, loss, ...(aborted ? { partial: true } : {}) };
  }
  if (aborted) return { outcome: 'ok', reason: `interrupted after ${sent} of ${planned} ${what}s`, partial: true, loss };
  if (sent < planned && last)
    return {
      outcome: OUTCOMES[last.outcome],
      reason: `answers stopped after ${values.length} of ${planned} ${what}s: ${last.reason}`,
      partial: true,
      loss,
    };
  if (last) return { outcome: 'ok', reason: `${failures.length} of ${sent} ${what}s failed: ${tally(failures)}`, loss };
  return { outcome: 'ok', loss };
}

/** The kinds of failure, each with its count and the first reason for it. */
function tally(failures: readonly PortFailure[]): string {
  const kinds = new Map<string, { count: number; reason: string }>();
  for (const { outcome, reason } of failures) {
    const kind = kinds.get(outcome);
    if (kind) kind.count++;
    else kinds.set(outcome, { count: 1, reason });
  }
  return [...kinds].map(([outcome, { count, reason }]) => `${count} ${outcome} (${reason})`).join('; ');
}

/** How the ports' outcomes are called in a result: whatever else went wrong, nothing came back. */
export const OUTCOMES: Readonly<Record<PortFailure['outcome'], Exclude<Outcome, 'ok'>>> = {
  refused: 'refused',
  timeout: 'timeout',
  unreachable: 'lost',
  failed: 'lost',
};
