import type { TuneListDocument } from '../../results/index.js';
import { headLine, layoutOf, line } from '../table.js';
import type { Cell, Column } from '../table.js';
import { printable } from '../terminal-text.js';
import { commands, contextOf, head, prose, quiet, section } from './lines.js';
import type { TuneContext, TuneRenderOptions } from './lines.js';
import { counted, groupTitle, tuneCommand } from './words.js';

/** The profiles, and the settings that they are made of. */
export function listText(document: TuneListDocument, options: TuneRenderOptions): string[] {
  const context = contextOf(options);
  return [
    ...head(document, 'tautline tune list', context),
    ...profiles(document, context),
    ...(options.all === true ? told(document, context) : names(document, context)),
    ...next(document, context),
  ];
}

function profiles({ profiles: all }: TuneListDocument, context: TuneContext): string[] {
  return section(
    'Profiles',
    all.flatMap(({ name, title, about, risk, exact, lineage, settings, file, advised }) => [
      ...prose(`${name}: ${title}`, context, '  ', '    ').map((each) => each.replace(printable(name), (found) => context.paint('strong', found))),
      ...prose(about, context, '      '),
      ...(advised === undefined ? [] : prose(`Advised for this host: ${advised}`, context, '      ').map((each) => context.paint('excellent', each))),
      ...quiet(
        [
          // A file that cannot be used has neither.
          ...(risk === '' ? [] : [`risk ${risk}`, counted(settings, 'setting')]),
          ...(lineage.length > 1 ? [`extends ${lineage.slice(1).join(', ')}`] : []),
          ...(exact ? ['exact: lowers values too'] : []),
          file,
        ].join(' · '),
        context,
        '      ',
      ),
    ]),
    context,
  );
}

const COLUMNS: readonly Column[] = [
  { head: 'setting', align: 'left' },
  { head: 'what it is', align: 'left', flexible: true },
  { head: 'effect', align: 'left', drop: 3 },
  { head: 'scope', align: 'left', drop: 2 },
  { head: 'root', align: 'left', drop: 1 },
];

/** One line each: those who want more ask with `--all`. */
function names({ settings }: TuneListDocument, context: TuneContext): string[] {
  const groups = [...new Set(settings.map(({ group }) => group))];
  const rows = settings.map((setting): { group: string; cells: Cell[] } => ({
    group: setting.group,
    cells: [
      { text: printable(setting.id) },
      { text: printable(setting.title) },
      {
        text: setting.effect === 'none' ? 'none' : setting.effect,
        ...(setting.effect === 'measurable' ? {} : { style: (text: string) => context.paint(setting.effect === 'risky' ? 'poor' : 'quiet', text) }),
      },
      { text: setting.scope },
      { text: setting.needsRoot ? 'root' : '' },
    ],
  }));
  const layout = layoutOf(
    COLUMNS,
    rows.map(({ cells }) => cells),
    context.width - 2,
  );
  return section(
    `Settings (${settings.length}); --all tells what each takes, why, and who says so`,
    groups.length === 0
      ? []
      : [
          `  ${context.paint('quiet', headLine(layout))}`,
          ...groups.flatMap((group) => [
            `  ${context.paint('quiet', printable(groupTitle(group)))}`,
            ...rows.flatMap((row) => (row.group === group ? [`  ${line(layout, row.cells)}`] : [])),
          ]),
        ],
    context,
  );
}

function told({ settings }: TuneListDocument, context: TuneContext): string[] {
  const groups = [...new Set(settings.map(({ group }) => group))];
  return groups.flatMap((group) =>
    section(
      groupTitle(group),
      settings
        .filter((setting) => setting.group === group)
        .flatMap(({ id, title, why, takes, effect, scope, needsRoot, restart, platforms, sources }) => [
          ...prose(`${id}: ${title}`, context, '  ', '    '),
          ...prose(why, context, '      '),
          ...quiet(`takes ${takes}`, context, '      '),
          ...quiet(
            [
              platforms.join(' and '),
              effect === 'none' ? 'no effect' : effect,
              scope,
              needsRoot ? 'root' : 'no root',
              ...(restart === undefined ? [] : [`to take effect: ${restart}`]),
              ...(sources.length === 0 ? [] : [`source: ${sources.map((source) => source.title).join('; ')}`]),
            ].join(' · '),
            context,
            '      ',
          ),
        ]),
      context,
    ),
  );
}

function next({ profiles: all }: TuneListDocument, context: TuneContext): string[] {
  const name = all.find(({ advised }) => advised !== undefined)?.name;
  return section(
    'Next',
    commands([{ line: tuneCommand(['plan', ...(name === undefined ? [] : [name])], { sudo: false }), why: 'what it would change here' }], context),
    context,
  );
}
