const RTO_MS_MIN = 200;
const RTO_MS_START = 1000;
export const RTO_MS_MAX = 120_000;

/** Smoothed round-trip time and the retransmission timeout that follows from it (RFC 6298, section 2). */
export class RoundTrips {
  smoothedMs = 0;
  varianceMs = 0;
  minMs = Number.POSITIVE_INFINITY;
  timeoutMs = RTO_MS_START;

  sample(rttMs: number): void {
    if (this.smoothedMs === 0) {
      this.smoothedMs = rttMs;
      this.varianceMs = rttMs / 2;
    } else {
      this.varianceMs = 0.75 * this.varianceMs + 0.25 * Math.abs(this.smoothedMs - rttMs);
      this.smoothedMs = 0.875 * this.smoothedMs + 0.125 * rttMs;
    }
    this.minMs = Math.min(this.minMs, rttMs);
    this.timeoutMs = Math.min(RTO_MS_MAX, Math.max(RTO_MS_MIN, this.smoothedMs + 4 * this.varianceMs));
  }
}
