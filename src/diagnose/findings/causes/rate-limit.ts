import { formatMs, formatRate } from '../../../base/index.js';
import type { LinkFacts } from '../../../base/index.js';
import { tcpShare } from '../../ceilings/framing.js';
import { framingOf } from '../../ceilings/ceiling.js';
import { isWired, throughputOf } from '../../path-figures.js';
import type { Direction } from '../../path-figures.js';
import { plateauOf } from '../../plateau.js';
import type { Plateau } from '../../plateau.js';
import { excluded, unknown } from '../cause.js';
import type { Case, Cause, Step } from '../cause.js';
import { atLinkRate, belowLinkRate, bpsItem, isLocal, isWireless, limitOf, percent, tested, whoOf } from '../figures.js';
import { buy, change, look, onOs } from '../steps.js';

/** A shaper that was reached to this share is what the test ran into. */
const REACHED_SHARE = 0.7;

export const shaper: Cause = {
  id: 'rate-limit',
  title: 'A shaper limits the rate',
  severity: 'warning',
  explains: ['low-throughput', 'limited-throughput', 'asymmetry', 'delay-under-load'],
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
      return plateau && !atLinkRate(facts, direction) && isShaped(facts, direction, plateau) ? [{ direction, plateau }] : [];
    });
    if (held.length === 0) return excluded('no queue discipline with a rate is known at either end, and no rate held steadily below the links');
    return {
      state: 'supported',
      proof: 'fits',
      severity: isLocal(facts) ? 'warning' : 'notice',
      evidence: held.map(({ direction, plateau }) => plateauItem(direction, plateau)),
      next: [
        look('look for a shaper at the peer and on routers between', onOs(facts, { linux: 'tc -s qdisc show', darwin: 'sudo dnctl list' })),
        change('raise the limit there, or ask whoever runs the line which rate was agreed on'),
      ],
    };
  },
};

function shaperSteps(facts: Case, direction: Direction): Step[] {
  const { name } = whoOf(direction, 'sender');
  const device = (direction === 'up' ? facts.path.near : facts.path.far)?.link?.name ?? 'DEV';
  return [
    look(`see what ${name} shapes, and what its queue drops`, `tc -s -d qdisc show dev ${device}; tc -s class show dev ${device}`),
    change(`if the limit is not meant: raise it on ${name}, or remove it`, `tc qdisc del dev ${device} root`),
  ];
}

/** Where lines end is not known beyond this site: only a token bucket's own sign tells a shaper from a slower line there. */
function isShaped(facts: Case, direction: Direction, plateau: Plateau): boolean {
  if (plateau.burst) return true;
  // A radio settles at any rate; and an end that is not known may have one.
  if (!facts.path.near?.link || !facts.path.far?.link || isWireless(facts)) return false;
  return isLocal(facts) && plateau.queueMs !== undefined && ethernetSpeed(facts, direction, plateau.bps) === undefined;
}

function plateauItem(direction: Direction, plateau: Plateau) {
  const signs = [
    `throughput ${direction} held ${formatRate(plateau.bps)} within ${percent(plateau.spread)}`,
    ...(plateau.queueMs === undefined ? [] : [`with ${formatMs(plateau.queueMs)} of queue`]),
    ...(plateau.burst ? [`after a burst at up to ${formatRate(plateau.burst.bps)}`] : []),
  ];
  return bpsItem(signs.join(' '), { metric: `throughput.${direction}`, value: plateau.bps });
}

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

/** A path that drops without queueing keeps its round trip within this. */
const QUEUE_MS_MAX = 0.5;
const QUEUE_SHARE_MAX = 0.05;

export const policer: Cause = {
  id: 'policer',
  title: 'A policer drops what exceeds its rate',
  severity: 'warning',
  explains: ['loss-under-load', 'limited-throughput', 'low-throughput', 'asymmetry'],
  check: 'loss under load while the round trip stays as it is without load: packets are dropped, none is queued',
  fix: 'shape to just below the policed rate at the sender, or have the policer replaced by a shaper',
  specificity: 1,
  judge(facts) {
    const lossy = facts.noticed.filter(({ symptom }) => symptom === 'loss-under-load');
    if (lossy.length === 0) return excluded('no loss under load beyond what TCP provokes itself');
    const seen = lossy.flatMap(({ direction }) => {
      const found = direction && throughputOf(facts.path, direction);
      const queue = direction && found && queueUnderLoad(facts, direction);
      return direction && found && queue ? [{ direction, found, queue }] : [];
    });
    if (seen.length === 0) return unknown('the round trip under load was not measured');
    const without = seen.filter(({ queue }) => queue.addedMs <= Math.max(QUEUE_MS_MAX, QUEUE_SHARE_MAX * queue.baseMs));
    const [first] = seen;
    if (without.length === 0)
      return excluded(`a queue of ${formatMs(first?.queue.addedMs ?? 0)} stood under load, so packets were queued before they were dropped`);
    return {
      state: 'supported',
      proof: 'fits',
      evidence: without.map(({ direction, found, queue }) =>
        bpsItem(
          `${formatRate(found.bps)} ${direction} with loss, and load added ${formatMs(Math.max(0, queue.addedMs))} to a round trip of ${formatMs(queue.baseMs)}: nothing is queued`,
          {
            metric: `throughput.${direction}`,
            value: found.bps,
          },
        ),
      ),
      next: [
        look(
          'find the rate: the loss begins there',
          `tautline measure throughput ${facts.path.address ?? facts.path.peer} --udp --rate ${Math.round((without[0]?.found.bps ?? 0) / 1e6)}M`,
        ),
        look('look for policing on routers and at the peer', onOs(facts, { linux: 'tc -s filter show dev DEV ingress; nft list ruleset' })),
        change(
          'shape here to just below that rate, so that packets wait instead of being dropped',
          onOs(facts, { linux: `tc qdisc replace dev ${facts.path.near?.link?.name ?? 'DEV'} root tbf rate RATE burst 64kb latency 20ms` }),
        ),
      ],
    };
  },
};

/** By how much a load lifted the round trip: by TCP itself, or by the echoes beside it where that is less. */
export function queueUnderLoad(facts: Case, direction: Direction): { addedMs: number; baseMs: number } | undefined {
  const loaded = facts.path.measurements.find(({ metric, summary }) => metric === `rtt.loaded.${direction}` && summary)?.summary;
  const idle = facts.path.measurements.find(({ metric, summary }) => metric === 'rtt.idle' && summary)?.summary;
  if (loaded && idle) return { addedMs: loaded.median - idle.median, baseMs: idle.median };
  return undefined;
}
