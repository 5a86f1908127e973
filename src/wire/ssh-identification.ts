import { plainText } from './ssh-bytes.js';

/** RFC 4253, section 4.2, with the line end. */
const LINE_BYTES_MAX = 255;
/** A server may say something before it identifies itself; the RFC sets no end to it. */
const PREAMBLE_BYTES_MAX = 16_384;
const PREAMBLE_LINES_MAX = 64;
const LF = 10;

export type SshIdentification =
  | {
      readonly kind: 'identification';
      /** Without its line end, byte for byte: it goes into the exchange hash. */
      readonly line: Uint8Array;
      /** `2.0`, or `1.99` for a server that also speaks version 1. */
      readonly protocol: string;
      /** `OpenSSH_9.2p1 Debian-2+deb12u3`: software and its comment. */
      readonly software: string;
      /** Where the binary packets begin. */
      readonly end: number;
    }
  | { readonly kind: 'more' }
  | { readonly kind: 'garbled'; readonly why: string };

/** Finds the identification string (RFC 4253, section 4.2) in what a server has said so far. */
export function readSshIdentification(bytes: Uint8Array): SshIdentification {
  let start = 0;
  for (let lines = 0; lines <= PREAMBLE_LINES_MAX; lines++) {
    const lineEnd = bytes.indexOf(LF, start);
    const begins = startsWithSsh(bytes.subarray(start));
    const length = (lineEnd < 0 ? bytes.length : lineEnd + 1) - start;
    if (begins && length > LINE_BYTES_MAX) return { kind: 'garbled', why: `its identification is longer than ${LINE_BYTES_MAX} bytes` };
    if (lineEnd < 0) {
      if (bytes.length > PREAMBLE_BYTES_MAX) return noIdentification(bytes);
      return { kind: 'more' };
    }
    if (begins) return identificationOf(bytes.subarray(start, lineEnd), lineEnd + 1);
    start = lineEnd + 1;
    if (start > PREAMBLE_BYTES_MAX) break;
  }
  return noIdentification(bytes);
}

/** What a client says first; the software's name may hold no spaces or hyphens. */
export function sshIdentification(software: string): Uint8Array {
  return new TextEncoder().encode(`SSH-2.0-${software}`);
}

function identificationOf(raw: Uint8Array, end: number): SshIdentification {
  const line = raw.at(-1) === 13 ? raw.subarray(0, -1) : raw;
  const text = new TextDecoder('latin1').decode(line);
  const [, protocol, software] = /^SSH-([0-9.]+)-([\x20-\x7e]+)$/.exec(text) ?? [];
  if (protocol === undefined || software === undefined) return { kind: 'garbled', why: `its identification is '${plainText(text)}'` };
  if (protocol !== '2.0' && protocol !== '1.99') return { kind: 'garbled', why: `it speaks SSH version ${protocol}, and not 2.0` };
  return { kind: 'identification', line: line.slice(), protocol, software: plainText(software), end };
}

function startsWithSsh(bytes: Uint8Array): boolean {
  return [0x53, 0x53, 0x48, 0x2d].every((byte, i) => bytes[i] === byte);
}

function noIdentification(bytes: Uint8Array): SshIdentification {
  const said = plainText(new TextDecoder('latin1').decode(bytes.subarray(0, 200)), 60);
  return { kind: 'garbled', why: `it does not identify itself as SSH but says '${said}'` };
}
