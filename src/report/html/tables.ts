import type { ResultDocument } from '../../results/index.js';
import { type Group, type Row, ceilingNote, groupsOf } from '../rows.js';
import { folded, rating, table } from './figure.js';
import { type Content, type Markup, html } from './markup.js';

/** Every figure of the document with its number of samples, interval and error of measuring. */
export function tablesSection(document: ResultDocument): Markup {
  const groups = groupsOf(document).filter(({ rows, facts, nothing }) => rows.length > 0 || facts.length > 0 || nothing !== '');
  return html`<section id="figures">
    <h2>All figures</h2>
    ${groups.length === 1 ? groups.map(groupMarkup) : groups.map(foldedGroup)}
  </section>`;
}

function foldedGroup(group: Group): Markup {
  const { title, subtitle, rows } = group;
  return folded(
    [html`<b>${title}</b>`, ` ${subtitle === '' ? '' : `${subtitle}, `}${rows.length} figure${rows.length === 1 ? '' : 's'}`],
    bodyOf(group),
  );
}

function groupMarkup(group: Group): Markup {
  const { title, subtitle } = group;
  return html`<h3>${title}${subtitle !== '' && html` <span class="quiet">${subtitle}</span>`}</h3>
    ${bodyOf(group)}`;
}

const HEAD = ['measured', 'median', '95 % interval', 'p99', 'n', 'lost', '±', 'rating', 'provenance', 'remark'];

function bodyOf({ title, facts, rows, nothing }: Group): Markup {
  return html`${facts.length > 0 && html`<p class="quiet">${facts.map(([key, value], i) => `${i > 0 ? ', ' : ''}${key} ${value}`)}</p>`}${
    rows.length === 0
      ? html`<p>${nothing}</p>`
      : table({ caption: `Figures of ${title}`, head: HEAD, figures: [1, 2, 3, 4, 5, 6], rows: rows.map(cells) })
  }`;
}

function cells(row: Row): Content[] {
  const { measurement } = row;
  const { summary, loss, outcome } = measurement;
  const share = ceilingNote(measurement);
  const remarks = [row.problem === outcome ? undefined : row.problem, share].filter((remark) => remark !== undefined);
  return [
    html`<span class="${row.child ? 'child' : 'own'}">${row.label}</span>`,
    row.impossible ? html`<s>${row.value}</s>` : summary || outcome === 'ok' ? row.value : html`<span class="problem">${row.value}</span>`,
    row.interval,
    row.p99,
    summary ? String(summary.n) : '',
    loss ? `${loss.sent - loss.received} of ${loss.sent}` : '',
    row.error,
    row.impossible ? html`<span class="problem">measuring error</span>` : rating(row.rating),
    measurement.provenance,
    remarks.length > 0 && html`<span class="remark">${remarks.join('. ')}</span>`,
  ];
}

/** Where the errors of measuring come from, each cause once with the figures that it concerns. */
export function errorCauses(document: ResultDocument): Content {
  const causes = new Map<string, Set<string>>();
  for (const { rows } of groupsOf(document)) {
    for (const { name, measurement } of rows) {
      for (const cause of measurement.error?.from ?? []) {
        // Causes that differ in their figures only are one.
        const kind = cause.replace(/\d+(?:\.\d+)?/g, '…');
        causes.set(kind, (causes.get(kind) ?? new Set<string>()).add(name));
      }
    }
  }
  if (causes.size === 0) return undefined;
  return folded(
    'Where errors of measuring (±) come from',
    html`<ul>
      ${[...causes].map(([cause, names]) => html`<li>${cause} <span class="quiet">(${[...names].join(', ')})</span></li>`)}
    </ul>`,
  );
}
