import { VERSION, shellWord } from '../base/index.js';
import { labelOf, reachOf, showState } from './places/registry.js';
import type { Change } from './place.js';
import type { TunePlan } from './plan.js';
import type { HostView } from './setting.js';
import { ENGINE, READERS } from './script/library.js';
import { scriptStep } from './script/steps.js';

/** `planned` of a plan; `profile` names the folder that the originals are kept in. */
type ScriptPlan = Pick<TunePlan, 'planned'> & { readonly profile: Pick<TunePlan['profile'], 'name' | 'title'> };

/**
 * The plan as a POSIX shell script with `apply`, `undo` and `status`, for people who would rather read what is done, or have
 * no Node on the host. It keeps to the same rules: originals are on the disk before the first change, everything is looked at
 * again after it was written, all of it or nothing, and what somebody else changed since is kept.
 */
export function tuneScript(plan: ScriptPlan, view: Pick<HostView, 'identity'>): string {
  const { planned, profile } = plan;
  const steps = planned.flatMap(({ setting, step, why }) => step.changes.map((change) => ({ change, setting, why, instance: step.instance })));
  const numbers = steps.map((_, i) => i + 1);
  return [
    '#!/bin/sh',
    `# Tunes the network of ${plain(view.identity.name)} as the profile ${plain(profile.name)} has it: ${plain(profile.title)}.`,
    `# Written by Tautline ${VERSION}, and runs without it:`,
    '#',
    '#     sudo sh THIS-SCRIPT apply             does what is below, all of it or nothing',
    '#     sudo sh THIS-SCRIPT status            shows what of it still holds (exit 1: not all)',
    '#     sudo sh THIS-SCRIPT undo [--force]    puts everything back as it was when it was applied',
    '#',
    '# What was there before is kept in the folder STATE until it is undone. A boot forgets what the kernel holds, but not files.',
    '',
    'set -u',
    'umask 022',
    'export LC_ALL=C',
    `NAME=${shellWord(profile.name)}`,
    'if [ "$(id -u)" -eq 0 ]; then STATE="/var/lib/tautline-script/$NAME"; else STATE="$HOME/.local/state/tautline-script/$NAME"; fi',
    `NEEDS_ROOT=${planned.some(({ setting }) => setting.needs.root) ? 'yes' : 'no'}`,
    `STEPS='${numbers.join(' ')}'`,
    `BACKWARDS='${numbers.toReversed().join(' ')}'`,
    '',
    ...steps.flatMap(({ change, ...about }, i) => stepText(change, i + 1, about)),
    ...byNumber(
      'label',
      steps.map(({ change }) => `printf '%s\\n' ${shellWord(`${labelOf(change.place)}: ${shown(change, 'desired')}`)}`),
    ),
    ...byNumber(
      'is_on_disk',
      steps.map(({ change }) => (reachOf(change.place) === 'disk' ? 'return 0' : 'return 1')),
    ),
    READERS.trim(),
    ENGINE.trimEnd(),
    '',
  ].join('\n');
}

interface About {
  readonly setting: { readonly id: string };
  readonly instance: string | undefined;
  readonly why: string;
}

/** Commands are not indented: some end in a here-document. */
function stepText(change: Change, n: number, { setting, instance, why }: About): string[] {
  const { read, keep = ':', set, want, putBack } = scriptStep(change, n, { original: `"$STATE/${n}.original"`, saved: `"$STATE/${n}.saved"` });
  return [
    `# ${n}. ${plain(setting.id)}${instance === undefined ? '' : ` (${plain(instance)})`}${labelOf(change.place) === setting.id ? '' : `: ${plain(labelOf(change.place))}`}`,
    `#    now: ${plain(shown(change, 'original'))}`,
    `#    then: ${plain(shown(change, 'desired'))}`,
    `#    ${plain(why)}`,
    `read_${n}() { ${read}; }`,
    `keep_${n}() { ${keep}; }`,
    `set_${n}() {`,
    ...set,
    '}',
    `want_${n}() {`,
    want.length === 0 ? '  :' : `  printf '%s\\n' ${want.map(shellWord).join(' ')}`,
    '}',
    `put_back_${n}() {`,
    ...putBack,
    '}',
    '',
  ];
}

function byNumber(name: string, commands: readonly string[]): string[] {
  return [`${name}() {`, '  case $1 in', ...commands.map((command, i) => `    ${i + 1}) ${command} ;;`), '  esac', '}', ''];
}

function shown(change: Change, which: 'original' | 'desired'): string {
  return showState(change.place, change[which], change[which === 'original' ? 'desired' : 'original']);
}

/** As a comment: one line, whatever somebody has named. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}
