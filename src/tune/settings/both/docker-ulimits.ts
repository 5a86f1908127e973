import { changesToText } from '../file-look.js';
import { parsePair, parseProcLimits } from '../linux/limits-in-force.js';
import type { OpenFiles } from '../linux/limits-in-force.js';
import type { HostView, PlanRules, Setting, Source, Step } from '../../setting.js';
import { setJson, valueAt } from '../../text/json-edit.js';
import { changeFiles, notDone } from '../steps.js';
import { conflictsWith, DOCKERD, findDockerFile, RESTART } from './docker-file.js';
import type { DockerFile } from './docker-file.js';

const MOBY_38814: Source = {
  title: 'moby issue 38814: open files without a limit make some programs slow',
  url: 'https://github.com/moby/moby/issues/38814',
};
const PATH = ['default-ulimits', 'nofile'];

/** How many open files containers may have that say nothing themselves. */
export const dockerUlimits: Setting<OpenFiles> = {
  id: 'docker-ulimits',
  title: 'Open files of containers',
  platforms: ['linux', 'macos'],
  effect: 'measurable',
  scope: 'service',
  group: 'containers',
  needs: { root: true, restart: 'dockerd' },
  sources: [DOCKERD, MOBY_38814],
  why: 'Containers inherit the limit of dockerd unless daemon.json says otherwise. A server in a container needs one open file for every connection; it makes nothing faster.',
  takes: 'a number of open files, such as 65536, or SOFT:HARD',
  parse(value) {
    const pair = parsePair(String(value));
    if (!pair || !Number.isInteger(pair.hard) || pair.soft > pair.hard || pair.soft < 1)
      return { problem: 'a number, or two with a colon between them, is expected' };
    return { value: pair };
  },
  write: ({ soft, hard }) => (soft === hard ? String(hard) : `${soft}:${hard}`),
  plan: async (view, wanted, rules) => [await planUlimits(view, wanted, rules)],
};

async function planUlimits(view: HostView, wanted: OpenFiles, { exact }: PlanRules): Promise<Step> {
  const file = await findDockerFile(view);
  if ('verdict' in file) return file;
  const proposed = show(wanted);
  const conflict = conflictsWith(file, '--default-ulimit');
  if (conflict) return { ...conflict, proposed };
  const { look, made } = file;
  const found = valueAt(look.text ?? '', PATH);
  if (found && 'problem' in found)
    return notDone('bad-value', `${look.path} is not changed, as it is no JSON that dockerd reads: ${found.problem}`, { proposed });
  const set = readUlimit(found?.value);
  const inherited = set ? undefined : await limitOfDaemon(view, file);
  const now = set ?? inherited;
  const from = set ? look.path : 'inherited from dockerd';
  const shown = { proposed, ...(now ? { now: `${show(now)} (${from})` } : {}) };
  if (!now && !exact)
    return notDone(
      'unreadable',
      'what containers have now cannot be read (the limits of dockerd, as root): nothing is set that might be less',
      shown,
    );
  const next = now && !exact ? { soft: Math.max(now.soft, wanted.soft), hard: Math.max(now.hard, wanted.hard) } : wanted;
  if (now && next.soft === now.soft && next.hard === now.hard) {
    if (wanted.soft === now.soft && wanted.hard === now.hard)
      return notDone('already', `containers may open ${show(now)} files already (${from})`, shown);
    return notDone(
      'would-lower',
      `containers may open ${show(now)} files already (${from}), which is more; a profile that says exact would set less`,
      shown,
    );
  }
  const edit = setJson(look.text ?? '', PATH, { Name: 'nofile', Hard: numeric(next.hard), Soft: numeric(next.soft) });
  if ('problem' in edit) return notDone('bad-value', `${look.path} is not changed, as it is no JSON that dockerd reads: ${edit.problem}`, shown);
  return changeFiles({
    ...shown,
    now: shown.now ?? 'unknown',
    proposed: show(next),
    why: dockerUlimits.why,
    changes: await changesToText(view.ports.control, look, edit.text, made),
    takesEffect: view.platform === 'macos' ? 'restart Docker Desktop' : `${RESTART}; containers that are made from then on have it`,
  });
}

function readUlimit(value: unknown): OpenFiles | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { Soft, Hard } = value as Record<string, unknown>;
  if (typeof Soft !== 'number' || typeof Hard !== 'number') return undefined;
  return { soft: Soft < 0 ? Number.POSITIVE_INFINITY : Soft, hard: Hard < 0 ? Number.POSITIVE_INFINITY : Hard };
}

async function limitOfDaemon(view: HostView, { pid }: DockerFile): Promise<OpenFiles | undefined> {
  if (pid === undefined) return undefined;
  const text = await view.ports.control.readValue(`/proc/${pid}/limits`).catch(() => undefined);
  return parseProcLimits(text ?? '');
}

function numeric(limit: number): number {
  return limit === Number.POSITIVE_INFINITY ? -1 : limit;
}

function show({ soft, hard }: OpenFiles): string {
  const word = (limit: number): string => (limit === Number.POSITIVE_INFINITY ? 'unlimited' : String(limit));
  return soft === hard ? word(hard) : `soft ${word(soft)}, hard ${word(hard)}`;
}
