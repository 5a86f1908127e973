import { formatMs, formatRate, shellWord } from '../../../base/index.js';
import type { LinkFacts } from '../../../base/index.js';
import { tcpShare } from '../../ceilings/framing.js';
import { framingOf } from '../../ceilings/ceiling.js';
import { isWired } from '../../path-figures.js';
import type { Direction, Throughput } from '../../path-figures.js';
import { queueUnderLoad } from '../../path-queue.js';
import { plateauOf } from '../../plateau.js';
import type { Plateau } from '../../plateau.js';
import { excluded, unknown } from '../cause.js';
import type { Case, Cause, Step } from '../cause.js';
import { atLinkRate, belowLinkRate, bpsItem, isEnough, isLocal, lateRetransmits, limitOf, percent, tested, whoOf } from '../figures.js';
import { buy, change, look, onOs } from '../steps.js';

/** A shaper that was reached to this share is what the test ran into. */
const REACHED_SHARE = 0.7;

export const shaper: Cause = {
  id: 'shaper',
  title: 'A shaper limits the rate',
  severity: 'warning',
  explains: ['low-throughput', 'limited-throughput', 'asymmetry', 'delay-under-load', 'loss-under-load'],
  check:
    'the rates of queue disciplines at both ends; else a rate that holds within 3 % while a queue stands, after a burst or at a figure that no Ethernet speed has',
  fix: 'raise or remove the limit where it is meant to be higher, else nothing: it works as it was told',
  specificity: 2,
  judge(facts) {
    const seen = tested(facts);
    if (seen.length === 0) return unknown('throughput was not measured');
    const configured = seen.flatMap(({ direction, found }) => {
      const limit = limitOf(facts, 'shaper', direction);
      return limit && found.bps >= REACHED_SHARE * limit.bps && !atLinkRate(facts, direction) ? [{ direction, found, limit }] : [];
    });
    if (configured.length > 0) {
      return {
        state: 'supported',
        proof: 'shown',
        evidence: configured.map(({ direction, found, limit }) =>
          bpsItem(`${formatRate(found.bps)} ${direction}: ${limit.why}`, {
            metric: `throughput.${direction}`,
            value: found.bps,
            expected: limit.bps,
          }),
        ),
        next: configured.flatMap(({ direction }) => shaperSteps(facts, direction)),
      };
    }
    const held = seen.flatMap(({ direction, found }) => {
      const plateau = plateauOf(found);
      return plateau && !atLinkRate(facts, direction) && isShaped(facts, { direction, found, plateau }) ? [{ direction, plateau }] : [];
    });
    if (held.length === 0) return excluded('no queue discipline with a rate is known at either end, and no rate held steadily below the links');
    return {
      state: 'supported',
      proof: 'fits',
      severity: isLocal(facts) ? 'warning' : 'notice',
      evidence: held.map(({ direction, plateau }) => plateauItem(facts, direction, plateau)),
      next: [
        look('look for a shaper at the peer and on routers between', onOs(facts, { linux: 'tc -s qdisc show', darwin: 'sudo dnctl list' })),
        change('raise the limit there, or ask whoever runs the line which rate was agreed on'),
      ],
    };
  },
};

function shaperSteps(facts: Case, direction: Direction): Step[] {
  const { name } = whoOf(direction, 'sender');
  const device = shellWord((direction === 'up' ? facts.path.near : facts.path.far)?.link?.name ?? 'DEV');
  return [
    look(`see what ${name} shapes, and what its queue drops`, `tc -s -d qdisc show dev ${device}; tc -s class show dev ${device}`),
    change(`if the limit is not meant: raise it on ${name}, or remove it`, `tc qdisc del dev ${device} root`),
  ];
}

/**
 * Where lines end is not known beyond this site: only a token bucket's own sign tells a shaper from a slower line
 * there. Within one, a queue that stands before no link that is known says that something holds the rate.
 */
function isShaped(facts: Case, { direction, found, plateau }: { direction: Direction; found: Throughput; plateau: Plateau }): boolean {
  if (isEnough(facts, direction, found)) return false;
  const queued = queueUnderLoad(facts.path, direction)?.stands === true;
  // After an overshoot a path that is well runs below its rate too, without a queue and without further loss.
  if (plateau.burst) return queued || isDroppedFromQueue(lateRetransmits(found)?.ratio ?? 0);
  const ends = [facts.path.near?.link, facts.path.far?.link];
  // A radio settles at any rate, and an end that is not known may have one; a virtual card hides the one beneath it.
  if (!isLocal(facts) || !ends.every((link) => link !== undefined && ((isWired(link) && link.speedBps !== undefined) || link.driver === 'veth')))
    return false;
  return queued && ethernetSpeed(facts, direction, plateau.bps) === undefined;
}

function plateauItem(facts: Case, direction: Direction, plateau: Plateau) {
  const queue = queueUnderLoad(facts.path, direction);
  const signs = [
    `throughput ${direction} held ${formatRate(plateau.bps)} within ${percent(plateau.spread)}`,
    ...(queue?.stands === true ? [`while ${formatMs(queue.addedMs)} of queue stood`] : []),
    ...(plateau.burst ? [`after a burst at up to ${formatRate(plateau.burst.bps)}`] : []),
  ];
  return bpsItem(signs.join(' '), { metric: `throughput.${direction}`, value: plateau.bps });
}

/** A queue too short to be seen drops some; what drops more than this has no queue at all, and is a policer. */
function isDroppedFromQueue(ratio: number): boolean {
  return ratio >= DROPPING_RATIO && ratio < POLICING_RATIO;
}

const DROPPING_RATIO = 0.005;
const POLICING_RATIO = 0.15;

const SPEEDS_BPS: readonly number[] = [10e6, 100e6, 1e9, 2.5e9, 5e9, 10e9, 25e9, 40e9, 50e9, 100e9];
/** So near an Ethernet speed's payload rate that it is one. A shaper of the same nominal rate counts other bytes: 95.6 against 94.1 Mbit/s. */
const SPEED_SHARE = 0.007;

function ethernetSpeed(facts: Case, direction: Direction, bps: number): number | undefined {
  const framing = framingOf(facts.path, direction);
  return SPEEDS_BPS.find((speed) =>
    [true, false].some((timestamps) => Math.abs(bps / (speed * tcpShare({ ...framing, timestamps })) - 1) <= SPEED_SHARE),
  );
}

export const slowSegment: Cause = {
  id: 'slow-segment',
  title: 'A cable, switch or adapter between runs slower than both ends',
  severity: 'warning',
  explains: ['low-throughput', 'limited-throughput'],
  check: "a rate that holds at what an Ethernet speed below both ends' leaves for payload",
  fix: 'replace the slower switch port, adapter or cable between, or connect the two directly',
  specificity: 3,
  judge(facts) {
    const { near, far } = facts.path;
    const slowest = Math.min(
      ...[near?.link, far?.link].filter(isWired).map((link: LinkFacts | undefined) => link?.speedBps ?? Number.POSITIVE_INFINITY),
    );
    if (!isLocal(facts)) return excluded('the path leaves this site');
    if (!Number.isFinite(slowest)) return unknown("the speed of neither end's link is known");
    const seen = tested(facts).flatMap(({ direction, found }) => {
      const plateau = plateauOf(found);
      const speed = plateau && ethernetSpeed(facts, direction, plateau.bps);
      return speed !== undefined && speed < slowest && belowLinkRate(facts, direction) ? [{ direction, speed, bps: found.bps }] : [];
    });
    if (seen.length === 0) return excluded(`no rate held at what a slower Ethernet speed than ${formatRate(slowest)} leaves`);
    return {
      state: 'supported',
      proof: 'fits',
      evidence: seen.map(({ direction, speed, bps }) =>
        bpsItem(
          `throughput ${direction} ${formatRate(bps)} is what ${formatRate(speed)} Ethernet leaves for payload; both ends run at ${formatRate(slowest)} or more`,
          {
            metric: `throughput.${direction}`,
            value: bps,
            expected: slowest,
          },
        ),
      ),
      next: [
        look('look at the lights and speeds of the switch ports between the two'),
        change('connect the two directly, or at another switch, and measure again'),
        buy(`replace the ${formatRate(seen[0]?.speed ?? 0)} part: switch, adapter or cable`),
      ],
    };
  },
};
