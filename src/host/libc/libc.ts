import { createRequire } from 'node:module';
import { constants as osConstants } from 'node:os';
import type { Constants, Layouts } from './constants.js';
import { DARWIN, DARWIN_LAYOUTS } from './darwin.js';
import { LINUX, LINUX_LAYOUTS } from './linux.js';

/**
 * Memory as the system's functions take it: a typed array (see `memory`), an address as a bigint, or
 * null. Memory that the kernel keeps pointers to, or that one structure points to from another, must
 * be made by `memory` and stay referenced as long as it is used.
 */
export type Pointer = ArrayBufferView | bigint | null;

/**
 * The system's functions, named and behaving as in their manual pages: -1 is a failure, and `errno()`
 * says which, when it is read before the next call. Nothing here throws.
 */
export interface Libc {
  readonly platform: 'linux' | 'darwin';
  readonly constants: Constants;
  readonly layouts: Layouts;

  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Pointer, length: number): number;
  connect(fd: number, address: Pointer, length: number): number;
  listen(fd: number, backlog: number): number;
  accept(fd: number, address: Pointer, length: Pointer): number;
  shutdown(fd: number, how: number): number;
  close(fd: number): number;
  getsockname(fd: number, address: Pointer, length: Pointer): number;
  getpeername(fd: number, address: Pointer, length: Pointer): number;
  setsockopt(fd: number, level: number, option: number, value: Pointer, length: number): number;
  getsockopt(fd: number, level: number, option: number, value: Pointer, length: Pointer): number;

  send(fd: number, bytes: Pointer, length: number, flags: number): number;
  sendto(fd: number, bytes: Pointer, length: number, flags: number, address: Pointer, addressLength: number): number;
  sendmsg(fd: number, message: Pointer, flags: number): number;
  recv(fd: number, bytes: Pointer, length: number, flags: number): number;
  recvfrom(fd: number, bytes: Pointer, length: number, flags: number, address: Pointer, addressLength: Pointer): number;
  recvmsg(fd: number, message: Pointer, flags: number): number;
  /** Linux only. */
  readonly sendmmsg: ((fd: number, messages: Pointer, count: number, flags: number) => number) | undefined;
  /** Linux only. The timeout of recvmmsg(2) is not what it seems (see its BUGS); pass null. */
  readonly recvmmsg: ((fd: number, messages: Pointer, count: number, flags: number, timeout: Pointer) => number) | undefined;
  /** Linux only: to a socket from a file. */
  readonly sendfile: ((out: number, input: number, offset: Pointer, count: number) => number) | undefined;
  read(fd: number, bytes: Pointer, length: number): number;
  write(fd: number, bytes: Pointer, length: number): number;

  poll(fds: Pointer, count: number, timeoutMs: number): number;
  /** Linux only: a timespec instead of milliseconds. */
  readonly ppoll: ((fds: Pointer, count: number, timeout: Pointer, signals: null) => number) | undefined;
  ioctl(fd: number, request: number, argument: Pointer): number;
  fcntl(fd: number, command: number, argument: number): number;

  flock(fd: number, operation: number): number;
  /** Two timespecs: last access, last change of the content. */
  futimens(fd: number, times: Pointer): number;
  /** Linux only: names of extended attributes, each ended by a zero. */
  readonly flistxattr: ((fd: number, names: Pointer, length: number) => number) | undefined;
  readonly fgetxattr: ((fd: number, name: string, value: Pointer, length: number) => number) | undefined;
  readonly fsetxattr: ((fd: number, name: string, value: Pointer, length: number, flags: number) => number) | undefined;

  clock_gettime(clock: number, time: Pointer): number;
  nanosleep(time: Pointer, rest: Pointer): number;
  getrusage(who: number, usage: Pointer): number;
  /** Linux only. */
  readonly prctl: ((option: number, a: number, b: number, c: number, d: number) => number) | undefined;
  if_nametoindex(name: string): number;
  /** 1 when `text` was an address of that family, which is then in `bytes`. */
  inet_pton(family: number, text: string, bytes: Pointer): number;
  /** The text of an address, or null. `text` is room for it. */
  inet_ntop(family: number, bytes: Pointer, text: Pointer, length: number): string | null;

  /** The last failure's number. */
  errno(): number;
  /** This platform's error numbers by name, for telling one from another where it has to be quick. */
  readonly errors: Readonly<Record<ErrorName, number>>;
  /** `ECONNREFUSED` and the like; `errno 12345` for a number without a name. */
  errnoName(errno: number): string;
  /** Where this memory is. */
  address(memory: ArrayBufferView): bigint;
}

export type ErrorName = keyof typeof osConstants.errno;

/** The system's libc, or undefined where it cannot be reached: then `libcUnavailable()` says why. */
export function loadLibc(): Libc | undefined {
  return loaded().libc;
}

/** Why `loadLibc` has nothing, in words for a person. */
export function libcUnavailable(): string | undefined {
  return loaded().reason;
}

/** Bytes at an address that never changes: garbage collection moves small typed arrays, but never an ArrayBuffer's bytes. */
export function memory(sizeBytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(sizeBytes));
}

/** `ECONNREFUSED` and the like, by this platform's numbers. */
export function errnoName(errno: number): string {
  // Of two names for one number (EAGAIN, EWOULDBLOCK) the first in the table is the usual one.
  const entry = Object.entries(osConstants.errno).find(([, number]) => number === errno);
  return entry?.[0] ?? `errno ${errno}`;
}

interface Loaded {
  readonly libc: Libc | undefined;
  readonly reason: string | undefined;
}

/** A process has one libc, and declaring its functions takes a millisecond: they are kept. */
let kept: Loaded | undefined;

function loaded(): Loaded {
  kept ??= load();
  return kept;
}

function load(): Loaded {
  const platform = process.platform;
  if (platform !== 'linux' && platform !== 'darwin') return { libc: undefined, reason: `the system's functions are not known on ${platform}` };
  if (!['x64', 'arm64', 'riscv64', 'loong64'].includes(process.arch))
    return { libc: undefined, reason: `the system's structures are not known on ${process.arch}` };
  try {
    // Not `import`: the binary is loaded when it is needed, and where it is missing we go on without.
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
    return { libc: declare(koffi, platform), reason: undefined };
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    return { libc: undefined, reason: `koffi, which calls the system's functions, cannot be loaded (${why})` };
  }
}

function declare(koffi: typeof import('koffi'), platform: 'linux' | 'darwin'): Libc {
  // null is this process itself, which has libc loaded, whichever libc it is.
  const library = koffi.load(null);
  const declared = <F>(prototype: string): F => library.func(prototype) as unknown as F;
  const onLinux = <F>(prototype: string): F | undefined => (platform === 'linux' ? declared<F>(prototype) : undefined);
  // Variadic functions take their arguments elsewhere than others on Apple's arm64, and nowhere else.
  const variadicIoctl = platform === 'darwin' ? library.func('int ioctl(int, ulong, ...)') : undefined;
  const variadicFcntl = platform === 'darwin' ? library.func('int fcntl(int, int, ...)') : undefined;
  return {
    platform,
    constants: platform === 'linux' ? LINUX : DARWIN,
    layouts: platform === 'linux' ? LINUX_LAYOUTS : DARWIN_LAYOUTS,
    socket: declared<Libc['socket']>('int socket(int, int, int)'),
    bind: declared<Libc['bind']>('int bind(int, void *, uint)'),
    connect: declared<Libc['connect']>('int connect(int, void *, uint)'),
    listen: declared<Libc['listen']>('int listen(int, int)'),
    accept: declared<Libc['accept']>('int accept(int, void *, void *)'),
    shutdown: declared<Libc['shutdown']>('int shutdown(int, int)'),
    close: declared<Libc['close']>('int close(int)'),
    getsockname: declared<Libc['getsockname']>('int getsockname(int, void *, void *)'),
    getpeername: declared<Libc['getpeername']>('int getpeername(int, void *, void *)'),
    setsockopt: declared<Libc['setsockopt']>('int setsockopt(int, int, int, void *, uint)'),
    getsockopt: declared<Libc['getsockopt']>('int getsockopt(int, int, int, void *, void *)'),
    send: declared<Libc['send']>('intptr send(int, void *, size_t, int)'),
    sendto: declared<Libc['sendto']>('intptr sendto(int, void *, size_t, int, void *, uint)'),
    sendmsg: declared<Libc['sendmsg']>('intptr sendmsg(int, void *, int)'),
    recv: declared<Libc['recv']>('intptr recv(int, void *, size_t, int)'),
    recvfrom: declared<Libc['recvfrom']>('intptr recvfrom(int, void *, size_t, int, void *, void *)'),
    recvmsg: declared<Libc['recvmsg']>('intptr recvmsg(int, void *, int)'),
    sendmmsg: onLinux<NonNullable<Libc['sendmmsg']>>('int sendmmsg(int, void *, uint, int)'),
    recvmmsg: onLinux<NonNullable<Libc['recvmmsg']>>('int recvmmsg(int, void *, uint, int, void *)'),
    sendfile: onLinux<NonNullable<Libc['sendfile']>>('intptr sendfile(int, int, void *, size_t)'),
    read: declared<Libc['read']>('intptr read(int, void *, size_t)'),
    write: declared<Libc['write']>('intptr write(int, void *, size_t)'),
    poll: declared<Libc['poll']>('int poll(void *, ulong, int)'),
    ppoll: onLinux<NonNullable<Libc['ppoll']>>('int ppoll(void *, ulong, void *, void *)'),
    ioctl: variadicIoctl
      ? (fd, request, argument) => variadicIoctl(fd, request, 'void *', argument) as number
      : declared<Libc['ioctl']>('int ioctl(int, ulong, void *)'),
    fcntl: variadicFcntl
      ? (fd, command, argument) => variadicFcntl(fd, command, 'int', argument) as number
      : declared<Libc['fcntl']>('int fcntl(int, int, long)'),
    flock: declared<Libc['flock']>('int flock(int, int)'),
    futimens: declared<Libc['futimens']>('int futimens(int, void *)'),
    flistxattr: onLinux<NonNullable<Libc['flistxattr']>>('intptr flistxattr(int, void *, size_t)'),
    fgetxattr: onLinux<NonNullable<Libc['fgetxattr']>>('intptr fgetxattr(int, str, void *, size_t)'),
    fsetxattr: onLinux<NonNullable<Libc['fsetxattr']>>('int fsetxattr(int, str, void *, size_t, int)'),
    clock_gettime: declared<Libc['clock_gettime']>('int clock_gettime(int, void *)'),
    nanosleep: declared<Libc['nanosleep']>('int nanosleep(void *, void *)'),
    getrusage: declared<Libc['getrusage']>('int getrusage(int, void *)'),
    prctl: onLinux<NonNullable<Libc['prctl']>>('int prctl(int, ulong, ulong, ulong, ulong)'),
    if_nametoindex: declared<Libc['if_nametoindex']>('uint if_nametoindex(str)'),
    inet_pton: declared<Libc['inet_pton']>('int inet_pton(int, str, void *)'),
    inet_ntop: declared<Libc['inet_ntop']>('str inet_ntop(int, void *, void *, uint)'),
    errno: () => koffi.errno(),
    errors: osConstants.errno,
    errnoName,
    address: (bytes) => koffi.address(bytes),
  };
}
