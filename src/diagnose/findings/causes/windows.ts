import { formatBytes, formatRate } from '../../../base/index.js';
import { idleRtt } from '../../path-figures.js';
import type { Direction, Throughput } from '../../path-figures.js';
import { excluded, unknown } from '../cause.js';
import type { Case, Cause, EvidenceItem, Judgement } from '../cause.js';
import { atLinkRate, bpsItem, isEnough, lateRetransmits, limitOf, percent, tcpRtts, tested, waits, whoOf } from '../figures.js';
import { change, look } from '../steps.js';

/** TCP waited for the window for at least this share of the time that it had something to send: more where the buffers are not known. */
const WAIT_SHARE = 0.25;
const WAIT_SHARE_UNKNOWN = 0.5;
/** Segments that are sent again fill the window with what waits behind them. */
const RETRANSMITS_MAX = 0.005;
/** A window that is used gives at least this share of window / round trip: a kernel keeps part of the buffer for itself. */
const USED_SHARE = 0.3;
/** Where windows are the limit no queue stands. */
const QUEUE_FACTOR = 1.5;
/** Below this round trip any window is filled by processors, not by distance. */
const RTT_MS_MIN = 1;

interface WindowCause {
  /** Of the ceiling that belongs to it. */
  readonly id: string;
  readonly title: string;
  readonly end: 'sender' | 'receiver';
  readonly wait: 'receiver' | 'buffer';
  readonly setting: string;
  readonly also: string;
  readonly words: string;
}

const WINDOWS: readonly WindowCause[] = [
  {
    id: 'receive-window',
    title: 'The receive window is too small for this round trip',
    end: 'receiver',
    wait: 'receiver',
    setting: 'net.ipv4.tcp_rmem',
    also: 'net.core.rmem_max',
    words: "the receiver's window",
  },
  {
    id: 'send-buffer',
    title: 'The send buffer is too small for this round trip',
    end: 'sender',
    wait: 'buffer',
    setting: 'net.ipv4.tcp_wmem',
    also: 'net.core.wmem_max',
    words: 'room in the send buffer',
  },
];

/** RFC 6349, section 3.3: throughput is at most window / round trip, and buffers have to hold a bandwidth-delay product. */
export const windowLimited: Cause = {
  id: 'window-limited',
  title: 'A window or buffer is too small for this round trip',
  severity: 'warning',
  explains: ['low-throughput', 'limited-throughput', 'asymmetry'],
  check:
    'how long TCP itself says that it waited for the window or for room in its buffer (tcp_info), and window / round trip against the measured rate',
  fix: 'raise the third value of tcp_rmem or tcp_wmem to twice the bandwidth-delay product, leave window scaling on, and never set SO_RCVBUF or SO_SNDBUF by hand, which turns autotuning off',
  specificity: 2,
  judge(facts) {
    const judged = [
      unscaled(facts),
      ...WINDOWS.flatMap((of) =>
        tested(facts).map(({ direction, found }) => ({ judgement: judgeWindow(of, facts, { direction, found }), title: of.title })),
      ),
    ];
    const supported = judged.flatMap(({ judgement, title }) => (judgement.state === 'supported' ? [{ judgement, title }] : []));
    const [first] = supported;
    if (first) {
      return {
        ...first.judgement,
        title: first.title,
        evidence: supported.flatMap(({ judgement }) => judgement.evidence),
        next: supported.flatMap(({ judgement }) => judgement.next),
      };
    }
    const states = judged.slice(1).map(({ judgement }) => judgement);
    if (states.length === 0) return unknown('throughput was not measured');
    const open = states.find(({ state }) => state === 'unknown');
    return open ?? excluded(states.flatMap((each) => (each.state === 'excluded' ? [each.why] : [])).join('; '));
  },
};

function judgeWindow(of: WindowCause, facts: Case, { direction, found }: { direction: Direction; found: Throughput }): Judgement {
  const waited = waits(found);
  if (!waited) return unknown(`the ${direction === 'up' ? 'kernel of this host' : "peer's kernel"} does not tell what TCP waited for`);
  const share = waited[of.wait];
  const limit = limitOf(facts, of.id, direction);
  if (share < (limit ? WAIT_SHARE : WAIT_SHARE_UNKNOWN)) return excluded(`TCP waited for ${of.words} ${percent(share)} of the time ${direction}`);
  if (atLinkRate(facts, direction)) return excluded(`the path runs at its link's rate ${direction}`);
  if (isEnough(facts, direction, found))
    return excluded(`${formatRate(found.bps)} were reached ${direction}, and no link is known that would allow more`);
  const again = lateRetransmits(found);
  if (again && again.ratio > RETRANSMITS_MAX)
    return excluded(`TCP sent ${percent(again.ratio)} of its segments again ${direction}: what waits behind lost ones fills the window`);
  const rtts = tcpRtts(found);
  const baseMs = rtts?.leastMs ?? idleRtt(facts.path)?.summary?.min;
  if (baseMs === undefined) return unknown('no round trip was measured');
  if (rtts && rtts.loadedMs > QUEUE_FACTOR * rtts.leastMs + 1)
    return excluded(`a queue of ${Math.round(rtts.loadedMs - rtts.leastMs)} ms stood ${direction}, which the window filled: the path is the limit`);
  const reached = limit ? found.bps / limit.bps : undefined;
  if (limit && reached !== undefined && (reached < USED_SHARE || reached > BEYOND_SHARE))
    return excluded(`the buffer would allow ${formatRate(limit.bps)} ${direction}, and ${formatRate(found.bps)} were reached`);
  if (!limit && baseMs < RTT_MS_MIN)
    return unknown('the buffers are not known, and the round trip is too short to tell a window from a busy processor');
  const flightBytes = (found.bps * (rtts?.loadedMs ?? baseMs)) / 8000;
  const who = whoOf(direction, of.end);
  const needed = bytesNeeded(facts, direction, baseMs);
  const evidence: EvidenceItem[] = [
    {
      text: `TCP waited for ${of.words} ${percent(share)} of the time ${direction}`,
      metric: `throughput.${direction}`,
      value: share,
      unit: 'ratio',
      expected: 0,
    },
    bpsItem(`${formatRate(found.bps)} ${direction} are ${formatBytes(Math.round(flightBytes))} on the way at once${limit ? `; ${limit.why}` : ''}`, {
      metric: `throughput.${direction}`,
      value: found.bps,
      ...(limit ? { expected: limit.bps } : {}),
    }),
  ];
  return {
    state: 'supported',
    proof: limit ? 'shown' : 'fits',
    evidence,
    next: [
      look(`see the buffers of ${who.name}`, `sysctl ${of.setting} ${of.also}`),
      change(
        `raise the largest ${of.end === 'receiver' ? 'receive' : 'send'} buffer on ${who.name}`,
        `sysctl -w ${of.setting}="4096 131072 ${needed}"`,
      ),
      change('make sure that the application does not set SO_RCVBUF or SO_SNDBUF itself'),
    ],
  };
}

const BUFFER_BYTES_MIN = 16 * 2 ** 20;

/** Twice the bandwidth-delay product of what the links allow (half of a buffer may be the kernel's), at least the usual 16 MiB. */
function bytesNeeded(facts: Case, direction: Direction, rttMs: number): number {
  const rateBps = facts.limits.find(({ kind, direction: way }) => kind === 'physical' && way === direction)?.bps ?? 1e9;
  return Math.max(BUFFER_BYTES_MIN, 2 ** Math.ceil(Math.log2((2 * rateBps * rttMs) / 8000)));
}

/** Without RFC 7323's scaling a window has at most 65,535 bytes, whatever the buffers. */
function unscaled(facts: Case): { judgement: Judgement; title: string } {
  const title = 'TCP window scaling is off, and the window too small for this round trip';
  const { near, far } = facts.path;
  const off = near?.tcp?.windowScaling === false ? 'this host' : far?.tcp?.windowScaling === false ? 'the peer' : undefined;
  if (off === undefined) return { title, judgement: excluded('window scaling is on as far as is known') };
  const seen = tested(facts).flatMap(({ direction, found }) => {
    const limit = limitOf(facts, 'window-scaling', direction);
    const reached = limit === undefined ? 0 : found.bps / limit.bps;
    return limit && reached >= USED_SHARE && reached <= BEYOND_SHARE && !atLinkRate(facts, direction) ? [{ direction, found, limit }] : [];
  });
  if (seen.length === 0) return { title, judgement: excluded('window scaling is off, and no connection was held to 65,535 bytes a round trip') };
  return {
    title,
    judgement: {
      state: 'supported',
      proof: 'shown',
      evidence: seen.map(({ direction, found, limit }) =>
        bpsItem(`${formatRate(found.bps)} ${direction}; ${limit.why}`, { metric: `throughput.${direction}`, value: found.bps, expected: limit.bps }),
      ),
      next: [change(`turn it on at ${off}`, 'sysctl -w net.ipv4.tcp_window_scaling=1')],
    },
  };
}

/** A rate so far above a window's is not held by it. Linux lets a window grow a little beyond the buffer (tcp_rmem of 64 KiB: 1.2 times on 6.18). */
const BEYOND_SHARE = 1.6;
