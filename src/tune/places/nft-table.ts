import { shellWord, TautlineError } from '../../base/index.js';
import type { CommandResult } from '../../base/index.js';
import type { Place, PlaceOf } from '../place.js';
import type { TunePorts } from '../ports.js';

const NFT_TIMEOUT_MS = 5000;
/** One argument of a program (MAX_ARG_STRLEN, linux/binfmts.h: 32 pages) holds far more than a table of ours. */
const TABLE_CHARS_MAX = 64 * 1024;

type Ref = PlaceOf<'nft-table'>;

/** A table of nftables that is ours alone; every other table stays untouched. */
export const nftTablePlace: Place<'nft-table'> = {
  kind: 'nft-table',
  async read(ports, ref) {
    const listed = await nft(ports, ['--stateless', 'list', 'table', ...nameOf(ref)]);
    if (listed.outcome === 'missing') return undefined;
    if (listed.outcome === 'exited' && listed.code === 0) return canonical(listed.stdout);
    if (listed.outcome === 'exited' && /No such file or directory/.test(listed.stderr)) return null;
    throw refusal(`the table ${labelOf(ref)} cannot be read`, listed);
  },
  async write(ports, ref, state) {
    const done = await nft(ports, [transaction(ref, state)]);
    if (done.outcome !== 'exited' || done.code !== 0) throw refusal(`the table ${labelOf(ref)} cannot be written`, done);
  },
  holds: (state, meant) => (state === null || meant === null ? state === meant : canonical(state) === canonical(meant)),
  label: labelOf,
  show: (state) => (state === null ? 'no table' : rulesOf(state).join('; ') || 'a table without rules'),
  commands: (ref, state) => [`nft ${shellWord(transaction(ref, state))}`],
  reach: () => 'network',
};

/**
 * Everything in one transaction (nft(8): what comes in one argument is committed at once or not at all): the table is made so
 * that deleting it cannot fail, deleted with all that was in it, and made as it is meant.
 */
function transaction(ref: Ref, state: string | null): string {
  const [family, name] = nameOf(ref);
  const gone = `add table ${family} ${name}; delete table ${family} ${name}`;
  if (state === null) return gone;
  if (state.length > TABLE_CHARS_MAX) throw new TautlineError('unsupported', `the table ${labelOf(ref)} is too long to be written at once`);
  if (!canonical(state).startsWith(`table ${family} ${name} {`) || linesOf(state).at(-1) !== '}') {
    throw new TautlineError('unsupported', `what is to be written as table ${labelOf(ref)} is another table, or several`);
  }
  return `${gone}; ${onOneLine(state)}`;
}

/** nft takes a semicolon for a line end. */
function onOneLine(state: string): string {
  return linesOf(state)
    .map((line) => (/[{;]$/.test(line) ? line : `${line};`))
    .join(' ');
}

/** As every release of nft prints it: before 0.9.1 without names of priorities. */
function canonical(state: string): string {
  return linesOf(state)
    .map((line) => line.replace(/\bpriority (mangle|filter)\b/, (_, named: string) => `priority ${PRIORITIES[named] ?? named}`))
    .join('\n');
}

/** Of families inet, ip and ip6 (nft(8), "Standard priority names"). */
const PRIORITIES: Readonly<Record<string, string>> = { mangle: '-150', filter: '0' };

function linesOf(state: string): string[] {
  return state
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '');
}

function rulesOf(state: string): string[] {
  return linesOf(state).filter((line) => !/[{}]$/.test(line) && !line.startsWith('type '));
}

function nameOf({ family, name }: Ref): [string, string] {
  if (!/^[A-Za-z]\w*$/.test(name)) throw new TautlineError('unsupported', `'${name}' is no name of a table of ours`);
  return [family, name];
}

function labelOf({ family, name }: Ref): string {
  return `nftables table ${family} ${name}`;
}

function nft(ports: TunePorts, args: readonly string[]): Promise<CommandResult> {
  return ports.commands.run('nft', args, { timeoutMs: NFT_TIMEOUT_MS });
}

function refusal(what: string, result: CommandResult): TautlineError {
  if (result.outcome === 'missing') return new TautlineError('unsupported', `${what}: nft is missing`, { hint: 'install the package nftables' });
  if (result.outcome === 'timeout') return new TautlineError('io', `${what}: nft did not end within ${NFT_TIMEOUT_MS} ms`);
  const said = result.stderr.trim().split('\n')[0] ?? '';
  if (/Operation not permitted|Permission denied/.test(result.stderr))
    return new TautlineError('permission', `${what}: ${said}`, { hint: 'run it as root' });
  return new TautlineError(/not supported/i.test(said) ? 'unsupported' : 'io', `${what}: ${said || `nft ended with ${result.code}`}`);
}
