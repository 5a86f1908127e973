import { TautlineError } from '../../base/index.js';
import type { CommandResult } from '../../base/index.js';
import type { TunePorts } from '../ports.js';

const NETWORKSETUP_TIMEOUT_MS = 10_000;

/**
 * Runs networksetup(8). It ends with 0 for much that went wrong, and says so on stdout with two asterisks.
 * @returns what it printed; undefined where it knows no such service, or is not there
 */
export async function networksetup(ports: TunePorts, args: readonly string[], what: string): Promise<string | undefined> {
  const result = await ports.commands.run('networksetup', args, { timeoutMs: NETWORKSETUP_TIMEOUT_MS });
  if (result.outcome === 'missing') return undefined;
  const said = complaintOf(result);
  if (/is not a recognized network service|cannot be found|Unable to find/.test(said)) return undefined;
  if (result.outcome === 'exited' && result.code === 0 && !/^\*\* Error|requires admin privileges/m.test(result.stdout + result.stderr))
    return result.stdout;
  const denied = /requires admin privileges|must (?:be )?run as root|Operation not permitted/i.test(said);
  throw new TautlineError(denied ? 'permission' : 'unsupported', `${what}: ${said}`, denied ? { hint: 'run it with sudo' } : {});
}

/** What a program complained of, on one line. */
export function complaintOf(result: CommandResult): string {
  if (result.outcome === 'missing') return 'the program is missing';
  const text = `${result.stderr}\n${result.stdout}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('; ')
    .slice(0, 300);
  if (result.outcome === 'timeout') return `it did not end in time${text === '' ? '' : ` (${text})`}`;
  return text === '' ? `it ended with ${result.code}` : text;
}
