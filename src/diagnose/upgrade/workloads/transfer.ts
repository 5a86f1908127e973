import type { Bound, Carrier, Carriers, Judged, Outcome } from '../workload.js';
import { byteRateText, durationText, factorText, lowest, verdictOf } from '../workload.js';

/** A handshake and the first request before data flows. */
const SETUP_ROUND_TRIPS = 2;

export interface Transfer {
  readonly title: string;
  readonly sizeBytes: number;
  /** What bounds this work beside the path: disks, a framework. */
  readonly beside: (carrier: Carrier) => readonly Bound[];
  /** It is good enough within so many seconds, and the need in words. */
  readonly need?: { readonly seconds: number; readonly text: string };
  readonly assumed?: readonly string[];
}

/** Work that is one transfer after another: its time is size over the slowest part, as the parts work side by side. */
export function judgeTransfer(transfer: Transfer, { now, after }: Carriers): Judged {
  const outcomes = { now: outcomeOf(transfer, now), after: outcomeOf(transfer, after) };
  const factor = (outcomes.now.seconds ?? 0) / (outcomes.after.seconds ?? 1);
  const { need } = transfer;
  const met = need && { now: (outcomes.now.seconds ?? 0) <= need.seconds, after: (outcomes.after.seconds ?? 0) <= need.seconds };
  const verdict = verdictOf(factor, met);
  const { next } = lowest(boundsOf(transfer, after));
  const limits = `then ${outcomes.after.limitedBy} limits it`;
  const beyond = next && Number.isFinite(next.bps) ? `, and ${next.what} comes next at ${byteRateText(next.bps)}` : '';
  const gain =
    factor < 1.1
      ? 'it takes as long either way'
      : `${durationText(outcomes.now.seconds ?? 0)} becomes ${durationText(outcomes.after.seconds ?? 0)}, ${factorText(factor)} as fast`;
  const needed = need ? `; ${need.text}: ${met?.now === true ? 'met now' : met?.after === true ? 'met only then' : 'missed either way'}` : '';
  return {
    title: transfer.title,
    ...outcomes,
    factor,
    verdict,
    why: `${gain}; ${limits}${beyond}${needed}`,
    ...(transfer.assumed ? { assumed: transfer.assumed } : {}),
  };
}

function boundsOf(transfer: Transfer, carrier: Carrier): readonly Bound[] {
  return [...carrier.bounds, ...transfer.beside(carrier)];
}

function outcomeOf(transfer: Transfer, carrier: Carrier): Outcome {
  const { bound } = lowest(boundsOf(transfer, carrier));
  const seconds = (transfer.sizeBytes * 8) / bound.bps + (SETUP_ROUND_TRIPS * carrier.rttMs) / 1000;
  return { text: `${durationText(seconds)} at ${byteRateText(bound.bps)}`, seconds, bps: bound.bps, limitedBy: bound.what };
}
