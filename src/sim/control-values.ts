import { TautlineError } from '../base/index.js';

/** What the kernel makes of a text that is written; undefined where it refuses it (EINVAL). */
export type ValueRule = (text: string, now: string) => string | undefined;

export interface ValueSpec {
  /** What a boot puts there. Of a choice the chosen word. */
  readonly text: string;
  /** Words of which one is chosen: it reads as `always [madvise] never`, and takes no other. */
  readonly choice?: readonly string[];
  /** Which words it takes, or a rule. Default: takes everything. */
  readonly accepts?: readonly string[] | ValueRule;
  /** Nobody may write it. */
  readonly readOnly?: true;
  /** What else the kernel changes when it becomes another, by path: from what is kept here, and what that one held. */
  readonly follow?: Readonly<Record<string, (kept: string, other: string) => string>>;
  /** The kernel tells it, and nobody sets it: it does not count when hosts are compared. */
  readonly told?: true;
  /** Permission bits. Default 0o644, without write bits where it is read-only. */
  readonly mode?: number;
}

/** A whole number within bounds, which the kernel refuses (`refuse`) or moves to the nearest bound (`clamp`). */
export function wholeNumber(bounds: { readonly min?: number; readonly max?: number; readonly beyond?: 'refuse' | 'clamp' } = {}): ValueRule {
  const { beyond = 'refuse' } = bounds;
  // Kernels count in 64 bits, which a number does not hold exactly.
  const min = BigInt(bounds.min ?? -(2 ** 63));
  const max = bounds.max === undefined ? 2n ** 63n - 1n : BigInt(bounds.max);
  return (text) => {
    if (!/^-?\d+$|^0x[0-9a-f]+$/i.test(text)) return undefined;
    const number = BigInt(text);
    if (beyond === 'refuse' && (number < min || number > max)) return undefined;
    return String(number < min ? min : number > max ? max : number);
  };
}

/** So many numbers, printed with tabs between them as proc_dointvec does. Fewer change only the first ones, as the kernel has it. */
export function numbers(count: number, one: ValueRule = wholeNumber({ min: 0 })): ValueRule {
  return (text, now) => {
    const words = text.split(/\s+/);
    if (words.length > count) return undefined;
    const before = now.split(/\s+/);
    const kept = before.map((word, i) => (words[i] === undefined ? word : one(words[i], word)));
    return kept.includes(undefined) ? undefined : kept.join('\t');
  };
}

/** A mask of processors: hexadecimal in groups of 32 bits, of which at least one must be there (irq affinity), printed with leading zeros. */
export function processorMask(processors: number, empty: 'refuse' | 'allow' = 'allow'): ValueRule {
  return (text) => {
    if (!/^[0-9a-f]{1,8}(?:,[0-9a-f]{1,8})*$/i.test(text)) return undefined;
    const groups = text.split(',').map((group) => group.padStart(8, '0'));
    const all = (1n << BigInt(processors)) - 1n;
    const bits = BigInt(`0x${groups.join('')}`) & all;
    if (empty === 'refuse' && bits === 0n) return undefined;
    const digits = Math.min(8, Math.ceil(processors / 4));
    if (processors <= 32) return bits.toString(16).padStart(digits, '0');
    const width = Math.ceil(processors / 32) * 8;
    return (bits.toString(16).padStart(width, '0').match(/.{8}/g) ?? []).join(',');
  };
}

/** Processors by number and range (`0-3,8`), as cpulist_parse takes them; printed with ranges. */
export function processorList(processors: number): ValueRule {
  return (text) => {
    const numbers = text.split(',').flatMap((part) => {
      const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
      return first === undefined ? [Number.NaN] : Array.from({ length: Math.max(0, Number(last) - Number(first) + 1) }, (_, i) => Number(first) + i);
    });
    if (numbers.some(Number.isNaN)) return undefined;
    const online = [...new Set(numbers)].filter((cpu) => cpu < processors).sort((a, b) => a - b);
    return online.length === 0 ? undefined : ranges(online);
  };
}

function ranges(numbers: readonly number[]): string {
  const parts: { first: number; last: number }[] = [];
  for (const number of numbers) {
    const part = parts.at(-1);
    if (part?.last === number - 1) part.last = number;
    else parts.push({ first: number, last: number });
  }
  return parts.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(',');
}

/** The same processors as a mask of one group. */
export function maskOfList(list: string, processors: number): string {
  const cpus = list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  const bits = cpus.reduce((sum, cpu) => sum | (1n << BigInt(cpu)), 0n);
  return bits.toString(16).padStart(Math.ceil(processors / 4), '0');
}

/** The processors of a mask as a list. */
export function listOfMask(mask: string): string {
  const bits = BigInt(`0x${mask.replaceAll(',', '')}`);
  return ranges(Array.from({ length: bits.toString(2).length }, (_, i) => i).filter((cpu) => ((bits >> BigInt(cpu)) & 1n) === 1n));
}

/** The values of /proc and /sys as the running kernel has them. A boot forgets what was written. */
export class SimValues {
  readonly #specs = new Map<string, ValueSpec>();
  #now = new Map<string, string>();
  readonly #readOnlyBelow: readonly string[];
  /** Values that are there only while this says so: the queues of an interface come and go. */
  readonly #there: (path: string) => boolean;

  constructor(
    specs: Readonly<Record<string, string | ValueSpec>>,
    options: { readOnlyBelow?: readonly string[]; there?: (path: string) => boolean } = {},
  ) {
    for (const [path, spec] of Object.entries(specs)) this.add(path, spec);
    this.#readOnlyBelow = options.readOnlyBelow ?? [];
    this.#there = options.there ?? (() => true);
  }

  add(path: string, spec: string | ValueSpec): void {
    const full = typeof spec === 'string' ? { text: spec } : spec;
    this.#specs.set(path, full);
    this.#now.set(path, full.text);
  }

  /** As after a kernel update without it. */
  vanish(path: string): void {
    this.#specs.delete(path);
    this.#now.delete(path);
  }

  /** What a boot leaves: every value as it was at the start. */
  boot(): void {
    this.#now = new Map([...this.#specs].map(([path, spec]) => [path, spec.text]));
  }

  paths(): string[] {
    return [...this.#specs.keys()].filter((path) => this.#there(path)).sort();
  }

  has(path: string): boolean {
    return this.#specs.has(path) && this.#there(path);
  }

  /** As the file reads, without a line end; undefined when there is none. */
  text(path: string): string | undefined {
    const spec = this.has(path) ? this.#specs.get(path) : undefined;
    const now = this.#now.get(path);
    if (!spec || now === undefined) return undefined;
    return spec.choice ? spec.choice.map((word) => (word === now ? `[${word}]` : word)).join(' ') : now;
  }

  modeOf(path: string): number {
    const spec = this.#specs.get(path);
    return spec?.mode ?? (spec?.readOnly ? 0o444 : 0o644);
  }

  /** Why nobody may write it, whoever asks. */
  notWritable(path: string): 'read-only file system' | 'no write bits' | undefined {
    if (this.#readOnlyBelow.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))) return 'read-only file system';
    return (this.modeOf(path) & 0o222) === 0 ? 'no write bits' : undefined;
  }

  /** What the kernel would keep of it. @throws TautlineError `unsupported` where it refuses */
  judge(path: string, text: string): string {
    const spec = this.#specs.get(path);
    const now = this.#now.get(path);
    if (!spec || now === undefined) {
      throw new TautlineError('unsupported', `cannot write ${path}: there is no such file`, { hint: 'this kernel does not have it' });
    }
    const asked = text.replace(/\n$/, '').trim();
    const accepts = spec.accepts ?? spec.choice;
    const kept = accepts === undefined ? asked : typeof accepts === 'function' ? accepts(asked, now) : accepts.includes(asked) ? asked : undefined;
    if (kept !== undefined) return kept;
    throw new TautlineError('unsupported', `cannot write ${path}: the kernel refuses '${asked}' (EINVAL)`, {
      hint: 'the kernel does not take this value here',
    });
  }

  set(path: string, kept: string): void {
    if (this.#now.get(path) === kept) return;
    this.#now.set(path, kept);
    for (const [other, valueOf] of Object.entries(this.#specs.get(path)?.follow ?? {})) {
      const now = this.#now.get(other);
      if (now !== undefined) this.#now.set(other, valueOf(kept, now));
    }
  }

  /** Whether it is something that was set, and not only told. */
  counts(path: string): boolean {
    return this.#specs.get(path)?.told !== true;
  }
}
