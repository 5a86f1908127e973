import { lineNumber } from './marked-block.js';

/** A value of a JSON text with where it stands. */
export interface JsonNode {
  readonly start: number;
  readonly end: number;
  /** Of an object, in the order of the text. */
  readonly members?: readonly JsonMember[];
}

export interface JsonMember {
  readonly key: string;
  readonly start: number;
  readonly value: JsonNode;
}

export interface JsonProblem {
  readonly problem: string;
}

/** Deeper nesting is no configuration. */
const DEPTH_MAX = 64;

/**
 * Sets one value of a JSON text (RFC 8259) and leaves every other byte as it is: order, indentation and line ends stay.
 * An empty text becomes an object.
 * @param text one character a byte; @param value of ASCII only
 */
export function setJson(text: string, path: readonly string[], value: unknown): { readonly text: string } | JsonProblem {
  if (isEmpty(text)) return { text: `${JSON.stringify(nested(path, value), undefined, 2)}\n` };
  const root = parseJson(text);
  if ('problem' in root) return root;
  return setBelow(text, root, path, value);
}

/** The value at a path of a JSON text; undefined where there is none. */
export function valueAt(text: string, path: readonly string[]): { readonly value: unknown } | JsonProblem | undefined {
  if (isEmpty(text)) return undefined;
  let node = parseJson(text);
  if ('problem' in node) return node;
  if (!node.members) return { problem: `${placeOf(text, node.start)}: an object is expected` };
  for (const key of path) {
    const member: JsonMember | undefined = node.members?.find((each) => each.key === key);
    if (!member) return undefined;
    node = member.value;
  }
  return { value: JSON.parse(Buffer.from(text.slice(node.start, node.end), 'latin1').toString('utf8')) as unknown };
}

/** Where everything stands; a problem names line and column, counted from 1. */
export function parseJson(text: string): JsonNode | JsonProblem {
  try {
    const reader = new Reader(text);
    const node = reader.value(0);
    reader.end();
    return node;
  } catch (error) {
    if (error instanceof JsonFault) return { problem: `${placeOf(text, error.at)}: ${error.message}` };
    throw error;
  }
}

function setBelow(text: string, node: JsonNode, path: readonly string[], value: unknown): { readonly text: string } | JsonProblem {
  const [key, ...rest] = path;
  if (key === undefined) return { text: text.slice(0, node.start) + lay(value, layoutAt(text, node)) + text.slice(node.end) };
  if (!node.members) return { problem: `${placeOf(text, node.start)}: an object is expected` };
  const there = node.members.filter((member) => member.key === key);
  if (there.length > 1) return { problem: `${placeOf(text, there[1]?.start ?? node.start)}: '${key}' is there twice` };
  if (there[0]) return setBelow(text, there[0].value, rest, value);
  return { text: insert(text, node, key, nested(rest, value)) };
}

function insert(text: string, node: JsonNode, key: string, value: unknown): string {
  const last = node.members?.at(-1);
  const first = node.members?.[0];
  if (first && last) {
    const gap = text.slice(node.start + 1, first.start);
    const layout = gap.includes('\n') ? layoutOf(gap, layoutAt(text, node)?.margin ?? '') : undefined;
    const member = `${JSON.stringify(key)}: ${lay(value, layout)}`;
    return `${text.slice(0, last.value.end)},${layout ? gap : ' '}${member}${text.slice(last.value.end)}`;
  }
  const outer = layoutAt(text, node);
  const lineEnd = outer?.lineEnd ?? '\n';
  const unit = outer?.unit ?? '  ';
  const margin = outer?.margin ?? '';
  const inner = { lineEnd, unit, margin: margin + unit };
  const body = `${lineEnd}${inner.margin}${JSON.stringify(key)}: ${lay(value, inner)}${lineEnd}${margin}`;
  return `${text.slice(0, node.start + 1)}${body}${text.slice(node.end - 1)}`;
}

interface Layout {
  readonly lineEnd: string;
  /** One level of indentation. */
  readonly unit: string;
  /** The indentation of the line on which the value begins. */
  readonly margin: string;
}

/** From the white space before the first member of an object, whose own line begins with `outer`. */
function layoutOf(gap: string, outer: string): Layout {
  const margin = gap.slice(gap.lastIndexOf('\n') + 1);
  const step = margin.startsWith(outer) ? margin.slice(outer.length) : margin;
  return { lineEnd: gap.includes('\r\n') ? '\r\n' : '\n', unit: step === '' ? '  ' : step, margin };
}

/** How a value that begins on this line is laid out; undefined in a text of one line. */
function layoutAt(text: string, node: JsonNode): Layout | undefined {
  if (!text.trim().includes('\n')) return undefined;
  const lineStart = text.lastIndexOf('\n', node.start - 1) + 1;
  const margin = /^[ \t]*/.exec(text.slice(lineStart))?.[0] ?? '';
  const gap = /\{(\s*\n[ \t]+)"/.exec(text)?.[1];
  const unit = gap === undefined ? '  ' : layoutOf(gap, '').unit;
  return { lineEnd: text.includes('\r\n') ? '\r\n' : '\n', unit, margin };
}

function lay(value: unknown, layout: Layout | undefined): string {
  if (!layout) return JSON.stringify(value);
  return JSON.stringify(value, undefined, layout.unit).replaceAll('\n', layout.lineEnd + layout.margin);
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.toReversed().reduce<unknown>((inner, key) => ({ [key]: inner }), value);
}

function isEmpty(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text);
}

export function placeOf(text: string, at: number): string {
  return `line ${lineNumber(text, at)}, column ${at - text.lastIndexOf('\n', at - 1)}`;
}

class JsonFault extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonNode {
    if (depth > DEPTH_MAX) throw new JsonFault(this.#at, `nested deeper than ${DEPTH_MAX} levels`);
    this.#space();
    const start = this.#at;
    const character = this.#text[start];
    if (character === '{') return this.#object(depth);
    if (character === '[') return this.#list(depth);
    if (character === '"') this.#string();
    else this.#word();
    return { start, end: this.#at };
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw new JsonFault(this.#at, 'something follows the value');
  }

  #object(depth: number): JsonNode {
    const start = this.#at++;
    const members: JsonMember[] = [];
    this.#space();
    if (this.#take('}')) return { start, end: this.#at, members };
    do {
      this.#space();
      const at = this.#at;
      if (this.#text[at] !== '"')
        throw new JsonFault(at, this.#text[at] === '}' ? 'a comma before the closing brace' : 'a name in quotes is expected');
      this.#string();
      const key = JSON.parse(this.#text.slice(at, this.#at)) as string;
      this.#space();
      if (!this.#take(':')) throw new JsonFault(this.#at, `a colon is expected after "${key}"`);
      members.push({ key, start: at, value: this.value(depth + 1) });
      this.#space();
    } while (this.#take(','));
    if (!this.#take('}')) throw new JsonFault(this.#at, 'a comma or a closing brace is expected');
    return { start, end: this.#at, members };
  }

  #list(depth: number): JsonNode {
    const start = this.#at++;
    this.#space();
    if (this.#take(']')) return { start, end: this.#at };
    do {
      this.value(depth + 1);
      this.#space();
    } while (this.#take(','));
    if (!this.#take(']')) throw new JsonFault(this.#at, 'a comma or a closing bracket is expected');
    return { start, end: this.#at };
  }

  #string(): void {
    const found = this.#sticky(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/y);
    if (found === undefined) throw new JsonFault(this.#at, 'a string that does not end, or with a character that JSON does not allow in it');
  }

  #word(): void {
    const found = this.#sticky(/(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y);
    if (found === undefined) throw new JsonFault(this.#at, this.#at >= this.#text.length ? 'the text ends too early' : 'no value of JSON');
  }

  #space(): void {
    this.#sticky(/[ \t\r\n]*/y);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #sticky(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}
