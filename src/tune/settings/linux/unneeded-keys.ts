import { quietFiles } from '../../others/quiet-files.js';
import { isPattern, parseSysctlFile, readSysctlFiles } from '../../others/sysctl-files.js';
import type { SysctlLine } from '../../others/sysctl-files.js';
import { commentOut } from '../../text/comment-out.js';
import type { HostView, Setting, Step } from '../../setting.js';
import { changesToText, isLook, lookAtFile, SYSTEM_FILE } from '../file-look.js';
import { changeFiles, notDone } from '../steps.js';
import { keyIsUnneeded } from './keys-of-old.js';
import { inChildNamespace } from './sysctl-setting.js';
import { IP_SYSCTL, PREQUEUE_REMOVED } from './sources.js';

type Wanted = 'tell' | 'comment-out';

interface Unneeded {
  readonly line: SysctlLine;
  readonly reason: 'no-effect' | 'absent';
  readonly why: string;
}

/** Lines of the administrator's sysctl files that do nothing, or fail. */
export const unneededKeys: Setting<Wanted> = {
  id: 'unneeded-keys',
  title: 'Lines of sysctl files that do nothing',
  platforms: ['linux'],
  effect: 'none',
  scope: 'host',
  group: 'clean-up',
  needs: { root: true },
  sources: [PREQUEUE_REMOVED, IP_SYSCTL],
  why: 'A key that does not exist makes `sysctl -p` end with 1 and hides what else went wrong; one that does nothing makes people believe that something was tuned.',
  takes: "'tell' or 'comment-out'",
  parse: (value) => (value === 'tell' || value === 'comment-out' ? { value } : { problem: "'tell' or 'comment-out' is expected" }),
  write: (value) => value,
  async plan(view, wanted) {
    if (view.environment.kind === 'container' || (await inChildNamespace(view))) {
      return [
        notDone('not-applicable', "a container does not show all keys of its host's kernel, so that nothing can be said about files that set them"),
      ];
    }
    const found = await findUnneeded(view);
    if (found.length === 0) return [notDone('already', 'no sysctl file sets a key that does nothing or is not there')];
    if (wanted === 'tell')
      return found.map(({ line, reason, why }) => notDone(reason, why, { instance: `${line.file}:${line.line}`, now: shown(line) }));
    const files = [...new Set(found.map(({ line }) => line.file))];
    return await Promise.all(
      files.map((file) =>
        planFile(
          view,
          file,
          found.filter(({ line }) => line.file === file),
        ),
      ),
    );
  },
};

async function findUnneeded(view: HostView): Promise<readonly Unneeded[]> {
  const lines = (await readSysctlFiles(quietFiles(view.ports))).filter(
    ({ from, key, value }) => from === 'administrator' && value !== undefined && !isPattern(key),
  );
  const found = await Promise.all(
    lines.map(async (line): Promise<Unneeded | undefined> => {
      const name = nameOf(line);
      const there = await view.ports.control.readValue(`/proc/sys/${line.key}`).catch(() => 'there, and not to be read');
      const unneeded = keyIsUnneeded(name, { present: there !== undefined, kernel: view.identity.kernel });
      return unneeded && { line, ...unneeded };
    }),
  );
  return found.flatMap((each) => each ?? []);
}

async function planFile(view: HostView, file: string, found: readonly Unneeded[]): Promise<Step> {
  const look = await lookAtFile(view.ports.control, file);
  if (!isLook(look)) return { ...look, instance: file };
  // The same file again, now by its bytes: only lines that still say the same are touched.
  const now = parseSysctlFile(look.text ?? '', file);
  const lines = found.flatMap(({ line }) => now.filter((each) => each.line === line.line && each.key === line.key).map((each) => each.line));
  if (lines.length === 0) return notDone('unreadable', `${file} has changed while it was read: plan again`, { instance: file });
  const text = commentOut(look.text ?? '', lines);
  return changeFiles({
    instance: look.path,
    now: found.map(({ line }) => shown(line)).join('; '),
    proposed: `commented out (line ${lines.join(', ')})`,
    why: unneededKeys.why,
    changes: await changesToText(view.ports.control, look, text, SYSTEM_FILE),
    notes: found.map(({ line, why }) => `line ${line.line}: ${why}`),
  });
}

function nameOf({ key }: SysctlLine): string {
  return key.replaceAll('/', '.');
}

function shown(line: SysctlLine): string {
  return `${nameOf(line)} = ${line.value ?? ''}`;
}
