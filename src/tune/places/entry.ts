import { TautlineError, shellWord } from '../../base/index.js';
import type { Entry } from '../../base/index.js';
import type { Place, PlaceStates } from '../place.js';

type State = PlaceStates['entry'];
type File = Extract<Entry, { kind: 'file' }>;

/** A file, link or folder of the disk. Whoever plans a change of a file that may be a link names where the link ends (`realPath`). */
export const entryPlace: Place<'entry'> = {
  kind: 'entry',
  read: async (ports, { path }) => (await ports.control.readEntry(path)) ?? { kind: 'nothing' },
  async write({ control }, { path }, state) {
    if (state.kind === 'nothing') return await control.removeEntry(path);
    const found = await control.readEntry(path);
    refuse(path, found, state);
    await control.writeEntry(path, state);
  },
  holds,
  label: ({ path }) => path,
  show,
  commands: ({ path }, state) => commands(path, state),
  reach: () => 'disk',
};

/** A regular file of this text, as a wish: owned by `ownerId`, its times are when it is written. */
export function textFile(text: string, meta: { readonly mode: number; readonly ownerId?: number; readonly groupId?: number }): File {
  return {
    kind: 'file',
    bytesBase64: toBase64(new TextEncoder().encode(text)),
    links: 1,
    mode: meta.mode,
    ownerId: meta.ownerId ?? 0,
    groupId: meta.groupId ?? 0,
  };
}

/** The text of a file; undefined where its bytes are no UTF-8, so that nothing is lost by taking it for text. */
export function textOf(file: Extract<Entry, { kind: 'file' }>): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytesOf(file));
  } catch {
    return undefined;
  }
}

/** Why this may not be replaced, said before anything is. */
export function whyNotReplaced(path: string, found: Entry | { readonly kind: 'nothing' }): string | undefined {
  if (found.kind === 'other') return `${path} is a ${found.is}, and only files, links and folders can be put back as they were`;
  if (found.kind === 'file' && found.links > 1) {
    return `${path} has ${found.links - 1} other name${found.links > 2 ? 's' : ''} (hard links): a file that is replaced would part from them`;
  }
  return undefined;
}

function refuse(path: string, found: Entry | undefined, state: Entry): void {
  if (state.kind === 'other') throw new TautlineError('unsupported', `${path} was a ${state.is}, which cannot be made again`);
  if (found === undefined) return;
  const why =
    whyNotReplaced(path, found) ??
    ((found.kind === 'folder') === (state.kind === 'folder') ? undefined : `${path} is a ${found.kind} where a ${state.kind} is to be`);
  if (why !== undefined)
    throw new TautlineError('unsupported', `not changed: ${why}`, { hint: `make it one plain file of its own, or edit it by hand` });
}

/** Times do not count: a file that was read or touched is still the same, and what is put back gets its times in any case. */
function holds(state: State, meant: State): boolean {
  switch (meant.kind) {
    case 'nothing':
      return state.kind === 'nothing';
    case 'file':
      return state.kind === 'file' && state.bytesBase64 === meant.bytesBase64 && sameOwner(state, meant) && state.mode === meant.mode;
    case 'link':
      return state.kind === 'link' && state.target === meant.target && sameOwner(state, meant);
    case 'folder':
      return state.kind === 'folder' && sameOwner(state, meant) && state.mode === meant.mode;
    case 'other':
      return state.kind === 'other' && state.is === meant.is;
  }
}

interface Owned {
  readonly ownerId: number;
  readonly groupId: number;
}

function sameOwner(a: Owned, b: Owned): boolean {
  return a.ownerId === b.ownerId && a.groupId === b.groupId;
}

function show(state: State, beside?: State): string {
  switch (state.kind) {
    case 'nothing':
      return 'nothing';
    case 'file': {
      const sizeBytes = bytesOf(state).length;
      if (beside?.kind !== 'file') return `a file of ${sizeBytes} bytes`;
      const differs = [
        ...(beside.bytesBase64 !== state.bytesBase64 && bytesOf(beside).length === sizeBytes ? ['of other content'] : []),
        ...(beside.mode === state.mode ? [] : [`mode ${octal(state.mode)}`]),
        ...(sameOwner(state, beside) ? [] : [`owner ${state.ownerId}:${state.groupId}`]),
      ];
      return [`a file of ${sizeBytes} bytes`, ...differs].join(', ');
    }
    case 'link':
      return `a link to ${state.target}`;
    case 'folder':
      return `a folder, mode ${octal(state.mode)}`;
    case 'other':
      return `a ${state.is}`;
  }
}

/** One string is one command, which may have several lines; a here-document must not be indented. */
function commands(path: string, state: State): readonly string[] {
  const at = argument(path);
  switch (state.kind) {
    case 'nothing':
      // What is not empty stays, as in removeEntry.
      return [`if [ -d ${at} ] && [ ! -L ${at} ]; then rmdir ${at} || :; else rm -f ${at}; fi`];
    case 'file':
      return [
        write(at, state),
        `chown ${state.ownerId}:${state.groupId} ${at}`,
        `chmod ${octal(state.mode)} ${at}`,
        ...(state.modifiedNs === undefined ? [] : [`touch -m -d ${isoTime(state.modifiedNs)} ${at} || :`]),
      ];
    case 'link':
      return [`rm -f ${at}`, `ln -s ${argument(state.target)} ${at}`, `chown -h ${state.ownerId}:${state.groupId} ${at}`];
    case 'folder':
      return [`install -d -m ${octal(state.mode)} -o ${state.ownerId} -g ${state.groupId} ${at}`];
    case 'other':
      return [`# ${at} was a ${state.is}, which cannot be made again`];
  }
}

/** Readable where it can be: a quoted here-document for lines of text, else base64. */
function write(at: string, file: File): string {
  const text = textOf(file);
  if (file.bytesBase64 === '') return `: > ${at}`;
  // Control and format characters are left to base64: a terminal or an editor would not show what is there.
  if (text === undefined || !text.endsWith('\n') || /[^\P{C}\n\t]|[\u2028\u2029]/u.test(text)) {
    return `printf '%s' ${file.bytesBase64} | base64 -d > ${at}`;
  }
  const lines = text.split('\n');
  let end = 'END_OF_FILE';
  while (lines.includes(end)) end += '_';
  return `cat > ${at} <<'${end}'\n${text}${end}`;
}

/** A path as an argument: one that begins with a hyphen would be taken for an option. */
function argument(path: string): string {
  return shellWord(path.startsWith('-') ? `./${path}` : path);
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** POSIX touch takes it with a fraction. */
function isoTime(ns: string): string {
  const whole = BigInt(ns) / 1_000_000_000n;
  const fraction = (BigInt(ns) % 1_000_000_000n).toString().padStart(9, '0');
  return `${new Date(Number(whole) * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
}

function bytesOf(file: File): Uint8Array {
  return Uint8Array.from(atob(file.bytesBase64), (char) => char.charCodeAt(0));
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
