import { formatQuantity } from '../../base/index.js';
import type { Measurement } from '../../results/index.js';
import type { Column } from '../table.js';

/**
 * What lies under a path's figures, as plain data that every report writes in its own way: interfaces, MTU,
 * routers, tunnel, SSH, containers. Text is unescaped.
 */
export interface Layer {
  readonly title: string;
  /** The parts that matter on one line, where the layer is one among others. */
  readonly short: string;
  readonly blocks: readonly Block[];
  /** What it tells of. */
  readonly of: readonly Measurement[];
}

export type Block =
  | { readonly kind: 'facts'; readonly facts: readonly Fact[] }
  | {
      readonly kind: 'table';
      /** Where it is not that of the layer. */
      readonly title?: string;
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly LayerCell[])[];
    }
  | { readonly kind: 'notes'; readonly notes: readonly LayerCell[] };

export type Fact = readonly [name: string, value: LayerCell];

/** Text, and what it means where that is not plain. */
export type LayerCell = string | { readonly text: string; readonly tone: 'bad' | 'quiet' };

export function textOf(cell: LayerCell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

export const bad = (text: string): LayerCell => ({ text, tone: 'bad' });
export const quiet = (text: string): LayerCell => ({ text, tone: 'quiet' });

/** The facts that are known, or no block where none is. */
export function factsBlock(pairs: readonly (readonly [name: string, value: LayerCell | undefined])[]): Block[] {
  const facts = pairs.flatMap(([name, value]): Fact[] => (value === undefined || textOf(value) === '' ? [] : [[name, value]]));
  return facts.length === 0 ? [] : [{ kind: 'facts', facts }];
}

export function notesBlock(notes: readonly (LayerCell | undefined)[]): Block[] {
  const said = notes.filter((note) => note !== undefined);
  return said.length === 0 ? [] : [{ kind: 'notes', notes: said }];
}

export function list(items: readonly string[] | undefined): string | undefined {
  return items === undefined || items.length === 0 ? undefined : items.join(', ');
}

export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** Of packets and interfaces: in bytes, however many. */
export function bytes(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value} B`;
}

export function ago(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${formatQuantity(ms, 'ms')} ago`;
}
