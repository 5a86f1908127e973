import type { Band } from '../results/index.js';

/** What a piece of text means; `text` shows it in colour where colours are wanted. */
export type Tone = Band | 'strong' | 'quiet' | 'bad';

export type Paint = (tone: Tone, text: string) => string;

/** The sixteen basic colours only: they follow the terminal's own theme and are readable on light and dark. */
const CODES: Readonly<Record<Tone, string>> = {
  excellent: '32',
  good: '36',
  fair: '33',
  poor: '31',
  strong: '1',
  quiet: '2',
  bad: '1;31',
};

export function painter(color: boolean): Paint {
  return color ? (tone, text) => `\u001b[${CODES[tone]}m${text}\u001b[0m` : (_tone, text) => text;
}

const STARS_MAX = 5;

export function stars(count: number): string {
  const full = Math.max(0, Math.min(STARS_MAX, count));
  return '★'.repeat(full) + '☆'.repeat(STARS_MAX - full);
}
