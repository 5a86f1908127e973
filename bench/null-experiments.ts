import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import type { ExperimentDocument } from '../src/results/index.js';
import { withPath } from '../test/lab/namespaces.js';
import { withServedPath } from '../test/lab/trying.js';

/*
 * npm run bench -- null-experiments [--count 40] [--blocks 6] [--seed 1] [--seconds 60] [--setting KEY=VALUE]
 *
 * Experiments with a setting that cannot change anything that is measured, on a real path (a veth pair between two
 * namespaces, as root): how many report an effect all the same. Writes bench/null-experiments.json.
 */

/** How many multicast groups a socket may join: nothing here joins any. */
const PLACEBO = 'net.ipv4.igmp_max_memberships=21';

interface Outcome {
  readonly seed: number;
  readonly decision: string;
  readonly why: string;
  readonly seconds: number;
  readonly measured: number;
  /** What an analysis that corrects nothing would have called an effect. */
  readonly uncorrected: number;
}

export async function nullExperiments(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      count: { type: 'string', default: '40' },
      blocks: { type: 'string', default: '6' },
      seed: { type: 'string', default: '1' },
      seconds: { type: 'string', default: '60' },
      setting: { type: 'string', default: PLACEBO },
    },
  });
  const [id = '', value = ''] = values.setting.split('=');
  const [count, blocks, first] = [Number(values.count), Number(values.blocks), Number(values.seed)];
  const outcomes: Outcome[] = [];
  await withPath(async ({ near, far }) => {
    await withServedPath({ near: near.inside, far: far.inside, farAddress: far.address4 }, async (trying) => {
      for (let seed = first; seed < first + count; seed++) {
        const outcome = outcomeOf(await trying.try({ settings: [{ id, value }], blocks, seed, timeMs: 1000 * Number(values.seconds) }), seed);
        outcomes.push(outcome);
        process.stderr.write(
          `bench: ${outcomes.length} of ${count}, seed ${seed}: ${outcome.decision} (${Math.round(outcome.seconds)} s): ${outcome.why}\n`,
        );
      }
    });
  });
  const alarms = outcomes.filter(({ decision }) => decision === 'keep' || decision === 'reject').length;
  const naive = outcomes.filter(({ uncorrected }) => uncorrected > 0).length;
  const [cpu] = cpus();
  const machine = `${new Date().toISOString().slice(0, 10)}; ${cpus().length} x ${cpu?.model.trim() ?? 'unknown'}; Linux ${release()}; Node ${process.versions.node}`;
  const sentence =
    `${alarms} of ${outcomes.length} experiments with ${values.setting}, which does nothing here, report an effect ` +
    `(${blocks} blocks each, seeds ${first} to ${first + outcomes.length - 1}); at 5 % and without any correction ${naive} would.`;
  process.stdout.write(`${sentence}\n${machine}\n`);
  await mkdir('bench', { recursive: true });
  await writeFile('bench/null-experiments.json', `${JSON.stringify({ machine, sentence, outcomes }, null, 1)}\n`);
}

function outcomeOf({ groups: [group], durationMs }: ExperimentDocument, seed: number): Outcome {
  const figures = group?.figures ?? [];
  return {
    seed,
    decision: group?.decision ?? 'not tried',
    why: group?.why ?? '',
    seconds: durationMs / 1000,
    measured: figures.filter(({ finding }) => finding !== 'not measured').length,
    uncorrected: figures.filter(({ p = 1 }) => p <= 0.05).length,
  };
}
