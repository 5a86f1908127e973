import { formatRate } from '../../base/index.js';
import type { Advice, CheckDocument } from '../../results/index.js';
import { folded, table } from './figure.js';
import { step } from './findings.js';
import { type Content, type Markup, NOTHING, html } from './markup.js';

/** What a faster link would change for which work, what it costs, and what would be the limit then. */
export function adviceSection({ advice }: CheckDocument): Markup {
  if (!advice) return NOTHING;
  return html`<section id="advice">
    <h2>Would a faster link help?</h2>
    <p class="lead">${advice.sentence}</p>
    ${workloads(advice)}${causes(advice)}${options(advice)}${actions(advice)}${
      advice.assumed.length > 0 &&
      folded(
        'What this assumes',
        html`<ul>
          ${advice.assumed.map((each) => html`<li>${each}</li>`)}
        </ul>`,
      )
    }
  </section>`;
}

function workloads({ workloads: all, fromBps, toBps, sufficient = [] }: Advice): Content {
  return [
    all.length > 0 &&
      table({
        caption: `Workloads at ${formatRate(fromBps)} and at ${formatRate(toBps)}`,
        head: ['workload', 'verdict', 'now', 'limited by', 'after', 'limited by', 'factor', 'why'],
        figures: [2, 4, 6],
        rows: all.map(({ title, verdict, now, after, factor, why }) => [
          title,
          html`<b>${verdict}</b>`,
          now.text,
          now.limitedBy,
          after.text,
          after.limitedBy,
          `${factor.toPrecision(2)}×`,
          html`<span class="remark">${why}</span>`,
        ]),
      }),
    sufficient.length > 0 &&
      folded(
        'How much of each kind of work a link carries',
        table({
          caption: 'What a link is sufficient for',
          head: ['work', 'needs', `at ${formatRate(fromBps)}`, `at ${formatRate(toBps)}`],
          rows: sufficient.map(({ title, need, now, after }) => [title, need, now, after]),
        }),
      ),
  ];
}

function causes({ causes: all, ruledOut = [] }: Advice): Content {
  if (all.length === 0) return undefined;
  return [
    html`<h3>Why the link runs below what both ends can do</h3>
      <ol class="steps">
        ${all.map(
          ({ title, why, check, command }) =>
            html`<li>
              <b>${title}</b>: ${why}
              <ul>
                ${step({ text: check, costs: 'nothing', ...(command === undefined ? {} : { command }) })}
              </ul>
            </li>`,
        )}
      </ol>`,
    ruledOut.length > 0 &&
      folded(
        'Causes ruled out',
        html`<ul>
          ${ruledOut.map(({ id, why }) => html`<li><b>${id}</b>: ${why}</li>`)}
        </ul>`,
      ),
  ];
}

function options({ options: all, pricesAsOf }: Advice): Content {
  if (all.length === 0) return undefined;
  return [
    html`<h3>Options</h3>`,
    table({
      caption: `Options, with prices of ${pricesAsOf}`,
      head: ['option', 'US dollars', 'parts', 'limits', 'steps'],
      figures: [1],
      rows: all.map(({ title, usd, parts, limits, steps }) => [
        title,
        dollars(usd),
        html`<span class="remark"
          >${parts.map(({ what, count, usd: each }, i) => `${i > 0 ? '; ' : ''}${count} × ${what} (${dollars(each)})`)}</span
        >`,
        html`<span class="remark">${limits.join('; ')}</span>`,
        html`<span class="remark">${steps.join('; ')}</span>`,
      ]),
    }),
  ];
}

function actions({ actions: all = [] }: Advice): Content {
  if (all.length === 0) return undefined;
  return html`<h3>In this order</h3>
    <ol class="steps">
      ${all.map(({ text, command, costs }) => step({ text, costs, ...(command === undefined ? {} : { command }) }))}
    </ol>`;
}

function dollars([least, most]: readonly [number, number]): string {
  return least === most ? String(least) : `${least}–${most}`;
}
