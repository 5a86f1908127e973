import type { HostView, PlanRules, Setting, Source, Step } from '../../setting.js';
import { changesToText, isLook, lookAtOwnFile, SYSTEM_FILE } from '../file-look.js';
import { changeFiles, notDone } from '../steps.js';
import { LIMITS_FILE, parseProcLimits, readLimitLines, readSystemdLimit, UNLIMITED } from './limits-in-force.js';
import type { LimitLine, OpenFiles } from './limits-in-force.js';

interface Wanted {
  /** Left out: it stays as it is. */
  readonly soft?: number;
  readonly hard: number;
}

const SYSTEMD: Source = {
  title: 'systemd NEWS, version 240: the hard limit is raised to 524288, the soft one stays 1024 for the sake of select(2)',
  url: 'https://github.com/systemd/systemd/blob/main/NEWS',
};
const LIMITS_CONF: Source = { title: 'limits.conf(5)', url: 'https://man7.org/linux/man-pages/man5/limits.conf.5.html' };
const SYSTEM_CONF: Source = {
  title: 'systemd-system.conf(5), DefaultLimitNOFILE=',
  url: 'https://www.freedesktop.org/software/systemd/man/latest/systemd-system.conf.html',
};
const MOST_FILES = 1_073_741_816;
const FILE_NAME = '90-tautline.conf';
const SELECT_NOTE =
  'the soft limit goes above 1024: programs that use select(2) misbehave with more than 1023 open files; those that need more raise it themselves';

/** How many files and sockets a program may have open at once, for logins and for services, each by a file of its own. */
export const fileLimits: Setting<Wanted> = {
  id: 'file-limits',
  title: 'Open files of logins and services',
  platforms: ['linux'],
  effect: 'measurable',
  scope: 'service',
  group: 'limits',
  needs: { root: true },
  sources: [SYSTEMD, LIMITS_CONF, SYSTEM_CONF],
  why: 'A server needs one open file for every connection, and fails with EMFILE when the limit is reached; it makes nothing faster. The hard limit is what a program may raise itself to.',
  takes: 'the hard limit, such as 1048576, or SOFT:HARD, such as 65536:1048576',
  parse(value) {
    const parts = typeof value === 'number' ? [value] : typeof value === 'string' && /^\d+(?::\d+)?$/.test(value) ? value.split(':').map(Number) : [];
    const [first, second] = parts;
    if (first === undefined || parts.some((part) => !Number.isInteger(part) || part < 1024 || part > MOST_FILES)) {
      return { problem: `a number of open files from 1024 to ${MOST_FILES} is expected, or two with a colon between them` };
    }
    if (second !== undefined && first > second) return { problem: `the soft limit ${first} is above the hard limit ${second}` };
    return { value: second === undefined ? { hard: first } : { soft: first, hard: second } };
  },
  write: ({ soft, hard }) => (soft === undefined ? String(hard) : `${soft}:${hard}`),
  async plan(view, wanted, rules) {
    const most = Number(await view.ports.control.readValue('/proc/sys/fs/nr_open')) || 1_048_576;
    if (wanted.hard > most) {
      return [
        notDone(
          'bad-value',
          `the kernel allows ${most} at most (fs.nr_open): logins would not get more, and some releases of pam_limits refuse them altogether`,
          {
            proposed: shown(wanted),
          },
        ),
      ];
    }
    return [
      await planLogins(view, wanted, rules),
      await planServices(view, wanted, { rules, manager: 'system' }),
      await planServices(view, wanted, { rules, manager: 'user' }),
    ];
  },
};

async function planLogins(view: HostView, wanted: Wanted, rules: PlanRules): Promise<Step> {
  const instance = 'logins';
  const { ports } = view;
  const security = await ports.files.list('/etc/security').catch(() => undefined);
  if (!security) return notDone('not-applicable', 'there is no pam_limits here (no /etc/security), which gives logins their limits', { instance });
  const lines = await readLimitLines(ports);
  const later = lines.find(({ file, domain }) => domain === '*' && file > LIMITS_FILE);
  if (later)
    return notDone('managed', `${later.at} is read after ${FILE_NAME} and wins: change it there`, {
      instance,
      now: show(later.value),
      proposed: shown(wanted),
    });
  const ours = parseProcLimits((await ports.control.readValue('/proc/self/limits')) ?? '');
  const now = { soft: lastOf(lines, 'soft')?.value ?? ours?.soft ?? 1024, hard: lastOf(lines, 'hard')?.value ?? ours?.hard ?? 4096 };
  const next = nextOf(now, wanted, rules);
  if (!next) return enough(now, wanted, { instance, by: lastOf(lines, 'hard')?.at ?? 'systemd, which gives it to PAM' });
  const text = [
    '# Open files of logins. Made by Tautline; `tautline tune rollback` takes it away.',
    // A line for everybody does not count for root (limits.conf(5)).
    ...['*', 'root'].flatMap((who) => [`${who} hard nofile ${next.hard}`, ...(next.soft === now.soft ? [] : [`${who} soft nofile ${next.soft}`])]),
    '',
  ].join('\n');
  if (next.hard > now.hard && !(await mayRaise(view))) {
    const why =
      'nobody may raise a hard limit here (this container lacks CAP_SYS_RESOURCE): set it where the container is made, such as docker run --ulimit';
    return notDone('read-only', why, { instance, now: both(now), proposed: both(next) });
  }
  const look = await lookAtOwnFile(ports.control, LIMITS_FILE);
  if (!isLook(look)) return { ...look, instance };
  const special = lines.filter(({ domain, file }) => domain !== '*' && domain !== 'root' && file !== look.path);
  return changeFiles({
    instance,
    now: both(now),
    proposed: both(next),
    why: fileLimits.why,
    changes: await changesToText(ports.control, look, text, SYSTEM_FILE),
    takesEffect: 'log in again; what runs already keeps its limits',
    notes: [
      ...(next.soft > 1024 && next.soft !== now.soft ? [SELECT_NOTE] : []),
      ...special.map(({ at, domain, value }) => `${at} still decides for ${domain}: ${show(value)}`),
    ],
  });
}

/** Bit 24 of the rights that any process here can ever have (capabilities(7), CAP_SYS_RESOURCE); where it is not told, they may. */
async function mayRaise({ ports }: HostView): Promise<boolean> {
  const status = await ports.control.readValue('/proc/self/status').catch(() => undefined);
  const bounding = /^CapBnd:\s*([0-9a-f]{7,16})$/m.exec(status ?? '')?.[1];
  return bounding === undefined || (BigInt(`0x${bounding}`) >> 24n) % 2n === 1n;
}

async function planServices(view: HostView, wanted: Wanted, { rules, manager }: { rules: PlanRules; manager: 'system' | 'user' }): Promise<Step> {
  const instance = manager === 'system' ? 'services' : "users' services";
  const { ports, environment } = view;
  if (environment.init !== 'systemd')
    return notDone('not-applicable', 'systemd does not run here: whoever starts a service gives it its limits', { instance });
  const now = await readSystemdLimit(ports, manager);
  if (now.name !== undefined && now.name > FILE_NAME) {
    return notDone('managed', `${now.at} is read after ${FILE_NAME} and wins: change it there`, {
      instance,
      now: both(now),
      proposed: shown(wanted),
    });
  }
  const next = nextOf(now, wanted, rules);
  if (!next) return enough(now, wanted, { instance, by: now.at ?? 'systemd by itself' });
  const look = await lookAtOwnFile(ports.control, `/etc/systemd/${manager}.conf.d/${FILE_NAME}`);
  if (!isLook(look)) return { ...look, instance };
  const text = `# Made by Tautline; \`tautline tune rollback\` takes it away.\n[Manager]\nDefaultLimitNOFILE=${pair(next)}\n`;
  return changeFiles({
    instance,
    now: both(now),
    proposed: both(next),
    why: fileLimits.why,
    changes: await changesToText(ports.control, look, text, SYSTEM_FILE),
    takesEffect:
      manager === 'system'
        ? 'sudo systemctl daemon-reexec, then restart the services that need it'
        : 'systemctl --user daemon-reexec, or log in again',
    notes: [
      ...(next.soft > 1024 && next.soft !== now.soft ? [SELECT_NOTE] : []),
      ...(now.at === undefined ? [] : [`it takes the place of ${now.at}`]),
      'services with LimitNOFILE= of their own keep it',
    ],
  });
}

/** What would be in force, never less than what is; undefined when that is nothing new. */
function nextOf(now: OpenFiles, wanted: Wanted, { exact }: PlanRules): OpenFiles | undefined {
  const hard = exact ? wanted.hard : Math.max(now.hard, wanted.hard);
  const asked = wanted.soft ?? now.soft;
  const soft = Math.min(exact ? asked : Math.max(now.soft, asked), hard);
  return soft === now.soft && hard === now.hard ? undefined : { soft, hard };
}

function enough(now: OpenFiles, wanted: Wanted, { instance, by }: { readonly instance: string; readonly by: string }): Step {
  const texts = { instance, now: both(now), proposed: shown(wanted) };
  if (now.hard === wanted.hard) return notDone('already', `${show(now.hard)} open files are allowed already (${by})`, texts);
  return notDone('would-lower', `${show(now.hard)} open files are allowed already (${by}), which is more`, texts);
}

function lastOf(lines: readonly LimitLine[], kind: 'soft' | 'hard'): LimitLine | undefined {
  return lines.findLast((line) => line.domain === '*' && (line.kind === kind || line.kind === 'both'));
}

function shown(wanted: Wanted): string {
  return fileLimits.write(wanted);
}

function both({ soft, hard }: OpenFiles): string {
  return `soft ${show(soft)}, hard ${show(hard)}`;
}

function pair({ soft, hard }: OpenFiles): string {
  return [soft, hard].map((limit) => (limit === UNLIMITED ? 'infinity' : String(limit))).join(':');
}

function show(limit: number): string {
  return limit === UNLIMITED ? 'unlimited' : String(limit);
}
