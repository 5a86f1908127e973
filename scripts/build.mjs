/** `npm run build`: src/ to dist/, always. */
import { build, requireNode } from './prepare.mjs';

requireNode();
build();
