import type { HttpOutcome } from '../../base/index.js';

type SocketFailure = Exclude<HttpOutcome, { outcome: 'ok' }>;

/** Bytes of a Unix socket's path without the zero that ends it: 108 in Linux' sockaddr_un (unix(7)), 104 in macOS'. */
const PATH_BYTES_MAX = process.platform === 'darwin' ? 103 : 107;

/** Why no socket can have this path; undefined when one can. Node cuts a longer path silently, and would speak to another socket. */
export function unusableSocketPath(path: string): string | undefined {
  if (path === '') return 'the path of the socket is empty';
  if (path.includes('\0')) return 'the path of the socket contains a zero byte';
  const bytes = Buffer.byteLength(path);
  return bytes > PATH_BYTES_MAX
    ? `the path of the socket has ${bytes} bytes, and this system takes ${PATH_BYTES_MAX}: make a shorter link to it`
    : undefined;
}

/** What kept a connection to a Unix socket from being made, in words for people; undefined for what is no matter of the socket. */
export function explainSocketFailure(error: Error, path: string): SocketFailure | undefined {
  const errno = (error as NodeJS.ErrnoException).code;
  switch (errno) {
    case 'ENOENT':
      return { outcome: 'refused', errno, reason: `there is no socket ${path}: what listens there is not running, or not installed` };
    case 'ECONNREFUSED':
      return { outcome: 'refused', errno, reason: `nobody listens on ${path}: the program that made the socket has ended` };
    case 'EACCES':
    case 'EPERM':
      return { outcome: 'failed', errno, reason: `this user may not open ${path} (${errno}): join the group that owns it, or run as root` };
    case 'EAGAIN':
      return { outcome: 'timeout', errno, reason: `${path} takes no more connections: the program behind it does not accept them any more` };
    case 'ENOTSOCK':
    case 'EPROTOTYPE':
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ELOOP':
      return { outcome: 'failed', errno, reason: `${path} is not a socket that takes connections (${errno})` };
    default:
      return undefined;
  }
}
