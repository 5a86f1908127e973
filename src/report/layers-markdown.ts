import { type Block, type Layer, type LayerCell, textOf } from './layers/layer.js';
import { escaped, record } from './markdown-text.js';

/** The whole of a layer, under a heading of its own. */
export function layerMarkdown(layer: Layer): string[] {
  return [`### ${escaped(layer.title)}`, '', ...layer.blocks.flatMap(blockMarkdown)];
}

function blockMarkdown(block: Block): string[] {
  if (block.kind === 'notes') return [...block.notes.map((note) => `- ${cell(note)}`), ''];
  if (block.kind === 'facts')
    return [record(['fact', 'value']), record(['---', '---']), ...block.facts.map(([name, value]) => record([escaped(name), cell(value)])), ''];
  const shown = block.columns.map((_, i) => i).filter((i) => block.rows.some((row) => textOf(row[i] ?? '') !== ''));
  return [
    ...(block.title === undefined ? [] : [escaped(block.title), '']),
    record(shown.map((i) => escaped(block.columns[i]?.head ?? ''))),
    record(shown.map((i) => (block.columns[i]?.align === 'right' ? '---:' : '---'))),
    ...block.rows.map((row) => record(shown.map((i) => cell(row[i] ?? '')))),
    '',
  ];
}

function cell(content: LayerCell): string {
  const text = escaped(textOf(content));
  return typeof content !== 'string' && content.tone === 'bad' && text !== '' ? `**${text}**` : text;
}
