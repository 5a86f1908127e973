import type { Config, Progress } from '../app/index.js';
import { createHostPorts, keepHeapSmall, keepRun, loadConfig, runFolder } from '../app/index.js';
import type { HostPorts } from '../app/index.js';
import { REPORTS } from '../report/index.js';
import type { ResultDocument } from '../results/index.js';
import { pagePath, settingsOfFlags } from './common-options.js';
import type { CommonFlags } from './common-options.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { ResultOutput } from './output.js';
import { createProgress } from './progress.js';
import type { Terminal } from './terminal.js';

export interface MeasuringContext {
  readonly config: Config;
  readonly ports: HostPorts;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** A document, and the exit code that it stands for unless the run was interrupted. */
export interface Measured {
  readonly document: ResultDocument;
  readonly code: ExitCode;
}

/** What every measuring command does around its work: configuration, ports, interrupt, progress, report, output. */
export async function runMeasuring(
  terminal: Terminal,
  options: { flags: CommonFlags; settings?: Readonly<Record<string, string | undefined>> },
  work: (context: MeasuringContext) => Promise<Measured>,
): Promise<ExitCode> {
  const { flags } = options;
  keepHeapSmall();
  const quiet = flags.quiet === true;
  const ports = createHostPorts({ logLevel: quiet ? 'none' : 'warn' });
  const interrupt = terminal.interruptible();
  const progress = createProgress(terminal, { quiet });
  try {
    const config = await readConfig(terminal, { flags, files: ports.files, ...(options.settings ? { settings: options.settings } : {}) });
    const output = new ResultOutput({ files: ports.files, terminal }, flags.output === undefined ? {} : { path: flags.output });
    const page = pagePath(flags);
    const pageOutput = page === undefined ? undefined : new ResultOutput({ files: ports.files, terminal }, { path: page, beside: true });
    await output.prepare();
    await pageOutput?.prepare();
    const { document, code } = await work({ config, ports, signal: interrupt.signal, progress }).finally(() => progress.done());
    const text = REPORTS[config.format].render(document, renderOptions(config, terminal, flags));
    const written = await output.write(text);
    const pageWritten = await pageOutput?.write(REPORTS.html.render(document, { color: false, width: REPORT_WIDTH }));
    await keep({ document, config, terminal, ports, quiet });
    if (document.interrupted === true) return EXIT.interrupted;
    return written && pageWritten !== false ? code : EXIT.unmeasured;
  } finally {
    interrupt.release();
    await ports.close();
  }
}

/** The width of a report that goes to a file or a pipe. */
const REPORT_WIDTH = 100;

export function readConfig(
  terminal: Terminal,
  options: { flags: CommonFlags; files: HostPorts['files']; settings?: Readonly<Record<string, string | undefined>> },
): Promise<Config> {
  return loadConfig({
    files: options.files,
    flags: { ...settingsOfFlags(options.flags), ...options.settings },
    env: terminal.env,
    ...(options.flags.config === undefined ? {} : { path: options.flags.config }),
    workingFolder: terminal.workingFolder,
    homeFolder: terminal.homeFolder,
  });
}

/** The run is in the history from here on; where it cannot be, that is a note and no failure. */
async function keep(run: { document: ResultDocument; config: Config; terminal: Terminal; ports: HostPorts; quiet: boolean }): Promise<void> {
  const { history } = run.config;
  if (!history.enabled) return;
  const { terminal, ports } = run;
  const note = await keepRun(ports, run.document, {
    folder: historyFolder(run.config, terminal),
    ...(history.keep === undefined ? {} : { keep: history.keep }),
    ...(history.folder === undefined ? { homeFolder: terminal.homeFolder } : {}),
  });
  if (note !== undefined && !run.quiet) terminal.stderr(`tautline: ${note}\n`);
}

/** Where runs are kept: where a person chose, else the platform's place. */
export function historyFolder(config: Config, terminal: Terminal): string {
  return config.history.folder ?? runFolder(terminal.env, terminal.homeFolder, terminal.platform);
}

/** How a report is written for where it goes. */
export function renderOptions(config: Config, terminal: Terminal, flags: CommonFlags): { color: boolean; width: number } {
  const toTerminal = flags.output === undefined && terminal.stdoutIsTty;
  return { color: colored(config, terminal, toTerminal), width: toTerminal ? terminal.width : REPORT_WIDTH };
}

/** https://no-color.org: any non-empty NO_COLOR turns colours off. */
function colored(config: Config, terminal: Terminal, toTerminal: boolean): boolean {
  if (config.color !== 'auto') return config.color === 'always';
  return toTerminal && (terminal.env['NO_COLOR'] ?? '') === '' && terminal.env['TERM'] !== 'dumb';
}
