import { formatRate } from '../base/index.js';
import { type CheckDocument, type Finding, type PathChoice, metricName } from '../results/index.js';
import { code, escaped, record } from './markdown-text.js';
import { chosenOf } from './rows.js';

/** Before the figures: findings, choices, comparisons. */
export function foundMarkdown({ findings, choices = [], comparisons = [] }: CheckDocument): string[] {
  const lines: string[] = [];
  if (findings) lines.push('## Findings', '', ...(findings.length === 0 ? ['None.', ''] : [...findings.flatMap(findingLines), '']));
  if (choices.length > 0) lines.push('## Which path', '', ...choices.map(choiceLine), '');
  if (comparisons.length > 0) {
    lines.push(
      '## Paths compared',
      '',
      record(['metric', 'path', 'against', 'ratio', '95 % interval', 'turns', 'verdict', 'in words']),
      record(['---', '---', '---', '---:', '---:', '---:', '---', '---']),
    );
    for (const { metric, path, against, ratio, ci95, turns, verdict, sentence } of comparisons)
      lines.push(
        record([
          escaped(metricName(metric)),
          escaped(path),
          escaped(against),
          ratio.toPrecision(4),
          ci95 ? ci95.map((bound) => bound.toPrecision(4)).join('–') : '',
          String(turns),
          verdict,
          escaped(sentence),
        ]),
      );
    lines.push('');
  }
  return lines;
}

/** After the figures: what was not checked, and what a faster link would change. */
export function openMarkdown({ unchecked = [], advice }: CheckDocument): string[] {
  const lines: string[] = [];
  if (unchecked.length > 0)
    lines.push(
      '## Not checked',
      '',
      ...unchecked.map(({ what, why, hint }) => `- **${escaped(what)}**: ${escaped(why)}${hint === undefined ? '' : `; ${escaped(hint)}`}`),
      '',
    );
  if (!advice) return lines;
  lines.push('## A faster link', '', escaped(advice.sentence), '');
  if (advice.workloads.length > 0) {
    lines.push(
      record(['workload', 'verdict', `at ${formatRate(advice.fromBps)}`, `at ${formatRate(advice.toBps)}`, 'then limited by', 'why']),
      record(['---', '---', '---', '---', '---', '---']),
    );
    for (const { title, verdict, now, after, why } of advice.workloads)
      lines.push(record([escaped(title), verdict, escaped(now.text), escaped(after.text), escaped(after.limitedBy), escaped(why)]));
    lines.push('');
  }
  if (advice.options.length > 0)
    lines.push(
      ...advice.options.map(
        ({ title, usd, limits }) =>
          `- ${escaped(title)}: ${usd.join(' to ')} US dollars${limits.length === 0 ? '' : ` (${escaped(limits.join('; '))})`}`,
      ),
      '',
      `Prices of ${escaped(advice.pricesAsOf)}.`,
      '',
    );
  return lines;
}

function findingLines({ id, title, severity, confidence, subject, path, evidence, ruledOut, unchecked = [], next }: Finding, i: number): string[] {
  const about = path === undefined || path === subject ? subject : `${subject}, path ${path}`;
  const item = (text: string): string => `   - ${text}`;
  return [
    `${i + 1}. **${severity}: ${escaped(title)}** (${escaped(about)}; ${confidence}; ${escaped(id)})`,
    ...evidence.map(({ text }) => item(escaped(text))),
    ...next.map(({ text, command }) => item(`to do: ${escaped(text)}${command === undefined ? '' : `: ${code(command)}`}`)),
    ...(ruledOut.length > 0 ? [item(`ruled out: ${ruledOut.map(({ id: other, why }) => `${escaped(other)} (${escaped(why)})`).join('; ')}`)] : []),
    ...(unchecked.length > 0
      ? [item(`could not be looked at: ${unchecked.map(({ id: other, why }) => `${escaped(other)} (${escaped(why)})`).join('; ')}`)]
      : []),
  ];
}

const PURPOSES: Readonly<Record<PathChoice['purpose'], string>> = { latency: 'for latency', bulk: 'for bulk', overall: 'overall' };

function choiceLine(choice: PathChoice): string {
  const { peer, purpose, sentence } = choice;
  return `- ${PURPOSES[purpose]} to ${escaped(peer)}: **${escaped(chosenOf(choice))}**. ${escaped(sentence)}`;
}
