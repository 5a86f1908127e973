import type { TuneDocument } from '../../results/index.js';
import { renderJson } from '../json.js';
import { changeText } from './change-text.js';
import { experimentText } from './experiment-text.js';
import type { TuneRenderOptions } from './lines.js';
import { listText } from './list-text.js';
import { changeMarkdown, experimentMarkdown, listMarkdown, planMarkdown, statusMarkdown } from './markdown.js';
import { planText } from './plan-text.js';
import { statusText } from './status-text.js';

/** The documents of `tautline tune`; the experiment has formats of its own beside these (`EXPERIMENT_REPORTS`). */
export const TUNE_REPORTS: Readonly<Record<'text' | 'json' | 'markdown', (document: TuneDocument, options: TuneRenderOptions) => string>> = {
  text: (document, options) => joined(textLines(document, options)),
  json: (document) => renderJson(document),
  markdown: (document, options) => joined(markdownLines(document, options)),
};

function textLines(document: TuneDocument, options: TuneRenderOptions): string[] {
  switch (document.schema) {
    case 'tautline.plan/1':
      return planText(document, options);
    case 'tautline.change/1':
      return changeText(document, options);
    case 'tautline.status/1':
      return statusText(document, options);
    case 'tautline.experiment/1':
      return experimentText(document, options);
    case 'tautline.tune-list/1':
      return listText(document, options);
  }
}

function markdownLines(document: TuneDocument, options: TuneRenderOptions): string[] {
  switch (document.schema) {
    case 'tautline.plan/1':
      return planMarkdown(document);
    case 'tautline.change/1':
      return changeMarkdown(document);
    case 'tautline.status/1':
      return statusMarkdown(document, options.driftOnly);
    case 'tautline.experiment/1':
      return experimentMarkdown(document);
    case 'tautline.tune-list/1':
      return listMarkdown(document);
  }
}

function joined(lines: readonly string[]): string {
  return `${lines.join('\n').trimEnd()}\n`;
}
