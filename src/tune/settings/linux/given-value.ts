const CHARS_MAX = 60;

/** What a profile says, for a message that refuses it: any value at all, and short. */
export function shownValue(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX - 3)}...` : text;
}
