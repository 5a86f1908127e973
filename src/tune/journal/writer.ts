import type { HostControl } from '../../base/index.js';
import { CHAIN_START, chainAfter, encodeLine } from './codec.js';
import type { JournalRecord } from './records.js';

/** Writes a journal, line by line; each is on the disk when `append` returns. */
export class JournalWriter {
  readonly path: string;
  readonly #control: HostControl;
  /** The lines that count. */
  #text: string;
  #chain;
  /** Whether the file may hold something else than `#text`: a torn line, which nothing may be written behind. */
  #torn: boolean;

  constructor(control: HostControl, path: string, found: { readonly text: string; readonly torn: boolean } = { text: '', torn: false }) {
    this.#control = control;
    this.path = path;
    this.#text = found.text;
    this.#torn = found.torn;
    this.#chain = found.text === '' ? CHAIN_START : chainAfter(found.text);
  }

  /** @throws TautlineError when it is not on the disk; then it counts as not written, and the next line is written in its place */
  async append(record: JournalRecord): Promise<void> {
    if (this.#torn) await this.#mend();
    const { line, next } = encodeLine(this.#chain, record);
    this.#torn = true;
    await this.#control.append(this.path, line);
    this.#torn = false;
    this.#text += line;
    this.#chain = next;
  }

  /** Puts the file there anew with the lines that count and nothing else. */
  async #mend(): Promise<void> {
    const found = await this.#control.readEntry(this.path);
    const owner = found?.kind === 'file' ? found : undefined;
    if (owner !== undefined) {
      await this.#control.writeEntry(this.path, {
        kind: 'file',
        bytesBase64: toBase64(new TextEncoder().encode(this.#text)),
        links: 1,
        mode: owner.mode,
        ownerId: owner.ownerId,
        groupId: owner.groupId,
      });
    }
    this.#torn = false;
  }
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
