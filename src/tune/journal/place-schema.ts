import * as v from 'valibot';
import type { PlaceKind, PlaceOf, PlaceStates } from '../place.js';

/**
 * What may stand in a journal as a place and as what it holds. A roll-back writes what it reads here, with all rights, so
 * nothing is let in that the engine would not have written itself: no path with `..`, no name that is more than a name.
 */

const path = v.pipe(
  v.string(),
  v.maxLength(4096),
  v.check((text) => text.startsWith('/') && text.length > 1 && !hasControl(text), 'is not an absolute path'),
  v.check((text) => text.slice(1).split('/').every(isPathPart), 'is not a plain path: it has an empty part, `.` or `..`'),
);
const kernelPath = v.pipe(path, v.regex(/^\/(?:proc\/sys|proc\/irq|sys)\//, 'is not below /proc/sys, /proc/irq or /sys'));
/** dev_valid_name() of the kernel's net/core/dev.c: at most 15 bytes, no slash, no colon, no white space. */
const interfaceName = v.pipe(
  v.string(),
  v.regex(/^[^/:\s]{1,15}$/, 'is not an interface name'),
  v.check((name) => isPathPart(name) && !hasControl(name), 'is not an interface name'),
);
/** Names of programs' own things, which end up as arguments of commands. */
const word = v.pipe(v.string(), v.maxLength(128), v.regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'is not a name'));
const line = v.pipe(
  v.string(),
  v.maxLength(64 * 1024),
  v.check((text) => !hasControl(text), 'is more than one line of text'),
);
const service = v.pipe(line, v.minLength(1), v.maxLength(256));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const REFS: { readonly [K in PlaceKind]: v.GenericSchema<unknown, PlaceOf<K>> } = {
  'kernel-value': v.strictObject({ kind: v.literal('kernel-value'), path: kernelPath, choice: v.exactOptional(v.literal(true)) }),
  entry: v.strictObject({ kind: v.literal('entry'), path }),
  offloads: v.strictObject({ kind: v.literal('offloads'), interface: interfaceName }),
  coalescing: v.strictObject({ kind: v.literal('coalescing'), interface: interfaceName }),
  rings: v.strictObject({ kind: v.literal('rings'), interface: interfaceName }),
  channels: v.strictObject({ kind: v.literal('channels'), interface: interfaceName }),
  'root-queue': v.strictObject({ kind: v.literal('root-queue'), interface: interfaceName }),
  forwarding: v.strictObject({ kind: v.literal('forwarding'), family: v.picklist([4, 6]) }),
  'nft-table': v.strictObject({ kind: v.literal('nft-table'), family: v.picklist(['inet', 'ip', 'ip6']), name: word }),
  'latency-hold': v.strictObject({ kind: v.literal('latency-hold') }),
  'tailscale-pref': v.strictObject({ kind: v.literal('tailscale-pref'), name: word }),
  'macos-sysctl': v.strictObject({ kind: v.literal('macos-sysctl'), name: word }),
  'macos-media': v.strictObject({ kind: v.literal('macos-media'), service }),
  'macos-address': v.strictObject({ kind: v.literal('macos-address'), service }),
};

const id = v.pipe(count, v.maxValue(0xffff_ffff));
const mode = v.pipe(count, v.maxValue(0o7777));
/** Before 1970 there is a minus. */
const nanoseconds = v.pipe(v.string(), v.regex(/^-?\d{1,20}$/, 'is not a time in nanoseconds'));
const meta = { mode, ownerId: id, groupId: id, modifiedNs: v.exactOptional(nanoseconds), accessedNs: v.exactOptional(nanoseconds) };
const base64 = v.pipe(v.string(), v.regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, 'is not base64'));
const flag = v.boolean();
const optionalCount = v.exactOptional(count);
const optionalFlag = v.exactOptional(flag);

const STATES: { readonly [K in PlaceKind]: v.GenericSchema<unknown, PlaceStates[K]> } = {
  'kernel-value': line,
  entry: v.variant('kind', [
    v.strictObject({ kind: v.literal('file'), bytesBase64: base64, links: count, ...meta }),
    v.strictObject({ kind: v.literal('link'), target: v.pipe(line, v.minLength(1), v.maxLength(4096)), ownerId: id, groupId: id }),
    v.strictObject({ kind: v.literal('folder'), mode, ownerId: id, groupId: id }),
    v.strictObject({ kind: v.literal('other'), is: v.picklist(['file', 'folder', 'socket', 'link', 'other']) }),
    v.strictObject({ kind: v.literal('nothing') }),
  ]),
  offloads: v.record(v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'is not the name of an offload')), flag),
  coalescing: v.strictObject({ rxUsecs: optionalCount, txUsecs: optionalCount, adaptiveRx: optionalFlag, adaptiveTx: optionalFlag }),
  rings: v.strictObject({ rx: optionalCount, tx: optionalCount }),
  channels: v.strictObject({ rx: optionalCount, tx: optionalCount, combined: optionalCount }),
  'root-queue': v.strictObject({ queue: word, byKernel: flag, leaf: v.exactOptional(word) }),
  forwarding: v.record(
    v.pipe(
      v.string(),
      v.regex(/^(?:ip_forward|conf\/[^/:\s]{1,15}\/(?:forwarding|accept_redirects|accept_ra))$/, 'is no key of forwarding'),
      v.check((key) => key.split('/').every(isPathPart) && !hasControl(key), 'is no key of forwarding'),
    ),
    v.pipe(v.number(), v.safeInteger()),
  ),
  'nft-table': v.nullable(v.pipe(v.string(), v.maxLength(256 * 1024))),
  'latency-hold': v.nullable(count),
  'tailscale-pref': v.nullable(v.union([flag, line, v.array(line)])),
  'macos-sysctl': line,
  'macos-media': v.strictObject({ media: line, options: v.array(line) }),
  'macos-address': v.strictObject({
    by: v.picklist(['dhcp', 'manual']),
    address: v.exactOptional(line),
    mask: v.exactOptional(line),
    router: v.exactOptional(line),
  }),
};

/** The schema of one change, whose three parts belong together by the place's kind. */
export function changeEntries<K extends PlaceKind>(kind: K) {
  return { place: REFS[kind], original: STATES[kind], desired: STATES[kind] };
}

export const PLACE_KINDS = Object.keys(REFS) as readonly PlaceKind[];

/** What is wrong with this as what a place of the kind holds; undefined when nothing is. */
export function problemOfState(kind: PlaceKind, state: unknown): string | undefined {
  const { issues } = v.safeParse(STATES[kind], state);
  return issues === undefined ? undefined : problemOf(issues);
}

/** The first issue in words: where, and what. */
export function problemOf(issues: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const [issue] = issues;
  const where = v.getDotPath(issue);
  return where === null ? issue.message : `${where}: ${issue.message}`;
}

function isPathPart(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..';
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f');
}
