import type { Progress } from '../app/index.js';
import type { Terminal } from './terminal.js';

const CLEAR_LINE = '\r\u001b[2K';

/** Progress on stderr: one line that is written over on a terminal, a line for each new step elsewhere, nothing when quiet. */
export function createProgress(terminal: Terminal, options: { quiet: boolean }): Progress & { done(): void } {
  if (options.quiet) return { planned: () => undefined, update: () => undefined, done: () => undefined };
  return terminal.stderrIsTty ? overwritten(terminal) : lines(terminal);
}

function overwritten(terminal: Terminal): Progress & { done(): void } {
  let shown = '';
  const show = (text: string): void => {
    const cut = text.slice(0, Math.max(20, terminal.width - 1));
    if (cut !== shown) terminal.stderr(CLEAR_LINE + cut);
    shown = cut;
  };
  return {
    planned: ({ lines: planned, totalMs }) => {
      show('');
      terminal.stderr(planText(planned, totalMs));
    },
    update: (doing, leftMs) => show(leftMs === undefined ? `${doing} ...` : `${doing} (about ${seconds(leftMs)} left)`),
    done: () => show(''),
  };
}

function lines(terminal: Terminal): Progress & { done(): void } {
  let last = '';
  return {
    planned: ({ lines: planned, totalMs }) => terminal.stderr(planText(planned, totalMs)),
    update: (doing, leftMs) => {
      if (doing === last) return;
      last = doing;
      terminal.stderr(leftMs === undefined ? `${doing}\n` : `${doing} (about ${seconds(leftMs)} left)\n`);
    },
    done: () => undefined,
  };
}

function planText(planned: readonly string[], totalMs: number): string {
  const [first = ''] = planned;
  if (planned.length === 1) return `plan: ${first}, about ${seconds(totalMs)}\n`;
  return `plan, about ${seconds(totalMs)}:\n${planned.map((line) => `  ${line}\n`).join('')}`;
}

function seconds(ms: number): string {
  return `${Math.max(1, Math.round(ms / 1000))} s`;
}
