import { formatBytes, formatRate } from '../../../base/index.js';
import { idleRtt } from '../../path-figures.js';
import type { Direction, Throughput } from '../../path-figures.js';
import { excluded, unknown } from '../cause.js';
import type { Case, Cause, EvidenceItem, Judgement } from '../cause.js';
import { atLinkRate, bpsItem, limitOf, percent, tcpRtts, tested, waits, whoOf } from '../figures.js';
import { change, look } from '../steps.js';

/** TCP waited for the window for at least this share of the time that it had something to send. */
const WAIT_SHARE = 0.4;
/** A window that is used gives at least this share of window / round trip: a kernel keeps part of the buffer for itself. */
const USED_SHARE = 0.3;
/** Where windows are the limit no queue stands. */
const QUEUE_FACTOR = 1.5;
/** Below this round trip any window is filled by processors, not by distance. */
const RTT_MS_MIN = 1;

interface WindowCause {
  readonly id: string;
  readonly title: string;
  readonly end: 'sender' | 'receiver';
  readonly wait: 'receiver' | 'buffer';
  readonly setting: string;
  readonly also: string;
  readonly words: string;
}

export const receiveWindow = windowCause({
  id: 'receive-window',
  title: 'The receive window is too small for this round trip',
  end: 'receiver',
  wait: 'receiver',
  setting: 'net.ipv4.tcp_rmem',
  also: 'net.core.rmem_max',
  words: "the receiver's window",
});

export const sendBuffer = windowCause({
  id: 'send-buffer',
  title: 'The send buffer is too small for this round trip',
  end: 'sender',
  wait: 'buffer',
  setting: 'net.ipv4.tcp_wmem',
  also: 'net.core.wmem_max',
  words: 'room in the send buffer',
});

/** RFC 6349, section 3.3: throughput is at most window / round trip, and buffers have to hold a bandwidth-delay product. */
function windowCause(of: WindowCause): Cause {
  return {
    id: of.id,
    title: of.title,
    severity: 'warning',
    explains: ['low-throughput', 'limited-throughput', 'asymmetry'],
    check: `how long TCP itself says that it waited for ${of.words} (tcp_info), and window / round trip against the measured rate`,
    fix: `raise ${of.setting}'s third value to twice the bandwidth-delay product, and never set SO_RCVBUF or SO_SNDBUF by hand, which turns autotuning off`,
    specificity: 2,
    judge(facts) {
      const judged = tested(facts).map(({ direction, found }) => judgeWindow(of, facts, { direction, found }));
      const supported = judged.filter((each) => each.state === 'supported');
      const [first] = supported;
      if (!first) return judged.find(({ state }) => state === 'excluded') ?? judged[0] ?? unknown('throughput was not measured');
      return { ...first, evidence: supported.flatMap(({ evidence }) => evidence), next: supported.flatMap(({ next }) => next) };
    },
  };
}

function judgeWindow(of: WindowCause, facts: Case, { direction, found }: { direction: Direction; found: Throughput }): Judgement {
  const waited = waits(found);
  if (!waited) return unknown(`the ${direction === 'up' ? 'kernel of this host' : "peer's kernel"} does not tell what TCP waited for`);
  const share = waited[of.wait];
  if (share < WAIT_SHARE) return excluded(`TCP waited for ${of.words} ${percent(share)} of the time ${direction}`);
  if (atLinkRate(facts, direction)) return excluded(`the path runs at its link's rate ${direction}`);
  const limit = limitOf(facts, of.id, direction);
  const rtts = tcpRtts(found);
  const baseMs = rtts?.leastMs ?? idleRtt(facts.path)?.summary?.min;
  if (baseMs === undefined) return unknown('no round trip was measured');
  if (rtts && rtts.loadedMs > QUEUE_FACTOR * rtts.leastMs + 1)
    return excluded(`a queue of ${Math.round(rtts.loadedMs - rtts.leastMs)} ms stood ${direction}, which the window filled: the path is the limit`);
  if (limit && found.bps < USED_SHARE * limit.bps)
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

export const windowScaling: Cause = {
  id: 'window-scaling',
  title: 'TCP window scaling is off',
  severity: 'warning',
  explains: ['low-throughput', 'limited-throughput'],
  check: 'net.ipv4.tcp_window_scaling of both ends, and 65,535 bytes / round trip against the measured rate',
  fix: 'turn window scaling on at both ends; where a middlebox strips the option, replace it',
  specificity: 3,
  judge(facts) {
    const settings = [facts.path.near?.tcp?.windowScaling, facts.path.far?.tcp?.windowScaling];
    if (!settings.includes(false))
      return settings.includes(undefined) ? unknown('the TCP settings of both ends are not known') : excluded('window scaling is on at both ends');
    const seen = tested(facts).flatMap(({ direction, found }) => {
      const limit = limitOf(facts, 'window-scaling', direction);
      return limit && found.bps >= USED_SHARE * limit.bps && !atLinkRate(facts, direction) ? [{ direction, found, limit }] : [];
    });
    if (seen.length === 0) return excluded('it is off, and no connection came near 65,535 bytes a round trip');
    const near = settings[0] === false;
    return {
      state: 'supported',
      proof: 'shown',
      of: near ? 'near' : 'far',
      evidence: seen.map(({ direction, found, limit }) =>
        bpsItem(`${formatRate(found.bps)} ${direction}; ${limit.why}`, { metric: `throughput.${direction}`, value: found.bps, expected: limit.bps }),
      ),
      next: [change(`turn it on at ${near ? 'this host' : 'the peer'}`, 'sysctl -w net.ipv4.tcp_window_scaling=1')],
    };
  },
};
