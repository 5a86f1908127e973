import { displayWidth, fit } from './terminal-text.js';

export interface Column {
  readonly head: string;
  readonly align: 'left' | 'right';
  /** Where the table is too wide, the column with the lowest number goes first; one without stays. */
  readonly drop?: number;
  /** The one column that is cut when nothing is left to drop. */
  readonly flexible?: boolean;
}

export interface Cell {
  readonly text: string;
  /** Wraps the text, in colour for example; must not change its width. */
  readonly style?: (text: string) => string;
}

/** Which columns fit, and how wide each is. Made over all rows of a report, so that its tables line up. */
export interface Layout {
  readonly columns: readonly Column[];
  /** Positions of the shown columns in the cells of a row. */
  readonly shown: readonly number[];
  readonly widths: readonly number[];
}

const GAP = '  ';
const FLEXIBLE_MIN = 12;
const WORDS_MIN = 4;

export function layoutOf(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): Layout {
  const widths = columns.map((_, i) => rows.reduce((widest, row) => Math.max(widest, displayWidth(row[i]?.text ?? '')), 0));
  // A column that no row fills is not shown at all.
  let shown = columns.map((_, i) => i).filter((i) => (widths[i] ?? 0) > 0);
  columns.forEach(({ head }, i) => (widths[i] = Math.max(widths[i] ?? 0, displayWidth(head))));
  const total = (): number => shown.reduce((sum, i) => sum + (widths[i] ?? 0), 0) + GAP.length * Math.max(0, shown.length - 1);
  const dropped: number[] = [];
  while (total() > width) {
    const next = shown.filter((i) => columns[i]?.drop !== undefined).sort((a, b) => (columns[a]?.drop ?? 0) - (columns[b]?.drop ?? 0))[0];
    if (next === undefined) break;
    dropped.push(next);
    shown = shown.filter((i) => i !== next);
  }
  // Dropping a wide column may have made room for a narrow one that went before it.
  for (const back of dropped.reverse()) {
    if (total() + GAP.length + (widths[back] ?? 0) <= width) shown = [...shown, back].sort((a, b) => a - b);
  }
  const flexible = columns.findIndex((column) => column.flexible);
  if (flexible >= 0 && total() > width) widths[flexible] = Math.max(FLEXIBLE_MIN, (widths[flexible] ?? 0) - (total() - width));
  // What is left are columns that all matter: words are cut, the longest first, figures never.
  while (total() > width) {
    const words = shown
      .filter((i) => columns[i]?.align === 'left' && (widths[i] ?? 0) > WORDS_MIN)
      .sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
    const [longest] = words;
    if (longest === undefined) break;
    widths[longest] = (widths[longest] ?? 0) - 1;
  }
  return { columns, shown, widths };
}

export function headLine(layout: Layout): string {
  return line(
    layout,
    layout.columns.map(({ head }) => ({ text: head })),
  );
}

export function line(layout: Layout, cells: readonly Cell[]): string {
  const parts = layout.shown.map((i) => {
    const width = layout.widths[i] ?? 0;
    const cell = cells[i] ?? { text: '' };
    const text = fit(cell.text, width);
    const padding = ' '.repeat(Math.max(0, width - displayWidth(text)));
    const styled = cell.style && text !== '' ? cell.style(text) : text;
    return layout.columns[i]?.align === 'right' ? padding + styled : styled + padding;
  });
  return parts.join(GAP).trimEnd();
}

export function tableWidth(layout: Layout): number {
  return layout.shown.reduce((sum, i) => sum + (layout.widths[i] ?? 0), 0) + GAP.length * Math.max(0, layout.shown.length - 1);
}
