import { Option } from 'commander';
import type { Command } from 'commander';
import { settingAt } from '../app/index.js';
import { TautlineError } from '../base/index.js';

/** The options that every measuring command has, as commander hands them over. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly csv?: boolean;
  /** Where the page goes, beside what is written otherwise; `-` for stdout instead of it. */
  readonly html?: string;
  readonly output?: string;
  readonly quiet?: boolean;
  readonly color?: boolean;
  readonly history?: boolean;
  readonly config?: string;
  readonly keyFile?: string;
  readonly seed?: string;
  readonly 4?: boolean;
  readonly 6?: boolean;
}

/** A flag as the setting of the configuration that it overrides declares it. */
export function settingOption(path: string): Option {
  const { flag = '', help, default: standard } = settingAt(path);
  return new Option(flag, standard === 'none' ? help : `${help} (default: ${standard})`);
}

export function addResultOptions(command: Command): Command {
  return command
    .addOption(new Option('--json', 'write the result as JSON').conflicts(['markdown', 'csv']))
    .addOption(new Option('--markdown', 'write the result as Markdown').conflicts(['json', 'csv']))
    .addOption(new Option('--csv', 'write the result as CSV').conflicts(['json', 'markdown']))
    .addOption(htmlOption())
    .option('--output <file>', 'write the result to a file, whole or not at all; its ending says the format: .json, .md, .csv, .html, .txt')
    .option('--no-history', 'do not keep this run for tautline history')
    .addOption(settingOption('seed'))
    .addOption(new Option('-4', 'use IPv4 only').conflicts('6'))
    .addOption(new Option('-6', 'use IPv6 only').conflicts('4'));
}

/** `--html FILE`; see `pagePath`. */
export function htmlOption(): Option {
  return new Option('--html <file>', 'also write the result as one HTML page; - for stdout, instead of the rest').argParser(pageName);
}

export function addCommonOptions(command: Command): Command {
  return command
    .addOption(settingOption('key-file'))
    .option('--config <file>', 'configuration file (else ./tautline.yaml, ~/.config/tautline/tautline.yaml)')
    .option('--quiet', 'no progress and no notes on stderr')
    .option('--no-color', 'no colours');
}

/** What the flags say about settings of the configuration, by the setting's dotted path. */
export function settingsOfFlags(flags: CommonFlags): Record<string, string | undefined> {
  const other = flags.json === true ? '--json' : flags.markdown === true ? '--markdown' : flags.csv === true ? '--csv' : undefined;
  if (flags.html === STDOUT && other !== undefined)
    throw new TautlineError('usage', `--html - and ${other} both want stdout`, { hint: 'name a file for the page, such as --html report.html' });
  const format =
    flags.html === STDOUT
      ? 'html'
      : flags.json === true
        ? 'json'
        : flags.markdown === true
          ? 'markdown'
          : flags.csv === true
            ? 'csv'
            : formatOfName(flags.output);
  return {
    'key-file': flags.keyFile,
    seed: flags.seed,
    family: flags[4] === true ? '4' : flags[6] === true ? '6' : undefined,
    format,
    color: flags.color === false ? 'never' : undefined,
    'history.enabled': flags.history === false ? 'no' : undefined,
  };
}

/** What stands for stdout where a file's name is asked for. */
const STDOUT = '-';

/** The page's file, where it is written beside the result. */
export function pagePath(flags: CommonFlags): string | undefined {
  return flags.html === STDOUT ? undefined : flags.html;
}

/**
 * `check --html beta` means the peer and not a file: a page is named as one.
 * @throws TautlineError `usage`
 */
function pageName(text: string): string {
  if (text === STDOUT || /\.html?$/i.test(text)) return text;
  throw new TautlineError('usage', `--html: '${text}' is not the name of a page`, {
    hint: 'write for example --html report.html, or --html - for stdout',
  });
}

/** `--output result.json` says the format by its name. */
function formatOfName(path: string | undefined): string | undefined {
  const ending = path === undefined ? undefined : /\.(json|csv|md|txt|html)$/.exec(path)?.[1];
  return ending === 'md' ? 'markdown' : ending === 'txt' ? 'text' : ending;
}
