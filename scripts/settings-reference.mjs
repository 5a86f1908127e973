/** Writes docs/tune-settings.md from the settings as the code declares them. Run it after `npm run build`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tuneSettingsReference } from '../dist/app/tune/settings-reference.js';
import { ROOT } from './prepare.mjs';

mkdirSync(join(ROOT, 'docs'), { recursive: true });
writeFileSync(join(ROOT, 'docs', 'tune-settings.md'), tuneSettingsReference());
