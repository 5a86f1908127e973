import type { Advice, AdviceCause, AdviceOption } from '../../results/index.js';
import type { Situation } from './input.js';
import { speedName } from './link-speeds.js';

type Action = NonNullable<Advice['actions']>[number];

interface Bought {
  readonly worthwhile: boolean;
  readonly otherLimit?: string;
  readonly causes: readonly AdviceCause[];
  readonly options: readonly AdviceOption[];
  readonly workloads: Advice['workloads'];
}

/** Checks that a person makes before any money is spent. */
const CHECKS_MAX = 3;

/** What to do, by cost and certainty: looks that cost nothing, then a trial that costs little, then what lasts. */
export function actionsOf({ worthwhile, otherLimit, causes, options, workloads }: Bought, situation: Situation): Action[] {
  const fast = speedName(situation.toBps);
  if (otherLimit !== undefined)
    return [
      {
        term: 'short',
        text: `find out what limits the path before buying anything: ${otherLimit}`,
        command: 'tautline check PEER',
        costs: 'nothing',
      },
    ];
  const checks = causes.slice(0, CHECKS_MAX).map(({ title, command }): Action => ({
    term: 'short',
    text: `find out whether it is this: ${title}`,
    ...(command === undefined ? {} : { command }),
    costs: 'nothing',
  }));
  const measure: Action = {
    term: 'short',
    text: 'measure before you buy, so that the gain can be told afterwards',
    command: 'tautline check PEER',
    costs: 'nothing',
  };
  const enough = workloads.filter(({ verdict }) => verdict === 'sufficient now').map(({ title }) => title);
  if (!worthwhile)
    return [
      {
        term: 'short',
        text: `stay at ${speedName(situation.fromBps)}${enough.length > 0 ? `: it is enough for ${enough.join(', ')}` : ''}`,
        costs: 'nothing',
      },
    ];
  const [trial] = options.filter(({ bps }) => bps === situation.toBps);
  const lasting = options.find(({ id, bps }) => id.startsWith('switch') && bps === situation.toBps);
  const settled = causes[0]?.confidence === 'certain' && causes[0].id === 'setting';
  return [
    measure,
    ...checks,
    ...(settled
      ? [
          {
            term: 'short',
            text: `let the adapter offer ${fast}, and read the speed again`,
            ...(causes[0]?.fix === undefined ? {} : { command: causes[0].fix }),
            costs: 'change',
          } as const,
        ]
      : []),
    ...(trial
      ? [
          {
            term: 'medium',
            text: `${trial.title}, and measure again: this proves the gain for the least money`,
            costs: 'money',
            usd: trial.usd,
          } as const,
        ]
      : []),
    ...(lasting && lasting !== trial
      ? [
          {
            term: 'long',
            text: `${lasting.title}, once the trial has shown the gain and more than these hosts are to have it`,
            costs: 'money',
            usd: lasting.usd,
          } as const,
        ]
      : []),
  ];
}
