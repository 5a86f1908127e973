/**
 * Interarrival jitter as in RFC 3550, 6.4.1 and A.8: J += (|D| - J) / 16, where D is how much the transit
 * time changed from one received packet to the next in order of arrival. The clocks of both ends may differ by any constant.
 * @param transitMs arrival minus sending time per packet, NaN where the packet was lost (it is skipped)
 * @returns the jitter at the end in the unit of the input; undefined below two received packets
 */
export function rfc3550Jitter(transitMs: ArrayLike<number>): number | undefined {
  let jitter = 0;
  let last = Number.NaN;
  let pairs = 0;
  for (let i = 0; i < transitMs.length; i++) {
    const transit = transitMs[i] as number;
    if (Number.isNaN(transit)) continue;
    if (!Number.isNaN(last)) {
      jitter += (Math.abs(transit - last) - jitter) / 16;
      pairs++;
    }
    last = transit;
  }
  return pairs === 0 ? undefined : jitter;
}

/**
 * IP packet delay variation between consecutive packets as in RFC 3393: the delay of packet i + 1 minus
 * that of packet i. A pair of which one was lost has no variation (RFC 3393, 2.6) and is left out.
 * @param transitMs delay per packet in order of sending, NaN where it was lost
 */
export function ipdv(transitMs: ArrayLike<number>): Float64Array {
  const differences = new Float64Array(Math.max(0, transitMs.length - 1));
  let n = 0;
  for (let i = 1; i < transitMs.length; i++) {
    const difference = (transitMs[i] as number) - (transitMs[i - 1] as number);
    if (!Number.isNaN(difference)) differences[n++] = difference;
  }
  return differences.slice(0, n);
}
