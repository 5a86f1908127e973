/** `npm run bench`: our probes beside the anchors; see bench/main.ts for its options. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, compile, ensureBuilt, ensureInstalled, fail, requireNode } from './prepare.mjs';

requireNode();
ensureInstalled();
ensureBuilt();
// What a benchmark measures is nobody's history.
process.env.TAUTLINE_HISTORY_ENABLED = 'no';
const out = join(ROOT, '.bench', 'build');
if (compile('tsconfig.test.json', out) !== 0) fail('the code does not compile.', 1);
await import(pathToFileURL(join(out, 'bench', 'main.js')).href);
