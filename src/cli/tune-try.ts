import { keepHeapSmall, tuneTry } from '../app/index.js';
import { TautlineError, parseTarget } from '../base/index.js';
import { experimentCsv, renderExperimentHtml } from '../report/index.js';
import type { ExitCode } from './exit-codes.js';
import type { Terminal } from './terminal.js';
import { resultOf, runTune } from './tune-context.js';
import type { TryFlags } from './tune-flags.js';
import { planRequest, repeated } from './tune-run.js';

/** `tautline tune try PROFILE --target T`. */
export function runTry(terminal: Terminal, profile: string | undefined, flags: TryFlags): Promise<ExitCode> {
  if (profile === undefined && flags.setting === undefined)
    throw new TautlineError('usage', 'no profile given', {
      hint: "'tautline tune list' shows what there is; --setting KEY=VALUE tries one setting alone",
    });
  keepHeapSmall();
  return runTune(terminal, { flags, repeat: repeated(profile, flags.interface) }, async (context) => {
    const { config, ports, progress, signal } = context;
    if (!config.peers.some(({ name }) => name === flags.target.split('/')[0])) refuseNoTarget(flags.target);
    const plan = planRequest(context, profile, flags.interface);
    const document = await tuneTry(ports, {
      ...plan,
      ...(flags.setting === undefined ? {} : { settings: flags.setting }),
      target: flags.target,
      peers: config.peers,
      ...(config.keyFile === undefined ? {} : { keyFile: config.keyFile }),
      ...(config.family === undefined ? {} : { family: config.family }),
      seed: config.seed,
      ...(flags.blocks === undefined ? {} : { blocks: flags.blocks }),
      ...(flags.time === undefined ? {} : { timeMs: flags.time }),
      ...(flags.groups === undefined ? {} : { groups: flags.groups }),
      keep: flags.keep === true,
      progress,
      signal,
    });
    const result = { ...resultOf(document, context), ...(flags.html === undefined ? {} : { page: renderExperimentHtml(document) }) };
    if (config.format === 'html') return { ...result, text: renderExperimentHtml(document) };
    return config.format === 'csv' ? { ...result, text: experimentCsv(document) } : result;
  });
}

/** Before anything is touched. @throws TautlineError `usage` */
function refuseNoTarget(text: string): void {
  const target = parseTarget(text);
  if (target.url !== undefined)
    throw new TautlineError('usage', `--target: '${text}' is a URL, and an experiment needs a tautline serve`, {
      hint: 'write for example 10.0.0.2:7227',
    });
}
