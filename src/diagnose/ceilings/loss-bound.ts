import { formatMs, formatRate, formatRatio } from '../../base/index.js';
import type { Limit } from '../../results/index.js';
import type { PathEvidence } from '../evidence.js';
import { idleRtt, throughputOf } from '../path-figures.js';
import type { Direction } from '../path-figures.js';
import { lossOn } from '../path-loss.js';
import { framingOf } from './ceiling.js';
import { tcpPayloadBytes } from './framing.js';

/** Mathis, Semke, Mahdavi, Ott 1997: sqrt(3/2) for an acknowledgement a segment. */
const MATHIS = 1.22;
/** RFC 9438, equation 6: CUBIC's window at random loss with C = 0.4 and beta = 0.7. */
const CUBIC = 1.054;
const LOSS_BASED = /cubic|reno|bic|westwood|htcp|illinois/i;

/**
 * What congestion control that takes every loss for congestion can reach at this loss: MSS / RTT * 1.22 / sqrt(p). It
 * holds for loss that is there without load; what a full queue drops is how such a control finds its rate.
 */
export function lossBound(evidence: PathEvidence, direction: Direction): Limit[] {
  const lost = lossOn(evidence, direction);
  const found = throughputOf(evidence, direction);
  const rttMs = idleRtt(evidence)?.summary?.median;
  const congestion = found?.details.congestion ?? endCongestion(evidence, direction);
  if (!lost || rttMs === undefined || !(rttMs > 0) || congestion === undefined || !LOSS_BASED.test(congestion)) return [];
  const framing = framingOf(evidence, direction);
  const mssBytes = tcpPayloadBytes(framing);
  const p = lost.ratio;
  const reno = MATHIS / Math.sqrt(p);
  const cubic = /cubic/i.test(congestion) ? CUBIC * (rttMs / 1000 / p) ** 0.75 : 0;
  const streams = Math.max(1, found?.details.streams ?? 1);
  const bps = (streams * Math.max(reno, cubic) * mssBytes * 8000) / rttMs;
  const why = `${formatRatio(p)} of packets are lost without load; ${congestion} with segments of ${mssBytes} bytes and ${formatMs(rttMs)} reaches about ${formatRate(bps)} then${streams > 1 ? ` with ${streams} streams` : ''}`;
  return [{ id: 'loss', kind: 'estimated', direction, bps, why }];
}

function endCongestion({ near, far }: PathEvidence, direction: Direction): string | undefined {
  return (direction === 'up' ? near : far)?.tcp?.congestion;
}
