import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { parseArgs } from 'node:util';
import { whyNoNamespaces } from '../test/lab/namespaces.js';
import { installed, run } from '../test/lab/processes.js';
import { ROOT, TAUTLINE } from '../test/lab/tautline.js';
import { whyNoUml } from '../test/real/uml/uml.js';
import { withArena } from './arena.js';
import type { Arena } from './arena.js';
import { contestsHere, contestsIn, contestsInUml, rowsHere, rowsIn, rowsInUml, startServers } from './contests.js';
import { nullExperiments } from './null-experiments.js';
import { runContest } from './rounds.js';
import type { Contest, RoundsOf } from './rounds.js';
import { fillRow, insertTable, markdownTable } from './rows.js';
import type { Row } from './rows.js';

/*
 * npm run bench [-- --rounds 5] [--seconds 3] [--only PATTERN] [--write-readme]
 *
 * Runs our probes and the anchors alternately, on loopback and (as root) on a veth pair between two
 * namespaces, and writes bench/results.md and bench/results.json.
 *
 * npm run bench -- null-experiments: see bench/null-experiments.ts.
 */
const ROUNDS_DEFAULT = 5;
/** On a path that is not loopback `serve` wants a key. */
const KEY_FILE = '.bench/key';

process.chdir(ROOT);
if (process.argv[2] === 'null-experiments') {
  await nullExperiments(process.argv.slice(3));
  process.exit();
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: String(ROUNDS_DEFAULT) },
    seconds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    'write-readme': { type: 'boolean', default: false },
  },
});
const rounds = whole(values.rounds, 'rounds');
const seconds = whole(values.seconds, 'seconds');
const chosen = (contest: { readonly name: string }): boolean => contest.name.includes(values.only);

await mkdir('.bench', { recursive: true });
await writeFile(KEY_FILE, 'a key for namespaces that exist only while the benchmark runs\n', { mode: 0o600 });
await requireAnchors();

const results: { readonly contest: string; readonly records: readonly RoundsOf[] }[] = [];
const rows: Row[] = [];
await inPlace(contestsHere().filter(chosen), rowsHere());
const whyNot = await whyNoUml();
if (whyNot === undefined) await inPlace(contestsInUml().filter(chosen), rowsInUml());
else say(`the path with a known delay is left out: ${whyNot}`);
for (const name of ['loopback', 'veth'] as const) {
  const why = name === 'veth' ? await whyNoNamespaces() : undefined;
  if (why === undefined) await withArena(name, KEY_FILE, inArena);
  else say(`${name} is left out: ${why}`);
}
await report();

async function inArena(arena: Arena): Promise<void> {
  const contests = contestsIn(arena, seconds).filter(chosen);
  if (contests.length === 0) return;
  const stop = await startServers(arena);
  try {
    await inPlace(contests, rowsIn(arena.name));
  } finally {
    await stop();
  }
}

async function inPlace(contests: readonly Contest[], theirRows: readonly Row[]): Promise<void> {
  for (const contest of contests) {
    const records = await runContest(contest, rounds, (participant, round) =>
      say(`${contest.name}, round ${round + 1} of ${rounds}: ${participant}`),
    );
    results.push({ contest: contest.name, records });
    rows.push(...theirRows.filter((row) => row.contest === contest.name));
  }
}

async function report(): Promise<void> {
  const filled = rows.map((row) => fillRow(row, results.find(({ contest }) => contest === row.contest)?.records ?? []));
  const table = `${markdownTable(filled)}\n${await circumstances()}`;
  for (const { figure, where, failures } of filled) for (const why of failures) say(`${figure} (${where}): ${why}`);
  process.stdout.write(table);
  if (values.only !== '') return say('with --only nothing is written');
  await writeFile('bench/results.md', `# Benchmark\n\n${table}`);
  await writeFile('bench/results.json', `${JSON.stringify({ machine: await circumstances(), rounds, seconds, rows: filled, results }, null, 1)}\n`);
  if (values['write-readme']) await writeFile('README.md', insertTable(await readFile('README.md', 'utf8'), table));
}

/** When, where and with what: a figure without these cannot be repeated. */
async function circumstances(): Promise<string> {
  const versions = await Promise.all([
    version('iperf3', ['iperf3', '--version'], /iperf ([\d.]+)/),
    version('sockperf', ['sockperf', '--version'], /version ([\w.-]+)/),
    version('irtt', ['irtt', 'version'], /irtt version: ([\d.]+)/),
    version('tautline', [...TAUTLINE, '--version'], /([\d.]+)/),
  ]);
  const [cpu] = cpus();
  const congestion = (await readFile('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').catch(() => 'unknown')).trim();
  return [
    `${new Date().toISOString().slice(0, 10)}; ${cpus().length} x ${cpu?.model.trim() || arch()}, ${Math.round(totalmem() / 2 ** 30)} GiB; ${type()} ${release()}; Node ${process.versions.node}; ${versions.join(', ')}; TCP congestion control ${congestion}.`,
    `${rounds} rounds of ${seconds} s each, everybody once a round, the order turned round every round; ratio = ours / anchor of the medians, in parentheses the least and greatest ratio within one round.`,
    "Rates are counted by the receiver. RTT: sockperf's are full round trips (--full-rtt) and contain its server's holding time; irtt's and ours do not, and ours with it is in rows of its own.",
    '',
  ].join('\n');
}

async function version(name: string, argv: readonly string[], pattern: RegExp): Promise<string> {
  const { stdout, stderr } = await run(argv);
  return `${name} ${pattern.exec(stdout + stderr)?.[1] ?? '?'}`;
}

async function requireAnchors(): Promise<void> {
  const programs = ['iperf3', 'sockperf', 'irtt', 'ss', '/usr/bin/time'];
  const missing: string[] = [];
  for (const program of programs) if (!(await installed(program))) missing.push(program);
  if (missing.length > 0)
    throw new Error(`these programs are missing: ${missing.join(', ')} (on Debian: apt-get install iperf3 sockperf irtt iproute2 time)`);
}

function whole(text: string, name: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number above zero, not '${text}'`);
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
