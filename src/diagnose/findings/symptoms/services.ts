import { formatMs } from '../../../base/index.js';
import type { Measurement } from '../../../results/index.js';
import { detailsOf, finite, idleRtt, worked } from '../../path-figures.js';
import { all, boundsMs, find, msItem } from '../figures.js';
import type { Symptom } from './symptom.js';

const SAMPLES_MIN = 3;

/** Retransmissions of a SYN begin after a second (RFC 6298, 2.1). */
export const SYN_RTO_MS = 1000;
const SLOWER_MS = 50;

export const slowConnect: Symptom<'slow-connect'> = {
  id: 'slow-connect',
  title: 'connections open slowly',
  why: 'some connects took a second or more longer than the others, or all take 50 ms and twice the round trip longer than it',
  kind: 'trouble',
  notice({ path }) {
    return path.measurements.flatMap((each) => {
      const { summary } = each;
      if (each.metric !== 'connect' || each.probe !== 'tcp' || !summary || !worked(each, 'ms') || summary.n < SAMPLES_MIN) return [];
      const late = summary.max - summary.min >= 0.9 * SYN_RTO_MS;
      const rttMs = idleRtt({ measurements: path.measurements.filter(({ metric }) => metric !== 'connect') })?.summary?.median;
      const slow = rttMs !== undefined && (boundsMs(each)?.low ?? 0) > Math.max(3 * rttMs, rttMs + SLOWER_MS);
      if (!late && !slow) return [];
      const text = `connects took ${formatMs(summary.min)} to ${formatMs(summary.max)}, median ${formatMs(summary.median)} of ${summary.n}${rttMs === undefined ? '' : `, at a round trip of ${formatMs(rttMs)}`}`;
      return [{ evidence: msItem(text, { metric: 'connect', value: late ? summary.max : summary.median, expected: rttMs ?? summary.min }) }];
    });
  },
};

/** Where a person notices a lookup (the poor band of names). */
export const SLOW_NAMES_MS = 100;

export const slowNames: Symptom<'slow-names'> = {
  id: 'slow-names',
  title: 'names resolve slowly',
  why: 'the median answer of a resolver, or of the system, takes 100 ms and more in every sample but the fastest few: where a person notices',
  kind: 'trouble',
  notice: ({ path }) =>
    path.measurements.flatMap((each) => {
      const { summary } = each;
      if (!NAME_METRICS.includes(each.metric) || !summary || !worked(each, 'ms') || summary.n < SAMPLES_MIN) return [];
      // The lower bound of few samples is their least, which a cache may have answered.
      const low = summary.n >= 6 ? (boundsMs(each)?.low ?? 0) : summary.median - (each.error?.unit === 'ms' ? each.error.value : 0);
      if (low < SLOW_NAMES_MS) return [];
      return [
        {
          evidence: msItem(`${nameOf(each)} took ${formatMs(summary.median)} (median of ${summary.n})`, {
            metric: each.metric,
            value: summary.median,
            expected: SLOW_NAMES_MS,
          }),
        },
      ];
    }),
};

const NAME_METRICS: readonly string[] = ['dns', 'dns.system', 'http.dns'];

function nameOf(measurement: Measurement): string {
  const { server } = detailsOf<{ server: string }>(measurement);
  return measurement.metric === 'dns'
    ? `an answer of the resolver ${typeof server === 'string' ? server : measurement.target}`
    : 'a lookup by the system';
}

export const brokenNames: Symptom<'names-fail'> = {
  id: 'names-fail',
  title: 'a resolver does not resolve',
  why: 'a configured resolver answers nothing, or answers that it failed or refuses',
  kind: 'trouble',
  notice: ({ path }) =>
    all(path, 'dns').flatMap((each) => {
      const { rcode, server } = detailsOf<{ rcode: string; server: string }>(each);
      const silent = each.metric === 'dns' && (each.outcome === 'timeout' || each.outcome === 'lost' || each.outcome === 'refused');
      const failed = rcode === 'SERVFAIL' || rcode === 'REFUSED';
      if ((!silent && !failed) || each.partial === true) return [];
      return [{ evidence: { text: each.reason ?? `${server ?? each.target} answered ${rcode ?? 'nothing'}`, metric: each.metric } }];
    }),
};

/** What a handshake may take beyond its round trips: signatures, and a slow machine's scheduling. */
const TLS_EXCESS_MS = 50;

/** The handshake's time beyond the round trips that its version needs: one for TLS 1.3 (RFC 8446), two for 1.2 (RFC 5246). */
export function tlsExcess(
  path: Parameters<typeof find>[0],
): { measurement: Measurement; trips: number; rttMs: number; excessMs: number } | undefined {
  for (const measurement of path.measurements) {
    const { summary, metric, probe } = measurement;
    if ((metric !== 'tls' && metric !== 'http.tls') || !summary || !worked(measurement, 'ms') || summary.n < SAMPLES_MIN) continue;
    const details = detailsOf<{ protocol: string; tls: string }>(metric === 'tls' ? measurement : (find(path, 'http.total') ?? measurement));
    const version = details.protocol ?? details.tls;
    const trips = typeof version === 'string' && /1\.[012](?!\d)/.test(version) ? 2 : 1;
    const connect = find(path, metric === 'tls' ? 'connect' : 'http.connect', probe);
    const rttMs = connect?.summary?.median ?? idleRtt(path)?.summary?.median;
    if (rttMs === undefined) continue;
    const own = measurement.error?.unit === 'ms' ? measurement.error.value : 0;
    const excessMs = Math.min(summary.median, summary.ci95?.[0] ?? summary.median) - own - trips * rttMs;
    if (excessMs >= TLS_EXCESS_MS && excessMs >= rttMs) return { measurement, trips, rttMs, excessMs };
  }
  return undefined;
}

export const slowTls: Symptom<'slow-tls'> = {
  id: 'slow-tls',
  title: 'TLS handshakes are slow',
  why: 'a handshake takes 50 ms and a round trip more than the round trips that its version needs (one for TLS 1.3, two for 1.2)',
  kind: 'trouble',
  notice({ path }) {
    const found = tlsExcess(path);
    if (!found) return [];
    const { measurement, trips, rttMs, excessMs } = found;
    const ms = measurement.summary?.median ?? 0;
    const text = `the TLS handshake takes ${formatMs(ms)}, ${formatMs(excessMs)} more than its ${trips === 1 ? 'round trip' : 'two round trips'} of ${formatMs(rttMs)}`;
    return [{ evidence: msItem(text, { metric: measurement.metric, value: ms, expected: trips * rttMs }) }];
  },
};

/** The upper edge of the good band of responses. */
const SERVER_MS = 100;

/** The time from request to first byte beyond the round trip; over a connection that stays open where there is one. */
export function serverTime(path: Parameters<typeof find>[0]): { measurement: Measurement; rttMs: number; serverMs: number } | undefined {
  for (const metric of ['http.keepalive.ttfb', 'http.ttfb']) {
    const measurement = find(path, metric);
    const { summary } = measurement ?? {};
    const rttMs = find(path, 'http.connect')?.summary?.median ?? idleRtt(path)?.summary?.median;
    if (!measurement || !summary || !worked(measurement, 'ms') || summary.n < SAMPLES_MIN || rttMs === undefined) continue;
    const own = measurement.error?.unit === 'ms' ? measurement.error.value : 0;
    const serverMs = Math.min(summary.median, summary.ci95?.[0] ?? summary.median) - own - rttMs;
    return { measurement, rttMs, serverMs };
  }
  return undefined;
}

export const slowServer: Symptom<'slow-server'> = {
  id: 'slow-server',
  title: 'the server answers slowly',
  why: 'the first byte comes 100 ms and a round trip later than the path alone takes: below that responses are good',
  kind: 'trouble',
  notice({ path }) {
    const found = serverTime(path);
    if (!found || found.serverMs < SERVER_MS || found.serverMs < found.rttMs) return [];
    const { measurement, rttMs, serverMs } = found;
    const ms = measurement.summary?.median ?? 0;
    const text = `the first byte of an answer comes after ${formatMs(ms)}, ${formatMs(serverMs)} more than the round trip of ${formatMs(rttMs)}`;
    return [{ evidence: msItem(text, { metric: measurement.metric, value: ms, expected: rttMs }) }];
  },
};

/** Answering its own small page costs a `tautline serve` well below a millisecond. */
const RESPONDER_MS = 10;
const RESPONDER_PAGE = /:\d+\/small$/;

export const slowResponder: Symptom<'slow-responder'> = {
  id: 'slow-responder',
  title: 'the responder at the peer waits for a processor',
  why: "every answer of the peer's tautline serve to a small request takes 10 ms more than the path, where it computes nothing worth mentioning",
  kind: 'question',
  notice({ path }) {
    const url = detailsOf<{ url: string }>(find(path, 'http.total') ?? {}).url;
    const found = find(path, 'http.keepalive.ttfb');
    const rttMs = idleRtt(path)?.summary?.median;
    if (typeof url !== 'string' || !RESPONDER_PAGE.test(url) || !found?.summary || !worked(found, 'ms') || rttMs === undefined) return [];
    if (found.summary.n < SAMPLES_MIN || found.summary.min < rttMs + RESPONDER_MS) return [];
    const text = `the peer's tautline serve takes ${formatMs(found.summary.min)} to ${formatMs(found.summary.max)} for a small answer, at a round trip of ${formatMs(rttMs)}`;
    return [{ evidence: msItem(text, { metric: found.metric, value: found.summary.median, expected: rttMs }) }];
  },
};

/** The good band of logins ends here. */
const SSH_MS = 500;

export const slowSsh: Symptom<'slow-ssh'> = {
  id: 'slow-ssh',
  title: 'SSH logs in slowly',
  why: 'half a second and more from connecting to a session, or to the banner, without a connection that is shared',
  kind: 'trouble',
  notice({ path }) {
    const found = ['ssh', 'ssh.kex', 'ssh.banner'].map((metric) => find(path, metric)).find((each) => each && worked(each, 'ms'));
    const { summary } = found ?? {};
    if (!found || !summary || (summary.ci95?.[0] ?? summary.min) < SSH_MS + 6 * (idleRtt(path)?.summary?.median ?? 0)) return [];
    const text = `${found.metric === 'ssh' ? 'logging in' : found.metric === 'ssh.kex' ? 'the key exchange' : 'the banner'} takes ${formatMs(summary.median)}`;
    return [{ evidence: msItem(text, { metric: found.metric, value: summary.median, expected: SSH_MS }) }];
  },
};

export const clock: Symptom<'clock'> = {
  id: 'clock',
  title: 'a clock jumps',
  why: "an echo's time at the responder makes no sense: its clock was set while it was held",
  kind: 'question',
  notice: ({ path }) =>
    path.measurements.flatMap((each) => {
      const said = each.probe === 'echo' && each.metric === 'rtt' ? each.error?.from.find((cause) => cause.includes('clock stepped')) : undefined;
      const skewPpm = finite(detailsOf<{ clockSkewPpm: number }>(each).clockSkewPpm);
      const drifts = skewPpm !== undefined && Math.abs(skewPpm) >= SKEW_PPM_MAX && isBeyondJitter(each, skewPpm);
      if (said === undefined && !drifts) return [];
      return [
        {
          evidence: {
            text: said ?? `the peer's clock runs ${Math.round(Math.abs(skewPpm ?? 0))} ppm ${(skewPpm ?? 0) > 0 ? 'faster' : 'slower'}`,
            metric: each.metric,
          },
        },
      ];
    }),
};

/** ntpd and chrony correct at most 500 ppm (RFC 5905, section 11.3); crystals are within 100. */
const SKEW_PPM_MAX = 500;
/** A short run's estimate of drift is made of jitter where the clocks parted by less than round trips vary. */
const JITTERS_MIN = 5;

function isBeyondJitter({ summary, durationMs }: Measurement, skewPpm: number): boolean {
  const partedMs = (Math.abs(skewPpm) / 1e6) * durationMs;
  return summary !== undefined && partedMs >= JITTERS_MIN * (summary.p95 - summary.min);
}
