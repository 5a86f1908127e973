import { Option } from 'commander';
import type { Command } from 'commander';
import { nearest } from '../app/index.js';
import { TautlineError } from '../base/index.js';
import { htmlOption, settingOption } from './common-options.js';
import type { CliCommand, Work } from './program.js';
import { countOf, groupsOf, positiveMs, settingOf } from './tune-flags.js';
import type { ApplyFlags, GuardFlags, PlanFlags, RollbackFlags, TryFlags, TuneFlags } from './tune-flags.js';
import { runApply, runConfirm, runGuard, runList, runPlan, runRollback, runStatus } from './tune-run.js';
import { runTry } from './tune-try.js';

/** `tautline tune list | plan | apply | confirm | status | verify | rollback | try`. */
export const tuneCommand: CliCommand = {
  name: 'tune',
  summary: 'tune this host: plan, apply, prove, roll back',
  declare(command, onRun) {
    command.usage('COMMAND [options]').argument('[command]').addHelpText('after', HELP);
    command.action((typed?: string) => {
      const name = typed?.startsWith('-') === true ? undefined : typed;
      const guess = name === undefined ? undefined : nearest(name, NAMES);
      throw new TautlineError('usage', name === undefined ? 'no command given' : `unknown command 'tune ${name}'`, {
        hint: guess === undefined ? `the commands are ${NAMES.join(', ')}; 'tautline tune plan' changes nothing` : `did you mean '${guess}'?`,
      });
    });
    list(subcommand(command, 'list', 'list the profiles, and the settings that they are made of'), onRun);
    plan(subcommand(command, 'plan', 'show what a profile would change and why, and what not; changes nothing'), onRun);
    apply(subcommand(command, 'apply', 'change this host as a profile says; the originals are on the disk before the first change'), onRun);
    confirm(subcommand(command, 'confirm', 'keep what was applied with --confirm-within'), onRun);
    status(subcommand(command, 'status', 'show what is in force, what no longer holds, and how this host looks; exits with 1 on drift'), onRun);
    verify(subcommand(command, 'verify', 'tell only whether what was applied still holds; exits with 1 if not'), onRun);
    rollback(subcommand(command, 'rollback', 'put everything back as it was before a change'), onRun);
    attempt(subcommand(command, 'try', 'measure which settings of a profile help, and leave nothing changed'), onRun);
    guard(command.command('guard', { hidden: true }).copyInheritedSettings(command).helpCommand(false), onRun);
    // Only now: subcommands would take it over.
    command.allowUnknownOption().allowExcessArguments();
  },
};

const HELP = `
A first time:
  tautline tune plan                                  what would be changed here, and why
  sudo tautline tune apply moderate --confirm-within 60s
  sudo tautline tune confirm                          else everything is undone after 60 s
  sudo tautline tune rollback                         as it was before, to the byte

The options of a command: tautline tune COMMAND --help`;

const NAMES: readonly string[] = ['list', 'plan', 'apply', 'confirm', 'status', 'verify', 'rollback', 'try'];

type OnRun = (work: Work) => void;

function subcommand(parent: Command, name: string, description: string): Command {
  return parent.command(name).description(description).copyInheritedSettings(parent).helpCommand(false);
}

/** The options that every command has. */
function common(command: Command, { csv = false }: { readonly csv?: boolean } = {}): Command {
  const formats = ['json', 'markdown', ...(csv ? ['csv'] : [])];
  const others = (name: string): string[] => [...formats.filter((format) => format !== name), ...(command.options.some(isScript) ? ['script'] : [])];
  command
    .addOption(new Option('--json', 'write the result as JSON').conflicts(others('json')))
    .addOption(new Option('--markdown', 'write the result as Markdown').conflicts(others('markdown')));
  if (csv) command.addOption(new Option('--csv', 'write every run as CSV').conflicts(others('csv'))).addOption(htmlOption());
  return command
    .option('--output <file>', 'write the result to a file, whole or not at all')
    .option('--config <file>', 'configuration file (else ./tautline.yaml, ~/.config/tautline/tautline.yaml)')
    .option('--quiet', 'no progress and no notes on stderr')
    .option('--no-color', 'no colours');
}

function isScript(option: Option): boolean {
  return option.long === '--script';
}

const PROFILE = "the profile's name, or the path of its file (.yaml)";
const CHANGE = "the change's id as 'tautline tune status' lists it, or its beginning";
const ALL = new Option('--all', 'tell it all: what is already so, reasons in full, all of long lists');

function interfaces(command: Command): Command {
  return command.option('--interface <name>', 'settings of interfaces: only of this one; repeatable (default: those with a default route)', collect);
}

function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

function list(command: Command, onRun: OnRun): void {
  command.option('--all', 'also tell what each setting takes, why, and who says so');
  common(command).action((flags: TuneFlags) => onRun((terminal) => runList(terminal, flags)));
}

function plan(command: Command, onRun: OnRun): void {
  command.argument('[profile]', `${PROFILE}; without one, what is advised for this kind of host`);
  command.option('--script', 'write a shell script that does the same, and undoes it');
  interfaces(command).addOption(ALL);
  common(command).action((profile: string | undefined, flags: PlanFlags) => onRun((terminal) => runPlan(terminal, profile, flags)));
}

function apply(command: Command, onRun: OnRun): void {
  command
    .argument('[profile]', `${PROFILE}; with --continue a change`)
    .option('--yes', 'do not ask; without a terminal nothing is applied without it')
    .option('--persist', 'let it outlive a boot, by files of its own')
    .addOption(
      new Option('--confirm-within <time>', "undo everything after 60s, 5m ... unless 'tautline tune confirm' comes before").argParser(
        positiveMs('--confirm-within'),
      ),
    )
    .addOption(
      new Option('--continue', 'finish an apply that was interrupted, as it was begun').conflicts(['persist', 'confirmWithin', 'interface']),
    );
  interfaces(command).addOption(ALL);
  common(command).action((profile: string | undefined, flags: ApplyFlags) => onRun((terminal) => runApply(terminal, profile, flags)));
}

function confirm(command: Command, onRun: OnRun): void {
  command.argument('[change]', `${CHANGE}; without one the one that waits`);
  common(command).action((change: string | undefined, flags: TuneFlags) => onRun((terminal) => runConfirm(terminal, change, flags)));
}

function status(command: Command, onRun: OnRun): void {
  command.option('--all', 'also list how much of every profile holds');
  common(command).action((flags: TuneFlags) => onRun((terminal) => runStatus(terminal, flags, { driftOnly: false })));
}

function verify(command: Command, onRun: OnRun): void {
  common(command).action((flags: TuneFlags) => onRun((terminal) => runStatus(terminal, flags, { driftOnly: true })));
}

function rollback(command: Command, onRun: OnRun): void {
  command
    .argument('[change]', `${CHANGE}; without one the newest`)
    .option('--force', 'also put back what somebody else has changed since')
    .option('--all', 'put back every change in force, the newest first');
  common(command).action((change: string | undefined, flags: RollbackFlags) => onRun((terminal) => runRollback(terminal, change, flags)));
}

function attempt(command: Command, onRun: OnRun): void {
  command
    .argument('[profile]', `${PROFILE}; may be left out beside --setting`)
    .requiredOption('--target <target>', "a peer's name, host or host:port of a tautline serve to measure to")
    .addOption(new Option('--setting <key=value>', 'try this as well, or alone; also where a plan would not do it; repeatable').argParser(settingOf))
    .option('--keep', 'leave applied what helped')
    .addOption(new Option('--blocks <n>', 'blocks of four runs for each group; more of them find smaller effects').argParser(countOf('--blocks')))
    .addOption(new Option('--time <time>', 'how long all of it may take, such as 10m').argParser(positiveMs('--time')))
    .addOption(new Option('--groups <names>', 'try only these groups of settings, such as congestion,buffers').argParser(groupsOf));
  interfaces(command)
    .addOption(settingOption('key-file'))
    .addOption(settingOption('seed'))
    .addOption(new Option('-4', 'use IPv4 only').conflicts('6'))
    .addOption(new Option('-6', 'use IPv6 only').conflicts('4'))
    .option('--all', 'also list every run');
  common(command, { csv: true }).action((profile: string | undefined, flags: TryFlags) => onRun((terminal) => runTry(terminal, profile, flags)));
}

/** What `apply --confirm-within` starts: not for people. */
function guard(command: Command, onRun: OnRun): void {
  command.argument('<change>').requiredOption('--folder <folder>');
  command.action((change: string, flags: GuardFlags) => onRun((terminal) => runGuard(terminal, change, flags)));
}
