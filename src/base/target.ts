import { TautlineError } from './errors.js';

/** A place on a network: an IP literal (no name) and a port (0 where the protocol has none). */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly family: 4 | 6;
}

/** What a person typed: a name or address, perhaps a port, perhaps a URL. */
export interface Target {
  readonly text: string;
  readonly host: string;
  readonly port?: number;
  readonly url?: string;
}

/** The port of `tautline serve`, TCP and UDP alike. */
export const DEFAULT_PORT = 7227;

/**
 * Reads `host`, `host:port`, `1.2.3.4`, `::1`, `[::1]:7227` or an `http(s)://` URL.
 * @throws TautlineError `usage`
 */
export function parseTarget(text: string): Target {
  const trimmed = text.trim();
  if (/^https?:\/\//i.test(trimmed)) {
    const url = tryUrl(trimmed);
    if (!url) throw bad(text);
    const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
    return { text, host: url.hostname.replace(/^\[|\]$/g, ''), port, url: url.href };
  }
  if (trimmed.includes('://')) throw bad(text, `only http:// and https:// URLs are known`);
  const bracketed = /^\[([0-9a-fA-F:.%\w]+)\](?::(\d+))?$/.exec(trimmed);
  if (bracketed && !isAddress6(bracketed[1] ?? '')) throw bad(text);
  if (bracketed) return build(text, bracketed[1] ?? '', bracketed[2]);
  if ((trimmed.match(/:/g) ?? []).length > 1) {
    if (!isAddress6(trimmed)) throw bad(text);
    return build(text, trimmed, undefined);
  }
  const plain = /^([^\s:/?#@[\]]+)(?::(\d+))?$/.exec(trimmed);
  if (!plain) throw bad(text);
  return build(text, plain[1] ?? '', plain[2]);
}

/** Writes an endpoint as people type it: `10.0.0.1:7227`, `[::1]:7227`. */
export function formatEndpoint(endpoint: { host: string; port: number }): string {
  return endpoint.host.includes(':') ? `[${endpoint.host}]:${endpoint.port}` : `${endpoint.host}:${endpoint.port}`;
}

function build(text: string, host: string, port: string | undefined): Target {
  if (host === '' || host.length > 253 || host.startsWith('-')) throw bad(text);
  if (port === undefined) return { text, host };
  const number = Number(port);
  if (number < 1 || number > 65535) throw bad(text, `port ${port} is outside 1..65535`);
  return { text, host, port: number };
}

/** The URL parser knows every way to write an IPv6 address; a zone (`%eth0`) is not its business. */
function isAddress6(text: string): boolean {
  return /^[0-9a-fA-F:.]+(?:%[\w.-]+)?$/.test(text) && tryUrl(`http://[${text.replace(/%.*$/, '')}]/`) !== undefined;
}

function tryUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

function bad(text: string, why = 'not a host, host:port or URL'): TautlineError {
  return new TautlineError('usage', `'${text}' is not a target: ${why}`, {
    hint: 'write for example 10.0.0.1, db.example.org:5432, [::1]:7227 or https://example.org/',
  });
}
