import { Option } from 'commander';
import type { Command } from 'commander';
import { PROBES, findProbe, measure, parseCount, succeeded } from '../app/index.js';
import type { Probe, ProbeFlag } from '../app/index.js';
import { TautlineError, parseDurationMs } from '../base/index.js';
import { addCommonOptions, addResultOptions } from './common-options.js';
import type { CommonFlags } from './common-options.js';
import { EXIT } from './exit-codes.js';
import { runMeasuring } from './measuring.js';
import type { CliCommand, Work } from './program.js';
import type { Terminal } from './terminal.js';

/** `tautline measure PROBE TARGET`: a subcommand for each probe, its flags from the probe's own declaration. */
export const measureCommand: CliCommand = {
  name: 'measure',
  summary: 'run one probe',
  declare(command, onRun) {
    command.usage('PROBE TARGET [options]').argument('[probe]').argument('[target]').allowUnknownOption().allowExcessArguments();
    command.addHelpText(
      'after',
      '\nTARGET is a peer of the configuration, host, host:port or a URL.\nThe options of a probe: tautline measure PROBE --help',
    );
    command.action((name?: string) => {
      if (name !== undefined) findProbe(name);
      throw new TautlineError('usage', 'no probe given', { hint: `the probes are ${PROBES.map((probe) => probe.name).join(', ')}` });
    });
    for (const probe of PROBES) declareProbe(command, probe, onRun);
  },
};

/** The flags that every probe has. */
const COMMON: readonly ProbeFlag[] = [
  { key: 'count', flag: '--count <n>', help: 'how many samples to take', parse: parseCount },
  { key: 'intervalMs', flag: '--interval <time>', help: 'time between samples', parse: parsePositiveMs },
  { key: 'durationMs', flag: '--duration <time>', help: 'how long to measure', parse: parsePositiveMs },
  { key: 'timeoutMs', flag: '--timeout <time>', help: 'how long to wait for one answer', parse: parsePositiveMs },
];

function declareProbe(parent: Command, probe: Probe, onRun: (work: Work) => void): void {
  const command = parent.command(probe.name).description(probe.summary).copyInheritedSettings(parent).helpCommand(false);
  command.argument('<target>', "a peer's name, host, host:port or URL");
  const own = new Set(probe.flags.map((flag) => flag.key));
  const flags = [...probe.flags, ...COMMON.filter((flag) => !own.has(flag.key))];
  const keys = new Map<string, string>();
  for (const flag of flags) {
    const option = optionOf(flag, probe);
    keys.set(option.attributeName(), flag.key);
    command.addOption(option);
  }
  addResultOptions(command);
  addCommonOptions(command);
  command.action((target: string, values: CommonFlags & Record<string, unknown>) => {
    const options: Record<string, unknown> = {};
    for (const [name, key] of keys) if (command.getOptionValueSource(name) === 'cli') options[key] = values[name];
    onRun((terminal) =>
      runMeasuring(terminal, { flags: values }, async ({ config, ports, signal, progress }) => {
        const document = await measure(ports, {
          probe: probe.name,
          target,
          options: {
            ...(config.family === undefined ? {} : { family: config.family }),
            ...(probe.environment === undefined ? {} : { environment: environmentOf(terminal, probe.environment) }),
            ...options,
          },
          peers: config.peers,
          bands: config.bands,
          ...(config.keyFile === undefined ? {} : { keyFile: config.keyFile }),
          seed: config.seed,
          signal,
          progress,
        });
        return { document, code: succeeded(document) ? EXIT.pass : EXIT.unmeasured };
      }),
    );
  });
}

function environmentOf(terminal: Terminal, names: readonly string[]): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(names.map((name) => [name, terminal.env[name]]));
}

function optionOf(flag: ProbeFlag, probe: Probe): Option {
  const standard = (probe.defaults as unknown as Record<string, unknown>)[flag.key];
  const option = new Option(
    flag.flag,
    flag.boolean === true || standard === undefined || flag.help.includes('default')
      ? flag.help
      : `${flag.help} (default: ${written(flag.key, standard)})`,
  );
  if (flag.boolean === true) return option;
  return option.argParser((text: string) => {
    try {
      return flag.parse(text);
    } catch (error) {
      if (!(error instanceof TautlineError)) throw error;
      const name = option.long ?? option.short ?? flag.key;
      throw new TautlineError(error.code, `${name}: ${error.message}`, {
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        cause: error,
      });
    }
  });
}

/** A default as a person would type it. */
function written(key: string, value: unknown): string {
  if (typeof value !== 'number' || !key.endsWith('Ms')) return String(value);
  return value >= 1000 && value % 100 === 0 ? `${value / 1000}s` : value >= 1 ? `${value}ms` : `${value * 1000}us`;
}

function parsePositiveMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms > 0) return ms;
  throw new TautlineError('usage', `it must be above zero, got '${text}'`, { hint: 'write for example 10ms or 5s' });
}
