import { formatMs } from '../../../base/index.js';
import { idleRtt, isTunnelled, detailsOf, finite } from '../../path-figures.js';
import { addedByLoad, boundsMs, isLocal, msItem, rttItem } from '../figures.js';
import type { Symptom } from './symptom.js';

/** The band of latency that needs attention begins here (bands.ts). */
export const LOCAL_RTT_MS = 10;
/** ITU-T G.114: 150 ms one way is the most that a conversation bears unnoticed. */
const REMOTE_RTT_MS = 300;
const SAMPLES_MIN = 6;

export const highLatency: Symptom<'high-latency'> = {
  id: 'high-latency',
  title: 'high latency',
  why: 'within one site 10 ms and more (the poor band of latency); elsewhere 300 ms, the 150 ms one way of ITU-T G.114',
  kind: 'trouble',
  notice(context) {
    const rtt = idleRtt(context.path);
    const bounds = rtt && boundsMs(rtt);
    if (context.isHost || !rtt?.summary || !bounds || rtt.summary.n < SAMPLES_MIN) return [];
    const edge = isLocal(context) ? LOCAL_RTT_MS : REMOTE_RTT_MS;
    return bounds.low >= edge ? [{ evidence: { ...rttItem(rtt), expected: edge } }] : [];
  },
};

/** The poor band of what load adds. */
const BLOAT_MS = 60;

export const bufferbloat: Symptom<'delay-under-load'> = {
  id: 'delay-under-load',
  title: 'high latency under load',
  why: 'load adds 60 ms and more to the median round trip, whatever its interval and error: grade C and worse of the DSLReports speed test',
  kind: 'trouble',
  notice(context) {
    return (['up', 'down', 'both'] as const).flatMap((direction) => {
      const added = addedByLoad(context, direction);
      if (!added || added.leastMs < BLOAT_MS) return [];
      const text = `round trip under ${direction === 'both' ? 'load both ways' : `${direction}load`} ${formatMs(added.loadedMs)}, ${formatMs(added.idleMs)} idle`;
      const evidence = msItem(text, { metric: `rtt.loaded.${direction}`, value: added.loadedMs, expected: added.idleMs });
      return [direction === 'both' ? { evidence } : { direction, evidence }];
    });
  },
};

/** ITU-T G.1010's limit with the margin of a radio link: below this a 20 ms voice frame hides it. */
const JITTER_MS = 5;
const JITTER_SHARE = 0.1;
const JITTER_SAMPLES_MIN = 30;

export const jitter: Symptom<'jitter'> = {
  id: 'jitter',
  title: 'jitter',
  why: 'neighbouring round trips differ by more than 5 ms and a tenth of the round trip in the median, whatever the interval: more than a 20 ms voice frame hides',
  kind: 'trouble',
  notice({ path }) {
    const found = path.measurements.find((each) => each.probe === 'echo' && each.metric === 'jitter' && each.outcome === 'ok');
    const bounds = found && boundsMs(found);
    const rttMs = idleRtt(path)?.summary?.median ?? 0;
    if (!found?.summary || !bounds || found.summary.n < JITTER_SAMPLES_MIN) return [];
    if (bounds.low < Math.max(JITTER_MS, JITTER_SHARE * rttMs)) return [];
    const text = `round trips differ by ${formatMs(found.summary.median)} from one to the next (median of ${found.summary.n}), at a round trip of ${formatMs(rttMs)}`;
    return [{ evidence: msItem(text, { metric: 'jitter', value: found.summary.median, expected: JITTER_MS }) }];
  },
};

const REORDERED_SHARE = 0.01;
const REORDERED_MIN = 5;

export const reordering: Symptom<'reordering'> = {
  id: 'reordering',
  title: 'packets arrive out of order',
  why: 'at least five and 1 % of the echoes of a direction were overtaken; TCP takes three overtakings for a loss (RFC 5681)',
  kind: 'trouble',
  notice({ path }) {
    const found = path.measurements.find((each) => each.probe === 'echo' && each.metric === 'rtt' && each.outcome === 'ok');
    const sent = found?.loss?.sent ?? 0;
    const counted = found && detailsOf<{ reordered: { up: number; down: number } }>(found).reordered;
    return (['up', 'down'] as const).flatMap((direction) => {
      const count = finite(counted?.[direction]) ?? 0;
      if (count < REORDERED_MIN || count < REORDERED_SHARE * sent) return [];
      return [
        {
          direction,
          evidence: {
            text: `${count} of ${sent} echoes were overtaken on the way ${direction}`,
            metric: 'rtt',
            value: count / sent,
            unit: 'ratio' as const,
            expected: 0,
          },
        },
      ];
    });
  },
};

/** Between two paths to one peer this much more counts, and so many times as much. */
const WORSE_MS = 2;
const WORSE_FACTOR = 2;
const SLOWER_SHARE = 0.5;

export const worseThanSibling: Symptom<'worse-than-other-path'> = {
  id: 'worse-than-other-path',
  title: 'another path to the same peer is much better',
  why: 'its round trip is at least 2 ms and twice that of another path of the same kind or of the local one, or its throughput less than half, with intervals that do not meet',
  kind: 'question',
  notice({ path, siblings }) {
    const own = idleRtt(path);
    const bounds = own && boundsMs(own);
    if (!own || !bounds) return [];
    return siblings.flatMap((other) => {
      if (other.kind !== path.kind && !(other.kind === 'lan' && isTunnelled(path))) return [];
      const rtt = idleRtt(other);
      const theirs = rtt && boundsMs(rtt);
      if (!theirs || bounds.low < WORSE_FACTOR * theirs.high || bounds.low - theirs.high < WORSE_MS) return slower(path, other);
      const text = `round trip ${formatMs(own.summary?.median ?? 0)}, ${formatMs(rtt.summary?.median ?? 0)} on the path ${other.path}`;
      return [{ evidence: msItem(text, { metric: own.metric, value: own.summary?.median ?? 0, expected: rtt.summary?.median ?? 0 }) }];
    });
  },
};

function slower(path: Parameters<typeof idleRtt>[0] & { path: string }, other: Parameters<typeof idleRtt>[0] & { path: string }) {
  return (['up', 'down'] as const).flatMap((direction) => {
    const [own, theirs] = [path, other].map(({ measurements }) =>
      measurements.find(
        ({ metric, outcome, summary, details }) =>
          metric === `throughput.${direction}` && outcome === 'ok' && summary && details?.['askedBps'] === undefined,
      ),
    );
    const [mine, best] = [own?.summary, theirs?.summary];
    if (!mine || !best || mine.n < 4 || best.n < 4 || (mine.ci95?.[1] ?? mine.max) > SLOWER_SHARE * (best.ci95?.[0] ?? best.min)) return [];
    const text = `throughput ${direction} ${Math.round(mine.median / 1e5) / 10} Mbit/s, ${Math.round(best.median / 1e5) / 10} Mbit/s on the path ${other.path}`;
    return [{ direction, evidence: { text, metric: `throughput.${direction}`, value: mine.median, unit: 'bps' as const, expected: best.median } }];
  });
}
