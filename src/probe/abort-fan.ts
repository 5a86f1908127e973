/**
 * One abort for many: each operation gets a signal of its own, so that no signal gathers hundreds of
 * listeners, and all of them abort when the parent does or `abort` is called.
 */
export class AbortFan {
  readonly #parent: AbortSignal;
  readonly #open = new Set<AbortController>();
  readonly #onAbort = (): void => this.abort();
  #aborted = false;

  constructor(parent: AbortSignal) {
    this.#parent = parent;
    if (parent.aborted) this.#aborted = true;
    else parent.addEventListener('abort', this.#onAbort, { once: true });
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  /** A signal for one operation; `release` forgets it once the operation is over. */
  branch(): { readonly signal: AbortSignal; readonly release: () => void } {
    const controller = new AbortController();
    if (this.#aborted) controller.abort();
    else this.#open.add(controller);
    return { signal: controller.signal, release: () => void this.#open.delete(controller) };
  }

  /** Aborts every branch, also those to come; may be called twice. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#parent.removeEventListener('abort', this.#onAbort);
    for (const controller of this.#open) controller.abort();
    this.#open.clear();
  }
}
