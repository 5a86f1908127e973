import { shellWord, TautlineError } from '../../base/index.js';
import type { Place } from '../place.js';
import { complaintOf } from './macos-program.js';

const SYSCTL_TIMEOUT_MS = 2000;

/** A kernel value of macOS, by sysctl(8): there is no /proc. */
export const macosSysctlPlace: Place<'macos-sysctl'> = {
  kind: 'macos-sysctl',
  async read(ports, { name }) {
    const shown = await ports.commands.run('sysctl', ['-n', nameOf(name)], { timeoutMs: SYSCTL_TIMEOUT_MS });
    if (shown.outcome === 'missing') return undefined;
    if (shown.outcome === 'exited' && shown.code === 0) return normal(shown.stdout);
    if (shown.outcome === 'exited' && /unknown oid/.test(shown.stderr)) return undefined;
    throw new TautlineError('io', `${name} cannot be read: ${complaintOf(shown)}`);
  },
  async write(ports, { name }, state) {
    const done = await ports.commands.run('sysctl', ['-w', `${nameOf(name)}=${state}`], { timeoutMs: SYSCTL_TIMEOUT_MS });
    // sysctl(8) of macOS says what the kernel refused on stderr, and some releases end with 0 all the same.
    if (done.outcome === 'exited' && done.code === 0 && done.stderr.trim() === '') return;
    const said = complaintOf(done);
    if (/Operation not permitted|Permission denied/.test(said))
      throw new TautlineError('permission', `${name} cannot be set: ${said}`, { hint: 'run it with sudo' });
    const beyond = /Result too large|Numerical result out of range/.test(said) ? ` (${state} is more than this kernel takes)` : '';
    throw new TautlineError('unsupported', `${name} cannot be set: ${said}${beyond}`);
  },
  holds: (state, meant) => normal(state) === normal(meant),
  label: ({ name }) => name,
  show: (state) => state,
  commands: ({ name }, state) => [`sysctl -w ${shellWord(`${nameOf(name)}=${state}`)}`],
  reach: () => 'machine',
};

/** What `sysctl -a` prints, as `name: value` a line; values of several lines belong to keys that nobody tunes. */
export function parseSysctls(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z][\w.-]*)(?:: | = )(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) found.set(name, normal(value));
  }
  return found;
}

function nameOf(name: string): string {
  if (!/^[a-z][\w]*(?:\.[\w%-]+)+$/.test(name)) throw new TautlineError('unsupported', `'${name}' is no name of a kernel value`);
  return name;
}

function normal(value: string): string {
  return value.trim().split(/\s+/).join(' ');
}
