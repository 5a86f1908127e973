/**
 * `npm start`: makes a fresh clone ready, then is the command line itself. `npm start` alone checks
 * this machine's network; `npm start -- ARGS` hands ARGS to `tautline`. The command runs in this
 * very process, so that exit codes, signals and the terminal are its own.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, ensureBuilt, ensureInstalled, requireNode } from './prepare.mjs';

requireNode();
ensureInstalled();
ensureBuilt();
const main = join(ROOT, 'dist', 'cli', 'main.js');
process.argv = [process.execPath, main, ...commandFor(process.argv.slice(2))];
await import(pathToFileURL(main).href);

/** Options alone belong to `check`, the main job. */
function commandFor(args) {
  const first = args[0];
  if (first === undefined) return ['check'];
  const global = ['--help', '-h', '--version', '-V'].includes(first);
  return first.startsWith('-') && !global ? ['check', ...args] : args;
}
