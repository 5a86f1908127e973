import { Command, CommanderError } from 'commander';
import { TautlineError, VERSION } from '../base/index.js';
import { EXIT, EXIT_HELP, exitCodeOf } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { processTerminal } from './terminal.js';
import type { Terminal } from './terminal.js';

/** One command: its declaration, and its work, which is loaded only when it runs. */
export interface CliCommand {
  readonly name: string;
  readonly summary: string;
  /** Adds arguments, options and subcommands; `onRun` is told the work to do once parsing has succeeded. */
  declare(command: Command, onRun: (work: Work) => void): Promise<void> | void;
}
export type Work = (terminal: Terminal) => Promise<ExitCode>;

/** A new command is one file and one line here; the file is loaded when its name is typed. */
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<CliCommand> }>> = {
  check: { summary: 'measure, rate and explain: the main job', load: async () => (await import('./check.js')).checkCommand },
  serve: { summary: 'answer measurements from peers', load: async () => (await import('./serve.js')).serveCommand },
  measure: { summary: 'run one probe', load: async () => (await import('./measure.js')).measureCommand },
  advise: { summary: 'what a faster link would change, and what it costs', load: async () => (await import('./advise.js')).adviseCommand },
  tune: { summary: 'tune this host: plan, apply, prove, roll back', load: async () => (await import('./tune.js')).tuneCommand },
  history: { summary: 'list and plot what was measured before', load: async () => (await import('./history.js')).historyCommand },
  export: { summary: 'print what other programs need: schema', load: async () => (await import('./export.js')).exportCommand },
};

/** Runs the command line of this process and ends it, a moment later if something is left hanging. */
export async function main(args: readonly string[]): Promise<void> {
  const code = await run(args, processTerminal());
  process.exitCode ??= code;
  setTimeout(() => process.exit(), EXIT_WAIT_MS).unref();
}

/** Longer lines are hard to read. */
const HELP_WIDTH_MAX = 100;
/** Everything is closed by then; a handle that still hangs must not keep a script waiting. */
const EXIT_WAIT_MS = 1000;

export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    const work = await parse(args, terminal);
    return work === undefined ? EXIT.pass : await work(terminal);
  } catch (error) {
    return report(error, terminal);
  }
}

async function parse(args: readonly string[], terminal: Terminal): Promise<Work | undefined> {
  let help = '';
  let work: Work | undefined;
  const program = new Command('tautline');
  const output = {
    writeOut: (text: string): void => void (help += text),
    writeErr: (): void => undefined,
    getOutHelpWidth: (): number => Math.min(terminal.width, HELP_WIDTH_MAX),
  };
  program
    .configureOutput(output)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .exitOverride()
    .showSuggestionAfterError(true)
    .helpCommand(false)
    .version(VERSION, '-V, --version', 'print the version');
  program.description('Tells which network path is good enough for your workload, and proves it.').addHelpText('after', EXIT_HELP);
  const typed = args.find((arg) => !arg.startsWith('-'));
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const command = program.command(name).description(entry.summary).copyInheritedSettings(program).helpCommand(false);
    if (name === typed) await (await entry.load()).declare(command, (found) => void (work = found));
  }
  try {
    if (args.length === 0) throw new TautlineError('usage', 'no command given', { hint: "try 'tautline check', or 'tautline --help'" });
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw asUsage(error, typed);
    await terminal.stdout(help);
    return undefined;
  }
  return work;
}

/** Commander says `error: unknown option '--x'`, then perhaps `(Did you mean --y?)` on a line of its own. */
function asUsage(error: CommanderError, command: string | undefined): TautlineError {
  const [first = '', ...rest] = error.message.split('\n');
  const guess = /\(Did you mean (.*)\?\)/i.exec(rest.join('\n'))?.[1];
  const known = command !== undefined && command in COMMANDS ? `${command} ` : '';
  const hint = guess === undefined ? `see tautline ${known}--help` : `did you mean ${guess}?`;
  return new TautlineError('usage', first.replace(/^error: /, ''), { hint });
}

/** What happened and what to do; a stack only for those who ask for it. */
function report(error: unknown, terminal: Terminal): ExitCode {
  const debug = (terminal.env['TAUTLINE_DEBUG'] ?? '') !== '';
  const expected = error instanceof TautlineError;
  const message = error instanceof Error ? error.message : String(error);
  terminal.stderr(`tautline: ${expected ? message : `internal error: ${message}`}\n`);
  const hint = expected ? error.hint : 'this is a bug in tautline; TAUTLINE_DEBUG=1 shows where';
  if (hint !== undefined) terminal.stderr(`  hint: ${hint}\n`);
  if (debug && error instanceof Error) terminal.stderr(`${error.stack ?? ''}\n`);
  return exitCodeOf(error);
}
