/**
 * Reads the data types of RFC 4251, section 5. A read beyond the end yields nothing and makes `ok`
 * false for good, so that a decoder may read a whole structure and ask once.
 */
export class SshReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #ok = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether everything that was read was there. */
  get ok(): boolean {
    return this.#ok;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(length: number): Uint8Array {
    if (!this.#ok || length > this.left) {
      this.#ok = false;
      return new Uint8Array(0);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  byte(): number {
    return this.take(1)[0] ?? 0;
  }

  uint32(): number {
    const four = this.take(4);
    return this.#ok ? new DataView(four.buffer, four.byteOffset, 4).getUint32(0) : 0;
  }

  string(): Uint8Array {
    return this.take(this.uint32());
  }

  text(): string {
    return new TextDecoder().decode(this.string());
  }

  names(): readonly string[] {
    const text = this.text();
    return text === '' ? [] : text.split(',');
  }
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function sshUint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

export function sshString(value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  return concatBytes(sshUint32(bytes.length), bytes);
}

/** A number that is not negative, given as big-endian bytes: no zeros in front but one where the top bit is set. */
export function sshMpint(bytes: Uint8Array): Uint8Array {
  let first = 0;
  while (first < bytes.length && bytes[first] === 0) first++;
  const bare = bytes.subarray(first);
  return sshString((bare[0] ?? 0) >= 0x80 ? concatBytes(new Uint8Array(1), bare) : bare);
}

/** Text of a peer as it may be shown: one line, no control characters, not long. */
export function plainText(text: string, lengthMax = 120): string {
  const plain = text
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029\ufffd]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return plain.length > lengthMax ? `${plain.slice(0, lengthMax - 3)}...` : plain;
}
