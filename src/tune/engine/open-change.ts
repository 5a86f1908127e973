import { TautlineError, assert } from '../../base/index.js';
import type { JournalFile } from '../journal/folder.js';
import type { BeginRecord } from '../journal/record-schema.js';
import type { JournalRecord } from '../journal/records.js';
import { JournalWriter } from '../journal/writer.js';
import type { TunePorts } from '../ports.js';
import { advance, opened, replay } from './replay.js';
import type { ChangeView } from './replay.js';

/** A change whose journal may be gone on with: its state, and the file, in step with each other. */
export class OpenChange {
  readonly id: string;
  readonly path: string;
  #view: ChangeView;
  readonly #writer: JournalWriter;
  readonly #waiting: JournalRecord[] = [];
  #unrecorded: TautlineError | undefined;

  private constructor(id: string, view: ChangeView, writer: JournalWriter) {
    this.id = id;
    this.path = writer.path;
    this.#view = view;
    this.#writer = writer;
  }

  /** Writes the first line: from then on the change can be undone. @throws TautlineError when it is not on the disk */
  static async begin(ports: TunePorts, path: string, begin: BeginRecord): Promise<OpenChange> {
    const writer = new JournalWriter(ports.control, path);
    await writer.append(begin);
    return new OpenChange(begin.change, opened(begin), writer);
  }

  /** Goes on with a journal that was read; undefined when its records contradict each other. */
  static from(ports: TunePorts, file: JournalFile): OpenChange | { readonly damaged: string } | undefined {
    const { content } = file;
    if (content.kind === 'never-begun') return undefined;
    if (content.kind === 'damaged') return { damaged: damageOf(file.path, content.why) };
    const view = replay(content.records);
    if ('problem' in view) return { damaged: damageOf(file.path, view.problem) };
    return new OpenChange(file.id, view, new JournalWriter(ports.control, file.path, content));
  }

  get view(): ChangeView {
    return this.#view;
  }

  /** Why the file does not tell all that was done since; undefined when it does. */
  get unrecorded(): TautlineError | undefined {
    return this.#unrecorded;
  }

  /** Records before the deed. @throws TautlineError when it is not on the disk: then it must not be done */
  async record(record: JournalRecord): Promise<void> {
    const next = this.#after(record);
    await this.#flush();
    await this.#writer.append(record);
    this.#view = next;
  }

  /**
   * Records while putting things back, which goes on when the disk is full: all that it needs is on the disk since the
   * beginning, and doing it a second time does no harm. What could not be written is tried again with the next record.
   */
  async note(record: JournalRecord): Promise<void> {
    this.#view = this.#after(record);
    this.#waiting.push(record);
    try {
      await this.#flush();
      this.#unrecorded = undefined;
    } catch (error) {
      if (!(error instanceof TautlineError) || error.code !== 'io') throw error;
      this.#unrecorded = error;
    }
  }

  async #flush(): Promise<void> {
    for (let record = this.#waiting[0]; record !== undefined; record = this.#waiting[0]) {
      await this.#writer.append(record);
      this.#waiting.shift();
    }
  }

  #after(record: JournalRecord): ChangeView {
    const next = advance(this.#view, record);
    assert(next !== undefined, `${record.type} cannot follow in the journal of ${this.id}`);
    return next;
  }
}

function damageOf(path: string, why: string): string {
  return `the journal ${path} is damaged: ${why}`;
}

export function damagedError(sentence: string): TautlineError {
  return new TautlineError('io', sentence, {
    hint: 'nothing was changed. What was there before stands in its first line ("original" of each step): put it back by hand, then move the file elsewhere',
  });
}
