import { assert, shellWord } from '../../base/index.js';
import { MARK } from './own-files.js';

/** Shell lines for one thing, run at every boot. */
export interface BootBlock {
  /** `offloads (eth0)`; one of the same title takes its place. */
  readonly title: string;
  readonly commands: readonly string[];
  /** It must be there, or nothing of the block can be done. */
  readonly interface?: string;
}

const HEADING = '# --- ';
const END = `${HEADING}end`;

/** A script that may be run at any time and as often as one likes; a block that fails does not keep the next from being run. */
export function bootScript(blocks: readonly (BootBlock | KeptBlock)[], profiles: readonly string[]): string {
  return [
    '#!/bin/sh',
    `# Network settings that no file of the system can hold. ${MARK}.`,
    `# Profile: ${profiles.join(', ')}`,
    '# Run at every boot, or by hand at any time; nothing of Tautline is needed for it.',
    '# `tautline tune rollback` puts back what was here before.',
    '',
    'failed=0',
    '',
    '# Told after each block: whether all of it was done.',
    'outcome() {',
    '  [ "$?" -eq 0 ] && return',
    '  echo "tautline: not set: $1" >&2',
    '  failed=1',
    '}',
    '',
    ...blocks.flatMap((block) => ('text' in block ? [block.text] : [textOf(block)])),
    END,
    'exit "$failed"',
    '',
  ].join('\n');
}

/** A block of an earlier script, as it is. */
export interface KeptBlock {
  readonly title: string;
  readonly text: string;
}

/** The blocks of a script of ours. */
export function blocksIn(script: string): KeptBlock[] {
  const body = script.slice(Math.max(0, script.indexOf(HEADING)), Math.max(0, script.lastIndexOf(`${END}\n`)));
  return body
    .split(new RegExp(`^(?=${HEADING})`, 'm'))
    .filter((text) => text.startsWith(HEADING))
    .map((text) => ({ title: text.slice(HEADING.length, text.indexOf('\n')), text: text.replace(/\n$/, '') }));
}

function textOf({ title, commands, interface: name }: BootBlock): string {
  assert(!/[\n\r]/.test(title) && title !== 'end', 'a title is one line');
  assert(!commands.some((command) => command.split('\n').some((line) => line.startsWith(HEADING))), 'no command looks like a heading');
  // Not indented: a command may end in a here-document.
  return [
    `${HEADING}${title}`,
    '(',
    'set -e',
    ...(name === undefined ? [] : [`[ -e ${shellWord(`/sys/class/net/${name}`)} ]`]),
    ...commands,
    ')',
    `outcome ${shellWord(title)}`,
    '',
  ].join('\n');
}
