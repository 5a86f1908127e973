import type { Log } from '../base/index.js';

export interface LogLine {
  readonly atMs: number;
  readonly level: 'debug' | 'info' | 'warn';
  readonly message: string;
}

/** Keeps what was logged, and when. */
export class SimLog implements Log {
  readonly lines: LogLine[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  debug(message: string): void {
    this.#add('debug', message);
  }

  info(message: string): void {
    this.#add('info', message);
  }

  warn(message: string): void {
    this.#add('warn', message);
  }

  #add(level: LogLine['level'], message: string): void {
    this.lines.push({ atMs: this.#nowMs(), level, message });
  }
}
