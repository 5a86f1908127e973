/**
 * `npm test`: installs what is missing, compiles, lints, then runs two tiers: everything that needs
 * no network in one process, then the loopback tests in another. `npm test -- PATTERN` runs the test
 * files whose path contains PATTERN, or else the tests whose name does. `npm test -- --tier real`
 * runs the tier that needs root (see CONTRIBUTING.md).
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { ROOT, compile, ensureBuilt, ensureInstalled, fail, filesUnder, requireNode, runTool, say } from './prepare.mjs';

/** Tiers by folder under test/; what is in no list here is unit. */
const TIERS = { unit: { minutes: 10 }, loopback: { minutes: 10 }, package: { minutes: 5 }, real: { minutes: 60 } };
const BY_DEFAULT = ['unit', 'loopback'];
const BUILD = '.build';

requireNode();
const { tiers, pattern } = readArguments(process.argv.slice(2));
ensureInstalled();
rmSync(join(ROOT, BUILD), { recursive: true, force: true });
if (compile('tsconfig.test.json', BUILD) !== 0) fail('the code does not compile.', 1);
if (pattern === undefined && !tiers.includes('real') && !tiers.includes('package')) lint();
if (tiers.includes('real') || tiers.includes('package')) ensureBuilt();

const selection = select(testFiles());
const totals = { passed: 0, failed: [], skipped: [] };
for (const tier of tiers) await runTier(tier);
for (const { name, reason } of totals.skipped) say(`skipped: ${name}: ${reason}`);
for (const { name, reason } of totals.failed) say(`failed: ${name}: ${reason}`);
process.stdout.write(`${totals.passed} passed, ${totals.failed.length} failed, ${totals.skipped.length} skipped\n`);
process.exitCode = totals.failed.length > 0 ? 1 : 0;

function readArguments(args) {
  const at = args.indexOf('--tier');
  const chosen = at < 0 ? BY_DEFAULT : (args[at + 1] ?? '').split(',');
  const unknown = chosen.find((tier) => !(tier in TIERS));
  if (unknown !== undefined) fail(`unknown tier '${unknown}', there are ${Object.keys(TIERS).join(', ')}`, 2);
  const rest = at < 0 ? args : args.filter((_, i) => i !== at && i !== at + 1);
  return { tiers: chosen, pattern: rest[0] };
}

function lint() {
  if (runTool('oxlint/bin/oxlint', ['--type-aware', 'src', 'test', 'bench', 'scripts']) !== 0) fail('the linter found something to mend.', 1);
  if (runTool('oxfmt/bin/oxfmt', ['--check']) !== 0) fail('not formatted: npm run format does it.', 1);
}

/** By path if any path has the pattern; else by name, in the files that have it in their text or else in all. */
function select(files) {
  if (pattern === undefined) return { files, args: [] };
  const byPath = files.filter((path) => relative(ROOT, path).includes(pattern));
  if (byPath.length > 0) return { files: byPath, args: [] };
  const byText = files.filter((path) => readFileSync(path, 'utf8').includes(pattern));
  return { files: byText.length > 0 ? byText : files, args: [`--test-name-pattern=${pattern}`] };
}

async function runTier(tier) {
  const chosen = selection.files.filter((path) => tierOf(path) === tier);
  if (chosen.length === 0) return;
  const scratch = mkdtempSync(join(tmpdir(), 'tautline-test-'));
  const record = join(scratch, 'totals.json');
  process.stdout.write(`\n${tier} tests\n`);
  const code = await runNode(TIERS[tier].minutes, [
    '--enable-source-maps',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${join(ROOT, 'scripts', 'totals-reporter.mjs')}`,
    `--test-reporter-destination=${record}`,
    ...selection.args,
    join(ROOT, 'scripts', 'run-files.mjs'),
    ...chosen,
  ]);
  addTotals(record, code);
  rmSync(scratch, { recursive: true, force: true });
}

/** A run that died before its record was complete counts as one more failure: silence is not success. */
function addTotals(record, code) {
  let found = { passed: 0, failed: [], skipped: [] };
  try {
    found = JSON.parse(readFileSync(record, 'utf8'));
  } catch {
    say('the test process ended before it had told its totals');
  }
  totals.passed += found.passed;
  const died = found.failed.length === 0 && code !== 0;
  totals.failed.push(...found.failed, ...(died ? [{ name: 'the run', reason: `it ended with code ${code}` }] : []));
  totals.skipped.push(...found.skipped);
}

function testFiles() {
  return filesUnder('test')
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join(ROOT, BUILD, path.replace(/\.ts$/, '.js')));
}

function tierOf(path) {
  const folder = path.slice(join(ROOT, BUILD, 'test').length + 1).split('/')[0];
  return folder in TIERS ? folder : 'unit';
}

/** Programs that tests start keep nothing in the history of whoever runs the tests. */
function runNode(minutes, args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, TAUTLINE_ROOT: ROOT, TAUTLINE_HISTORY_ENABLED: 'no' },
    });
    const watchdog = setTimeout(() => {
      say(`the tests did not end within ${minutes} minutes`);
      child.kill('SIGKILL');
    }, minutes * 60_000);
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal));
    child.once('close', (code) => {
      clearTimeout(watchdog);
      resolve(code ?? 1);
    });
  });
}
