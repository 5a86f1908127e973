import { shownValue } from './given-value.js';
import type { Better, SysctlForm } from './sysctl.js';

export type Parsed = { readonly value: string } | { readonly problem: string };

const INT_MAX = 2 ** 31 - 1;
const INT64_MAX = 2n ** 63n - 1n;

/** The value in the form that the kernel takes: words with single spaces between. */
export function parseSysctl(form: SysctlForm, value: unknown): Parsed {
  const problem = { problem: `${describeForm(form)} is wanted, not ${shownValue(value)}` };
  if (form.kind === 'switch') {
    const text = typeof value === 'object' ? '' : String(value);
    return text === 'true' || text === '1' || text === 'yes' || text === 'on'
      ? { value: '1' }
      : text === 'false' || text === '0' || text === 'no' || text === 'off'
        ? { value: '0' }
        : problem;
  }
  if (form.kind === 'word') {
    const word = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    return form.words.includes(word) ? { value: word } : problem;
  }
  const numbers = wholeNumbers(value);
  if (!numbers) return problem;
  const text = { value: numbers.join(' ') };
  if (form.kind === 'integer') {
    const max = form.max === 'int64' ? INT64_MAX : BigInt(form.max);
    return numbers.length === 1 && numbers.every((one) => one >= BigInt(form.min) && one <= max) ? text : problem;
  }
  const rising = numbers.every((one, index) => one >= (numbers[index - 1] ?? 1n));
  if (form.kind === 'ports') return numbers.length === 2 && rising && (numbers[1] ?? 0n) <= 65535n ? text : problem;
  return numbers.length === 3 && rising && (numbers[2] ?? 0n) <= BigInt(INT_MAX) ? text : problem;
}

/** What a profile may say, in words. */
export function describeForm(form: SysctlForm): string {
  switch (form.kind) {
    case 'integer': {
      const unit = form.unit === undefined ? '' : ` of ${form.unit}`;
      return form.max === 'int64' ? `a whole number${unit} from ${form.min}` : `a whole number${unit} from ${form.min} to ${form.max}`;
    }
    case 'sizes':
      return `three numbers of ${form.unit}, each no smaller than the one before (least, default, most)`;
    case 'ports':
      return 'two ports from 1 to 65535, the smaller first';
    case 'word':
      return `one of ${form.words.join(', ')}`;
    case 'switch':
      return 'yes or no';
  }
}

/**
 * What is to stand there where a profile wants `wanted` and `now` is there: component by component the better of both, so
 * that nothing is taken away from a host that has more. Text in, text out, as the kernel's numbers go beyond 2^53.
 */
export function betterOf(better: Better, now: string, wanted: string): string {
  const have = numbersOf(now);
  const want = numbersOf(wanted);
  if (better === 'neither' || !have || !want || have.length !== want.length) return wanted;
  return want
    .map((one, index) => {
      const other = have[index] ?? one;
      if (better === 'bits') return one | other;
      const up = better === 'higher' || (better === 'wider' && index > 0);
      return (up ? one > other : one < other) ? one : other;
    })
    .join(' ');
}

/** Whether any component of `desired` takes something away from what is there. */
export function takesAway(better: Better, now: string, desired: string): boolean {
  return betterOf(better, now, desired) !== desired;
}

/** As the kernel shows it, with single spaces. */
export function singleSpaced(text: string): string {
  return text.trim().split(/\s+/).join(' ');
}

function numbersOf(text: string): bigint[] | undefined {
  const words = text.split(' ');
  return words.every((word) => /^-?\d+$/.test(word)) ? words.map(BigInt) : undefined;
}

function wholeNumbers(value: unknown): bigint[] | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? [BigInt(value)] : undefined;
  if (typeof value === 'bigint') return [value];
  if (typeof value === 'string') return value.length > 100 ? undefined : numbersOf(singleSpaced(value));
  if (!Array.isArray(value) || value.length > 3) return undefined;
  const each = value.map((one: unknown) => (Array.isArray(one) ? undefined : wholeNumbers(one)));
  return each.every((one) => one?.length === 1) ? each.flatMap((one) => one ?? []) : undefined;
}
