import { createHash } from 'node:crypto';

/**
 * A new change's name: `20261121T140311Z-voice-ab12`. Names must sort as the changes came, for the newest is undone first: if
 * the clock was set back, or two come within a second, the name says a second more than the newest that is there.
 */
export function newChangeId(options: {
  readonly wallMs: number;
  readonly profile: string;
  readonly salt: string;
  readonly existing: readonly string[];
}): string {
  const newest = options.existing.map(secondOf).reduce((a, b) => Math.max(a, b), 0);
  const second = Math.max(Math.floor(options.wallMs / 1000), newest + 1);
  const stamp = new Date(second * 1000).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const profile = options.profile
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 32)
    .replace(/-+$/, '');
  const salt = createHash('sha256').update(`${options.salt} ${options.wallMs}`).digest('hex').slice(0, 4);
  return `${stamp}-${profile === '' ? 'change' : profile}-${salt}`;
}

function secondOf(id: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-/.exec(id) ?? [];
  if (year === undefined) return 0;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? 0 : ms / 1000;
}
