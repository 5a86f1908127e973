import type { ResultDocument } from '../../results/index.js';
import { layersOf } from '../layers/all.js';
import { type Block, type Layer, type LayerCell, textOf } from '../layers/layer.js';
import { folded, table } from './figure.js';
import { type Content, type Markup, NOTHING, html } from './markup.js';

/** What lies under the figures: interfaces, MTU, routers, tunnel, SSH, containers. Closed in a check, since few readers need it. */
export function layersSection(document: ResultDocument): Markup {
  const groups =
    document.schema === 'tautline.measure/1'
      ? [{ about: undefined, layers: layersOf(document.measurements) }]
      : document.subjects.map(({ name, measurements }) => ({ about: name, layers: layersOf(measurements) }));
  const found = groups.flatMap(({ about, layers }) => layers.map((layer) => ({ about, layer })));
  if (found.length === 0) return NOTHING;
  return html`<section id="layers">
    <h2>Layers</h2>
    ${found.map(({ about, layer }) =>
      about === undefined
        ? html`<h3>${layer.title}</h3>
            ${bodyOf(layer)}`
        : folded([html`<b>${about}</b>`, ` ${layer.short}`], bodyOf(layer)),
    )}
  </section>`;
}

function bodyOf({ title, blocks }: Layer): Content {
  return blocks.map((block) => blockMarkup(block, title));
}

function blockMarkup(block: Block, title: string): Markup {
  if (block.kind === 'notes')
    return html`<ul>
      ${block.notes.map((note) => html`<li>${cell(note)}</li>`)}
    </ul>`;
  if (block.kind === 'facts')
    return table({ caption: title, head: ['fact', 'value'], breaks: true, rows: block.facts.map(([name, value]) => [name, cell(value)]) });
  const shown = table({
    caption: block.title ?? title,
    head: block.columns.map(({ head }) => head),
    figures: block.columns.flatMap(({ align }, i) => (align === 'right' && i > 0 ? [i] : [])),
    rows: block.rows.map((row) => row.map(cell)),
  });
  return block.title === undefined
    ? shown
    : html`<p class="quiet">${block.title}</p>
        ${shown}`;
}

function cell(content: LayerCell): Content {
  if (typeof content === 'string') return content;
  return content.tone === 'bad' ? html`<b class="problem">${textOf(content)}</b>` : html`<span class="quiet">${textOf(content)}</span>`;
}
