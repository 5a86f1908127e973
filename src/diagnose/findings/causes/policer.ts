import { formatMs, formatRate, shellWord } from '../../../base/index.js';
import { finite, throughputOf } from '../../path-figures.js';
import type { Direction, Throughput } from '../../path-figures.js';
import { queueUnderLoad } from '../../path-queue.js';
import { excluded, unknown } from '../cause.js';
import type { Cause } from '../cause.js';
import { bpsItem, isEnough, lateRetransmits, percent } from '../figures.js';
import { change, look, onOs } from '../steps.js';

/** TCP with that loss and round trip would still reach more than this many times the rate: then it is not the loss alone that bounds it. */
const BEYOND_LOSS = 2;
/** Mathis, Semke, Mahdavi, Ott 1997. */
const MATHIS = 1.22;

export const policer: Cause = {
  id: 'policer',
  title: 'A policer drops what exceeds its rate',
  severity: 'warning',
  explains: ['loss-under-load', 'limited-throughput', 'low-throughput', 'asymmetry'],
  check: 'loss under load while the round trip stays as it is without load: packets are dropped, none is queued',
  fix: 'shape to just below the policed rate at the sender, or have the policer replaced by a shaper',
  specificity: 2,
  judge(facts) {
    const lossy = facts.noticed.filter(({ symptom }) => symptom === 'loss-under-load');
    if (lossy.length === 0) return excluded('no loss under load beyond what TCP provokes itself');
    const seen = lossy.flatMap(({ direction }) => {
      const found = direction && throughputOf(facts.path, direction);
      const queue = direction && queueUnderLoad(facts.path, direction);
      return direction && found && queue ? [{ direction, found, queue }] : [];
    });
    if (seen.length === 0) return unknown('the round trip under load was not measured');
    const without = seen.filter(({ direction, found, queue }) => !queue.stands && !isEnough(facts, direction, found) && isHeld(found, queue.idleMs));
    const [first] = without;
    if (!first) {
      const queue = seen.find((each) => each.queue.stands)?.queue;
      return excluded(
        queue
          ? `a queue of ${formatMs(queue.addedMs)} stood under load, so packets were queued before they were dropped`
          : 'the loss is what TCP meets at the rate that it reached',
      );
    }
    return {
      state: 'supported',
      proof: 'fits',
      evidence: without.map(({ direction, found, queue }) => evidenceOf(direction, found, queue)),
      next: [
        look(
          'find the rate: the loss begins there',
          `tautline measure throughput ${shellWord(facts.path.address ?? facts.path.peer)} --udp --rate ${Math.max(1, Math.round(first.found.bps / 1e6))}M`,
        ),
        look('look for policing on routers and at the peer', onOs(facts, { linux: 'tc -s filter show dev DEV ingress; nft list ruleset' })),
        change(
          'shape here to just below that rate, so that packets wait instead of being dropped',
          onOs(facts, {
            linux: `tc qdisc replace dev ${shellWord(facts.path.near?.link?.name ?? 'DEV')} root tbf rate RATE burst 64kb latency 20ms`,
          }),
        ),
      ],
    };
  },
};

/** Whether the rate lies clearly below what TCP reaches with that share of loss and that round trip. */
function isHeld(found: Throughput, idleMs: number): boolean {
  const again = lateRetransmits(found);
  const mssBytes = finite(found.details.perStream?.[0]?.mssBytes) ?? 1448;
  if (!again || !(again.ratio > 0) || !(idleMs > 0)) return true;
  return (MATHIS * mssBytes * 8000) / (idleMs * Math.sqrt(again.ratio)) > BEYOND_LOSS * found.bps;
}

function evidenceOf(direction: Direction, found: Throughput, queue: { addedMs: number; idleMs: number }) {
  const again = lateRetransmits(found);
  const text = `${formatRate(found.bps)} ${direction} with ${again ? percent(again.ratio) : 'many'} of the segments sent again, and load added ${formatMs(Math.max(0, queue.addedMs))} to a round trip of ${formatMs(queue.idleMs)}: nothing is queued`;
  return bpsItem(text, { metric: `throughput.${direction}`, value: found.bps });
}
