import type { Advice, AdviceDocument } from '../results/index.js';
import { COSTS, TERMS, partText, speedsOf, usdText } from './advice-words.js';
import { escaped, record } from './markdown-text.js';

/** Advice as GitHub-flavoured markdown. */
export function renderAdviceMarkdown({ advice }: AdviceDocument): string {
  const lines = [
    `# Tautline advice: ${speedsOf(advice)}`,
    '',
    escaped(advice.sentence),
    '',
    ...workloads(advice),
    ...sufficient(advice),
    ...causes(advice),
    ...ways(advice),
    ...actions(advice),
    '## Assumed',
    '',
    ...advice.assumed.map((each) => `- ${escaped(each)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function workloads({ workloads: rows }: Advice): string[] {
  if (rows.length === 0) return [];
  const head = ['work', 'now', 'after', 'then limited by', 'factor', 'verdict', 'why'];
  return [
    '## What it would change',
    '',
    record(head),
    record(['---', '---:', '---:', '---', '---:', '---', '---']),
    ...rows.map(({ title, now, after, factor, verdict, why }) =>
      record([
        escaped(title),
        escaped(now.text),
        escaped(after.text),
        escaped(after.limitedBy),
        Number(factor.toPrecision(2)).toString(),
        verdict,
        escaped(why),
      ]),
    ),
    '',
  ];
}

function sufficient({ sufficient: rows = [] }: Advice): string[] {
  if (rows.length === 0) return [];
  return [
    '## What each is sufficient for, at most',
    '',
    record(['work', 'now', 'after', 'need']),
    record(['---', '---', '---', '---']),
    ...rows.map(({ title, now, after, need }) => record([title, now, after, need].map(escaped))),
    '',
  ];
}

function causes({ causes: rows, ruledOut = [] }: Advice): string[] {
  if (rows.length === 0) return [];
  return [
    '## Why the link runs slower than it could',
    '',
    ...rows.flatMap(({ rank, title, confidence, why, check, command }) => [
      `${rank}. **${escaped(title)}**${confidence === undefined ? '' : ` (${confidence})`}: ${escaped(why)}. Tell by: ${escaped(check)}.`,
      ...(command === undefined ? [] : [`   \`${command.replace(/`/g, '')}\``]),
    ]),
    ...ruledOut.map(({ id, why }) => `- not the ${escaped(id)}: ${escaped(why)}`),
    '',
  ];
}

function ways({ options, pricesAsOf }: Advice): string[] {
  if (options.length === 0) return [];
  return [
    `## What it takes (prices of ${escaped(pricesAsOf)}, in US dollars)`,
    '',
    record(['way', 'in all', 'parts', 'limits']),
    record(['---', '---:', '---', '---']),
    ...options.map(({ title, usd, parts, limits }) =>
      record([escaped(title), escaped(usdText(usd)), parts.map((part) => escaped(partText(part))).join('<br>'), limits.map(escaped).join('<br>')]),
    ),
    '',
    ...options
      .slice(0, 1)
      .flatMap(({ title, steps }) => [
        `Steps of the first way (${escaped(title)}):`,
        '',
        ...steps.map((step, i) => `${i + 1}. ${escaped(step)}`),
        '',
      ]),
  ];
}

function actions({ actions: rows = [] }: Advice): string[] {
  if (rows.length === 0) return [];
  return [
    '## What to do',
    '',
    ...rows.map(
      ({ term, text, command, costs, usd }) =>
        `- **${TERMS[term]}** (${escaped(usd ? usdText(usd) : COSTS[costs])}): ${escaped(text)}${command === undefined ? '' : ` \`${command.replace(/`/g, '')}\``}`,
    ),
    '',
  ];
}
