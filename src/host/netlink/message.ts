/*
 * Netlink's framing (RFC 3549, include/uapi/linux/netlink.h): messages of a 16-byte header and a body,
 * attributes of a 4-byte header and a value, both padded to 4 bytes, all in host order, which is little
 * endian wherever this runs. Decoding never throws: what does not fit its length ends the reading.
 */
const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
const NESTED = 0x8000;
const TYPE_MASK = 0x3fff;

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const length = HEADER_BYTES + message.body.length;
  const bytes = new Uint8Array(new ArrayBuffer(aligned(length)));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, message.type, true);
  view.setUint16(6, message.flags, true);
  view.setUint32(8, message.sequence, true);
  bytes.set(message.body, HEADER_BYTES);
  return bytes;
}

/** The messages of one datagram, up to the first that does not fit. */
export function decodeMessages(bytes: Uint8Array): Message[] {
  const view = viewOf(bytes);
  const messages: Message[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const length = view.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > bytes.length) break;
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      body: bytes.subarray(at + HEADER_BYTES, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

/** Concatenated parts of a body: fixed structures and attributes. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** One attribute with its padding. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(aligned(ATTRIBUTE_HEADER_BYTES + value.length));
  const view = viewOf(bytes);
  view.setUint16(0, ATTRIBUTE_HEADER_BYTES + value.length, true);
  view.setUint16(2, type, true);
  bytes.set(value, ATTRIBUTE_HEADER_BYTES);
  return bytes;
}

export function attributeU32(type: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return attribute(type, bytes);
}

/** A string with its end. */
export function attributeText(type: number, text: string): Uint8Array {
  return attribute(type, join(new TextEncoder().encode(text), Uint8Array.of(0)));
}

export function nest(type: number, ...attributes: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NESTED, join(...attributes));
}

/** Attributes by type. What is missing, too short or beyond its place reads as undefined; of several of one type the first is read. */
export class Attributes {
  readonly all: readonly { readonly type: number; readonly value: Uint8Array }[];

  constructor(bytes: Uint8Array) {
    const view = viewOf(bytes);
    const all: { type: number; value: Uint8Array }[] = [];
    for (let at = 0; at + ATTRIBUTE_HEADER_BYTES <= bytes.length;) {
      const length = view.getUint16(at, true);
      if (length < ATTRIBUTE_HEADER_BYTES || at + length > bytes.length) break;
      all.push({ type: view.getUint16(at + 2, true) & TYPE_MASK, value: bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length) });
      at += aligned(length);
    }
    this.all = all;
  }

  bytes(type: number): Uint8Array | undefined {
    return this.all.find((entry) => entry.type === type)?.value;
  }

  has(type: number): boolean {
    return this.bytes(type) !== undefined;
  }

  u8(type: number): number | undefined {
    return this.bytes(type)?.[0];
  }

  u32(type: number): number | undefined {
    return u32At(this.bytes(type), 0);
  }

  /** As a number: exact up to 2^53, which a counter of bytes reaches after 22 years at 100 Gbit/s. */
  u64(type: number): number | undefined {
    return u64At(this.bytes(type), 0);
  }

  text(type: number): string | undefined {
    const value = this.bytes(type);
    return value && textOf(value);
  }

  nested(type: number): Attributes {
    return new Attributes(this.bytes(type) ?? new Uint8Array(0));
  }
}

export function u32At(bytes: Uint8Array | undefined, at: number): number | undefined {
  return bytes && bytes.length >= at + 4 ? viewOf(bytes).getUint32(at, true) : undefined;
}

export function u64At(bytes: Uint8Array | undefined, at: number): number | undefined {
  return bytes && bytes.length >= at + 8 ? Number(viewOf(bytes).getBigUint64(at, true)) : undefined;
}

/** Text up to its first zero byte. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
