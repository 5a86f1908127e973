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
  /** Permission bits. Default 0o644, without write bits where it is read-only. */
  readonly mode?: number;
}

/** A whole number within bounds, which the kernel refuses (`refuse`) or moves to the nearest bound (`clamp`). */
export function wholeNumber(bounds: { readonly min?: number; readonly max?: number; readonly beyond?: 'refuse' | 'clamp' } = {}): ValueRule {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER, beyond = 'refuse' } = bounds;
  return (text) => {
    if (!/^-?(?:\d+|0x[0-9a-f]+)$/i.test(text)) return undefined;
    const number = Number(text);
    if (beyond === 'refuse' && (number < min || number > max)) return undefined;
    return String(Math.min(max, Math.max(min, number)));
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
    this.#now.set(path, kept);
  }
}
