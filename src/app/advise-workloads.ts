import { TautlineError, parseDurationMs, parseSizeBytes } from '../base/index.js';
import { WORKLOAD_KINDS } from '../diagnose/index.js';
import type { DeclaredWorkload, WorkloadKey, WorkloadKind } from '../diagnose/index.js';
import { named, rateOf } from './advise-values.js';
import { nearest } from './nearest.js';

/**
 * Reads `model=10GB`, `gradients=7GB,hosts=2,step=1s`, `audio`: a kind of work, its main value after the equals
 * sign, and further keys after commas. @throws TautlineError `usage` that names the nearest known word
 */
export function readWorkload(text: string): DeclaredWorkload {
  const [head = '', ...rest] = text.split(',');
  const [name = '', ...after] = head.split('=');
  const kind = WORKLOAD_KINDS.find(({ id }) => id === name.trim());
  if (!kind) throw unknownKind(name.trim());
  const given = new Map<string, string>();
  if (after.length > 0) given.set(kind.main, after.join('='));
  for (const part of rest) {
    const [, key = '', value] = /^\s*([^=]*)=(.*)$/.exec(part) ?? [];
    if (value === undefined)
      throw new TautlineError('usage', `--workload ${kind.id}: '${part}' is not key=value`, { hint: `write for example ${kind.example}` });
    if (!Object.hasOwn(kind.keys, key)) throw unknownKey(kind, key);
    if (given.has(key))
      throw new TautlineError('usage', `--workload ${kind.id}: '${key}' is given twice`, { hint: `write for example ${kind.example}` });
    given.set(key, value);
  }
  const values: Record<string, number> = {};
  const defaulted: string[] = [];
  for (const [key, declared] of Object.entries(kind.keys)) {
    const value = given.get(key);
    if (value !== undefined) values[key] = readValue(kind, key, declared, value);
    else if (declared.default !== undefined) {
      values[key] = declared.default;
      defaulted.push(key);
    } else if (declared.required === true) {
      throw new TautlineError('usage', `--workload ${kind.id} lacks ${declared.help}`, { hint: `write for example --workload ${kind.example}` });
    }
  }
  return { kind, values, defaulted };
}

/** Kinds of work for help: a line each. */
export function workloadHelp(): string[] {
  const width = Math.max(...WORKLOAD_KINDS.map(({ example }) => example.length));
  return WORKLOAD_KINDS.map(({ example, title }) => `${example.padEnd(width)}  ${title}`);
}

function readValue(kind: WorkloadKind, key: string, declared: WorkloadKey, text: string): number {
  const where = `--workload ${kind.id}${key === kind.main ? '' : `, ${key}`}`;
  const value = named(where, () => PARSERS[declared.takes](text.trim()));
  if (value >= declared.min && value <= declared.max) return value;
  throw new TautlineError('usage', `${where}: '${text}' is ${value < declared.min ? 'too little' : 'too much'} for ${declared.help}`, {
    hint: `write for example ${kind.example}`,
  });
}

const PARSERS: Readonly<Record<WorkloadKey['takes'], (text: string) => number>> = {
  size: parseSizeBytes,
  rate: (text) => rateOf('rate', text),
  duration: parseDurationMs,
  count: (text) => {
    const [, count] = /^(\d{1,9})\s*[a-z]*$/i.exec(text) ?? [];
    if (count !== undefined) return Number(count);
    throw new TautlineError('usage', `'${text}' is not a number`, { hint: 'write for example 50' });
  },
  share: (text) => {
    const [, number, percent] = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text) ?? [];
    const share = Number(number) / (percent === '%' ? 100 : 1);
    if (number !== undefined && share <= 1) return share;
    throw new TautlineError('usage', `'${text}' is not a share`, { hint: 'write for example 50% or 0.5' });
  },
};

function unknownKind(name: string): TautlineError {
  const known = WORKLOAD_KINDS.map(({ id }) => id);
  const guess = name === '' ? undefined : nearest(name, known);
  return new TautlineError('usage', name === '' ? '--workload names no kind of work' : `there is no workload '${name}'`, {
    hint: guess === undefined ? `the workloads are ${known.join(', ')}` : `did you mean '${guess}'?`,
  });
}

function unknownKey(kind: WorkloadKind, key: string): TautlineError {
  const known = Object.keys(kind.keys);
  const guess = nearest(key, known);
  return new TautlineError('usage', `--workload ${kind.id} has no '${key}'`, {
    hint: guess === undefined ? `it has ${known.join(', ')}` : `did you mean '${guess}'?`,
  });
}
