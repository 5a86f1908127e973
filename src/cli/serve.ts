import { createHostPorts, nearest, settings, startServe, writtenLimits } from '../app/index.js';
import type { HostPorts, Serve } from '../app/index.js';
import { TautlineError } from '../base/index.js';
import { addCommonOptions, settingOption } from './common-options.js';
import type { CommonFlags } from './common-options.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { readConfig } from './measuring.js';
import type { CliCommand } from './program.js';
import type { Terminal } from './terminal.js';

interface ServeFlags extends CommonFlags {
  readonly bind?: string;
  readonly port?: string;
  readonly about?: string;
  readonly limit?: readonly string[];
}

/** How often what was refused or dropped is told, if there was any. */
const TELL_EVERY_MS = 10_000;

/** `tautline serve`: answers until it is interrupted. */
export const serveCommand: CliCommand = {
  name: 'serve',
  summary: 'answer measurements from peers',
  declare(command, onRun) {
    command
      .addOption(settingOption('serve.bind'))
      .addOption(settingOption('serve.port'))
      .addOption(settingOption('serve.about'))
      .option('--limit <name=value>', 'a limit, such as streams-max=8; repeatable, docs/configuration.md lists them', collect);
    addCommonOptions(command);
    command.action((flags: ServeFlags) => onRun((terminal) => serve(terminal, flags)));
  },
};

function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

async function serve(terminal: Terminal, flags: ServeFlags): Promise<ExitCode> {
  const tell = (text: string): void => (flags.quiet === true ? undefined : terminal.stderr(`${text}\n`));
  const ports = createHostPorts({ logLevel: flags.quiet === true ? 'none' : 'warn' });
  const interrupt = terminal.interruptible();
  try {
    const set = { 'serve.bind': flags.bind, 'serve.port': flags.port, 'serve.about': flags.about, ...limitSettings(flags.limit ?? []) };
    const config = await readConfig(terminal, { flags, files: ports.files, settings: set });
    const running = await startServe(ports, {
      ...(config.bind === undefined ? {} : { bind: config.bind }),
      ...(config.port === undefined ? {} : { port: config.port }),
      ...(config.keyFile === undefined ? {} : { keyFile: config.keyFile }),
      limits: config.limits,
      about: config.about,
    });
    try {
      await terminal.stdout(`${running.lines.join('\n')}\n`);
      for (const warning of running.warnings) tell(`tautline: warning: ${warning}`);
      tell(`Limits (docs/configuration.md lists all): ${writtenLimits(config.limits, LIMITS_SHOWN)}\nCtrl-C ends it.`);
      await untilTheEnd(ports, { running, signal: interrupt.signal, tell });
    } finally {
      await running.close();
      tell(`${CLEAR_CARET}${written(running.counters()) || 'nothing came in'}`);
    }
    return EXIT.pass;
  } finally {
    interrupt.release();
    await ports.close();
  }
}

/** Terminals echo an interrupt as ^C at the start of the line. */
const CLEAR_CARET = '\n';

/** @throws TautlineError `io` should it end by itself */
async function untilTheEnd(
  ports: HostPorts,
  { running, signal, tell }: { running: Serve; signal: AbortSignal; tell: (text: string) => void },
): Promise<void> {
  const failed = running.failed.then((why) => {
    throw new TautlineError('io', `serve ended: ${why}`, { hint: 'start it again; if it happens again, please report it' });
  });
  failed.catch(() => undefined);
  let told = '';
  while (!signal.aborted) {
    await Promise.race([ports.clock.sleep(TELL_EVERY_MS, signal), failed]);
    const dropped = written(running.counters(), /garb|unproven|limited|refused|dropped|drops|silent|timeouts/i);
    if (dropped !== told && dropped !== '' && !signal.aborted) tell(`dropped or refused so far: ${dropped}`);
    told = dropped;
  }
}

/** `--limit streams-max=8` sets what `limits: { streams-max: 8 }` sets in the file. */
function limitSettings(texts: readonly string[]): Record<string, string> {
  const known = settings().flatMap(({ path }) => (path[0] === 'limits' && path[1] !== undefined ? [path[1]] : []));
  return Object.fromEntries(
    texts.map((text) => {
      const [, name = '', value = ''] = /^([^=]*)=(.*)$/.exec(text) ?? [];
      if (known.includes(name)) return [`limits.${name}`, value];
      const guess = nearest(name === '' ? text : name, known);
      const hint = guess === undefined ? `the limits are ${known.join(', ')}` : `did you mean '${guess}=...'?`;
      throw new TautlineError('usage', name === '' ? `--limit takes name=value, not '${text}'` : `there is no limit '${name}'`, { hint });
    }),
  );
}

/** The limits that a person at the other end may run into. */
const LIMITS_SHOWN = ['streamsMax', 'testMs', 'connectionsPerClientMax', 'echoPerSecondMax', 'floodMs'] as const;

function written(counters: Readonly<Record<string, number>>, of = /./): string {
  return Object.entries(counters)
    .filter(([name, count]) => count > 0 && of.test(name))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
