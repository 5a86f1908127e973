import { TautlineError } from '../../src/base/index.js';
import type { HostControl } from '../../src/base/index.js';
import { announceReady, createHostPorts } from '../../src/host/index.js';

// A program: makes the calls of HostControl that it is told, as JSON, and prints what each came to, as JSON.
// `guard WAY` instead is what `startGuard` starts.
const [first = '[]', way] = process.argv.slice(2);
if (first === 'guard') guard();
else await calls(JSON.parse(first) as Call[]);

type Call = [keyof HostControl, ...unknown[]];

async function calls(list: readonly Call[]): Promise<void> {
  const { control } = createHostPorts();
  const answers: unknown[] = [];
  for (const [name, ...args] of list) {
    const method = control[name] as (...args: readonly unknown[]) => Promise<unknown>;
    const answer = await method(...args).then(
      (value) => ({ value }),
      (error: unknown) =>
        error instanceof TautlineError ? { code: error.code, message: error.message, hint: error.hint } : { message: String(error) },
    );
    answers.push(answer);
  }
  process.stdout.write(`${JSON.stringify(answers)}\n`);
}

function guard(): void {
  if (way === 'broken') {
    process.stderr.write('no such change\n');
    process.exitCode = 3;
    return;
  }
  if (way !== 'silent') announceReady();
  // A guard that writes where nobody listens any more must not die of it.
  setInterval(() => process.stderr.write('still here\n'), 20);
}
