import { formatRate, shellWord } from '../../../base/index.js';
import type { Direction, EndDetails, Throughput, ThroughputDetails } from '../../path-figures.js';
import { detailsOf, finite, isTunnelled, isWired } from '../../path-figures.js';
import { excluded, unknown } from '../cause.js';
import type { Case, Cause, EvidenceItem, Judgement, Supported } from '../cause.js';
import { queueUnderLoad } from '../../path-queue.js';
import { atLinkRate, belowLinkRate, find, isEnough, lateRetransmits, limitOf, msItem, percent, tested, waits, whoOf } from '../figures.js';
import { change, look, onOs } from '../steps.js';

/** A thread or processor that computes for more of the time is what others wait for. */
const BUSY_SHARE = 0.9;
/** The test's own thread got so little of a processor that is full that something else has the rest. */
const STARVED_SHARE = 0.7;
/** TCP waited for the end that was starved for at least this share. */
const WAIT_SHARE = 0.5;
/** What a busy end slows down is not slowed down by the path: few segments are sent again, and no queue stands. */
const RETRANSMITS_MAX = 0.005;
/** A window that is used up is a rival. */
const WINDOW_SHARE_MAX = 0.3;
const STEAL_SHARE = 0.1;

interface Seen {
  readonly direction: Direction;
  readonly found: Throughput;
  readonly end: EndDetails;
}

export const receiverProcessor = processorCause('receiver');
export const senderProcessor = processorCause('sender');

function processorCause(who: 'sender' | 'receiver'): Cause {
  return {
    id: `${who}-cpu`,
    title: who === 'sender' ? 'The sender’s processor is the limit' : 'The receiver’s processor is the limit',
    severity: 'warning',
    explains: ['low-throughput', 'limited-throughput', 'asymmetry'],
    check: `the busiest thread and the busiest processor of the ${who}, and whether TCP ${who === 'sender' ? 'ran out of data to send' : "waited for the receiver's window"}`,
    fix: 'end or move what competes for the processor, spread the work over several connections, or turn offloads on',
    specificity: 1,
    judge(facts) {
      const judged = endsSeen(facts, who).map((seen) => judgeEnd(facts, who, seen));
      if (judged.length === 0) return unknown(`how busy the ${who} was is not known`);
      return merged(judged);
    },
  };
}

function judgeEnd(facts: Case, who: 'sender' | 'receiver', { direction, found, end }: Seen): Judgement {
  const name = `${who} (${whoOf(direction, who).name})`;
  const thread = finite(end.busiest);
  const cpu = finite(end.host?.busiestCpu);
  if (thread === undefined && cpu === undefined) return unknown(`how busy the ${name} was is not known`);
  if (atLinkRate(facts, direction)) return excluded(`the path runs at its link's rate ${direction}`);
  const below = belowLinkRate(facts, direction);
  const waited = waits(found);
  const wait = who === 'receiver' ? waited?.receiver : waited?.idle;
  const saturated = thread !== undefined && thread >= BUSY_SHARE;
  const kept = thread !== undefined && thread < STARVED_SHARE && cpu !== undefined && cpu >= BUSY_SHARE;
  const starved = kept && wait !== undefined && wait >= WAIT_SHARE && nothingElse(facts, { direction, found, end });
  if (starved) return supportedBy(facts, { who, direction, found, end }, 'other');
  if (saturated && below) return supportedBy(facts, { who, direction, found, end }, 'own');
  if (saturated)
    return unknown(
      `the ${name}'s thread computed ${percent(thread)} of the time at ${formatRate(found.bps)}, and no link is known that would allow more`,
    );
  return excluded(
    `the ${name}'s busiest thread computed ${percent(thread ?? 0)} of the time${cpu === undefined ? '' : `, its busiest processor ${percent(cpu)}`}`,
  );
}

/** Whether neither loss, nor a queue, nor a window of known size explains why TCP waited. */
function nothingElse(facts: Case, { direction, found }: Seen): boolean {
  const window = limitOf(facts, 'receive-window', direction);
  const large = window !== undefined && found.bps <= WINDOW_SHARE_MAX * window.bps;
  const again = lateRetransmits(found)?.ratio ?? 0;
  return !isEnough(facts, direction, found) && again <= RETRANSMITS_MAX && queueUnderLoad(facts.path, direction)?.stands !== true && large;
}

function supportedBy(facts: Case, seen: Seen & { who: 'sender' | 'receiver' }, whose: 'own' | 'other'): Supported {
  const { who, direction, found, end } = seen;
  const waited = waits(found);
  const { name, of } = whoOf(direction, who);
  const wait = who === 'receiver' ? waited?.receiver : waited?.idle;
  const evidence: EvidenceItem[] = [
    ...(end.host
      ? [
          {
            text: `the busiest processor of ${name} was at ${percent(end.host.busiestCpu)}, all together at ${percent(end.host.busy)}`,
            value: end.host.busiestCpu,
            unit: 'ratio' as const,
          },
        ]
      : []),
    ...(end.busiest === undefined
      ? []
      : [
          {
            text: `the test's own thread there computed ${percent(end.busiest)} of the time at ${formatRate(found.bps)} ${direction}`,
            value: end.busiest,
            unit: 'ratio' as const,
          },
        ]),
    ...(wait === undefined
      ? []
      : [
          {
            text:
              who === 'receiver'
                ? `TCP waited for the receiver ${percent(wait)} of the time`
                : `TCP had nothing to send ${percent(wait)} of the time`,
            value: wait,
            unit: 'ratio' as const,
            expected: 0,
          },
        ]),
  ];
  return {
    state: 'supported',
    proof: whose === 'other' ? 'shown' : 'fits',
    title:
      whose === 'other'
        ? `Something else keeps the ${who}’s processor busy`
        : who === 'sender'
          ? 'The sender’s processor is the limit'
          : 'The receiver’s processor is the limit',
    evidence,
    next: [
      look(`see what runs on ${name}`, onOs(facts, { linux: 'top -b -n 1 -o %CPU | head -15; mpstat -P ALL 1 3', darwin: 'top -l 2 -o cpu -n 10' })),
      ...(whose === 'other'
        ? [change(`end or move what competes on ${name}, or keep a processor free of it`, of === 'near' ? 'taskset -pc CPUS PID' : undefined)]
        : [
            look(
              'see whether several connections get more',
              `tautline measure throughput ${shellWord(facts.path.address ?? facts.path.peer)} --streams 4`,
            ),
            change(
              'check that segmentation and receive offloads are on',
              `ethtool -k ${shellWord(facts.path.near?.link?.name ?? 'DEV')} | grep -E 'segmentation|receive-offload'`,
            ),
          ]),
    ].map((step) => (step.command === undefined ? { text: step.text, costs: step.costs } : step)),
  };
}

/** The far end computed for others and left its own responder waiting. */
export const farCpu: Cause = {
  id: 'far-cpu',
  title: 'Something else keeps the peer’s processor busy',
  severity: 'warning',
  explains: ['slow-responder', 'slow-server', 'slow-tls', 'stalled-transfer', 'slow-ssh'],
  check: "the peer's busiest processor while a test ran that took little of it, beside an answer or a transfer that waited for the peer",
  fix: 'end or move what competes for the processor there, or keep a processor free of it',
  specificity: 4,
  judge(facts) {
    const loads = facts.path.measurements.flatMap((each) => {
      const [kind, direction] = each.metric.split('.');
      if (kind !== 'throughput' || (direction !== 'up' && direction !== 'down')) return [];
      const details = detailsOf<ThroughputDetails>(each);
      const end = direction === 'up' ? details.receiver : details.sender;
      if (!end?.host || finite(end.host.busiestCpu) === undefined) return [];
      return [{ host: end.host, own: finite(end.cpuMs) ?? 0, elapsedMs: Math.max(1, finite(end.elapsedMs) ?? 0, each.durationMs) }];
    });
    const worst = loads.toSorted((a, b) => b.host.busiestCpu - a.host.busiestCpu)[0];
    if (!worst) return unknown('how busy the processors of the peer were is not known');
    if (worst.host.busiestCpu < FULL_SHARE) return excluded(`the peer's busiest processor was at ${percent(worst.host.busiestCpu)}`);
    const own = worst.own / worst.elapsedMs;
    if (own >= STARVED_SHARE) return excluded(`the test itself took ${percent(own)} of a processor of the peer`);
    const late = find(facts.path, 'rtt', 'echo');
    const held = late && finite(detailsOf<{ withHoldingTime: { max: number } }>(late).withHoldingTime?.max);
    return {
      state: 'supported',
      proof: 'shown',
      of: 'far',
      evidence: [
        {
          text: `the busiest processor of the peer was at ${percent(worst.host.busiestCpu)}, the test's own part of it ${percent(own)}`,
          value: worst.host.busiestCpu,
          unit: 'ratio',
        },
        ...(held !== undefined && late?.summary && held > late.summary.median + HELD_MS
          ? [msItem(`an echo was held there for ${Math.round(held)} ms`, { metric: 'rtt', value: held })]
          : []),
      ],
      next: [
        look('see what runs on the peer', 'top -b -n 1 -o %CPU | head -15; mpstat -P ALL 1 3'),
        change('end or move what competes there, or keep a processor free of it', 'taskset -pc CPUS PID'),
      ],
    };
  },
};

const FULL_SHARE = 0.95;
const HELD_MS = 50;

export const steal: Cause = {
  id: 'cpu-steal',
  title: 'The hypervisor takes the processor away',
  severity: 'warning',
  explains: ['low-throughput', 'limited-throughput', 'jitter', 'delay-under-load', 'asymmetry'],
  check: 'time in which the hypervisor ran somebody else (steal), on either end while a test ran',
  fix: 'move to a machine with dedicated processors, or to a less crowded host',
  specificity: 3,
  judge(facts) {
    const ends = [
      ...endsSeen(facts, 'sender').map((seen) => ({ ...seen, who: 'sender' as const })),
      ...endsSeen(facts, 'receiver').map((seen) => ({ ...seen, who: 'receiver' as const })),
    ];
    const known = ends.filter(({ end }) => finite(end.host?.steal) !== undefined);
    if (known.length === 0) return unknown('whether a hypervisor took processor time is not known');
    const worst = known.toSorted((a, b) => (b.end.host?.steal ?? 0) - (a.end.host?.steal ?? 0))[0];
    const share = worst?.end.host?.steal ?? 0;
    if (!worst || share < STEAL_SHARE) return excluded(`the hypervisor took ${percent(share)} of the time at most`);
    const { name, of } = whoOf(worst.direction, worst.who);
    return {
      state: 'supported',
      proof: 'shown',
      of,
      evidence: [
        {
          text: `the hypervisor took ${percent(share)} of the time of ${name} away while it was the ${worst.who}`,
          value: share,
          unit: 'ratio',
          expected: 0,
        },
      ],
      next: [look('watch the column st', 'vmstat 1 5'), { text: 'move to an instance with dedicated processors', costs: 'money' }],
    };
  },
};

export const vpnEncryption: Cause = {
  id: 'vpn-encryption',
  title: 'Encrypting the tunnel takes the whole processor',
  severity: 'warning',
  explains: ['low-throughput', 'limited-throughput', 'asymmetry'],
  check: 'a tunnel whose busiest processor is full at an end while a test runs that takes little of it itself',
  fix: 'use the path without the tunnel for bulk, kernel WireGuard instead of a program, or UDP offloads for the tunnel (Linux 6.2 and later)',
  specificity: 4,
  judge(facts) {
    if (!isTunnelled(facts.path)) return excluded('the path has no tunnel');
    const judged = (['sender', 'receiver'] as const).flatMap((who) => endsSeen(facts, who).map((seen) => ({ ...seen, who })));
    const known = judged.filter(({ end }) => finite(end.host?.busiestCpu) !== undefined);
    if (known.length === 0) return unknown('how busy the processors of both ends were is not known');
    const direct = facts.siblings.find((other) => !isTunnelled(other) && other.kind === 'lan');
    const faster = direct && known.find((seen) => (throughputAt(direct, seen.direction) ?? 0) > 1.4 * seen.found.bps);
    const full = known.find(
      ({ end, direction }) => (end.host?.busiestCpu ?? 0) >= BUSY_SHARE && (faster?.direction === direction || belowLinkRate(facts, direction)),
    );
    if (!full)
      return excluded(
        `the busiest processor was at ${percent(Math.max(...known.map(({ end }) => end.host?.busiestCpu ?? 0)))}, or no link is known to allow more`,
      );
    const { name, of } = whoOf(full.direction, full.who);
    return {
      state: 'supported',
      proof: 'fits',
      of: 'path',
      evidence: [
        {
          text: `the busiest processor of ${name} was at ${percent(full.end.host?.busiestCpu ?? 0)} with ${formatRate(full.found.bps)} ${full.direction} through the tunnel`,
          value: full.end.host?.busiestCpu ?? 0,
          unit: 'ratio',
        },
      ],
      next: [
        ...(direct ? [change(`use the path ${direct.path} for bulk`)] : []),
        change(
          'turn on UDP offloads for the tunnel (Linux 6.2 and later)',
          of === 'near' ? 'ethtool -K DEV rx-udp-gro-forwarding on rx-gro-list off' : undefined,
        ),
      ].map((step) => (step.command === undefined ? { text: step.text, costs: step.costs } : step)),
    };
  },
};

function throughputAt({ measurements }: { measurements: Case['path']['measurements'] }, direction: Direction): number | undefined {
  return measurements.find(({ metric, outcome }) => metric === `throughput.${direction}` && outcome === 'ok')?.summary?.median;
}

export const singleQueue: Cause = {
  id: 'single-queue',
  title: 'One processor takes in all packets',
  severity: 'warning',
  explains: ['low-throughput', 'limited-throughput'],
  check: 'a receive queue that is one or not spread, and a processor that soft interrupts fill while others idle',
  fix: 'use more receive queues (ethtool -L), or spread packets in software (RPS)',
  specificity: 4,
  judge(facts) {
    const seen = endsSeen(facts, 'receiver').filter(({ end }) => end.host !== undefined);
    if (seen.length === 0) return unknown('the soft-interrupt load of the receiver is not known');
    const full = seen.find(
      ({ end, direction }) => (end.host?.softirq ?? 0) >= 0.8 && (end.host?.busy ?? 1) < STARVED_SHARE && belowLinkRate(facts, direction),
    );
    if (!full)
      return excluded(
        `soft interrupts took ${percent(Math.max(...seen.map(({ end }) => end.host?.softirq ?? 0)))} of the receiver's busiest processor, or the links are reached`,
      );
    const { name, of } = whoOf(full.direction, 'receiver');
    const link = (of === 'near' ? facts.path.near : facts.path.far)?.link;
    const queues = link?.queues;
    if (!isWired(link) || (queues && queues.rx > 1))
      return excluded(queues ? `the receiver's card has ${queues.rx} receive queues` : "the receiver's card is not known");
    const device = shellWord(link?.name ?? 'DEV');
    return {
      state: 'supported',
      proof: queues ? 'shown' : 'fits',
      of,
      evidence: [
        {
          text: `soft interrupts took ${percent(full.end.host?.softirq ?? 0)} of one processor of ${name}, all together were at ${percent(full.end.host?.busy ?? 0)}`,
          value: full.end.host?.softirq ?? 0,
          unit: 'ratio',
        },
        ...(queues
          ? [
              {
                text: `${device} has ${queues.rx} receive queue${queues.rxMax === undefined ? '' : ` of ${queues.rxMax} possible`}`,
                value: queues.rx,
                unit: 'count' as const,
              },
            ]
          : []),
      ],
      next: [
        (queues?.rxMax ?? 1) > 1
          ? change(`use more receive queues on ${name}`, `ethtool -L ${device} combined ${queues?.rxMax ?? 'N'}`)
          : change(`spread packets in software on ${name}`, `echo ffff > /sys/class/net/${device}/queues/rx-0/rps_cpus`),
      ],
    };
  },
};

/** Tests in which that end told how busy it was. */
export function endsSeen(facts: Case, who: 'sender' | 'receiver'): Seen[] {
  return tested(facts).flatMap(({ direction, found }) => {
    const end = found.details[who];
    return end && typeof end === 'object' ? [{ direction, found, end }] : [];
  });
}

export function merged(judged: readonly Judgement[]): Judgement {
  const supported = judged.filter((each) => each.state === 'supported');
  const [first] = supported;
  if (first) return { ...first, evidence: supported.flatMap(({ evidence }) => evidence), next: supported.flatMap(({ next }) => next) };
  return judged.find(({ state }) => state === 'unknown') ?? judged[0] ?? unknown('not looked at');
}
