import { formatMs } from '../../../base/index.js';
import type { PathEvidence } from '../../evidence.js';
import { idleRtt, isTunnelled, detailsOf, finite, throughputOf } from '../../path-figures.js';
import { queueUnderLoad } from '../../path-queue.js';
import { boundsMs, isLocal, msItem, rttItem, tcpRtts } from '../figures.js';
import type { Noticed } from '../cause.js';
import type { Direction } from '../../path-figures.js';
import type { Symptom } from './symptom.js';

/** Twice the figure from which on latency between hosts of a cluster needs attention (bands.ts): a radio link with power saving stays below. */
const LOCAL_RTT_MS = 20;
/** ITU-T G.114: 150 ms one way is the most that a conversation bears unnoticed. */
const REMOTE_RTT_MS = 300;
const SAMPLES_MIN = 6;

export const highLatency: Symptom<'high-latency'> = {
  id: 'high-latency',
  title: 'high latency',
  why: 'within one site 20 ms and more (twice the edge of the poor band of latency); elsewhere 300 ms, the 150 ms one way of ITU-T G.114',
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
  why: 'load adds 60 ms and more to the median of at least 20 round trips, its own error left out: grade C and worse of the DSLReports speed test. Half of all echoes being so late is no noise. Or the same of the round trip that TCP itself saw, and three times what varies without load',
  kind: 'trouble',
  notice({ path }) {
    return (['up', 'down', 'both'] as const).flatMap((direction) => {
      const added = queueUnderLoad(path, direction);
      if (!added || added.leastMs < BLOAT_MS) return direction === 'both' ? [] : delayedTcp(path, direction);
      const text = `round trip under ${direction === 'both' ? 'load both ways' : `${direction}load`} ${formatMs(added.loadedMs)}, ${formatMs(added.idleMs)} idle`;
      const evidence = msItem(text, { metric: `rtt.loaded.${direction}`, value: added.loadedMs, expected: added.idleMs });
      return [direction === 'both' ? { evidence } : { direction, evidence }];
    });
  },
};

/** Echoes may have run beside the load's end; TCP's own round trip is of the load itself. It counts where it is far above what varies without load. */
function delayedTcp(path: PathEvidence, direction: Direction): Omit<Noticed, 'symptom'>[] {
  const found = throughputOf(path, direction);
  const rtts = found && tcpRtts(found);
  const idle = idleRtt(path)?.summary;
  if (!rtts || !idle || rtts.loadedMs - rtts.leastMs < Math.max(BLOAT_MS, VARIES * (idle.p95 - idle.min))) return [];
  const text = `TCP's own round trip ${direction} was ${formatMs(rtts.loadedMs)} under load, ${formatMs(rtts.leastMs)} at least`;
  return [{ direction, evidence: msItem(text, { metric: `throughput.${direction}`, value: rtts.loadedMs, expected: rtts.leastMs }) }];
}

const VARIES = 3;

/** A 20 ms voice frame hides 5 ms from one packet to the next; a radio link that is well varies by less. */
const JITTER_MS = 5;
const TAIL_MS = 8;
const JITTER_SHARE = 0.1;
const JITTER_SAMPLES_MIN = 30;

export const jitter: Symptom<'jitter'> = {
  id: 'jitter',
  title: 'jitter',
  why: 'without load neighbouring round trips differ by more than 5 ms in the median, or one in twenty comes more than 8 ms after the median, in at least a quarter of the time; and by a tenth of the round trip',
  kind: 'trouble',
  notice({ path }) {
    const differences = path.measurements.find((each) => each.probe === 'echo' && each.metric === 'jitter' && each.outcome === 'ok');
    const echo = path.measurements.find((each) => each.probe === 'echo' && each.metric === 'rtt' && each.outcome === 'ok')?.summary;
    if (!echo || echo.n < JITTER_SAMPLES_MIN) return [];
    const share = JITTER_SHARE * echo.median;
    const fromNext = differences && (boundsMs(differences)?.low ?? 0) >= Math.max(JITTER_MS, share) ? (differences.summary?.median ?? 0) : 0;
    const tail = echo.p95 - echo.median;
    const late = Math.max(TAIL_MS, share);
    if (fromNext === 0 && (tail < late || lateParts(path, echo.median + late) < LATE_PARTS_MIN)) return [];
    const text =
      fromNext > 0
        ? `round trips differ by ${formatMs(fromNext)} from one to the next (median of ${differences?.summary?.n ?? 0}), at ${formatMs(echo.median)}`
        : `round trips lie between ${formatMs(echo.min)} and ${formatMs(echo.p95)} (p95 of ${echo.n}), median ${formatMs(echo.median)}`;
    return [{ evidence: msItem(text, { metric: 'jitter', value: Math.max(fromNext, tail), expected: JITTER_MS }) }];
  },
};

/** Where the delay itself varies it does so all the time; a pause of a host or a relay is one episode. */
const LATE_PARTS_MIN = 0.25;

/** The share of a train's parts in which at least one echo came that late; 0 where its course was not kept. */
function lateParts({ measurements }: Pick<PathEvidence, 'measurements'>, lateMs: number): number {
  const echo = measurements.find((each) => each.probe === 'echo' && each.metric === 'rtt');
  const { maxima } = (echo && detailsOf<{ overTime: { maxima: readonly number[] } }>(echo).overTime) ?? {};
  if (!Array.isArray(maxima) || maxima.length === 0) return 0;
  return maxima.filter((ms) => (finite(ms) ?? 0) >= lateMs).length / maxima.length;
}

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
