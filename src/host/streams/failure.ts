import { formatEndpoint } from '../../base/index.js';
import type { Endpoint } from '../../base/index.js';

export interface ConnectFailure {
  readonly outcome: 'refused' | 'timeout' | 'unreachable' | 'failed';
  readonly reason: string;
}

/** What kept a connection from being made, in words for a person with what to do about it. */
export function explainConnect(code: string | undefined, remote: Endpoint): ConnectFailure {
  const place = formatEndpoint(remote);
  switch (code) {
    case 'ECONNREFUSED':
      return { outcome: 'refused', reason: `${place} refuses connections: nothing listens on that port, or a firewall rejects it` };
    case 'ECONNRESET':
      return { outcome: 'refused', reason: `${place} resets connections: a firewall or an overloaded listener` };
    case 'ETIMEDOUT':
      return { outcome: 'timeout', reason: `${place} did not answer: it is down, or a firewall drops the packets` };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
      return { outcome: 'unreachable', reason: `there is no route to ${place} (${code}): check the address and this host's routes` };
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return {
        outcome: 'unreachable',
        reason:
          remote.family === 6
            ? `this host has no IPv6 address to reach ${place} from: use an IPv4 address`
            : `this host has no address to reach ${place} from (${code})`,
      };
    case 'EACCES':
    case 'EPERM':
      return { outcome: 'failed', reason: `this host does not permit a connection to ${place} (${code}): check its firewall` };
    case 'EMFILE':
    case 'ENFILE':
      return {
        outcome: 'failed',
        reason: `no more files can be opened on this host (${code}): use fewer streams, or raise the limit with ulimit -n`,
      };
    case 'ABORT_ERR':
      return { outcome: 'failed', reason: `the connection to ${place} was interrupted` };
    default:
      return { outcome: 'failed', reason: `the connection to ${place} failed (${code ?? 'unknown error'})` };
  }
}
