/**
 * HTTP and TLS behind the `Web` port, on Node's own client and server: a keep-alive client that times each
 * phase, a TLS handshake timed by itself, load-generating connections for responsiveness, and the HTTP side
 * of `tautline serve`. What a request is answered with is decided in `serve/`; what a time means, in `probe/`.
 *
 *     const web = createWeb(clock);
 *     const outcome = await web.client().request({ url: 'http://10.0.0.1/', method: 'GET', timeoutMs: 5000 });
 */
import type { Clock, Web } from '../../base/index.js';
import { createHttpClient } from './client.js';
import { createLoads } from './load.js';
import { measureTls } from './tls.js';

export function createWeb(clock: Clock): Web {
  return { client: () => createHttpClient(clock), load: createLoads(clock), tls: (options) => measureTls(clock, options) };
}

export { attachHttp, sniffHttp } from './server.js';
export type { HttpAttachment, HttpAttachOptions } from './server.js';
