import { metricName } from '../../results/index.js';
import type { ChangeDocument, ExperimentDocument, NotDone, PlanDocument, Planned, StatusDocument, TuneListDocument } from '../../results/index.js';
import { code, escaped, record } from '../markdown-text.js';
import { dateLine, hostLine } from '../rows.js';
import { stepRows, wordOf } from './change-text.js';
import { amount, designLine, intervalText, pText, ratioText, runsText, wordOfExperiment } from './experiment-text.js';
import { stateWords } from './plan-text.js';
import { wordOfStatus } from './status-text.js';
import { REASONS, environmentLine, groupTitle, labelOf, notDoneRows, plannedRows } from './words.js';

type Table = { readonly head: readonly string[]; readonly right?: readonly number[]; readonly rows: readonly (readonly string[])[] };

/** As code in a cell: a bar ends a cell even there (GitHub Flavored Markdown, 4.10). */
function coded(text: string): string {
  return code(text).replaceAll('|', '\\|');
}

/** Cells are escaped by those who fill them. */
function table({ head, right = [], rows }: Table): string[] {
  if (rows.length === 0) return [];
  return [record(head), record(head.map((_, i) => (right.includes(i) ? '---:' : '---'))), ...rows.map(record), ''];
}

function opening(title: string, { host, startedAt, tool }: Pick<PlanDocument, 'host' | 'startedAt' | 'tool'>): string[] {
  return [`# ${title}`, '', escaped(`${hostLine(host)}; ${dateLine(startedAt)}, version ${tool.version}`), ''];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', ...lines, ...(lines.at(-1) === '' ? [] : [''])];
}

function sourceText(sources: Planned['sources']): string {
  // A link is written only where it can be nothing else than one.
  return sources
    .map(({ title, url }) => (url !== undefined && /^https:\/\/[\w./~%?=&#:+-]+$/.test(url) ? `[${escaped(title)}](${url})` : escaped(title)))
    .join('; ');
}

function plannedTable(changes: readonly Planned[]): string[] {
  return table({
    head: ['setting', 'now', 'proposed', 'why', 'effect', 'root', 'over a boot', 'source'],
    rows: plannedRows(changes).map(({ planned, instances }) => [
      coded(labelOf(planned.setting, instances, true)),
      escaped(planned.now),
      escaped(planned.proposed),
      [
        escaped(planned.why),
        ...(planned.possible ? [] : [`**Not possible now:** ${escaped(planned.hindrance ?? '')}`]),
        ...(planned.takesEffect === undefined ? [] : [`To take effect: ${escaped(planned.takesEffect)}`]),
        ...(planned.notes ?? []).map(escaped),
      ].join('<br>'),
      planned.effect,
      planned.needsRoot ? 'yes' : 'no',
      escaped(planned.persistence),
      sourceText(planned.sources),
    ]),
  });
}

function notDoneSection(notDone: readonly NotDone[]): string[] {
  return section(
    `Not done (${notDone.length})`,
    table({
      head: ['reason', 'setting', 'why', 'now', 'profile'],
      rows: REASONS.flatMap(({ reason, title }) =>
        notDoneRows(
          notDone.filter((entry) => entry.reason === reason),
          true,
        ).map(({ labels, why, now = '', proposed = '' }) => [title, labels.map(coded).join(', '), escaped(why), escaped(now), escaped(proposed)]),
      ),
    }),
  );
}

export function planMarkdown(document: PlanDocument): string[] {
  const { profile, standing, changes } = document;
  return [
    ...opening(`Tautline tune plan: ${escaped(profile.name)}`, document),
    `This host is ${escaped(environmentLine(document))}. Profile ${escaped(profile.name)} (${escaped(profile.title)}; risk ${escaped(profile.risk)}${profile.exact ? '; exact' : ''}), ${profile.chosen}: ${escaped(profile.why)}`,
    '',
    ...(standing ? [`**Change ${escaped(standing.id)} is ${escaped(stateWords(standing.state))}.** ${escaped(standing.advice ?? '')}`, ''] : []),
    ...(changes.length === 0 ? ['Nothing to change.', ''] : section(`Proposed (${changes.length})`, plannedTable(changes))),
    ...notDoneSection(document.notDone),
    ...section(
      'Others that set the same',
      table({
        head: ['who', 'what', 'advice'],
        rows: document.managers.map(({ who, what, advice }) => [escaped(who), escaped(what), escaped(advice)]),
      }),
    ),
    ...section(
      'To know about this host',
      document.advice.map(({ text, source }) => `- ${escaped(text)}${source ? ` (${sourceText([source])})` : ''}`),
    ),
  ];
}

export function changeMarkdown(document: ChangeDocument): string[] {
  const { action, profile, change, confirmBefore, verdict, steps, takesEffect } = document;
  return [
    ...opening(`Tautline tune ${action}${profile === undefined ? '' : `: ${escaped(profile)}`}`, document),
    `**${wordOf(document)}**: ${escaped(verdict.sentence)}`,
    '',
    ...(change === undefined ? [] : [`Change ${code(change)} is ${escaped(stateWords(document.state))}.`, '']),
    ...(confirmBefore === undefined ? [] : [`Undone at ${escaped(dateLine(confirmBefore))} unless confirmed before.`, '']),
    ...section(
      'What was done',
      table({
        head: ['outcome', 'place', 'original', 'desired', 'found', 'why', 'setting'],
        rows: stepRows(steps).map(({ step, places }) => [
          step.outcome,
          places.map(coded).join('<br>'),
          escaped(step.original),
          escaped(step.desired),
          escaped(step.found ?? ''),
          escaped(step.why ?? ''),
          escaped(step.setting),
        ]),
      }),
    ),
    ...section(
      'Still to do by hand',
      takesEffect.map((each) => `- ${escaped(each)}`),
    ),
    ...section(
      'To know',
      (document.notes ?? []).map((each) => `- ${escaped(each)}`),
    ),
    ...(document.notDone.length === 0 ? [] : notDoneSection(document.notDone)),
  ];
}

export function statusMarkdown(document: StatusDocument, driftOnly = false): string[] {
  const { changes, drift, checks, resembles, damaged = [] } = document;
  return [
    ...opening(`Tautline tune ${driftOnly ? 'verify' : 'status'}`, document),
    `**${wordOfStatus(document)}**: ${escaped(document.verdict.sentence)}`,
    '',
    ...(document.notes ?? []).flatMap((note) => [`${escaped(note)}.`, '']),
    ...section(
      'Journals that cannot be believed',
      damaged.map(({ id, why, advice }) => `- ${code(id)}: ${escaped(why)}${advice === undefined ? '' : `. ${escaped(advice)}`}`),
    ),
    ...section(
      'Changes in force',
      table({
        head: ['change', 'profile', 'state', 'since', 'confirm before', 'places', 'outlives a boot'],
        right: [5],
        rows: changes.map(({ id, profile, state, appliedAt, confirmBefore, places, persisted }) => [
          coded(id),
          escaped(profile),
          escaped(stateWords(state)),
          escaped(dateLine(appliedAt)),
          confirmBefore === undefined ? '' : escaped(dateLine(confirmBefore)),
          String(places),
          persisted ? 'yes' : 'no',
        ]),
      }),
    ),
    ...section(
      'Drift',
      table({
        head: ['place', 'applied', 'found', 'why', 'setting'],
        rows: drift.map(({ place, applied, found, why, setting }) => [
          coded(place),
          escaped(applied),
          escaped(found),
          escaped(why),
          escaped(setting),
        ]),
      }),
    ),
    ...(driftOnly
      ? []
      : [
          ...section(
            'Checks',
            table({
              head: ['check', 'state', 'found', 'note'],
              rows: checks.map(({ title, state, found, note }) => [escaped(title), state, escaped(found), escaped(note)]),
            }),
          ),
          ...section(
            'Profiles that hold here',
            table({
              head: ['profile', 'holding', 'of'],
              right: [1, 2],
              rows: resembles.map(({ profile, holding, of }) => [escaped(profile), String(holding), String(of)]),
            }),
          ),
        ]),
  ];
}

export function listMarkdown(document: TuneListDocument): string[] {
  return [
    ...opening('Tautline tune list', document),
    ...section(
      'Profiles',
      table({
        head: ['profile', 'for', 'about', 'risk', 'extends', 'settings', 'file', 'advised'],
        right: [5],
        rows: document.profiles.map(({ name, title, about, risk, lineage, settings, file, advised }) => [
          coded(name),
          escaped(title),
          escaped(about),
          escaped(risk),
          escaped(lineage.slice(1).join(', ')),
          String(settings),
          coded(file),
          escaped(advised ?? ''),
        ]),
      }),
    ),
    ...section('Settings', settingsTable(document.settings)),
  ];
}

/** Also the reference page's. */
export function settingsTable(settings: TuneListDocument['settings']): string[] {
  const several = new Set(settings.map(({ group }) => group)).size > 1;
  return table({
    head: ['setting', 'what it is', ...(several ? ['group'] : []), 'on', 'effect', 'scope', 'root', 'takes', 'why', 'source'],
    rows: settings.map(({ id, title, group, platforms, effect, scope, needsRoot, takes, why, restart, sources }) => [
      coded(id),
      escaped(title),
      ...(several ? [escaped(groupTitle(group))] : []),
      escaped(platforms.join(', ')),
      effect,
      escaped(scope),
      needsRoot ? 'yes' : 'no',
      escaped(takes),
      `${escaped(why)}${restart === undefined ? '' : `<br>To take effect: ${escaped(restart)}`}`,
      sourceText(sources),
    ]),
  });
}

export function experimentMarkdown(document: ExperimentDocument): string[] {
  const { profile, target, verdict, design, groups, kept } = document;
  return [
    ...opening(`Tautline tune try: ${escaped(profile.name)}, measured to ${escaped(target)}`, document),
    `**${wordOfExperiment(document)}**: ${escaped(verdict.sentence)}`,
    '',
    ...(document.interrupted === true ? ['Interrupted: this is what had been measured until then.', ''] : []),
    ...(kept === undefined ? [] : [`What helped is left applied as change ${code(kept)}.`, '']),
    ...section('Design', [
      escaped(design.sentence),
      '',
      escaped(designLine(document)),
      '',
      `Orders of all blocks: ${escaped(design.orders.join(' '))}`,
    ]),
    ...groups.flatMap(({ group, decision, why, changes, figures }) => [
      ...section(`${escaped(groupTitle(group))}: ${decision}`, [escaped(why), '', ...plannedTable(changes)]),
      ...table({
        head: ['metric', 'better', 'without', 'with', 'ratio', 'interval', 'p', 'p corrected', 'blocks', 'finding', 'why'],
        right: [2, 3, 4, 5, 6, 7, 8],
        rows: figures.map((figure) => [
          escaped(metricName(figure.metric)),
          figure.better,
          amount(figure.without, figure.unit),
          amount(figure.with, figure.unit),
          ratioText(figure.ratio),
          intervalText(figure.interval),
          pText(figure.p),
          pText(figure.pCorrected),
          String(figure.blocks),
          figure.finding,
          escaped(figure.why ?? ''),
        ]),
      }),
      ...(figures.length === 0
        ? []
        : [
            'Every run (A without, B with):',
            '',
            ...figures.map((figure) => `- ${escaped(metricName(figure.metric))}: ${escaped(runsText(figure))}`),
            '',
          ]),
    ]),
    ...notDoneSection(document.notDone),
  ];
}
