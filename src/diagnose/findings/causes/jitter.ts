import { formatMs, shellWord } from '../../../base/index.js';
import { detailsOf, finite } from '../../path-figures.js';
import { excluded, unknown } from '../cause.js';
import type { Case, Cause, EvidenceItem } from '../cause.js';
import { find, msItem } from '../figures.js';
import { change, look, onOs } from '../steps.js';

/** This host's own sending was so irregular that it may be what varies. */
const OWN_SHARE = 0.5;

function wireless(facts: Case): string | undefined {
  const { near, far } = facts.path;
  if (near?.link?.kind === 'wireless') return near.link.name;
  return far?.link?.kind === 'wireless' ? far.link.name : undefined;
}

function ways(facts: Case): EvidenceItem[] {
  const echo = find(facts.path, 'rtt', 'echo');
  const details = echo && detailsOf<Record<'up' | 'down', { aboveMinimumMs?: { p95?: number } }>>(echo);
  return (['up', 'down'] as const).flatMap((direction) => {
    const p95 = finite(details?.[direction]?.aboveMinimumMs?.p95);
    return p95 === undefined
      ? []
      : [msItem(`${direction}: 95 % arrive within ${formatMs(p95)} of the fastest`, { metric: `jitter.${direction}`, value: p95 })];
  });
}

function ownLatenessMs(facts: Case): number | undefined {
  const echo = find(facts.path, 'rtt', 'echo');
  return finite(echo && detailsOf<{ lateness: { median: number } }>(echo).lateness?.median);
}

export const wirelessJitter: Cause = {
  id: 'wireless-jitter',
  title: 'The radio link makes delay vary',
  severity: 'warning',
  explains: ['jitter', 'high-latency', 'loss'],
  check: 'delay that varies without load on a path that begins or ends with a wireless link',
  fix: 'a cable; else a free channel, 5 or 6 GHz, and power saving off',
  specificity: 3,
  judge(facts) {
    const name = wireless(facts);
    const known = facts.path.near?.link !== undefined;
    if (name === undefined) return known ? excluded('no link that is known is wireless') : unknown('what kind of link this host uses is not known');
    const jitter = facts.noticed.some(({ symptom }) => symptom === 'jitter');
    return {
      state: 'supported',
      proof: 'fits',
      of: 'path',
      evidence: [{ text: `${name} is a wireless link` }, ...(jitter ? ways(facts) : [])],
      next: [
        look(
          'see signal, rate and retries',
          onOs(facts, { linux: `iw dev ${shellWord(name)} link; iw dev ${shellWord(name)} station dump`, darwin: 'wdutil info' }),
        ),
        change('turn power saving off, or use a cable', onOs(facts, { linux: `iw dev ${shellWord(name)} set power_save off` })),
      ],
    };
  },
};

export const variableDelay: Cause = {
  id: 'jitter',
  title: 'Delay varies on the way, without load of its own',
  severity: 'warning',
  explains: ['jitter'],
  check: "delay of each direction without load, against how regularly this host sent; other traffic's queues, radio or a busy forwarder on the way",
  fix: 'find the hop where it begins, and give what waits there its turn (fair queueing), or take another path',
  judge(facts) {
    const jitter = facts.noticed.find(({ symptom }) => symptom === 'jitter')?.evidence;
    if (!jitter) return excluded('delay does not vary much');
    const own = ownLatenessMs(facts);
    if (own !== undefined && own > OWN_SHARE * (jitter.value ?? 0)) return unknown(`this host itself sent ${formatMs(own)} late in the median`);
    return {
      state: 'supported',
      proof: 'fits',
      evidence: [
        ...ways(facts),
        ...(own === undefined
          ? []
          : [msItem(`this host sent within ${formatMs(own)} of the time due (median), so it is not what varies`, { value: own })]),
      ],
      next: [
        look('see at which hop it begins', `tautline measure trace ${shellWord(facts.path.address ?? facts.path.peer)}`, 'trace'),
        look(
          'measure at another hour: queues of other traffic come and go',
          `tautline measure echo ${shellWord(facts.path.address ?? facts.path.peer)} --duration 60s`,
        ),
      ],
    };
  },
};

export const reordering: Cause = {
  id: 'reordering',
  title: 'Something on the way spreads one flow over several ways',
  severity: 'warning',
  explains: ['reordering'],
  check: 'echoes that were overtaken, by direction',
  fix: 'balance by flow instead of by packet (bonding, ECMP), or leave one way',
  judge: (facts) =>
    facts.noticed.some(({ symptom }) => symptom === 'reordering')
      ? {
          state: 'supported',
          proof: 'shown',
          evidence: [],
          next: [
            look('look for bonding by packet', onOs(facts, { linux: 'cat /proc/net/bonding/* | grep -i mode' })),
            change(
              'balance by flow: bonding mode 802.3ad with xmit_hash_policy layer3+4',
              onOs(facts, { linux: 'ip link set dev bond0 type bond mode 802.3ad xmit_hash_policy layer3+4' }),
            ),
          ],
        }
      : excluded('packets arrive in order'),
};
