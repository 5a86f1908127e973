import { formatEndpoint } from '../base/index.js';
import type { Target } from '../base/index.js';

export interface UrlPlace {
  readonly url: string;
  /** Without the brackets that URLs put around IPv6. */
  readonly host: string;
  readonly port: number;
}

/** What a target means to a probe that speaks HTTP: its URL, or the root of `host[:port]`, over TLS on port 443. */
export function urlOf(target: Target, portWithout = 80): UrlPlace {
  if (target.url !== undefined) return placeOf(target.url) as UrlPlace;
  const port = target.port ?? portWithout;
  return { url: `${port === 443 ? 'https' : 'http'}://${formatEndpoint({ host: target.host, port })}/`, host: target.host, port };
}

/** Where a URL leads; undefined when it is not one of http or https. */
export function placeOf(text: string): UrlPlace | undefined {
  const url = tryUrl(text);
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { url: url.href, host: url.hostname.replace(/^\[|\]$/g, ''), port };
}

function tryUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
