import type { CommandResult, Commands } from '../base/index.js';
import type { SimMachine } from './control-machine.js';
import type { SimProcess } from './control-process.js';

/** What a program answers, and what it does to the host when it is one that changes something. */
export interface ProgramAnswer {
  readonly code?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  /** A change of the host: it counts as a write of the process that ran the program. */
  readonly change?: () => void;
}

/** A program as a function; undefined: it answers nothing to these arguments, as if it were not installed. */
export type SimProgram = (args: readonly string[], host: { readonly machine: SimMachine; readonly root: boolean }) => ProgramAnswer | undefined;

/** Programs of a simulated host that answer at once. What has no function here is missing. */
export class SimProgramCommands implements Commands {
  /** Every program that was run, with its arguments, in order. */
  readonly ran: (readonly string[])[] = [];
  readonly #self: SimProcess;
  readonly #root: boolean;
  readonly #programs: Map<string, SimProgram>;

  constructor(self: SimProcess, options: { readonly root: boolean; readonly programs: ReadonlyMap<string, SimProgram> }) {
    this.#self = self;
    this.#root = options.root;
    this.#programs = new Map(options.programs);
  }

  /** Installs a program, in front of one of the same name, which answers what this one does not. */
  install(name: string, program: SimProgram): void {
    const before = this.#programs.get(name);
    this.#programs.set(name, (args, host) => program(args, host) ?? before?.(args, host));
  }

  async run(program: string, args: readonly string[]): Promise<CommandResult> {
    this.#self.alive();
    this.ran.push([program, ...args]);
    const answer = this.#programs.get(program)?.(args, { machine: this.#self.machine, root: this.#root });
    if (!answer) return { outcome: 'missing' };
    const { change, code = 0, stdout = '', stderr = '' } = answer;
    if (change) await this.#self.change([program, ...args].join(' '), () => ({ whole: change }));
    return { outcome: 'exited', code, stdout, stderr };
  }
}

/** Lines of a program's output by its arguments, joined with spaces. */
export function answers(lines: Readonly<Record<string, string>>): SimProgram {
  return (args) => {
    const stdout = lines[args.join(' ')];
    return stdout === undefined ? undefined : { stdout };
  };
}

/** nft(8), as far as one table at a time is added, deleted and listed. */
export const nft: SimProgram = (args, { machine, root }) => {
  if (!root)
    return { code: 1, stderr: 'Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed: Operation not permitted\n' };
  const list = /^(?:--stateless |-s )?list table (?:(inet|ip6?) )?(\S+)$/.exec(args.join(' '));
  if (list) {
    const table = machine.kept.get(`nft table ${list[1] ?? 'ip'} ${list[2]}`);
    if (table !== undefined) return { stdout: table };
    return { code: 1, stderr: `Error: No such file or directory\nlist table ${list[1] ?? 'ip'} ${list[2]}\n                ^^^^\n` };
  }
  const script = args.join(' ');
  if (script.startsWith('-') || script.startsWith('list')) return script.includes('list') ? { stdout: '' } : undefined;
  return {
    change: () => {
      for (const [, verb, family, name] of script.matchAll(/\b(add|delete) table (inet|ip6?) (\w+)(?=\s*(?:;|\n|$))/g)) {
        if (verb === 'delete') machine.kept.delete(`nft table ${family} ${name}`);
        else if (!machine.kept.has(`nft table ${family} ${name}`)) machine.kept.set(`nft table ${family} ${name}`, `table ${family} ${name} {\n}\n`);
      }
      for (const [, family, name, body = ''] of script.matchAll(/(?:^|[;\n])\s*(?:add )?table (inet|ip6?) (\w+) (\{[^]*\})/g)) {
        machine.kept.set(`nft table ${family} ${name}`, printed(`table ${family} ${name} ${body}`));
      }
    },
  };
};

/** As nft lists: a line a statement, indented with tabs; type and policy of a chain share one. */
function printed(text: string): string {
  const pieces = text
    .replace(/\s+/g, ' ')
    .split(/(?<=[{;}])/)
    .map((piece) => piece.trim());
  let depth = 0;
  const lines: string[] = [];
  for (const piece of pieces) {
    const statement = piece.replace(/;$/, '').trim();
    if (statement === '') continue;
    if (statement === '}') depth--;
    const last = lines.at(-1);
    if (statement.startsWith('policy ') && last !== undefined && /^\t+type /.test(last)) lines[lines.length - 1] = `${last}; ${statement};`;
    else lines.push(`${'\t'.repeat(depth)}${statement}`);
    if (statement.endsWith('{')) depth++;
  }
  return `${lines.join('\n')}\n`;
}
