import { formatRate } from '../../base/index.js';
import type { LinkFacts } from '../../base/index.js';
import type { Limit, LinkDetails } from '../../results/index.js';
import type { PathEvidence } from '../evidence.js';
import { detailsOf, isTunnelled, isWired } from '../path-figures.js';
import type { Direction } from '../path-figures.js';
import { framingOf } from './ceiling.js';
import { ETHERNET_BYTES, tcpPayloadBytes, tcpShare, wireguardBytes } from './framing.js';

/** Of a wireless link's rate at most about this much is left for payload: the medium is shared and acknowledged frame by frame. */
const WIRELESS_SHARE = 0.65;

/** The speed that both ends' cables were negotiated at, less headers at this path's packet size. */
export function linkRate(evidence: PathEvidence, direction: Direction): Limit[] {
  if (evidence.kind === 'loopback' || evidence.near?.route?.local === true) return [];
  const ends = [
    { whose: "this host's", link: nearLink(evidence) },
    { whose: "the peer's", link: evidence.far?.link },
  ];
  return ends.flatMap(({ whose, link }) => (link ? boundBy(link, whose, { evidence, direction }) : []));
}

/** A tunnel's own interface has no speed. What carries it is known where this host has one cable only. */
function nearLink(evidence: PathEvidence): LinkFacts | undefined {
  if (!isTunnelled(evidence)) return evidence.near?.link;
  const wired = evidence.measurements
    .filter(({ probe }) => probe === 'link')
    .flatMap((each) => detailsOf<LinkDetails>(each).link ?? [])
    .filter((link) => link.up && link.carrier !== false && (isWired(link) || link.kind === 'wireless'));
  return wired.length === 1 ? wired[0] : undefined;
}

function boundBy(link: LinkFacts, whose: string, { evidence, direction }: { evidence: PathEvidence; direction: Direction }): Limit[] {
  const { speedBps } = link;
  if (speedBps === undefined || !(speedBps > 0) || link.up === false) return [];
  const framing = framingOf(evidence, direction);
  // The family outside the tunnel is not known; the smaller header keeps this an upper bound.
  const aroundBytes = ETHERNET_BYTES + (isTunnelled(evidence) ? wireguardBytes(4) : 0);
  const share = tcpShare({ ...framing, aroundBytes });
  const payload = tcpPayloadBytes(framing);
  const headers = `${payload} of ${framing.mtuBytes + aroundBytes} bytes are payload at MTU ${framing.mtuBytes}${framing.timestamps ? ' with TCP timestamps' : ''}`;
  const name = `${whose} link ${link.name}`;
  if (link.kind === 'wireless') {
    const bps = speedBps * WIRELESS_SHARE;
    const why = `${name} has a radio rate of ${formatRate(speedBps)}, of which about ${Math.round(100 * WIRELESS_SHARE)} % is left for payload`;
    return [{ id: 'wireless-rate', kind: 'estimated', direction, bps, why }];
  }
  if (!isWired(link)) return [];
  const half = link.duplex === 'half' ? ', shared by both directions (half duplex)' : '';
  const bps = speedBps * share;
  return [
    {
      id: 'link-rate',
      kind: 'physical',
      direction,
      bps,
      linkBps: speedBps,
      why: `${name} runs at ${formatRate(speedBps)}${half}; ${headers}, which leaves ${formatRate(bps)}`,
    },
  ];
}
