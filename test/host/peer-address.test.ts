import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DARWIN, DARWIN_LAYOUTS, LINUX, LINUX_LAYOUTS } from '../../src/host/libc/index.js';
import { PeerAddresses, sockaddrOf } from '../../src/host/datagrams/peer-address.js';
import { encodeAddress } from '../../src/wire/index.js';

const PLATFORMS = { Linux: { constants: LINUX, layouts: LINUX_LAYOUTS }, Darwin: { constants: DARWIN, layouts: DARWIN_LAYOUTS } };
const FOUR = { host: '192.0.2.33', port: 7227, family: 4 } as const;
const SIX = { host: '2001:db8::33', port: 65000, family: 6 } as const;

for (const [name, platform] of Object.entries(PLATFORMS)) {
  describe(`addresses of clients on ${name}`, () => {
    const addresses = new PeerAddresses(platform);
    const read = (sockaddr: Uint8Array): number[] | undefined => {
      const names = new Uint8Array(96);
      names.set(sockaddr, 32);
      const address = addresses.read(names, 32);
      return address && [...address];
    };

    test('a client’s address goes to the responder and back', () => {
      for (const [endpoint, family] of [
        [FOUR, 4],
        [SIX, 6],
      ] as const) {
        const address = encodeAddress(endpoint);
        assert.deepEqual(read(sockaddrOf(platform, address, family)), [...address]);
      }
    });

    test('IPv4 over an IPv6 socket is the same client as over an IPv4 socket', () => {
      const address = encodeAddress(FOUR);
      const mapped = sockaddrOf(platform, address, 6);
      assert.equal(mapped.length, 28);
      assert.deepEqual([...mapped.subarray(18, 24)], [0xff, 0xff, 192, 0, 2, 33]);
      assert.deepEqual(read(mapped), [...address]);
    });

    test('a sender of no IP family is nobody', () => {
      assert.equal(read(Uint8Array.of(77, 77, 1, 2, 3, 4)), undefined);
    });
  });
}
