/*
 * Reads what the anchors print. Each function takes the whole output of one run and returns plain
 * figures, or throws with the anchor's own words.
 */

/** iperf3 -J. Rates are counted at the receiver. */
export interface Iperf3Result {
  readonly receivedBps: number;
  /** UDP only. */
  readonly sentPps?: number;
  readonly receivedPps?: number;
}

export function readIperf3(text: string): Iperf3Result {
  const { end, error } = JSON.parse(text) as Iperf3Document;
  if (error !== undefined || !end.sum_received) throw new Error(`iperf3: ${error ?? 'no result'}`);
  const { sum_received: received, sum_sent: sent } = end;
  if (received.packets === undefined || sent?.packets === undefined) return { receivedBps: received.bits_per_second };
  // The receiver's own `packets` counts up to the highest number it saw; what is lost is in it.
  const arrived = received.packets - (received.lost_packets ?? 0);
  return { receivedBps: received.bits_per_second, sentPps: sent.packets / sent.seconds, receivedPps: arrived / received.seconds };
}

interface Iperf3Document {
  readonly end: { readonly sum_received?: Iperf3Sum; readonly sum_sent?: Iperf3Sum };
  readonly error?: string;
}

interface Iperf3Sum {
  readonly bits_per_second: number;
  readonly seconds: number;
  readonly packets?: number;
  readonly lost_packets?: number;
}

export interface RttResult {
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly n: number;
}

/** sockperf under-load --full-rtt: full round trips in microseconds, the server's holding time included. */
export function readSockperf(text: string): RttResult {
  if (!/Round trip is/.test(text))
    throw new Error(`sockperf: ${/sockperf: (.*No messages.*|ERROR.*)/.exec(text)?.[1] ?? 'no round trips in its output'}`);
  return {
    medianMs: percentile(text, '50.000') / 1000,
    p99Ms: percentile(text, '99.000') / 1000,
    n: Number(/Total (\d+) observations/.exec(text)?.[1]),
  };
}

function percentile(text: string, p: string): number {
  const value = new RegExp(`percentile ${p.replace('.', '\\.')} =\\s*([\\d.]+)`).exec(text)?.[1];
  if (value === undefined) throw new Error(`sockperf: no percentile ${p} in its output`);
  return Number(value);
}

export interface IrttResult extends RttResult {
  /** How late it sent, as it reports it itself; it has no percentiles of this. */
  readonly timerErrorMeanMs: number;
  readonly timerErrorMaxMs: number;
  readonly sent: number;
  readonly asked: number;
}

/** irtt client -o: nanoseconds; the server's processing time is subtracted from its round trips. */
export function readIrtt(text: string): IrttResult {
  const document = JSON.parse(text) as IrttDocument;
  const rtts = document.round_trips
    .map(({ delay }) => delay.rtt)
    .filter((rtt): rtt is number => rtt !== undefined)
    .sort((a, b) => a - b);
  if (rtts.length === 0) throw new Error('irtt: no round trips in its output');
  const { timer_error: timer, packets_sent: sent } = document.stats;
  const { duration, interval } = document.config.params;
  return {
    medianMs: at(rtts, 0.5) / 1e6,
    p99Ms: at(rtts, 0.99) / 1e6,
    n: rtts.length,
    timerErrorMeanMs: timer.mean / 1e6,
    timerErrorMaxMs: timer.max / 1e6,
    sent,
    asked: Math.round(duration / interval),
  };
}

interface IrttDocument {
  readonly config: { readonly params: { readonly duration: number; readonly interval: number } };
  readonly stats: { readonly packets_sent: number; readonly timer_error: { readonly mean: number; readonly max: number } };
  readonly round_trips: readonly { readonly delay: { readonly rtt?: number } }[];
}

/** Nearest rank. */
function at(sorted: readonly number[], p: number): number {
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
}
