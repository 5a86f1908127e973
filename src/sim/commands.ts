import type { CommandResult, Commands } from '../base/index.js';
import type { CommandSpec } from './scenario.js';
import type { Timeline } from './timeline.js';

/** Programs that answer by a script; what the script does not name is missing. */
export class SimCommands implements Commands {
  /** Every program that was run, with its arguments, in order. */
  readonly ran: (readonly string[])[] = [];
  readonly #timeline: Timeline;
  readonly #specs: CommandSpec[];

  constructor(timeline: Timeline, specs: readonly CommandSpec[] = []) {
    this.#timeline = timeline;
    this.#specs = [...specs];
  }

  /** Scripts one more program; the last one scripted for the same arguments wins. */
  script(spec: CommandSpec): void {
    this.#specs.unshift(spec);
  }

  run(program: string, args: readonly string[], options: { timeoutMs: number; signal?: AbortSignal }): Promise<CommandResult> {
    this.ran.push([program, ...args]);
    const spec = this.#specs.find((candidate) => candidate.program === program && (candidate.args ?? []).every((arg, i) => arg === args[i]));
    const deferred = this.#timeline.deferred<CommandResult>();
    const { signal, timeoutMs } = options;
    const settle = (result: CommandResult): void => {
      event.cancelled = true;
      signal?.removeEventListener('abort', cut);
      deferred.resolve(result);
    };
    const texts = { stdout: spec?.stdout ?? '', stderr: spec?.stderr ?? '' };
    const cut = (): void => settle({ outcome: 'timeout', ...texts });
    const takesMs = spec?.takesMs ?? 0;
    const event = this.#timeline.after(Math.min(takesMs, timeoutMs) * 1e6, () => {
      if (!spec) settle({ outcome: 'missing' });
      else if (takesMs > timeoutMs) cut();
      else settle({ outcome: 'exited', code: spec.code ?? 0, ...texts });
    });
    if (signal?.aborted && spec) cut();
    else signal?.addEventListener('abort', cut);
    return deferred.promise;
  }
}
