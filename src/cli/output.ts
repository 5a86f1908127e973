import { TautlineError } from '../base/index.js';
import type { Files } from '../base/index.js';
import type { Terminal } from './terminal.js';

/** A file as the result's place; `checkWritable` tells before a long run whether it can be. */
export interface OutputFiles extends Pick<Files, 'readText' | 'writeText'> {
  checkWritable(path: string): Promise<void>;
}

/**
 * Where the result goes. `--output` that cannot be written is told before measuring starts; the
 * result then goes to stdout, so that nothing is lost, and the exit code says that something failed. What is
 * written `beside` a result that goes to stdout anyway is only missed.
 */
export class ResultOutput {
  readonly #files: OutputFiles;
  readonly #terminal: Terminal;
  readonly #path: string | undefined;
  readonly #beside: boolean;
  #failed = false;

  constructor(ports: { files: OutputFiles; terminal: Terminal }, options: { path?: string; beside?: boolean }) {
    this.#files = ports.files;
    this.#terminal = ports.terminal;
    this.#path = options.path;
    this.#beside = options.beside ?? false;
  }

  /** Call before measuring. */
  async prepare(): Promise<void> {
    if (this.#path !== undefined) await this.#attempt(() => this.#files.checkWritable(this.#path ?? ''));
  }

  /** @returns whether the result is where it was asked to be */
  async write(text: string): Promise<boolean> {
    const ended = text.endsWith('\n') ? text : `${text}\n`;
    if (this.#path !== undefined && !this.#failed) await this.#attempt(() => this.#files.writeText(this.#path ?? '', ended));
    if (!this.#beside && (this.#path === undefined || this.#failed)) await this.#terminal.stdout(ended);
    return !this.#failed;
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof TautlineError)) throw error;
      this.#failed = true;
      this.#terminal.stderr(
        `tautline: ${error.message}\n  hint: ${error.hint === undefined ? '' : `${error.hint}; `}${this.#beside ? 'the rest of the result is not touched by this' : 'the result goes to stdout instead'}\n`,
      );
    }
  }
}
