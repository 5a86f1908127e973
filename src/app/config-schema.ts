import * as v from 'valibot';
import { DEFAULT_PORT, TautlineError, assert, parseDurationMs, parseRateBps, parseSizeBytes } from '../base/index.js';
import { LIMITS, LIMIT_NAMES } from '../serve/index.js';
import type { Limit, LimitName, Limits } from '../serve/index.js';
import { KEEP_LIMITS } from '../store/index.js';

/**
 * Every setting, declared once: the file's keys, the environment variables, the flags of the same
 * meaning, defaults, validation, help and the reference page all come from here.
 */
export interface SettingInfo {
  /** The flag that sets it, as commander takes it; none where only the file and the environment do. */
  readonly flag?: string;
  readonly help: string;
  /** What it takes, in words. */
  readonly takes: string;
  readonly default: string;
}

export const DEPTHS = ['quick', 'default', 'thorough'] as const;
export const FORMATS = ['text', 'json', 'markdown', 'csv', 'html'] as const;
export type Depth = (typeof DEPTHS)[number];
export type Format = (typeof FORMATS)[number];

const limitEntries = Object.fromEntries(LIMIT_NAMES.map((name) => [limitKey(name), limitSetting(LIMITS[name])]));

const PeerSchema = v.union(
  [
    v.pipe(scalar(), v.string()),
    v.strictObject({
      paths: v.record(v.string(), v.pipe(scalar(), v.string())),
      'default-path': v.optional(v.string()),
      'key-file': v.optional(v.string()),
    }),
  ],
  'must be an address, or a block with paths',
);

export const BandSchema = v.strictObject({ excellent: scalar(), good: scalar(), fair: scalar() });

export const ConfigSchema = v.strictObject({
  'key-file': setting(v.pipe(scalar(), v.nonEmpty('must name a file')), {
    flag: '--key-file <file>',
    help: 'file with the pre-shared key that both ends know',
    takes: 'a file name, relative to the configuration file',
    default: 'none',
  }),
  seed: setting(whole(0, 4294967295), {
    flag: '--seed <n>',
    help: 'seed of every random choice (resampling for intervals)',
    takes: 'a whole number from 0 to 4294967295',
    default: '1',
  }),
  family: setting(choice(['any', '4', '6']), { flag: '-4, -6', help: 'address family to use', takes: 'any, 4 or 6', default: 'any' }),
  format: setting(choice(FORMATS), {
    flag: '--json, --markdown, --csv, --html',
    help: 'how the result is written',
    takes: FORMATS.join(', '),
    default: 'text',
  }),
  discover: setting(choice(['yes', 'no']), {
    help: 'whether to look for more paths to a name or peer: in ~/.ssh/config, the Tailscale client, mDNS and DNS',
    takes: 'yes or no',
    default: 'yes',
  }),
  color: setting(choice(['auto', 'always', 'never']), {
    flag: '--no-color',
    help: 'colours in the text report; auto: on a terminal, unless NO_COLOR is set',
    takes: 'auto, always or never',
    default: 'auto',
  }),
  check: v.optional(
    v.strictObject({
      depth: setting(choice(DEPTHS), {
        flag: '--quick, --thorough',
        help: 'how long a check may take: about 5 s, 15 s or 60 s a path',
        takes: DEPTHS.join(', '),
        default: 'default',
      }),
    }),
  ),
  history: v.optional(
    v.strictObject({
      enabled: setting(choice(['yes', 'no']), {
        flag: '--no-history',
        help: 'whether checks and measurements are kept for tautline history',
        takes: 'yes or no',
        default: 'yes',
      }),
      folder: setting(v.pipe(scalar(), v.nonEmpty('must name a folder')), {
        flag: '--folder <folder>',
        help: 'where they are kept, a file each',
        takes: 'a folder, relative to the configuration file',
        default: '$XDG_STATE_HOME/tautline/runs, ~/.local/state/tautline/runs, on macOS ~/Library/Application Support/tautline/runs',
      }),
      keep: setting(whole(1, 100_000), {
        help: 'how many are kept; the oldest go first, and all together take 256 MB at most',
        takes: 'a whole number from 1 to 100000',
        default: String(KEEP_LIMITS.countMax),
      }),
    }),
  ),
  advice: v.optional(
    v.strictObject({
      prices: setting(v.pipe(scalar(), v.nonEmpty('must name a file')), {
        flag: '--prices <file>',
        help: 'file with prices of your own for tautline advise',
        takes: 'a file name, relative to the configuration file',
        default: 'none',
      }),
    }),
  ),
  tune: v.optional(
    v.strictObject({
      folder: setting(v.pipe(scalar(), v.nonEmpty('must name a folder')), {
        help: 'where tautline tune journals its changes',
        takes: 'a folder, relative to the configuration file',
        default:
          'for root /var/lib/tautline (macOS: /Library/Application Support/tautline), else $XDG_STATE_HOME/tautline, ~/.local/state/tautline (macOS: ~/Library/Application Support/tautline)',
      }),
    }),
  ),
  serve: v.optional(
    v.strictObject({
      bind: setting(scalar(), {
        flag: '--bind <address>',
        help: 'address to answer on; without a key only a loopback address',
        takes: 'an IP address',
        default: 'every address with a key, else 127.0.0.1',
      }),
      port: setting(whole(1, 65535), {
        flag: '--port <n>',
        help: 'TCP and UDP port',
        takes: 'a port from 1 to 65535',
        default: String(DEFAULT_PORT),
      }),
      about: setting(choice(['yes', 'no']), {
        flag: '--about <yes-or-no>',
        help: 'whether clients with the key are told about this host: link, route, TCP settings',
        takes: 'yes or no',
        default: 'yes',
      }),
    }),
  ),
  peers: v.optional(v.record(v.string(), PeerSchema)),
  bands: v.optional(v.record(v.string(), BandSchema)),
  limits: v.optional(v.strictObject(limitEntries)),
});
export type RawConfig = v.InferOutput<typeof ConfigSchema>;

/** A limit's key in the file: `udpSessionIdleMs` is `udp-session-idle`, since its value carries the unit. */
export function limitKey(name: LimitName): string {
  const plain = name.replace(/Ms$/, '').replace(/Bps/, '');
  return plain.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Limits in force as they are written in a file: `streams-max=64, test=10m`. */
export function writtenLimits(limits: Limits, names: readonly LimitName[]): string {
  return names.map((name) => `${limitKey(name)}=${writeLimit(limits[name], LIMITS[name])}`).join(', ');
}

/** A setting found by walking the schema: where it is, and what was said about it. */
export interface Setting extends SettingInfo {
  readonly path: readonly string[];
  readonly env: string;
}

export function settings(): Setting[] {
  return walk(ConfigSchema, []);
}

/** The setting at a dotted path such as `serve.port`. */
export function settingAt(path: string): Setting {
  const found = settings().find((setting) => setting.path.join('.') === path);
  assert(found !== undefined, `there is a setting ${path}`);
  return found;
}

/** The keys that may stand under `path`, or undefined where any name may. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] | undefined {
  let schema: unknown = ConfigSchema;
  for (const key of path) {
    const entries = entriesOf(schema);
    schema = entries ? entries[String(key)] : isRecord(schema) ? valueOf(schema) : undefined;
  }
  const entries = entriesOf(schema);
  return entries ? Object.keys(entries) : undefined;
}

// --- Kinds of values -------------------------------------------------------------------------

/** A setting's value comes as text from flags and the environment, and as text or number from the file. */
function scalar() {
  return v.pipe(v.union([v.string(), v.number()], 'must be a single value'), v.transform(String));
}

/** Text that one of the parsers of base/ reads; its message is the issue's. */
function parsed<T>(parse: (text: string) => T) {
  return v.pipe(
    scalar(),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(dataset.value);
      } catch (error) {
        if (!(error instanceof TautlineError)) throw error;
        addIssue({ message: error.hint === undefined ? error.message : `${error.message}; ${error.hint}` });
        return NEVER;
      }
    }),
  );
}

function whole(min: number, max: number) {
  return parsed((text) => {
    if (/^\d+$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
    throw new TautlineError('config', `'${text}' is not a whole number from ${min} to ${max}`);
  });
}

function choice<const T extends readonly string[]>(options: T) {
  return v.pipe(
    scalar(),
    v.picklist(options, (issue) => `${issue.received} is not one of ${options.join(', ')}`),
  );
}

function setting<S extends v.GenericSchema>(schema: S, info: SettingInfo) {
  return v.optional(v.pipe(schema, v.metadata({ setting: info })));
}

function limitSetting(limit: Limit) {
  const read = { count: count, 'per second': count, ms: parseDurationMs, bps: parseRateBps, bytes: parseSizeBytes }[limit.unit];
  const within = (text: string): number => {
    const value = read(text);
    if (value >= limit.min && value <= limit.max) return value;
    throw new TautlineError('config', `${text} is outside ${writeLimit(limit.min, limit)} to ${writeLimit(limit.max, limit)}`);
  };
  return setting(parsed(within), {
    help: limit.help,
    takes: {
      count: 'a whole number',
      'per second': 'a whole number',
      ms: 'a duration such as 30s',
      bps: 'a rate such as 50M',
      bytes: 'a size such as 10M',
    }[limit.unit],
    default: writeLimit(limit.default, limit),
  });
}

function count(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new TautlineError('config', `'${text}' is not a whole number`);
}

/** Writes a limit as it can be read back. */
function writeLimit(value: number, limit: Limit): string {
  if (limit.unit === 'ms')
    return scaled(value, [
      [3_600_000, 'h'],
      [60_000, 'm'],
      [1000, 's'],
      [1, 'ms'],
    ]);
  if (limit.unit === 'bps' || limit.unit === 'bytes')
    return scaled(value, [
      [1e12, 'T'],
      [1e9, 'G'],
      [1e6, 'M'],
      [1e3, 'k'],
      [1, ''],
    ]);
  return String(value);
}

function scaled(value: number, units: readonly (readonly [number, string])[]): string {
  const [factor, name] = units.find(([size]) => value >= size && value % size === 0) ?? [1, units.at(-1)?.[1] ?? ''];
  return `${value / factor}${name}`;
}

// --- Walking the schema ----------------------------------------------------------------------

function walk(schema: unknown, path: readonly string[]): Setting[] {
  const info = infoOf(schema);
  if (info) return [{ ...info, path, env: `TAUTLINE_${path.join('_').replace(/-/g, '_').toUpperCase()}` }];
  return Object.entries(entriesOf(schema) ?? {}).flatMap(([key, entry]) => walk(entry, [...path, key]));
}

function infoOf(schema: unknown): SettingInfo | undefined {
  const inner = unwrap(schema);
  if (typeof inner !== 'object' || inner === null || !('pipe' in inner)) return undefined;
  const { setting: info } = v.getMetadata(inner as never) as { readonly setting?: SettingInfo };
  return info;
}

function entriesOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  const inner = unwrap(schema);
  if (typeof inner !== 'object' || inner === null) return undefined;
  if ('entries' in inner) return inner.entries as Readonly<Record<string, unknown>>;
  // A union of shapes: the one with keys.
  if ('options' in inner && Array.isArray(inner.options)) return inner.options.map(entriesOf).find((entries) => entries !== undefined);
  return undefined;
}

function isRecord(schema: unknown): boolean {
  const inner = unwrap(schema);
  return typeof inner === 'object' && inner !== null && 'type' in inner && inner.type === 'record';
}

function valueOf(schema: unknown): unknown {
  return (unwrap(schema) as { value: unknown }).value;
}

function unwrap(schema: unknown): unknown {
  return typeof schema === 'object' && schema !== null && 'wrapped' in schema ? unwrap(schema.wrapped) : schema;
}
