/** Where a use case says what it is doing; the command line shows it, tests collect it. */
export interface Progress {
  /** Said once the plan is known: what will be measured, and how long it will take. */
  planned(plan: { readonly lines: readonly string[]; readonly totalMs: number }): void;
  /** A present-tense phrase, and the time left as far as it is known. */
  update(doing: string, leftMs: number | undefined): void;
}

export const NO_PROGRESS: Progress = { planned: () => undefined, update: () => undefined };
