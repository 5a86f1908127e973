/**
 * Result documents for people and programs, one file a format. A report shows what a document says and judges
 * nothing: ratings and the conclusion are already in it. Text that came from peers is made harmless here: no
 * control character reaches a terminal, no formula a spreadsheet, no markup a page.
 *
 *     process.stdout.write(REPORTS.text.render(document, { color: true, width: 80 }));
 */
import type { AdviceDocument, HistoryDocument, ResultDocument } from '../results/index.js';
import { renderAdviceMarkdown } from './advice-markdown.js';
import { renderAdviceText } from './advice-text.js';
import { renderCsv } from './csv.js';
import { renderHistoryCsv, renderHistoryMarkdown } from './history-tables.js';
import { renderHistoryText } from './history-text.js';
import type { HistoryTextOptions } from './history-text.js';
import { renderHtml } from './html/page.js';
import { renderJson } from './json.js';
import { renderMarkdown } from './markdown.js';
import { renderText } from './text.js';

export interface RenderOptions {
  /** Whether ANSI colours may be used; only `text` does. */
  readonly color: boolean;
  /** Columns of the terminal; only `text` looks at it. */
  readonly width: number;
}

export interface Report {
  /** The whole document, ending in a line break. */
  render(document: ResultDocument, options: RenderOptions): string;
}

/** A new format is one file and one line here. */
export const REPORTS: Readonly<Record<'text' | 'json' | 'markdown' | 'csv' | 'html', Report>> = {
  text: { render: renderText },
  json: { render: (document) => renderJson(document) },
  markdown: { render: (document) => renderMarkdown(document) },
  csv: { render: (document) => renderCsv(document) },
  html: { render: (document) => renderHtml(document) },
};

/** Documents that are no run have formats of their own; what is not here is written as text. */
export const ADVICE_REPORTS: Readonly<Record<'text' | 'json' | 'markdown', (document: AdviceDocument, options: RenderOptions) => string>> = {
  text: renderAdviceText,
  json: renderJson,
  markdown: renderAdviceMarkdown,
};
export const HISTORY_REPORTS: Readonly<
  Record<'text' | 'json' | 'markdown' | 'csv', (document: HistoryDocument, options: HistoryTextOptions) => string>
> = { text: renderHistoryText, json: renderJson, markdown: renderHistoryMarkdown, csv: renderHistoryCsv };

export { CSV_HEADER } from './csv.js';
export { HISTORY_CSV_HEADER } from './history-tables.js';
export { renderExperimentHtml } from './html/experiment.js';
export { PAGE_BYTES_MAX } from './html/page.js';
export type { TuneRenderOptions } from './tune/lines.js';
export { EXPERIMENT_CSV_HEADER, experimentCsv } from './tune/csv.js';
export { TUNE_REPORTS } from './tune/reports.js';
export { settingsTable } from './tune/markdown.js';
export { groupTitle } from './tune/words.js';
export { displayWidth, printable } from './terminal-text.js';
