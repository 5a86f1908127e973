import { formatQuantity } from '../../base/index.js';
import type { Environment, ResultDocument } from '../../results/index.js';
import { dateLine, hostLine, tookLine } from '../rows.js';
import { folded, table } from './figure.js';
import { type Content, type Markup, html } from './markup.js';
import { errorCauses } from './tables.js';

/** Where, when and with what the figures were taken: two runs with the same fingerprint can be compared. */
export function provenanceSection(document: ResultDocument): Markup {
  const { host, tool, startedAt, durationMs } = document;
  const environment = document.schema === 'tautline.check/1' ? document.environment : undefined;
  return html`<section id="provenance">
    <h2>How it was measured</h2>
    <p>
      ${hostLine(host)}, ${formatQuantity(host.memoryBytes, 'bytes')} of memory. ${dateLine(startedAt)}, ${tookLine(durationMs)}, tautline
      ${tool.version}${document.schema === 'tautline.check/1' && document.depth !== 'default' && `, ${document.depth}`}.
    </p>
    <p class="quiet">
      “n” is the number of samples behind a figure, the 95 % interval bounds its median, and ± is how far the measuring itself may be off. A figure
      above what is physically possible is shown as a measuring error and is neither rated nor compared.
    </p>
    ${errorCauses(document)}${environment && environmentOf(environment)}
  </section>`;
}

function environmentOf({ fingerprint, kernel, tool, links, settings, routes }: Environment): Content {
  const settingRows = Object.entries(settings).map(([name, value]) => [name, value]);
  return folded(
    ['Environment ', html`<code>${fingerprint.slice(0, 12)}</code>`],
    [
      html`<p>kernel ${kernel}, ${tool}; fingerprint <code class="long">${fingerprint}</code></p>`,
      settingRows.length > 0 && table({ caption: 'Settings', head: ['setting', 'value'], rows: settingRows }),
      links.length > 0 &&
        html`<ul>
          ${links.map((link) => html`<li>${pairs(link)}</li>`)}
        </ul>`,
      routes.length > 0 &&
        html`<ul>
          ${routes.map((route) => html`<li>${pairs(route)}</li>`)}
        </ul>`,
    ],
  );
}

function pairs(values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
