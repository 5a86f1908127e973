import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import {
  DARWIN,
  DARWIN_LAYOUTS,
  LINUX,
  LINUX_LAYOUTS,
  decodeSockaddr,
  encodeSockaddr,
  errnoName,
  familyOf,
  libcUnavailable,
  loadLibc,
  localEndpoint,
  memory,
  readInt,
  setDscp,
  setInt,
  writeFamily,
} from '../../src/host/libc/index.js';
import type { Libc } from '../../src/host/libc/index.js';

const loaded = loadLibc();
const skip = loaded === undefined ? (libcUnavailable() ?? 'no libc') : false;
const libc = loaded as Libc;
/** This system's functions with a platform's numbers and layouts: addresses are the same bytes everywhere, only families have other numbers. */
const as = (constants: Libc['constants'], layouts: Libc['layouts']): Libc => {
  const own = (family: number): number => (family === constants.AF_INET6 ? libc.constants.AF_INET6 : libc.constants.AF_INET);
  return {
    ...libc,
    constants,
    layouts,
    inet_pton: (family, text, bytes) => libc.inet_pton(own(family), text, bytes),
    inet_ntop: (family, bytes, text, length) => libc.inet_ntop(own(family), bytes, text, length),
  };
};
const asLinux = (): Libc => as(LINUX, LINUX_LAYOUTS);
const asDarwin = (): Libc => as(DARWIN, DARWIN_LAYOUTS);

describe('socket addresses', { skip }, () => {
  test('an IPv4 address on Linux: family, port and address', () => {
    assert.deepEqual(
      [...encodeSockaddr(asLinux(), { host: '192.0.2.7', port: 0x1234, family: 4 })],
      [2, 0, 0x12, 0x34, 192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0],
    );
  });

  test('an IPv4 address on BSD opens with its length', () => {
    assert.deepEqual([...encodeSockaddr(asDarwin(), { host: '192.0.2.7', port: 80, family: 4 }).subarray(0, 8)], [16, 2, 0, 80, 192, 0, 2, 7]);
  });

  test('an IPv6 address with a numeric zone', () => {
    const bytes = encodeSockaddr(asLinux(), { host: 'fe80::1%3', port: 443, family: 6 });
    assert.equal(bytes.length, 28);
    assert.deepEqual([...bytes.subarray(0, 8)], [10, 0, 1, 187, 0, 0, 0, 0]);
    assert.deepEqual([...bytes.subarray(8, 24)], [0xfe, 0x80, ...Array<number>(13).fill(0), 1]);
    assert.deepEqual([...bytes.subarray(24)], [3, 0, 0, 0]);
    assert.deepEqual([...encodeSockaddr(asDarwin(), { host: '::1', port: 1, family: 6 }).subarray(0, 4)], [28, 30, 0, 1]);
  });

  for (const endpoint of [
    { host: '127.0.0.1', port: 65535, family: 4 },
    { host: '2001:db8::7', port: 1, family: 6 },
    { host: 'fe80::1%12', port: 7227, family: 6 },
  ] as const) {
    test(`${endpoint.host} comes back as it went, on either platform`, () => {
      for (const platform of [asLinux(), asDarwin()]) assert.deepEqual(decodeSockaddr(platform, encodeSockaddr(platform, endpoint)), endpoint);
    });
  }

  test('a zone by name is the interface of that name', () => {
    assert.equal(encodeSockaddr(libc, { host: 'fe80::1%no-such-if', port: 1, family: 6 })[24], 0);
  });

  test('what is no IP address is not decoded', () => {
    assert.equal(decodeSockaddr(libc, memory(28)), undefined);
    const short = encodeSockaddr(libc, { host: '::1', port: 1, family: 6 }).subarray(0, 16);
    assert.equal(decodeSockaddr(libc, short), undefined);
    assert.deepEqual([...encodeSockaddr(asLinux(), { host: 'not an address', port: 9, family: 4 }).subarray(0, 8)], [2, 0, 0, 9, 0, 0, 0, 0]);
  });

  test('a family is written and read on both platforms', () => {
    for (const platform of [asLinux(), asDarwin()]) {
      for (const family of [4, 6] as const) {
        const bytes = memory(28);
        writeFamily(platform, bytes, family);
        assert.equal(familyOf(platform, bytes), family);
      }
    }
  });
});

describe('the system by FFI', { skip }, () => {
  const withSocket = (work: (fd: number) => void): void => {
    const fd = libc.socket(libc.constants.AF_INET, libc.constants.SOCK_DGRAM, 0);
    assert.ok(fd >= 0);
    try {
      work(fd);
    } finally {
      libc.close(fd);
    }
  };

  test('a socket is bound, asked for its address, and closed', () => {
    withSocket((fd) => {
      const address = encodeSockaddr(libc, { host: '127.0.0.1', port: 0, family: 4 });
      assert.equal(libc.bind(fd, address, address.length), 0);
      const local = localEndpoint(libc, fd);
      assert.equal(local?.host, '127.0.0.1');
      assert.ok((local?.port ?? 0) > 0);
    });
  });

  test('a failure is -1, and its name is told', () => {
    assert.equal(libc.close(-1), -1);
    assert.equal(libc.errnoName(libc.errno()), 'EBADF');
    const address = encodeSockaddr(libc, { host: '192.0.2.1', port: 0, family: 4 });
    withSocket((fd) => {
      assert.equal(libc.bind(fd, address, address.length), -1);
      assert.equal(libc.errnoName(libc.errno()), 'EADDRNOTAVAIL');
    });
  });

  test('options are set and read; one that the platform lacks is refused quietly', () => {
    withSocket((fd) => {
      const c = libc.constants;
      assert.equal(setInt(libc, fd, c.SOL_SOCKET, undefined, 1), false);
      assert.equal(setInt(libc, fd, c.SOL_SOCKET, 0x7fff_0000, 1), false);
      assert.equal(readInt(libc, fd, c.SOL_SOCKET, undefined), undefined);
      assert.equal(setInt(libc, fd, c.SOL_SOCKET, c.SO_REUSEADDR, 1), true);
      assert.notEqual(readInt(libc, fd, c.SOL_SOCKET, c.SO_REUSEADDR), 0);
      assert.equal(setDscp(libc, fd, 4, 46), true);
      assert.equal(readInt(libc, fd, c.IPPROTO_IP, c.IP_TOS), 46 << 2);
    });
  });

  test('its wall clock is this process’s', () => {
    const before = Math.floor(Date.now() / 1000);
    const time = new BigInt64Array(memory(16).buffer);
    assert.equal(libc.clock_gettime(libc.constants.CLOCK_REALTIME, time), 0);
    assert.ok(Number(time[0]) >= before && Number(time[0]) <= Math.floor(Date.now() / 1000));
  });

  test('memory that is handed over keeps its address while other memory comes and goes', () => {
    const bytes = memory(16);
    const address = libc.address(bytes);
    const garbage: Uint8Array[] = [];
    for (let i = 0; i < 20_000; i++) garbage[i % 64] = new Uint8Array(32);
    assert.equal(libc.address(bytes), address);
    assert.equal(libc.address(bytes.subarray(4)), address + 4n);
  });

  test('errors have their usual names', () => {
    assert.equal(errnoName(1), 'EPERM');
    assert.equal(errnoName(123_456), 'errno 123456');
  });
});

const HEADERS = '/usr/include/asm-generic/socket.h';
const headers = process.platform === 'linux' ? readIfThere(HEADERS) : undefined;

describe('numbers', () => {
  test('Linux’s are those of its headers', { skip: headers === undefined ? `${HEADERS} is not installed` : false }, () => {
    const names = [
      'SO_SNDBUF',
      'SO_RCVBUF',
      'SO_SNDBUFFORCE',
      'SO_RCVBUFFORCE',
      'SO_RCVLOWAT',
      'SO_REUSEPORT',
      'SO_RXQ_OVFL',
      'SO_BUSY_POLL',
      'SO_MAX_PACING_RATE',
      'SO_MEMINFO',
    ] as const;
    for (const name of names) {
      const found = new RegExp(`#define ${name}\\s+(\\d+)`).exec(headers ?? '');
      assert.equal(LINUX[name], Number(found?.[1]), name);
    }
  });
});

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
