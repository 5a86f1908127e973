import { Option } from 'commander';
import { advise, createHostPorts, workloadHelp } from '../app/index.js';
import { ADVICE_REPORTS } from '../report/index.js';
import { settingOption } from './common-options.js';
import type { CommonFlags } from './common-options.js';
import { EXIT } from './exit-codes.js';
import type { ExitCode } from './exit-codes.js';
import { renderOptions, historyFolder, readConfig } from './measuring.js';
import { ResultOutput } from './output.js';
import type { CliCommand } from './program.js';
import type { Terminal } from './terminal.js';

interface AdviseFlags extends CommonFlags {
  readonly from?: string;
  readonly to?: string;
  readonly workload?: readonly string[];
  readonly limit?: readonly string[];
  readonly hosts?: string;
  readonly distance?: string;
  readonly cable?: string;
  readonly ports?: string;
  readonly freePorts?: string;
  readonly disk?: string;
  readonly measured?: string;
  readonly rtt?: string;
  readonly prices?: string;
}

/** `tautline advise [PEER]`. */
export const adviseCommand: CliCommand = {
  name: 'advise',
  summary: 'what a faster link would change, and what it costs',
  declare(command, onRun) {
    command
      .argument('[peer]', 'take speeds and figures from the last kept check of this target')
      .option('--from <speed>', 'what the link runs at now, such as 1G')
      .option('--to <speed>', 'what both ends could do, such as 10G')
      .option('--workload <kind>', 'what runs over it; repeatable, see below', collect)
      .option('--measured <rate>', 'what the path was measured at, such as 945M')
      .option('--rtt <time>', 'its round trip, such as 0.3ms')
      .option('--hosts <n>', 'hosts that are to be connected (default: 2)')
      .option('--distance <length>', 'length of the cable, such as 30m (default: 10m)')
      .option('--cable <kind>', 'the cable that is there: cat5e, cat6, cat6a, dac, om3 ...')
      .option('--ports <kind>', 'what the hosts take: rj45 or sfp (default: rj45 up to 10G)')
      .addOption(new Option('--free-ports <answer>', 'whether each host has a free port of the faster speed').choices(['yes', 'no']))
      .option('--disk <rate>', 'what the disks do: nvme, sata, hdd or a rate such as 3GB/s (default: nvme)')
      .option('--limit <name=rate>', 'something else that bounds the path, such as vpn=2G; repeatable', collect)
      .addOption(settingOption('advice.prices'))
      .addOption(new Option('--json', 'write the result as JSON').conflicts(['markdown']))
      .addOption(new Option('--markdown', 'write the result as Markdown').conflicts(['json']))
      .option('--output <file>', 'write the result to a file, whole or not at all')
      .option('--config <file>', 'configuration file (else ./tautline.yaml, ~/.config/tautline/tautline.yaml)')
      .option('--no-color', 'no colours')
      .addHelpText(
        'after',
        () =>
          `\nWorkloads:\n${workloadHelp()
            .map((line) => `  ${line}\n`)
            .join('')}`,
      );
    command.action((peer: string | undefined, flags: AdviseFlags) => onRun((terminal) => run(terminal, peer, flags)));
  },
};

function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

async function run(terminal: Terminal, peer: string | undefined, flags: AdviseFlags): Promise<ExitCode> {
  const ports = createHostPorts({ logLevel: 'warn' });
  try {
    const config = await readConfig(terminal, { flags, files: ports.files, settings: { 'advice.prices': flags.prices } });
    const output = new ResultOutput({ files: ports.files, terminal }, flags.output === undefined ? {} : { path: flags.output });
    await output.prepare();
    const { from, to, hosts, distance, cable, ports: kind, freePorts, disk, measured, rtt } = flags;
    const given = Object.entries({
      peer,
      from,
      to,
      hosts,
      distance,
      cable,
      ports: kind,
      freePorts,
      disk,
      measured,
      rtt,
      pricesFile: config.pricesFile,
    });
    const document = await advise(ports, {
      ...Object.fromEntries(given.filter(([, value]) => value !== undefined)),
      workloads: flags.workload ?? [],
      limits: flags.limit ?? [],
      historyFolder: historyFolder(config, terminal),
    });
    const format = config.format in ADVICE_REPORTS ? (config.format as keyof typeof ADVICE_REPORTS) : 'text';
    const text = ADVICE_REPORTS[format](document, renderOptions(config, terminal, flags));
    return (await output.write(text)) ? EXIT.pass : EXIT.unmeasured;
  } finally {
    await ports.close();
  }
}
