import { formatRate, shellWord } from '../../../base/index.js';
import type { LinkFacts } from '../../../base/index.js';
import type { LinkDetails } from '../../../results/index.js';
import { detailsOf, isWired } from '../../path-figures.js';
import { excluded, unknown } from '../cause.js';
import type { Case, Cause, EvidenceItem, Judgement, Supported } from '../cause.js';
import { belowLinkRate, percent, tested, whoOf } from '../figures.js';
import { buy, change, look } from '../steps.js';
import { endsSeen } from './processors.js';

interface End {
  readonly link: LinkFacts;
  readonly name: string;
  readonly of: 'near' | 'far';
}

function linkEnds({ path }: Case): End[] {
  const near = path.near?.link ? [{ link: path.near.link, name: 'this host', of: 'near' as const }] : [];
  const far = path.far?.link ? [{ link: path.far.link, name: 'the peer', of: 'far' as const }] : [];
  return [...near, ...far];
}

function eachEnd(facts: Case, judge: (end: End) => Judgement): Judgement {
  const ends = linkEnds(facts);
  if (ends.length === 0) return unknown("neither end's link could be read");
  const judged = ends.map(judge);
  return judged.find(({ state }) => state === 'supported') ?? judged.find(({ state }) => state === 'excluded') ?? (judged[0] as Judgement);
}

export const linkBelowCapability: Cause = {
  id: 'link-below-capability',
  title: 'A link runs slower than its card can',
  severity: 'notice',
  explains: ['link-state', 'low-throughput'],
  check: 'the negotiated speed against what the card supports and what the other side of the cable offered',
  fix: 'a faster switch port, a cable that carries the speed (Cat5e 2.5 Gbit/s, Cat6 10 Gbit/s up to 55 m, Cat6a 100 m), or a direct connection',
  specificity: 3,
  judge: (facts) =>
    eachEnd(facts, ({ link, name, of }) => {
      const { speedBps, supportedBpsMax, partnerBpsMax } = link;
      if (!isWired(link)) return excluded(`the link of ${name} has no cable`);
      if (speedBps === undefined || supportedBpsMax === undefined) return unknown(`what the link of ${name} could do is not known`);
      if (speedBps >= supportedBpsMax) return excluded(`${link.name} of ${name} runs at its ${formatRate(speedBps)}`);
      const both = partnerBpsMax !== undefined && partnerBpsMax > speedBps;
      const limiting = tested(facts).some(({ found }) => found.bps >= 0.8 * 0.94 * speedBps);
      const partner =
        partnerBpsMax === undefined
          ? []
          : [{ text: `the other side of the cable offers ${formatRate(partnerBpsMax)}`, value: partnerBpsMax, unit: 'bps' as const }];
      return {
        state: 'supported',
        proof: 'shown',
        of,
        title: `${link.name} runs at ${formatRate(speedBps)}, its card can do ${formatRate(supportedBpsMax)}`,
        severity: limiting || both ? 'warning' : 'notice',
        evidence: [
          {
            text: `${link.name} of ${name} negotiated ${formatRate(speedBps)} of ${formatRate(supportedBpsMax)}`,
            value: speedBps,
            unit: 'bps',
            expected: supportedBpsMax,
          },
          ...partner,
        ],
        next: [
          look('see what both sides offered', `ethtool ${shellWord(link.name)}`, 'link'),
          ...(both
            ? [change('both sides can do more: try another cable, and let both negotiate', `ethtool -s ${shellWord(link.name)} autoneg on`)]
            : [look("look up what the switch's port can do")]),
          ...(partnerBpsMax !== undefined && partnerBpsMax <= speedBps
            ? [buy(`a switch port of ${formatRate(supportedBpsMax)}, or a direct connection of the two hosts`)]
            : []),
        ],
      };
    }),
};

/** Fewer events while it was watched are chance. */
const EVENTS_MIN = 3;
/** Where nothing was watched: counters since the interface came up, against the packets of that time. */
const SINCE_RATIO = 1e-4;
const SINCE_MIN = 100;
const DUPLEX_COUNTERS = ['collisions', 'tx_late_collisions', 'late_collisions', 'tx_window_errors'];
const ERROR_COUNTERS = ['rx_crc_errors', 'rx_frame_errors', 'rx_errors', 'rx_length_errors', 'tx_errors', 'tx_carrier_errors', 'rx_symbol_err'];
const DROP_COUNTERS = ['rx_missed_errors', 'rx_fifo_errors', 'rx_over_errors', 'rx_no_buffer_count'];

export const halfDuplex: Cause = {
  id: 'duplex-mismatch',
  title: 'A link runs half duplex, or the two sides disagree',
  severity: 'critical',
  explains: ['link-state', 'low-throughput', 'asymmetry', 'loss', 'loss-under-load'],
  check: 'the negotiated duplex of both ends; late collisions on one side and checksum errors on the other',
  fix: 'let both sides of the cable negotiate, or set both to the same; negotiating with a side that is set gives half duplex (IEEE 802.3, clause 28)',
  specificity: 4,
  judge: (facts) =>
    eachEnd(facts, ({ link, name, of }) => {
      if (link.kind !== 'ethernet' || (!isWired(link) && link.duplex !== 'half')) return excluded(`the link of ${name} has no duplex`);
      const late = events(facts, { link, of, counters: DUPLEX_COUNTERS });
      const crc = events(facts, { link, of, counters: ERROR_COUNTERS });
      if (link.duplex === undefined && late.length === 0) return unknown(`the duplex of ${name} is not known`);
      if (link.duplex !== 'half' && late.length === 0) return excluded(`${link.name} of ${name} runs full duplex without collisions`);
      return {
        state: 'supported',
        proof: 'shown',
        of,
        evidence: [
          ...(link.duplex === undefined
            ? []
            : [
                {
                  text: `${link.name} of ${name} runs ${link.duplex} duplex${link.speedBps === undefined ? '' : ` at ${formatRate(link.speedBps)}`}${link.autonegotiation === false ? ', negotiation is off' : ''}`,
                },
              ]),
          ...late,
          ...crc,
        ],
        next: [
          look('see what was negotiated', `ethtool ${shellWord(link.name)}`, 'link'),
          change('let both sides negotiate', `ethtool -s ${shellWord(link.name)} autoneg on`),
        ],
      };
    }),
};

export const linkErrors: Cause = {
  id: 'link-errors',
  title: 'A link damages packets',
  severity: 'critical',
  explains: ['link-state', 'loss', 'loss-under-load', 'low-throughput'],
  check: 'checksum and frame errors of the interfaces while the path was measured',
  fix: 'replace cable or module, clean fibre, try another port',
  specificity: 4,
  judge: (facts) =>
    eachEnd(facts, ({ link, name, of }) => {
      const found = events(facts, { link, of, counters: ERROR_COUNTERS });
      if (found.length === 0)
        return link.counters || of === 'near'
          ? excluded(`no errors of ${link.name} of ${name}`)
          : unknown(`the error counters of ${name} are not known`);
      return {
        state: 'supported',
        proof: 'shown',
        of,
        evidence: found,
        next: [
          look('watch the counters', `ip -s -s link show dev ${shellWord(link.name)}; ethtool -S ${shellWord(link.name)}`, 'link'),
          change('put in another cable or module, or use another port, and measure again'),
        ],
      };
    }),
};

export const receiveDrops: Cause = {
  id: 'receive-drops',
  title: 'A card drops packets because nobody fetches them in time',
  severity: 'warning',
  explains: ['link-state', 'loss', 'loss-under-load', 'low-throughput'],
  check: 'missed and overrun packets of the interfaces while the path was measured',
  fix: 'longer receive rings, more queues, or a processor that is less busy',
  specificity: 4,
  judge: (facts) =>
    eachEnd(facts, ({ link, name, of }) => {
      const found = events(facts, { link, of, counters: DROP_COUNTERS });
      if (found.length === 0)
        return link.counters || of === 'near'
          ? excluded(`${link.name} of ${name} missed nothing`)
          : unknown(`the drop counters of ${name} are not known`);
      const { rings } = link;
      const longer = rings?.rxMax !== undefined && rings.rx < rings.rxMax;
      const supported: Supported = {
        state: 'supported',
        proof: 'shown',
        of,
        evidence: [
          ...found,
          ...(rings ? [{ text: `its receive ring holds ${rings.rx} packets${rings.rxMax === undefined ? '' : ` of ${rings.rxMax} possible`}` }] : []),
        ],
        next: [
          change(
            longer ? 'make the receive ring longer' : 'spread packets over more queues',
            longer ? `ethtool -G ${shellWord(link.name)} rx ${rings.rxMax}` : `ethtool -L ${shellWord(link.name)} combined N`,
          ),
        ],
      };
      return supported;
    }),
};

/** Counters that moved while the link was watched, or that are large for the packets it has carried. */
function events(facts: Case, { link, of, counters }: { link: LinkFacts; of: 'near' | 'far'; counters: readonly string[] }): EvidenceItem[] {
  const watched =
    of === 'near'
      ? facts.path.measurements.filter((each) => detailsOf<LinkDetails>(each).link?.name === link.name).map((each) => detailsOf<LinkDetails>(each))
      : [];
  const moved = watched.flatMap(({ ratesPerSecond, watchedMs }) =>
    counters.flatMap((counter): EvidenceItem[] => {
      const rate = ratesPerSecond?.[counter];
      if (rate === undefined || !((rate * (watchedMs ?? 0)) / 1000 >= EVENTS_MIN)) return [];
      return [{ text: `${counter} of ${link.name} rose by ${rate.toFixed(1)} a second`, value: rate, unit: 'count', expected: 0 }];
    }),
  );
  if (moved.length > 0 || watched.some(({ ratesPerSecond }) => ratesPerSecond !== undefined)) return moved;
  if (!isWired(link)) return [];
  return counters.flatMap((counter): EvidenceItem[] => {
    const count = link.counters?.[counter] ?? 0;
    const packets = link.counters?.[counter.startsWith('tx') ? 'tx_packets' : 'rx_packets'] ?? 0;
    if (count < SINCE_MIN || count < SINCE_RATIO * packets) return [];
    return [{ text: `${counter} of ${link.name} is ${count} in ${packets} packets since it came up`, value: count, unit: 'count', expected: 0 }];
  });
}

/** An end that is so busy feels missing offloads. */
const BUSY_SHARE = 0.8;
const SEND_OFFLOADS = ['tcp-segmentation-offload', 'generic-segmentation-offload'];
const RECEIVE_OFFLOADS = ['generic-receive-offload'];

export const offloadOff: Cause = {
  id: 'offload-off',
  title: 'Segmentation or receive offload is off',
  severity: 'warning',
  explains: ['low-throughput', 'limited-throughput', 'asymmetry'],
  check: 'ethtool features of both ends (TSO, GSO, GRO) together with a busy processor there',
  fix: 'turn the offload on, unless the driver is known to be broken',
  specificity: 4,
  judge(facts) {
    const off = linkEnds(facts).flatMap((end) => {
      const { features } = end.link;
      if (!features) return [];
      const isOff = (name: string): boolean => features[name]?.on === false && features[name]?.changeable === true;
      const send = SEND_OFFLOADS.every((name) => features[name] !== undefined && features[name]?.on === false) && SEND_OFFLOADS.some(isOff);
      // A veth pair has no GRO unless asked, and hands over what was joined already.
      const receive = isWired(end.link) && RECEIVE_OFFLOADS.some(isOff) && features['large-receive-offload']?.on !== true;
      return [
        ...(send ? [{ end, role: 'sender' as const, names: SEND_OFFLOADS.filter(isOff) }] : []),
        ...(receive ? [{ end, role: 'receiver' as const, names: RECEIVE_OFFLOADS.filter(isOff) }] : []),
      ];
    });
    if (!linkEnds(facts).some(({ link }) => link.features)) return unknown('the offloads of neither end are known');
    if (off.length === 0) return excluded('segmentation and receive offloads are on');
    const felt = off.flatMap(({ end, role, names }) =>
      endsSeen(facts, role)
        .filter(({ direction }) => whoOf(direction, role).of === end.of)
        .flatMap((seen) => {
          // Of the processors only what soft interrupts take is the network's; the rest may be anybody's.
          const busy = Math.max(seen.end.busiest ?? 0, role === 'receiver' ? (seen.end.host?.softirq ?? 0) : 0);
          return busy >= BUSY_SHARE || belowLinkRate(facts, seen.direction)
            ? [{ end, names, busy, direction: seen.direction, bps: seen.found.bps, role }]
            : [];
        }),
    );
    const [first] = felt;
    if (!first) return excluded('an offload is off, and neither the processors nor the links are at their limit');
    const { link, name } = first.end;
    const names = [...new Set(felt.filter(({ end }) => end.of === first.end.of).flatMap((each) => each.names))];
    return {
      state: 'supported',
      proof: 'shown',
      of: first.end.of,
      evidence: [
        { text: `${names.join(' and ')} of ${link.name} on ${name} is off and could be on` },
        ...felt.map(({ direction, role, bps, busy }) => ({
          text: `the ${role} was busy ${percent(busy)} of the time at ${formatRate(bps)} ${direction}`,
          metric: `throughput.${direction}`,
          value: busy,
          unit: 'ratio' as const,
        })),
      ],
      next: [
        change(
          `turn it on on ${name}, and measure again`,
          `ethtool -K ${shellWord(link.name)} ${names.map((each) => `${SHORT[each] ?? each} on`).join(' ')}`,
        ),
      ],
    };
  },
};

const SHORT: Readonly<Record<string, string>> = {
  'tcp-segmentation-offload': 'tso',
  'generic-segmentation-offload': 'gso',
  'generic-receive-offload': 'gro',
};
