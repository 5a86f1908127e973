import { formatQuantity } from '../../base/index.js';
import type { CheckDocument, Finding, NextStep } from '../../results/index.js';
import { badge, command, folded } from './figure.js';
import { type Content, type Markup, NOTHING, html } from './markup.js';

/** What is wrong, why, and what to do: the most important first, with the evidence for it. */
export function findingsSection({ findings }: CheckDocument): Markup {
  if (!findings) return NOTHING;
  const body =
    findings.length === 0
      ? html`<p>Nothing was found that limits or endangers these paths.</p>`
      : html`<ol class="findings">
          ${findings.map(findingItem)}
        </ol>`;
  return html`<section id="findings">
    <h2>Findings</h2>
    ${body}
  </section>`;
}

function findingItem(finding: Finding): Markup {
  const { id, title, severity, confidence, subject, path, symptoms, evidence, ruledOut, unchecked = [], next } = finding;
  const about = path === undefined || path === subject ? subject : `${subject}, path ${path}`;
  return html`<li class="finding ${severity}">
    <h3>${title}</h3>
    <p class="quiet">${badge(severity, severity)} ${badge('plain', confidence)} ${about} <span class="id">${id}</span></p>
    ${
      evidence.length > 0 &&
      html`<ul class="evidence">
        ${evidence.map((each) => html`<li>${each.text}${expected(each)}</li>`)}
      </ul>`
    }${
      next.length > 0 &&
      html`<h4>What to do</h4>
        <ol class="steps">
          ${next.map(step)}
        </ol>`
    }${
      ruledOut.length > 0 && folded(`${ruledOut.length} other cause${ruledOut.length === 1 ? '' : 's'} ruled out`, reasons(ruledOut))
    }${unchecked.length > 0 && folded(`${unchecked.length} cause${unchecked.length === 1 ? '' : 's'} could not be looked at`, reasons(unchecked))}${
      symptoms.length > 0 && html`<p class="quiet symptoms">noticed by: ${symptoms.join(', ')}</p>`
    }
  </li>`;
}

/** What the figure in the text would be without the cause. */
function expected({ value, expected: without, unit }: Finding['evidence'][number]): Content {
  if (value === undefined || without === undefined || unit === undefined) return undefined;
  return html` <small>without the cause ${formatQuantity(without, unit)}</small>`;
}

const COSTS: Readonly<Record<NextStep['costs'], string>> = { nothing: 'a look', change: 'changes a setting', money: 'costs money' };

export function step({ text, command: line, costs }: Pick<NextStep, 'text' | 'command' | 'costs'>): Markup {
  return html`<li>${text} ${badge(`cost-${costs}`, COSTS[costs])}${line !== undefined && command(line)}</li>`;
}

function reasons(items: readonly { readonly id: string; readonly why: string }[]): Markup {
  return html`<ul>
    ${items.map(({ id, why }) => html`<li><b>${id}</b>: ${why}</li>`)}
  </ul>`;
}

/** What could not be checked, why, and what would help. */
export function uncheckedSection({ unchecked }: CheckDocument): Markup {
  if (!unchecked || unchecked.length === 0) return NOTHING;
  return html`<section id="unchecked">
    <h2>Not checked</h2>
    <dl class="unchecked">
      ${unchecked.map(
        ({ what, why, hint }) =>
          html`<div>
            <dt>${what}</dt>
            <dd>${why}${hint !== undefined && html`<br /><span class="hint">${hint}</span>`}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}
