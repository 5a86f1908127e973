/**
 * What a fresh clone lacks before anything can run: the installed packages and the compiled code.
 * Everything here speaks on stderr only, because stdout belongs to the program that runs next.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const NODE_OLDEST = [20, 19];

/** Ends the process with a plain sentence when this Node is older than the code can run on. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_OLDEST[0] || (major === NODE_OLDEST[0] && minor >= NODE_OLDEST[1])) return;
  fail(`tautline needs Node ${NODE_OLDEST.join('.')} or later, this is ${process.versions.node}. Install a newer Node and run the command again.`, 2);
}

/** Runs `npm ci` unless node_modules already holds exactly what package-lock.json asks for. */
export function ensureInstalled() {
  const missing = missingPackages();
  if (missing.length === 0) return;
  say(`installing ${missing.length} packages (npm ci) ...`);
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const [program, programArgs] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args];
  const result = spawnSync(program, programArgs, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (result.error) fail(`npm could not be started: ${result.error.message}`, 3);
  if (result.status !== 0) fail('npm ci failed. It needs the npm registry (or its cache) and a writable node_modules folder.', 3);
}

/** Compiles src/ to dist/ when any source is newer than the last build. */
export function ensureBuilt() {
  const built = join(ROOT, 'dist', 'cli', 'main.js');
  const builtAt = existsSync(built) ? statSync(built).mtimeMs : 0;
  const sources = ['tsconfig.json', 'package.json', ...filesUnder('src')];
  if (sources.every((path) => statSync(join(ROOT, path)).mtimeMs < builtAt)) return;
  say('building ...');
  build();
}

/** Compiles into a folder of its own and then swaps it in, so that a failed or a second build breaks nothing. */
export function build() {
  const fresh = join(ROOT, `dist.${process.pid}`);
  const dist = join(ROOT, 'dist');
  try {
    if (compile('tsconfig.json', fresh, ['--noEmitOnError']) !== 0) fail('the build failed.', 3);
    rmSync(dist, { recursive: true, force: true });
    renameSync(fresh, dist);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** @returns the exit code of tsc, whose complaints go to stderr */
export function compile(project, outDir, args = []) {
  return runTool('typescript/bin/tsc', ['-p', project, '--outDir', outDir, ...args]);
}

/** Runs a tool that came with npm, by its path inside node_modules. @returns its exit code */
export function runTool(path, args) {
  const tool = join(ROOT, 'node_modules', path);
  return spawnSync(process.execPath, [tool, ...args], { cwd: ROOT, stdio: ['ignore', 2, 2] }).status ?? 1;
}

/** Every file below a folder of the project, as paths relative to its root, sorted. */
export function filesUnder(folder) {
  const absolute = join(ROOT, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? filesUnder(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]))
    .sort();
}

export function say(text) {
  process.stderr.write(`tautline: ${text}\n`);
}

export function fail(text, code) {
  say(text);
  process.exit(code);
}

/** npm keeps a copy of the lock file of what it really installed; packages for other platforms are absent from it. */
function missingPackages() {
  const wanted = readLock(join(ROOT, 'package-lock.json'));
  const installed = readLock(join(ROOT, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== '' && !entry.optional && installed[path]?.version !== entry.version)
    .map(([path]) => path);
}

function readLock(path) {
  if (!existsSync(path)) return {};
  return JSON.parse(readFileSync(path, 'utf8')).packages;
}
