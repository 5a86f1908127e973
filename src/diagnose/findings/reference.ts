import { CAUSES } from './causes/index.js';
import { SYMPTOMS } from './symptoms/index.js';

/** The reference page of the graph, `docs/findings.md`: symptom, causes, what tells them apart, what mends them. */
export function findingsReference(): string {
  const symptoms = SYMPTOMS.flatMap(({ id, title, why, kind }) => {
    const causes = CAUSES.filter(({ explains }) => explains.includes(id)).map((cause) => `[\`${cause.id}\`](#cause-${cause.id})`);
    const role = kind === 'trouble' ? 'Trouble as such: without a known cause the finding is `unknown`.' : 'A question that is asked of every path.';
    return [`### Symptom ${id}`, '', `${capital(title)}. ${role}`, '', `Noticed when: ${why}.`, '', `Causes: ${causes.join(', ')}.`, ''];
  });
  const causes = CAUSES.toSorted((a, b) => (a.id < b.id ? -1 : 1)).flatMap(({ id, title, severity, explains, check, fix }) => [
    `### Cause ${id}`,
    '',
    `${title}.`,
    '',
    `- Severity: ${severity}`,
    `- Explains: ${explains.map((symptom) => `[\`${symptom}\`](#symptom-${symptom})`).join(', ')}`,
    `- Check: ${check}`,
    `- Fix: ${fix}`,
    '',
  ]);
  return `${[
    '# Findings',
    '',
    'What `tautline check` can find, from the graph that it walks. This page is written by `scripts/findings-reference.mjs` from the code.',
    '',
    'A finding is `certain` where the evidence shows this very cause, `likely` where it fits and every rival is excluded by a figure, and `possible` where a rival is not. `ruledOut` lists the rivals that were excluded, `unchecked` those that could not be looked at, and why. Findings come in the order of their severity (`critical`, `warning`, `notice`), then confidence, then how specific they are. Trouble that nothing explains is a finding `unknown`.',
    '',
    '## Symptoms',
    '',
    ...symptoms,
    '## Causes',
    '',
    ...causes,
  ]
    .join('\n')
    .trimEnd()}\n`;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
