import { createHash } from 'node:crypto';
import type { AnyDocument, ResultDocument, Verdict } from '../../results/index.js';
import { dateLine, titleOf, verdictOf } from '../rows.js';
import { adviceSection } from './advice.js';
import { ceilingsSection } from './ceilings.js';
import { comparisonsSection } from './comparisons.js';
import { distributionsSection } from './distributions.js';
import { findingsSection, uncheckedSection } from './findings.js';
import { layersSection } from './layers.js';
import { loadsSection } from './loads.js';
import { type Content, type Markup, NOTHING, html, verbatim, written } from './markup.js';
import { pathsSection } from './paths.js';
import { provenanceSection } from './provenance.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';
import { tablesSection } from './tables.js';

/** A page above this is slow to open and to send; the document is then left out of it, and the page says so. */
export const PAGE_BYTES_MAX = 1_000_000;

/**
 * The document as one page that needs nothing else: no network, no font, no image. What may run or style it is
 * named by its hash in the page's own Content-Security-Policy, so that even markup that got in could do nothing.
 */
export function renderHtml(document: ResultDocument): string {
  return renderPage(document, { title: titleOf(document), verdict: verdictMarkup(document), sections: sectionsOf(document) });
}

/** What a page shows; everything around it is the same for all documents. */
export interface PageParts {
  readonly title: string;
  readonly verdict: Content;
  /** Those that are empty are left out. */
  readonly sections: readonly (readonly [name: string, section: Markup])[];
}

export function renderPage(document: Pick<AnyDocument, 'host' | 'startedAt' | 'tool'>, parts: PageParts): string {
  const body = bodyOf(document, parts);
  const page = (data: Content): string =>
    [
      '<!DOCTYPE html>',
      '<html lang="en">',
      written(headOf(document, parts.title)),
      '<body>',
      written([body, data]),
      `<script>${SCRIPT}</script>`,
      '</body>',
      '</html>',
      '',
    ].join('\n');
  const whole = page(embedded(document));
  if (new TextEncoder().encode(whole).length < PAGE_BYTES_MAX) return whole;
  return page(html`<p class="quiet page">The document itself is not in this page, since that would be larger than 1 MB: use --json for it.</p>`);
}

function headOf({ tool }: Pick<AnyDocument, 'tool'>, title: string): Markup {
  // Written apart from the rest: what is hashed must stand in the page as it is, without a space more.
  const style = verbatim(`<style>${STYLE}</style>`);
  return html`<head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta http-equiv="Content-Security-Policy" content="${policy()}" />
    <meta name="referrer" content="no-referrer" />
    <meta name="generator" content="tautline ${tool.version}" />
    <title>Tautline ${title}</title>
    ${style}
  </head>`;
}

function policy(): string {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return `default-src 'none'; script-src ${hash(SCRIPT)}; style-src ${hash(STYLE)}; base-uri 'none'; form-action 'none'`;
}

/** For programs. Within a script element only `<` could end it or open a comment, and in JSON it may always be written so. */
function embedded(document: object): Markup {
  const json = JSON.stringify(document).replace(/[<\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return verbatim(`<script type="application/json" id="document">${json}</script>`);
}

function sectionsOf(document: ResultDocument): PageParts['sections'] {
  const check = document.schema === 'tautline.check/1' ? document : undefined;
  return [
    ['Paths', pathsSection(document)],
    ['Findings', check ? findingsSection(check) : NOTHING],
    ['Latency', distributionsSection(document)],
    ['Under load', loadsSection(document)],
    ['Ceilings', ceilingsSection(document)],
    ['Compared', check ? comparisonsSection(check) : NOTHING],
    ['Faster link', check ? adviceSection(check) : NOTHING],
    ['Not checked', check ? uncheckedSection(check) : NOTHING],
    ['All figures', tablesSection(document)],
    ['Layers', layersSection(document)],
    ['Method', provenanceSection(document)],
  ];
}

function bodyOf({ host, startedAt }: Pick<AnyDocument, 'host' | 'startedAt'>, { title, verdict, sections }: PageParts): Markup {
  const shown = sections.filter(([, { markup }]) => markup !== '');
  return html`<a class="skip" href="#main">Skip to the results</a>
    <header>
      <p class="mark">Tautline</p>
      <h1>${title}</h1>
      <p class="quiet">${host.name}, ${dateLine(startedAt)}</p>
    </header>
    <main id="main" tabindex="-1">
      ${verdict}
      <nav aria-label="Sections">
        <ul>
          ${shown.map(([name, section]) => html`<li><a href="#${idOf(section)}">${name}</a></li>`)}
        </ul>
      </nav>
      ${shown.map(([, section]) => section)}
    </main>`;
}

function idOf({ markup }: Markup): string {
  return /^<section id="([a-z]+)"/.exec(markup)?.[1] ?? '';
}

function verdictMarkup(document: ResultDocument): Content {
  const verdict = verdictOf(document);
  if (!verdict) return document.interrupted === true && INTERRUPTED;
  return verdictSection({ ...markOf(verdict), sentence: verdict.sentence, interrupted: document.interrupted === true });
}

const INTERRUPTED: Markup = html`<p class="problem">Interrupted: this is what had been measured until then.</p>`;

/** `kind`: a band, `bad` or `open`. */
export function verdictSection(said: {
  readonly word: string;
  readonly kind: string;
  readonly sentence: string;
  readonly interrupted: boolean;
}): Markup {
  const { word, kind, sentence, interrupted } = said;
  return html`<section class="verdict ${kind}" aria-label="Verdict">
    <p class="word"><span aria-hidden="true">${SIGNS[kind]}</span> ${word}</p>
    <p class="sentence">${sentence}</p>
    ${interrupted && INTERRUPTED}
  </section>`;
}

const SIGNS: Readonly<Record<string, string>> = { excellent: '✓', good: '✓', fair: '!', poor: '✕', bad: '✕', open: '?' };

function markOf({ outcome, band }: Verdict): { word: string; kind: string } {
  if (outcome === 'pass') return { word: band ?? 'pass', kind: band ?? 'good' };
  if (outcome === 'fail') return { word: 'fail', kind: 'bad' };
  return { word: outcome, kind: outcome === 'inconclusive' ? 'open' : 'bad' };
}
