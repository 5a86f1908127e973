import { groupTitle, settingsTable } from '../../report/index.js';
import { GROUPS, SETTINGS } from '../../tune/index.js';
import { listedSetting } from './listed-setting.js';

/** docs/tune-settings.md, from the settings as they declare themselves. */
export function tuneSettingsReference(): string {
  const groups = GROUPS.map((group) => ({ group, settings: SETTINGS.filter((setting) => setting.group === group) }));
  return `${[
    '<!-- Written by scripts/settings-reference.mjs from src/tune/settings/: change it there. -->',
    '# Settings that can be tuned',
    '',
    `What a profile may name, and what each is worth. *Effect*: \`measurable\` may help and can be proven by \`tautline tune try\`; \`risky\` may cost more than it gains, and only a profile that names it changes it; \`none\` is known to do nothing and is listed because others recommend it. *Scope*: \`namespace\` holds in this network namespace, \`host\` on the whole machine, \`interface\` for one interface, \`user\` for one user, \`service\` for one program. How they are used is in [tune.md](tune.md).`,
    '',
    ...groups.flatMap(({ group, settings }) =>
      settings.length === 0 ? [] : [`## ${groupTitle(group)} (\`${group}\`)`, '', ...settingsTable(settings.map(listedSetting))],
    ),
  ]
    .join('\n')
    .trimEnd()}\n`;
}
