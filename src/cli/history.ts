import { Option } from 'commander';
import type { Command } from 'commander';
import { createHostPorts, history, keptRun } from '../app/index.js';
import type { Config, HistoryRequest, HostPorts } from '../app/index.js';
import { TautlineError, parseDurationMs } from '../base/index.js';
import { HISTORY_REPORTS, REPORTS } from '../report/index.js';
import { settingOption } from './common-options.js';
import type { CommonFlags } from './common-options.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { renderOptions, historyFolder, readConfig } from './measuring.js';
import { ResultOutput } from './output.js';
import type { CliCommand } from './program.js';
import type { Terminal } from './terminal.js';

interface HistoryFlags extends CommonFlags {
  readonly folder?: string;
  readonly plot?: boolean;
  readonly target?: string;
  readonly metric?: string;
  readonly path?: string;
  readonly since?: number;
  readonly limit?: number;
}

/** `tautline history` and `tautline history show ID`. */
export const historyCommand: CliCommand = {
  name: 'history',
  summary: 'list and plot what was measured before',
  declare(command, onRun) {
    command
      .option('--plot', 'draw one figure over time')
      .option('--target <name>', 'only runs of this target or peer')
      .option('--metric <name>', 'only runs with this figure, such as rtt or throughput.down; with --plot the one to draw')
      .option('--path <name>', "only runs over this path of a peer, such as 'lan'")
      .addOption(new Option('--since <time>', 'only runs of the last 30m, 12h, 7d or 4w').argParser(sinceMs))
      .addOption(new Option('--limit <n>', `so many of the newest (default: ${LISTED}, with --plot ${DRAWN})`).argParser(limitOf));
    addOptions(command);
    command.action((flags: HistoryFlags) => onRun((terminal) => run(terminal, flags, (context) => list(context, flags))));
    const show = command
      .command('show')
      .description('print a kept run again')
      .copyInheritedSettings(command)
      .helpCommand(false)
      .argument('<id>', "the run's id as 'tautline history' lists it, its beginning, or 'last'");
    show.action((id: string, _: unknown, self: Command) =>
      onRun((terminal) => run(terminal, self.optsWithGlobals(), (context) => print(context, id))),
    );
    addOptions(show);
  },
};

const LISTED = 20;
const DRAWN = 200;

function addOptions(command: Command): void {
  command
    .addOption(new Option('--json', 'write the result as JSON').conflicts(['markdown', 'csv']))
    .addOption(new Option('--markdown', 'write the result as Markdown').conflicts(['json', 'csv']))
    .addOption(new Option('--csv', 'write the result as CSV').conflicts(['json', 'markdown']))
    .option('--output <file>', 'write the result to a file, whole or not at all')
    .addOption(settingOption('history.folder'))
    .option('--config <file>', 'configuration file (else ./tautline.yaml, ~/.config/tautline/tautline.yaml)')
    .option('--no-color', 'no colours');
}

interface Context {
  readonly terminal: Terminal;
  readonly ports: HostPorts;
  readonly config: Config;
  readonly folder: string;
  readonly color: boolean;
  readonly width: number;
}

async function run(terminal: Terminal, flags: HistoryFlags, work: (context: Context) => Promise<string>): Promise<ExitCode> {
  const ports = createHostPorts({ logLevel: 'warn' });
  try {
    const config = await readConfig(terminal, { flags, files: ports.files, settings: { 'history.folder': flags.folder } });
    const output = new ResultOutput({ files: ports.files, terminal }, flags.output === undefined ? {} : { path: flags.output });
    await output.prepare();
    const folder = historyFolder(config, terminal);
    const text = await work({
      terminal,
      ports,
      config,
      folder,
      ...renderOptions(config, terminal, flags),
    });
    return (await output.write(text)) ? EXIT.pass : EXIT.unmeasured;
  } finally {
    await ports.close();
  }
}

async function list({ terminal, ports, config, folder, color, width }: Context, flags: HistoryFlags): Promise<string> {
  const plot = flags.plot === true;
  const request: HistoryRequest = {
    folder,
    plot,
    limit: flags.limit ?? (plot ? DRAWN : LISTED),
    ...(flags.target === undefined ? {} : { target: flags.target }),
    ...(flags.metric === undefined ? {} : { metric: flags.metric }),
    ...(flags.path === undefined ? {} : { path: flags.path }),
    ...(flags.since === undefined ? {} : { sinceMs: flags.since }),
  };
  const document = await history(ports, request);
  const format = config.format in HISTORY_REPORTS ? (config.format as keyof typeof HISTORY_REPORTS) : 'text';
  return HISTORY_REPORTS[format](document, { color, width, unicode: showsUnicode(terminal) });
}

async function print({ ports, config, folder, color, width }: Context, id: string): Promise<string> {
  const { document } = await keptRun(ports, folder, id);
  return REPORTS[config.format].render(document, { color, width });
}

/** The locale says which characters the terminal shows; without one only ASCII is safe, as on the console of a kernel. */
function showsUnicode({ env, platform }: Terminal): boolean {
  if (env['TERM'] === 'dumb') return false;
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '');
  return locale === undefined ? platform === 'darwin' : /utf-?8/i.test(locale);
}

/** @throws TautlineError `usage` */
function limitOf(text: string): number {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= LIMIT_MAX) return Number(text);
  throw new TautlineError('usage', `--limit: '${text}' is not a whole number from 1 to ${LIMIT_MAX}`, { hint: 'write for example 50' });
}

const LIMIT_MAX = 100_000;

/** @throws TautlineError `usage` */
function sinceMs(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(d|w)$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * (unit === 'd' ? 86_400_000 : 7 * 86_400_000);
  try {
    return parseDurationMs(text);
  } catch (error) {
    if (!(error instanceof TautlineError)) throw error;
    throw new TautlineError('usage', `--since: ${error.message}`, { hint: 'write for example 12h, 7d or 4w', cause: error });
  }
}
