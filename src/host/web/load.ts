import { formatEndpoint } from '../../base/index.js';
import type { Clock, HttpLoad } from '../../base/index.js';
import { hostOf, portOf } from './client.js';
import { startHttp1Load } from './load-http1.js';
import { startHttp2Load } from './load-http2.js';
import { openLoadSocket } from './load-socket.js';
import type { LoadOptions } from './load-socket.js';

/** How many servers are remembered as not speaking HTTP/2 without TLS; the oldest is forgotten. */
const REMEMBERED_MAX = 64;

/**
 * Starts load-generating connections, and remembers which servers do not take HTTP/2 by prior knowledge,
 * so that each is asked only once.
 */
export function createLoads(clock: Clock): (options: LoadOptions) => Promise<HttpLoad> {
  const withoutH2c = new Set<string>();
  return async (options) => {
    const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
    if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
      return failedLoad(`'${options.url}' is not an http or https URL`);
    const place = formatEndpoint(options.remote ?? { host: hostOf(url), port: portOf(url) });
    const opened = await openLoadSocket(url, options);
    if (!opened.ok) return failedLoad(opened.reason);
    const start = { clock, url, place, options, socket: opened.socket };
    if (opened.alpn === 'h2') return (await startHttp2Load(start)).load;
    if (url.protocol === 'https:' || withoutH2c.has(place)) return startHttp1Load(start);
    const spoken = await startHttp2Load(start);
    if (spoken.understood) return spoken.load;
    spoken.load.close();
    if (withoutH2c.size >= REMEMBERED_MAX) withoutH2c.delete(withoutH2c.keys().next().value ?? '');
    withoutH2c.add(place);
    const again = await openLoadSocket(url, options);
    return again.ok ? startHttp1Load({ ...start, socket: again.socket }) : failedLoad(again.reason);
  };
}

function failedLoad(failure: string): HttpLoad {
  return { bytes: () => 0, selfProbeMs: () => Promise.resolve(undefined), multiplexed: false, failure, close: () => undefined };
}
