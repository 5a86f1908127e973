import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SSH_KEX_NAMES } from '../../src/wire/ssh-agreement.js';
import { SshReader, concatBytes, plainText, sshMpint, sshString } from '../../src/wire/ssh-bytes.js';
import { SshExchange } from '../../src/wire/ssh-exchange.js';
import { checkSshSignature, readSshHostKey } from '../../src/wire/ssh-host-key.js';
import { readSshIdentification } from '../../src/wire/ssh-identification.js';
import { decodeSshKexInit, encodeSshKexInit } from '../../src/wire/ssh-kexinit.js';
import { SSH_PACKET_BYTES_MAX, decodeSshPacket, encodeSshDisconnect, encodeSshPacket, readSshDisconnect } from '../../src/wire/ssh-packet.js';
import { SshServer } from '../probe/ssh-server.js';
import type { SshServerOptions } from '../probe/ssh-server.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromBase64 = (value: string): Uint8Array => Buffer.from(value, 'base64');

/** Client and server hand each other bytes in pieces of the given size until neither says more. */
function talk(client: SshExchange, server: SshServer, piece = 1_000_000): void {
  let up = client.hello();
  let down = server.greeting();
  for (let turns = 0; turns < 100 && up.length + down.length > 0; turns++) {
    const [sent, heard] = [up, down];
    up = new Uint8Array(0);
    for (let at = 0; at < heard.length; at += piece) up = concatBytes(up, client.receive(heard.subarray(at, at + piece)));
    down = server.receive(sent);
  }
}

function finish(options: SshServerOptions = {}, kex?: typeof SSH_KEX_NAMES): SshExchange {
  const client = new SshExchange({ software: 'Test', ...(kex ? { kex } : {}) });
  talk(client, new SshServer(options));
  return client;
}

describe('numbers and strings of RFC 4251', () => {
  // The examples of section 5.
  test('numbers are written without needless zeros, and with one where the top bit is set', () => {
    assert.equal(hex(sshMpint(new Uint8Array(0))), '00000000');
    assert.equal(hex(sshMpint(Buffer.from('09a378f9b2e332a7', 'hex'))), '0000000809a378f9b2e332a7');
    assert.equal(hex(sshMpint(Uint8Array.of(0x80))), '000000020080');
    assert.equal(hex(sshMpint(Uint8Array.of(0, 0, 0x7f))), '000000017f');
    assert.equal(hex(sshString('testing')), '0000000774657374696e67');
  });

  test('a read beyond the end gives nothing, and is remembered', () => {
    const reader = new SshReader(Uint8Array.of(0, 0, 0, 9, 1));
    assert.deepEqual([[...reader.string()], reader.ok, reader.byte(), reader.ok], [[], false, 0, false]);
  });

  test("a peer's words are shown on one line and without control characters", () => {
    assert.equal(plainText('a\u001b[31m\r\nb\u202ec\u0000'), 'a [31m b c');
    assert.equal(plainText('x'.repeat(500)).length, 120);
  });
});

describe('identification', () => {
  const read = (value: string) => readSshIdentification(text(value));

  test('software and comment are told, lines before it passed over, a bare line feed taken', () => {
    const found = read('Hello\r\nSSH-who?\r\n'.replace('SSH-who?', 'welcome') + 'SSH-2.0-OpenSSH_9.2p1 Debian-2\r\nrest');
    assert.ok(found.kind === 'identification');
    assert.deepEqual(
      [found.protocol, found.software, Buffer.from(found.line).toString()],
      ['2.0', 'OpenSSH_9.2p1 Debian-2', 'SSH-2.0-OpenSSH_9.2p1 Debian-2'],
    );
    assert.equal(found.end, 'Hello\r\nwelcome\r\nSSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'.length);
    assert.equal(read('SSH-1.99-Cisco-1.25\n').kind, 'identification');
  });

  test('half of it is waited for', () => {
    for (const value of ['', 'S', 'SSH-2.0-Open', 'hello\nSSH-2.0-x', 'HTTP/1.1 400']) assert.equal(read(value).kind, 'more', value);
  });

  test('other protocols, old versions and endless lines are told', () => {
    const why = (value: string): string => {
      const found = read(value);
      return found.kind === 'garbled' ? found.why : found.kind;
    };
    assert.match(why('SSH-1.5-old\n'), /version 1\.5/);
    assert.match(why('SSH-2.0-\n'), /its identification is 'SSH-2\.0-'/);
    assert.match(why(`SSH-2.0-${'x'.repeat(250)}\n`), /longer than 255/);
    assert.match(why(`SSH-2.0-${'x'.repeat(400)}`), /longer than 255/);
    assert.match(why('220 mail.example.org ESMTP\n'.repeat(100)), /does not identify itself as SSH but says '220 mail/);
    assert.match(why('y'.repeat(20_000)), /does not identify itself/);
  });
});

describe('packets', () => {
  test('what is encoded is decoded, padded to blocks of eight with four bytes or more', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2000 }), fc.uint8Array({ maxLength: 20 }), (payload, rest) => {
        const packet = encodeSshPacket(payload);
        assert.equal(packet.length % 8, 0);
        assert.ok((packet[4] ?? 0) >= 4);
        const found = decodeSshPacket(concatBytes(packet, rest));
        assert.ok(found.kind === 'packet');
        assert.deepEqual([hex(found.payload), found.end], [hex(payload), packet.length]);
        for (const cut of [0, 4, 5, packet.length - 1]) assert.equal(decodeSshPacket(packet.subarray(0, cut)).kind, 'more');
      }),
    );
  });

  test('lengths that cannot be are refused before anything is waited for', () => {
    const head = (length: number, padding: number): string => {
      const bytes = new Uint8Array(5);
      new DataView(bytes.buffer).setUint32(0, length);
      bytes[4] = padding;
      return decodeSshPacket(bytes).kind;
    };
    assert.equal(head(12, 4), 'more');
    assert.equal(head(SSH_PACKET_BYTES_MAX + 8, 4), 'garbled');
    assert.equal(head(0xffff_fffc, 4), 'garbled');
    assert.equal(head(13, 4), 'garbled');
    assert.equal(head(12, 3), 'garbled');
    assert.equal(head(12, 11), 'garbled');
    assert.equal(head(0, 0), 'garbled');
  });

  test('a goodbye says why', () => {
    const found = decodeSshPacket(encodeSshDisconnect('enough'));
    assert.equal(found.kind === 'packet' && readSshDisconnect(found.payload), 'enough');
    assert.equal(readSshDisconnect(Uint8Array.of(1)), 'reason 0');
  });

  test('lists of algorithms are read back', () => {
    const init = {
      kex: ['a', 'b'],
      hostKeys: ['c'],
      ciphersUp: [],
      ciphersDown: ['d'],
      macsUp: ['e'],
      macsDown: [],
      compressionUp: ['none'],
      compressionDown: ['none', 'zlib'],
      guesses: true,
    };
    const payload = encodeSshKexInit(init, new Uint8Array(16));
    assert.deepEqual(decodeSshKexInit(payload), init);
    assert.equal(decodeSshKexInit(payload.subarray(0, -1)), undefined);
    assert.equal(decodeSshKexInit(Uint8Array.of(21)), undefined);
  });
});

describe('a key exchange', () => {
  for (const kex of SSH_KEX_NAMES) {
    test(`by ${kex} ends with the server's keys and its signature right`, () => {
      const { phase, facts, failure } = finish({ kex: [kex] });
      assert.deepEqual([phase, failure, facts.kex, facts.hostKey, facts.signature], ['done', '', kex, 'ssh-ed25519', 'right']);
    });
  }

  for (const [hostKey, type, bits] of [
    ['ssh-ed25519', 'ssh-ed25519', 256],
    ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp256', 256],
    ['ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp384', 384],
    ['ecdsa-sha2-nistp521', 'ecdsa-sha2-nistp521', 521],
    ['rsa-sha2-256', 'ssh-rsa', 2048],
    ['rsa-sha2-512', 'ssh-rsa', 2048],
  ] as const) {
    test(`with a host key for ${hostKey} checks the signature, and one of something else is not accepted`, () => {
      const { phase, facts } = finish({ hostKey });
      assert.deepEqual([phase, facts.hostKey, facts.hostKeyBits, facts.hostKeyAlgorithm, facts.signature], ['done', type, bits, hostKey, 'right']);
      const forged = finish({ hostKey, forges: true });
      assert.equal(forged.phase, 'failed');
      assert.match(forged.failure, /signature of the key exchange is wrong/);
      assert.equal(forged.facts.signature, undefined);
    });
  }

  test('with a server that would rather use a hybrid falls back, and says what it would have used', () => {
    const { facts } = finish({ kex: ['mlkem768x25519-sha256', 'sntrup761x25519-sha512', 'ecdh-sha2-nistp384', 'curve25519-sha256'] });
    assert.deepEqual([facts.kex, facts.kexPreferred], ['curve25519-sha256', 'mlkem768x25519-sha256']);
  });

  test('passes over a packet that the server sent on a wrong guess', () => {
    assert.equal(finish({ guesses: true }).phase, 'done');
  });

  test('goes on however the bytes are cut', () => {
    for (const piece of [1, 7, 100]) {
      const client = new SshExchange({ software: 'Test' });
      talk(client, new SshServer({ preamble: 'no entry without a ticket\r\n' }), piece);
      assert.equal(client.phase, 'done', `pieces of ${piece}`);
    }
  });

  const failures: readonly { name: string; options: SshServerOptions; why: RegExp }[] = [
    { name: 'nothing in common', options: { kex: ['kex-of-tomorrow'] }, why: /no key exchange in common.*kex-of-tomorrow/ },
    { name: 'a goodbye', options: { insteadOfReply: encodeSshDisconnect('too many users') }, why: /ended the key exchange: too many users/ },
    { name: 'an answer too short to read', options: { insteadOfReply: encodeSshPacket(Uint8Array.of(31, 0, 0)) }, why: /cannot be read/ },
    {
      name: 'a public value of zeros',
      options: {
        insteadOfReply: encodeSshPacket(
          concatBytes(
            Uint8Array.of(31),
            sshString(concatBytes(sshString('ssh-ed25519'), sshString(new Uint8Array(32)))),
            sshString(new Uint8Array(32)),
            sshString(''),
          ),
        ),
      },
      why: /public value of the key exchange is not valid/,
    },
    {
      name: 'a message out of turn',
      options: { insteadOfReply: encodeSshPacket(Uint8Array.of(21)) },
      why: /message 21 where its answer to the key exchange was due/,
    },
    { name: 'noise', options: { insteadOfReply: new Uint8Array(64).fill(0x41) }, why: /no SSH packets/ },
    { name: 'no identification', options: { line: 'HTTP/1.1 400 Bad Request', preamble: 'x'.repeat(17_000) }, why: /does not identify itself/ },
  ];
  for (const { name, options, why } of failures) {
    test(`with ${name} fails, and says why`, () => {
      const client = finish(options);
      assert.equal(client.phase, 'failed');
      assert.match(client.failure, why);
    });
  }

  test('is given up with a server that sends without end', () => {
    const client = new SshExchange({ software: 'Test' });
    client.receive(text('SSH-2.0-x\r\n'));
    const ignored = encodeSshPacket(concatBytes(Uint8Array.of(2), sshString(new Uint8Array(30_000))));
    for (let i = 0; i < 20; i++) client.receive(ignored);
    assert.match(client.failure, /sends without end/);
  });
});

describe('hostile bytes', () => {
  /** A whole conversation of the server's, to be changed. */
  function recorded(): { client: SshExchange; bytes: Uint8Array } {
    const client = new SshExchange({ software: 'Test' });
    const server = new SshServer();
    const parts = [server.greeting(), server.receive(client.hello())];
    const shadow = client.receive(concatBytes(...parts));
    parts.push(server.receive(shadow));
    return { client: new SshExchange({ software: 'Test' }), bytes: concatBytes(...parts) };
  }

  test('never throw, whatever comes and however it is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }), fc.boolean(), (parts, identified) => {
        const client = new SshExchange({ software: 'Test' });
        if (identified) client.receive(text('SSH-2.0-x\r\n'));
        for (const part of parts) client.receive(part);
      }),
      { numRuns: 400 },
    );
  });

  test('in a real conversation never throw, and never pass for a proven host key', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1500), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
        const { client, bytes } = recorded();
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        client.receive(bytes);
        // Another exchange's answer fits no fresh one.
        assert.notEqual(client.phase, 'done');
        assert.equal(client.facts.signature, undefined);
      }),
      { numRuns: 300 },
    );
  });

  test('as host keys and signatures never throw and are never right', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('ssh-ed25519', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp521', 'ssh-dss', ''),
        fc.constantFrom('ssh-ed25519', 'rsa-sha2-256', 'rsa-sha2-512', 'ssh-rsa', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp521', 'x'),
        fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 4 }),
        fc.uint8Array({ maxLength: 200 }),
        (type, algorithm, fields, signature) => {
          const key = readSshHostKey(concatBytes(sshString(type), ...fields.map((field) => sshString(field))));
          if (!key) return;
          assert.match(key.fingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/);
          const over = createHash('sha256').digest();
          assert.notEqual(checkSshSignature(key, { signature, over, algorithm }), 'right');
          assert.notEqual(checkSshSignature(key, { signature: concatBytes(sshString(algorithm), sshString(signature)), over, algorithm }), 'right');
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('host keys', () => {
  test('have the fingerprint that ssh-keygen prints', () => {
    // `ssh-keygen -lf`: 256 SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU (ED25519), GitHub's published key.
    const key = readSshHostKey(fromBase64('AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'));
    assert.deepEqual([key?.type, key?.fingerprint], ['ssh-ed25519', 'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU']);
  });
});
