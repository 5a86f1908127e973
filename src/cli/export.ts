import { EXIT } from './exit-codes.js';
import type { CliCommand } from './program.js';

/** `tautline export schema`. */
export const exportCommand: CliCommand = {
  name: 'export',
  summary: 'print what other programs need: schema',
  declare(command, onRun) {
    command
      .command('schema')
      .description('print the JSON Schema of every --json document')
      .copyInheritedSettings(command)
      .action(() => {
        onRun(async (terminal) => {
          const { documentsJsonSchema } = await import('../app/index.js');
          await terminal.stdout(`${JSON.stringify(await documentsJsonSchema(), null, 2)}\n`);
          return EXIT.pass;
        });
      });
  },
};
