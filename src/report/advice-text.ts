import type { Advice, AdviceDocument } from '../results/index.js';
import { COSTS, TERMS, factorOf, partText, speedsOf, usdText } from './advice-words.js';
import { painter } from './paint.js';
import type { Paint } from './paint.js';
import { headLine, layoutOf, line } from './table.js';
import type { Column } from './table.js';
import { printable, wrap } from './terminal-text.js';

const WIDTH_MIN = 40;
const PROSE_WIDTH_MAX = 100;

/** Advice for a terminal: the answer first, then what it would change, what to look at, and what it takes. */
export function renderAdviceText({ advice }: AdviceDocument, options: { readonly color: boolean; readonly width: number }): string {
  const width = Math.min(PROSE_WIDTH_MAX, Math.max(WIDTH_MIN, Math.floor(options.width)));
  const context: Context = { width, paint: painter(options.color) };
  const lines = [
    context.paint('strong', `tautline advice: ${speedsOf(advice)}`),
    ...prose(advice.sentence, context, ''),
    ...workloads(advice, context),
    ...sufficient(advice, context),
    ...causes(advice, context),
    ...ways(advice, context),
    ...actions(advice, context),
    ...assumed(advice, context),
  ];
  return `${lines.join('\n')}\n`;
}

interface Context {
  readonly width: number;
  readonly paint: Paint;
}

function prose(text: string, { width }: Context, first: string, rest = first): string[] {
  return wrap(printable(text), { width, first, rest });
}

function quiet(text: string, context: Context, first: string, rest = first): string[] {
  return prose(text, context, first, rest).map((each) => context.paint('quiet', each));
}

function section(title: string, lines: readonly string[], { paint }: Context): string[] {
  return lines.length === 0 ? [] : ['', paint('strong', title), ...lines];
}

const TONES = { 'needs it': 'fair', helps: 'good', 'sufficient now': 'excellent', 'changes nothing': 'quiet' } as const;

function workloads(advice: Advice, context: Context): string[] {
  const lines = advice.workloads.flatMap(({ title, verdict, now, after, factor, why }) => [
    ...prose(`${title}: ${verdict}`, context, '  ').map((each) => each.replace(verdict, (found) => context.paint(TONES[verdict], found))),
    ...prose(`${now.text}, limited by ${now.limitedBy}`, context, '    now    ', '           '),
    ...prose(`${after.text}, limited by ${after.limitedBy}${factorOf(factor)}`, context, '    after  ', '           '),
    ...quiet(why, context, '    '),
  ]);
  return section('What it would change', lines, context);
}

const SUFFICIENT: readonly Column[] = [
  { head: '', align: 'left', flexible: true },
  { head: 'now', align: 'left' },
  { head: 'after', align: 'left' },
];

function sufficient({ sufficient: rows = [] }: Advice, context: Context): string[] {
  if (rows.length === 0) return [];
  const plain = (text: string): string => printable(text).replace(/^(?:files|models|batches|copies|streams|gradients) of up to /, '');
  const cells = rows.map(({ title, now, after }) => [{ text: printable(title) }, { text: plain(now) }, { text: plain(after) }]);
  const layout = layoutOf(SUFFICIENT, cells, context.width - 2);
  return section(
    'What each is sufficient for, at most',
    [
      context.paint('quiet', `  ${headLine(layout)}`),
      ...cells.map((row) => `  ${line(layout, row)}`),
      ...quiet(`by these needs: ${rows.map(({ need }) => need).join('; ')}`, context, '  '),
    ],
    context,
  );
}

function causes(advice: Advice, context: Context): string[] {
  const rest = advice.causes.slice(CAUSES_MAX).map(({ title }) => title);
  const lines = advice.causes
    .slice(0, CAUSES_MAX)
    .flatMap(({ rank, title, confidence, why, check, command }) => [
      ...prose(`${rank}. ${title}${confidence === undefined ? '' : ` (${confidence})`}`, context, '  ', '     '),
      ...quiet(why, context, '     '),
      ...prose(`tell by: ${check}`, context, '     '),
      ...(command === undefined ? [] : [`     $ ${printable(command)}`]),
    ]);
  const out = (advice.ruledOut ?? []).flatMap(({ id, why }) => quiet(`not the ${id}: ${why}`, context, '  ', '    '));
  return section(
    'Why the link runs slower than it could, the likeliest first',
    [...lines, ...(rest.length > 0 ? quiet(`less likely: ${rest.join('; ')} (--json tells more)`, context, '  ', '    ') : []), ...out],
    context,
  );
}

/** A person reads no more. */
const CAUSES_MAX = 4;

function ways(advice: Advice, context: Context): string[] {
  const lines = advice.options.flatMap(({ title, usd, parts, limits, steps }, i) => [
    ...prose(`${title}: ${usdText(usd)}`, context, '  ', '    ').map((each) => context.paint('strong', each)),
    ...parts.flatMap((part) => prose(partText(part), context, '    ', '      ')),
    ...limits.flatMap((each) => quiet(`- ${each}`, context, '    ', '      ')),
    // The cheapest way is the one to try; the others' steps are in the document.
    ...(i === 0 ? steps.flatMap((step, at) => stepLines(step, at, context)) : []),
  ]);
  return section(`What it takes, the cheapest first (prices of ${advice.pricesAsOf}, in US dollars)`, lines, context);
}

/** Text is wrapped; a command is not, so that it can be copied. */
function stepLines(step: string, at: number, context: Context): string[] {
  const [, words = step, commands] = /^(.*?): ((?:sudo|tautline|ip|nmcli) .*)$/.exec(step) ?? [];
  if (commands === undefined) return prose(`${at + 1}. ${words}`, context, '    ', '       ');
  return [
    ...prose(`${at + 1}. ${words}:`, context, '    ', '       '),
    ...commands
      .split(/; (?=to undo: |networksetup )/)
      .flatMap((each) =>
        /^(?:to undo: )?(?:sudo|tautline|ip|nmcli) /.test(each)
          ? [`       $ ${each.replace(/^to undo: (.*)$/, '$1   # to undo')}`]
          : prose(each, context, '         '),
      ),
  ];
}

function actions(advice: Advice, context: Context): string[] {
  const lines = (advice.actions ?? []).flatMap(({ term, text, command, costs, usd }) => [
    ...prose(`${TERMS[term]} (${usd ? usdText(usd) : COSTS[costs]}): ${text}`, context, '  ', '    '),
    ...(command === undefined ? [] : [`    $ ${printable(command)}`]),
  ]);
  return section('What to do, the cheapest and surest first', lines, context);
}

function assumed(advice: Advice, context: Context): string[] {
  return section(
    'Assumed, as nothing was measured or declared',
    advice.assumed.flatMap((each) => quiet(`- ${each}`, context, '  ', '    ')),
    context,
  );
}
