/** What kept a connection or request from succeeding, in the words of the ports' outcomes. */
export interface Failure {
  readonly outcome: 'refused' | 'timeout' | 'unreachable' | 'failed';
  readonly reason: string;
}

/** Words for people. `doing` is what was under way, such as `the TLS handshake with 10.0.0.1:443`. */
export function explainFailure(error: unknown, place: string, doing: string): Failure {
  const { code, message } = firstOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return { outcome: 'refused', reason: `${place} refuses connections: nothing listens on that port, or a firewall rejects it` };
    case 'ETIMEDOUT':
      return { outcome: 'timeout', reason: `${place} did not answer: it is down, or a firewall drops the packets` };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
      return {
        outcome: 'unreachable',
        reason: `there is no route to ${place} (${code}): check the address, the network and, for IPv6, whether this host has it`,
      };
    case 'EACCES':
    case 'EPERM':
      return { outcome: 'failed', reason: `this host does not permit a connection to ${place} (${code}): check its firewall` };
    case 'EMFILE':
    case 'ENFILE':
      return { outcome: 'failed', reason: `no more files can be opened on this host (${code}): raise the limit with ulimit -n` };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return { outcome: 'failed', reason: `${place} closed the connection during ${doing}` };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { outcome: 'failed', reason: `the name of ${place} could not be looked up (${code})` };
    case 'HPE_HEADER_OVERFLOW':
      return { outcome: 'failed', reason: `the head of the answer of ${place} is longer than ${HEAD_BYTES_MAX} bytes` };
    default:
      if (code?.startsWith('HPE_')) return { outcome: 'failed', reason: `${place} does not speak HTTP: ${message}` };
      if (code === 'EPROTO' || code?.startsWith('ERR_SSL_'))
        return { outcome: 'failed', reason: `${place} and this host found no common ground during ${doing}: ${opensslWords(message)}` };
      if (code !== undefined && isTrustError(code))
        return { outcome: 'failed', reason: `the certificate of ${place} is not trusted (${code}): correct it, or measure anyway with --insecure` };
      return { outcome: 'failed', reason: `${place}: ${doing} failed (${code ?? message})` };
  }
}

/** Longest head of an answer that the client accepts. */
export const HEAD_BYTES_MAX = 16_384;

/** An attempt over several addresses fails with one error that holds the others; the first says most. */
function firstOf(error: unknown): { code: string | undefined; message: string } {
  const outer = error as { code?: unknown; message?: unknown; errors?: unknown };
  const inner = Array.isArray(outer?.errors) && outer.errors.length > 0 ? (outer.errors[0] as typeof outer) : outer;
  const code = typeof inner?.code === 'string' ? inner.code : typeof outer?.code === 'string' ? outer.code : undefined;
  return { code, message: typeof inner?.message === 'string' ? inner.message : String(error) };
}

/** OpenSSL's messages are lines of fields; the reason is the fifth. */
function opensslWords(message: string): string {
  const fields = message.split(':');
  return (fields.length >= 6 ? fields[5] : message)?.trim() ?? message;
}

/** The codes with which Node reports a chain or name that does not verify. */
export function isTrustError(code: string): boolean {
  return (
    code.startsWith('CERT_') ||
    code.startsWith('ERR_TLS_CERT') ||
    code.startsWith('UNABLE_TO_') ||
    code.startsWith('CRL_') ||
    [
      'SELF_SIGNED_CERT_IN_CHAIN',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'INVALID_CA',
      'INVALID_PURPOSE',
      'HOSTNAME_MISMATCH',
      'PATH_LENGTH_EXCEEDED',
      'ERROR_IN_CERT_NOT_BEFORE_FIELD',
      'ERROR_IN_CERT_NOT_AFTER_FIELD',
      'OUT_OF_MEM',
    ].includes(code)
  );
}
