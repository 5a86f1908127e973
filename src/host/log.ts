import type { Log } from '../base/index.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'none'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes to stderr, so that stdout stays the result's own. */
export function createLog(options: { level?: LogLevel; write?: (text: string) => void } = {}): Log {
  const least = LOG_LEVELS.indexOf(options.level ?? 'warn');
  const write = options.write ?? ((text: string): void => void process.stderr.write(text));
  const at =
    (level: LogLevel, label: string) =>
    (message: string): void => {
      if (LOG_LEVELS.indexOf(level) >= least) write(`tautline: ${label}${message}\n`);
    };
  return { debug: at('debug', 'debug: '), info: at('info', ''), warn: at('warn', 'warning: ') };
}
