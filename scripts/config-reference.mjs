/** Writes docs/configuration.md from the settings as the code declares them. Run it after `npm run build`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configReference } from '../dist/app/config-reference.js';
import { ROOT } from './prepare.mjs';

mkdirSync(join(ROOT, 'docs'), { recursive: true });
writeFileSync(join(ROOT, 'docs', 'configuration.md'), configReference());
