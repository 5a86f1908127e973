/** A line over time in a terminal: dots of braille (two by four a character), or of ASCII where nothing else is shown. */
export interface PlotPoint {
  readonly atMs: number;
  readonly value: number;
  /** A letter under the axis, with a line through the plot: something changed here. */
  readonly mark?: string;
}

export interface PlotOptions {
  /** Columns of the whole, labels included. */
  readonly width: number;
  /** Rows of the plot itself. */
  readonly height: number;
  readonly unicode: boolean;
  /** Writes a value beside the axis; `step` is the distance of two ticks. */
  readonly label: (value: number, step: number) => string;
}

const DOTS = { x: 2, y: 4 } as const;

/** Lines of at most `width` columns; none where no point can be drawn. */
export function plotLines(all: readonly PlotPoint[], options: PlotOptions): string[] {
  const points = all.filter(isDrawable).sort((a, b) => a.atMs - b.atMs);
  if (points.length === 0) return [];
  const scale = niceScale(
    points.map(({ value }) => value),
    Math.max(2, Math.floor(options.height / 3)),
  );
  const labels = scale.ticks.map((tick) => options.label(tick, scale.step));
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const columns = Math.max(8, options.width - labelWidth - 2);
  const canvas = new Canvas(columns, options.height, options.unicode);
  const time = timeScale(points, columns * canvas.dots.x - 1);
  const yOf = (value: number): number => Math.round(((scale.top - value) / (scale.top - scale.bottom)) * (options.height * canvas.dots.y - 1));
  const places = points.map(({ atMs, value }) => ({ x: time(atMs), y: yOf(value) }));
  for (const [i, point] of points.entries()) if (point.mark !== undefined) canvas.column(Math.floor((places[i]?.x ?? 0) / canvas.dots.x));
  for (const [i, place] of places.entries()) {
    const before = places[i - 1];
    // Across a change the figures are of two different worlds: no line joins them.
    if (before && points[i]?.mark === undefined) canvas.line(before, place);
  }
  for (const place of places) canvas.point(place);
  const glyphs = options.unicode
    ? { tick: '┤', axis: '│', corner: '└', line: '─', down: '┬' }
    : { tick: '+', axis: '|', corner: '+', line: '-', down: '+' };
  const rowOf = (value: number): number => Math.min(options.height - 1, Math.floor(yOf(value) / canvas.dots.y));
  const byRow = new Map(scale.ticks.map((tick, i) => [rowOf(tick), labels[i] ?? '']));
  const rows = canvas.rows().map((row, i) => {
    const label = byRow.get(i);
    return `${(label ?? '').padStart(labelWidth)} ${label === undefined ? glyphs.axis : glyphs.tick}${row}`.trimEnd();
  });
  return [...rows, ...timeAxis(points, { columns, indent: labelWidth + 1, glyphs, columnOf: (atMs) => Math.floor(time(atMs) / canvas.dots.x) })];
}

/** No figure of a network is larger or finer; beyond, a kept file is spoilt, and scales have no steps left to count in. */
const VALUE_MAX = 1e21;
const VALUE_MIN = 1e-15;
/** What a date may be (ECMA-262, section 21.4.1.1). */
const TIME_MS_MAX = 8.64e15;

function isDrawable({ atMs, value }: PlotPoint): boolean {
  const size = Math.abs(value);
  return (size === 0 || (size >= VALUE_MIN && size <= VALUE_MAX)) && Math.abs(atMs) <= TIME_MS_MAX;
}

// --- Scales ----------------------------------------------------------------------------------

interface Scale {
  readonly bottom: number;
  readonly top: number;
  readonly step: number;
  readonly ticks: readonly number[];
}

/** Steps of 1, 2 or 5 times a power of ten; from zero on where the least value is small beside the largest. */
export function niceScale(values: readonly number[], ticksMax: number): Scale {
  const most = Math.max(...values);
  const least = Math.min(...values);
  // A line that hardly moves fills the plot with noise unless its scale is wider than its spread.
  const roomMin = Math.max(Math.abs(most), Math.abs(least)) * 0.04 || 1;
  const room = Math.max(0, roomMin - (most - least)) / 2;
  const low = least >= 0 && (least < most * 0.5 || least - room < 0) ? 0 : least - room;
  const high = most + room;
  const step = niceStep((high - low) / ticksMax);
  const bottom = Math.floor(low / step) * step;
  const top = Math.ceil(high / step) * step;
  const ticks = Array.from({ length: Math.round((top - bottom) / step) + 1 }, (_, i) => (Math.round(bottom / step) + i) * step);
  return { bottom, top: top > bottom ? top : bottom + step, step, ticks };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((each) => each * power >= rough) ?? 10;
  return factor * power;
}

function timeScale(points: readonly PlotPoint[], dotMax: number): (atMs: number) => number {
  const first = points[0]?.atMs ?? 0;
  const span = (points.at(-1)?.atMs ?? 0) - first;
  return (atMs) => (span > 0 ? Math.round(((atMs - first) / span) * dotMax) : Math.floor(dotMax / 2));
}

interface AxisOptions {
  readonly columns: number;
  readonly indent: number;
  readonly glyphs: { readonly corner: string; readonly line: string; readonly down: string };
  readonly columnOf: (atMs: number) => number;
}

const DAY_MS = 86_400_000;
const LABEL_GAP = 3;

/** The axis, the times under it, and the letters of what changed. */
function timeAxis(points: readonly PlotPoint[], { columns, indent, glyphs, columnOf }: AxisOptions): string[] {
  const first = points[0]?.atMs ?? 0;
  const span = (points.at(-1)?.atMs ?? 0) - first;
  const width = timeLabel(first, span).length;
  const count = span === 0 ? 1 : Math.max(2, Math.min(5, Math.floor((columns + LABEL_GAP) / (width + LABEL_GAP))));
  const times = Array.from({ length: count }, (_, i) => (count === 1 ? first : first + (span * i) / (count - 1)));
  const axis = Array.from({ length: columns }, () => glyphs.line);
  const labels = Array.from({ length: columns }, () => ' ');
  for (const atMs of times) {
    const column = columnOf(atMs);
    axis[column] = glyphs.down;
    put(labels, timeLabel(atMs, span), column - Math.floor(width / 2));
  }
  const letters = Array.from({ length: columns }, () => ' ');
  for (const { atMs, mark } of points) if (mark !== undefined) put(letters, mark, columnOf(atMs));
  const margin = ' '.repeat(indent);
  const marked = letters.join('').trimEnd();
  return [`${margin}${glyphs.corner}${axis.join('')}`, `${margin} ${labels.join('')}`.trimEnd(), ...(marked === '' ? [] : [`${margin} ${marked}`])];
}

function put(cells: string[], text: string, at: number): void {
  const start = Math.max(0, Math.min(cells.length - text.length, at));
  for (const [i, character] of [...text].entries()) cells[start + i] = character;
}

/** In UTC, as everything in a document is. */
function timeLabel(atMs: number, spanMs: number): string {
  const text = new Date(atMs).toISOString();
  if (spanMs < DAY_MS) return spanMs < 600_000 ? text.slice(11, 19) : text.slice(11, 16);
  return spanMs < 60 * DAY_MS ? `${text.slice(5, 10)} ${text.slice(11, 16)}` : text.slice(0, 10);
}

// --- Dots ------------------------------------------------------------------------------------

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Bits of a braille character by column and row of its dots (Unicode, Braille Patterns). */
const BRAILLE: readonly (readonly number[])[] = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
];

class Canvas {
  readonly dots: { readonly x: number; readonly y: number };
  readonly #columns: number;
  readonly #unicode: boolean;
  readonly #bits: Uint8Array;
  readonly #over = new Map<number, string>();

  constructor(columns: number, rows: number, unicode: boolean) {
    this.#columns = columns;
    this.#unicode = unicode;
    this.#bits = new Uint8Array(columns * rows);
    this.dots = unicode ? DOTS : { x: 1, y: 1 };
  }

  /** Bresenham's line. */
  line(from: Place, to: Place): void {
    const dx = Math.abs(to.x - from.x);
    const dy = -Math.abs(to.y - from.y);
    const [sx, sy] = [from.x < to.x ? 1 : -1, from.y < to.y ? 1 : -1];
    let { x, y } = from;
    let error = dx + dy;
    for (let i = 0; i <= dx - dy; i++) {
      this.#set(x, y);
      if (x === to.x && y === to.y) return;
      const twice = 2 * error;
      if (twice >= dy) [error, x] = [error + dy, x + sx];
      if (twice <= dx) [error, y] = [error + dx, y + sy];
    }
  }

  point({ x, y }: Place): void {
    this.#over.set(this.#cell(x, y), this.#unicode ? '•' : '*');
  }

  /** A line from top to bottom behind everything else. */
  column(column: number): void {
    for (let cell = column; cell < this.#bits.length; cell += this.#columns) this.#over.set(cell, this.#unicode ? '┊' : ':');
  }

  rows(): string[] {
    const cells = [...this.#bits].map((bits, i) => this.#over.get(i) ?? this.#glyph(bits));
    return Array.from({ length: cells.length / this.#columns }, (_, row) => cells.slice(row * this.#columns, (row + 1) * this.#columns).join(''));
  }

  #glyph(bits: number): string {
    if (bits === 0) return ' ';
    return this.#unicode ? String.fromCodePoint(0x2800 + bits) : '.';
  }

  #cell(x: number, y: number): number {
    return Math.floor(y / this.dots.y) * this.#columns + Math.floor(x / this.dots.x);
  }

  #set(x: number, y: number): void {
    const cell = this.#cell(x, y);
    this.#bits[cell] = (this.#bits[cell] ?? 0) | (BRAILLE[x % this.dots.x]?.[y % this.dots.y] ?? 0);
  }
}
