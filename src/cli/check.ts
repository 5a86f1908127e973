import { Option } from 'commander';
import { check, startSelf } from '../app/index.js';
import { addCommonOptions, addResultOptions } from './common-options.js';
import type { CommonFlags } from './common-options.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { runMeasuring } from './measuring.js';
import type { CliCommand } from './program.js';

interface CheckFlags extends CommonFlags {
  readonly quick?: boolean;
  readonly thorough?: boolean;
}

const CODES = {
  pass: EXIT.pass,
  fail: EXIT.fail,
  inconclusive: EXIT.inconclusive,
  unmeasured: EXIT.unmeasured,
} as const satisfies Readonly<Record<string, ExitCode>>;

/** `tautline check [TARGET]`. */
export const checkCommand: CliCommand = {
  name: 'check',
  summary: 'measure, rate and explain: the main job',
  declare(command, onRun) {
    command
      .argument(
        '[target]',
        "a peer's name, host, host:port of a tautline serve, or a URL; without one: the peers of the configuration, else this host, its gateway and its resolvers",
      )
      .addOption(new Option('--quick', 'about 5 seconds a path').conflicts('thorough'))
      .addOption(new Option('--thorough', 'about 60 seconds a path (else about 15)').conflicts('quick'));
    addResultOptions(command);
    addCommonOptions(command);
    command.action((target: string | undefined, flags: CheckFlags) => {
      const depth = flags.quick === true ? 'quick' : flags.thorough === true ? 'thorough' : undefined;
      onRun((terminal) =>
        runMeasuring(terminal, { flags, settings: { 'check.depth': depth } }, async ({ config, ports, signal, progress }) => {
          const document = await check(ports, {
            ...(target === undefined ? {} : { target }),
            depth: config.depth,
            peers: config.peers,
            bands: config.bands,
            ...(config.keyFile === undefined ? {} : { keyFile: config.keyFile }),
            ...(config.family === undefined ? {} : { family: config.family }),
            seed: config.seed,
            signal,
            progress,
            startSelf,
            ...(config.discover ? { discover: { homeFolder: terminal.homeFolder } } : {}),
            environment: terminal.env,
            ...(config.pricesFile === undefined ? {} : { pricesFile: config.pricesFile }),
          });
          return { document, code: CODES[document.verdict.outcome] };
        }),
      );
    });
  },
};
