/** Writes docs/findings.md from the graph of symptoms and causes as the code declares it. Run it after `npm run build`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findingsReference } from '../dist/diagnose/index.js';
import { ROOT } from './prepare.mjs';

mkdirSync(join(ROOT, 'docs'), { recursive: true });
writeFileSync(join(ROOT, 'docs', 'findings.md'), findingsReference());
