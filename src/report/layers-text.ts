import { type Block, type Layer, type LayerCell, textOf } from './layers/layer.js';
import type { Paint } from './paint.js';
import { type Cell, headLine, layoutOf, line } from './table.js';
import { displayWidth, printable, wrap } from './terminal-text.js';

interface LayerContext {
  readonly width: number;
  /** Where prose is broken. */
  readonly prose: number;
  readonly paint: Paint;
}

const INDENT = '  ';
const INNER = INDENT + INDENT;
/** A longer name does not push all values to the right. */
const NAME_WIDTH_MAX = 24;

/** The whole of a layer for a terminal: its title, then facts, tables and notes under it. */
export function layerLines(layer: Layer, context: LayerContext): string[] {
  const title = wrap(printable(layer.title), { width: context.prose, first: INDENT, rest: INNER }).map((text) => context.paint('strong', text));
  return ['', ...title, ...layer.blocks.flatMap((block, i) => blockLines(block, { ...context, first: i === 0 }))];
}

/** All layers of a path on one line, which is broken where it must be. */
export function shortLines(layers: readonly Layer[], { prose, paint }: LayerContext): string[] {
  if (layers.length === 0) return [];
  return wrap(printable(layers.map(({ short }) => short).join('; ')), { width: prose, first: INDENT, rest: INNER }).map((text) =>
    paint('quiet', text),
  );
}

function blockLines(block: Block, context: LayerContext & { readonly first: boolean }): string[] {
  const { prose, paint } = context;
  if (block.kind === 'table') return tableLines(block, context);
  if (block.kind === 'facts') return factLines(block.facts, context);
  return block.notes.flatMap((note) =>
    wrap(printable(textOf(note)), { width: prose, first: `${INNER}- `, rest: `${INNER}  ` }).map((text) => styled(note, paint)(text)),
  );
}

function factLines(facts: readonly (readonly [string, LayerCell])[], { prose, paint }: LayerContext): string[] {
  const width = Math.min(NAME_WIDTH_MAX, Math.max(...facts.map(([name]) => displayWidth(printable(name)))));
  return facts.flatMap(([name, value]) => {
    const label = printable(name).padEnd(width);
    const room = Math.max(16, prose - INNER.length - width - 2);
    const [first = '', ...rest] = wrap(printable(textOf(value)), { width: room });
    const tone = styled(value, paint);
    return [`${INNER}${paint('quiet', label)}  ${tone(first)}`, ...rest.map((text) => `${INNER}${' '.repeat(width)}  ${tone(text)}`)];
  });
}

function tableLines(block: Extract<Block, { kind: 'table' }>, { width, prose, paint, first }: LayerContext & { readonly first: boolean }): string[] {
  const rows = block.rows.map((row) => row.map((cell): Cell => ({ text: printable(textOf(cell)), style: styled(cell, paint) })));
  const layout = layoutOf(block.columns, rows, width - INNER.length);
  const filled = block.columns.filter((_, i) => rows.some((row) => (row[i]?.text ?? '') !== ''));
  const left = filled.filter((column) => !layout.shown.some((i) => layout.columns[i] === column)).map(({ head }) => head);
  return [
    ...(first || block.title === undefined ? [] : ['']),
    ...(block.title === undefined ? [] : [INNER + block.title]),
    `${INNER}${paint('quiet', headLine(layout))}`,
    ...rows.map((cells) => INNER + line(layout, cells)),
    ...(left.length === 0
      ? []
      : wrap(`not shown in ${width} columns: ${left.join(', ')} (--json has all)`, { width: prose, first: INNER, rest: INNER }).map((text) =>
          paint('quiet', text),
        )),
  ];
}

function styled(cell: LayerCell, paint: Paint): (text: string) => string {
  return typeof cell === 'string' ? (text) => text : (text) => paint(cell.tone, text);
}
