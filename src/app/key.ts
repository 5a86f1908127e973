import type { TextFiles } from '../base/index.js';
import { TautlineError } from '../base/index.js';

/** Shorter keys can be guessed by someone who has recorded one handshake. */
export const KEY_CHARACTERS_MIN = 16;
const KEY_CHARACTERS_MAX = 4096;

/**
 * Reads a pre-shared key: the file's text without the white space around it, so that the same key
 * written by different editors is the same key.
 * @throws TautlineError `config`, `io` or `permission`
 */
export async function readKey(files: TextFiles, path: string): Promise<Uint8Array> {
  const text = (await files.readText(path))?.trim();
  const hint = `make one with: head -c 32 /dev/urandom | base64 > ${path}`;
  if (text === undefined) throw new TautlineError('config', `there is no key file ${path}`, { hint });
  if (text.length < KEY_CHARACTERS_MIN)
    throw new TautlineError('config', `the key in ${path} is shorter than ${KEY_CHARACTERS_MIN} characters`, { hint });
  if (text.length > KEY_CHARACTERS_MAX)
    throw new TautlineError('config', `the key in ${path} is longer than ${KEY_CHARACTERS_MAX} characters`, { hint });
  return new TextEncoder().encode(text);
}
