import { metricName } from '../../results/index.js';
import type { ExperimentDocument, ExperimentFigure } from '../../results/index.js';
import { amount, designLine, intervalText, pText, ratioText, wordOfExperiment } from '../tune/experiment-text.js';
import { groupTitle, labelOf, plannedRows } from '../tune/words.js';
import { hostLine } from '../rows.js';
import { fit } from '../terminal-text.js';
import { axisBelow, chart, label, logScale, percent } from './chart.js';
import { runsChart } from './experiment-runs.js';
import { command, folded, table } from './figure.js';
import { type Content, type Markup, NOTHING, html } from './markup.js';
import { renderPage, verdictSection } from './page.js';

type Tried = ExperimentDocument['groups'][number];

/** The experiment as a page: every run drawn, every comparison with its interval, every figure in a table. */
export function renderExperimentHtml(document: ExperimentDocument): string {
  const { verdict, profile, target, groups } = document;
  const word = wordOfExperiment(document).toLowerCase();
  const kind = { helps: 'excellent', harms: 'bad' }[word] ?? 'open';
  return renderPage(document, {
    title: `tune try: ${profile.name}, measured to ${target}`,
    verdict: verdictSection({ word, kind, sentence: verdict.sentence, interrupted: document.interrupted === true }),
    sections: [
      ['Groups', groupsSection(groups)],
      ['Method', methodSection(document)],
      ['Not done', notDoneSection(document)],
    ],
  });
}

function groupsSection(groups: readonly Tried[]): Markup {
  return html`<section id="groups">
    <h2>What was tried</h2>
    <p class="lead">
      A hollow dot is a run without the settings, a full one a run with them; blocks from left to right, runs in the order in which they were made. A
      bar is the interval of the ratio at the level of all comparisons together; where it crosses 1 there is no measurable change.
    </p>
    ${groups.map(groupMarkup)}
  </section>`;
}

function groupMarkup({ group, decision, why, changes, figures }: Tried): Content {
  const measured = figures.filter(({ ratio }) => ratio !== undefined && ratio > 0 && Number.isFinite(ratio));
  return html`<section class="tried" aria-label="${groupTitle(group)}">
    <h3>${groupTitle(group)}: ${decision}</h3>
    <p>${why}</p>
    <ul>
      ${plannedRows(changes).map(
        ({ planned, instances }) => html`<li><code>${labelOf(planned.setting, instances, true)}</code> ${planned.now} → ${planned.proposed}</li>`,
      )}
    </ul>
    ${
      measured.length > 0 &&
      html`<figure>
        <figcaption>With over without</figcaption>
        ${ratios(measured)}${folded('the figures', figuresTable(group, figures))}
      </figure>`
    }
    <div class="grid-2">${figures.map((figure) => runsChart(figure))}</div>
    ${figures.length > 0 && folded('every run', runsTable(group, figures))}
  </section>`;
}

const ROW_HEIGHT = 44;
const ROOM = 1.1;

function ratios(figures: readonly ExperimentFigure[]): Markup {
  const bounds = figures.flatMap(({ ratio, interval }) => [ratio ?? 1, ...(interval ?? [])]).filter((value) => value > 0 && Number.isFinite(value));
  const scale = logScale(Math.min(0.9, ...bounds) / ROOM, Math.max(1.1, ...bounds) * ROOM);
  const bottom = figures.length * ROW_HEIGHT + 6;
  const one = percent(scale.at(1));
  const said = figures.map(({ metric, ratio, finding }) => `${metricName(metric)}: ${ratioText(ratio)}, ${finding}`);
  return chart({ height: bottom + 20, label: `Ratios with over without. ${said.join('. ')}.` }, [
    axisBelow(scale, { top: 4, bottom }, (tick) => `${Number(tick.toPrecision(3))}×`),
    html`<line class="one" x1="${one}" x2="${one}" y1="0" y2="${bottom}" />`,
    figures.map((figure, i) => {
      const { metric, ratio = 1, interval, finding, better } = figure;
      const y = i * ROW_HEIGHT;
      const kind = finding === 'helps' || finding === 'harms' ? 'loaded' : 'idle';
      const name = fit(`${metricName(metric)} (${better} is better)`, 48);
      return html`${label(0, y + 16, name, { kind: 'name halo', anchor: 'start' })}${label(1, y + 16, `${ratioText(ratio)}× ${finding}`, { kind: 'value halo', anchor: 'end' })}${
          interval &&
          html`<line
            class="range ${kind}"
            x1="${percent(scale.at(interval[0]))}"
            x2="${percent(scale.at(interval[1]))}"
            y1="${y + 30}"
            y2="${y + 30}"
          />`
        }<circle class="dot ${kind}" cx="${percent(scale.at(ratio))}" cy="${y + 30}" r="5" />`;
    }),
  ]);
}

function figuresTable(group: string, figures: readonly ExperimentFigure[]): Markup {
  return table({
    caption: `Comparisons of ${groupTitle(group)}`,
    head: ['metric', 'better', 'without', 'with', 'ratio', 'interval', 'p', 'p corrected', 'blocks', 'finding', 'why'],
    figures: [2, 3, 4, 5, 6, 7, 8],
    rows: figures.map((figure) => [
      metricName(figure.metric),
      figure.better,
      amount(figure.without, figure.unit),
      amount(figure.with, figure.unit),
      ratioText(figure.ratio),
      intervalText(figure.interval),
      pText(figure.p),
      pText(figure.pCorrected),
      String(figure.blocks),
      figure.finding,
      figure.why ?? '',
    ]),
  });
}

function runsTable(group: string, figures: readonly ExperimentFigure[]): Markup {
  return table({
    caption: `Runs of ${groupTitle(group)}`,
    head: ['metric', 'block', 'place', 'side', 'value', 'reason'],
    figures: [1, 2, 4],
    rows: figures.flatMap(({ metric, unit, runs }) =>
      runs.map(({ block, at, arm, value, reason }) => [metricName(metric), String(block), String(at), arm, amount(value, unit), reason ?? '']),
    ),
  });
}

function methodSection(document: ExperimentDocument): Markup {
  const { design, host, kept } = document;
  return html`<section id="method">
    <h2>How it was done</h2>
    <p>${design.sentence}</p>
    <p class="quiet">${designLine(document)}. Orders of all blocks: ${design.orders.join(' ')}.</p>
    <p class="quiet">${hostLine(host)}.</p>
    ${
      kept !== undefined &&
      html`<p>What helped is left applied. To undo it:</p>
        ${command(`tautline tune rollback ${kept}`)}`
    }
  </section>`;
}

function notDoneSection({ notDone }: ExperimentDocument): Markup {
  if (notDone.length === 0) return NOTHING;
  return html`<section id="notdone">
    <h2>Not done</h2>
    ${table({
      caption: 'What was not done',
      head: ['setting', 'reason', 'why'],
      breaks: true,
      rows: notDone.map(({ setting, instance, reason, why }) => [labelOf(setting, instance === undefined ? [] : [instance]), reason, why]),
    })}
  </section>`;
}
