import { parentPort, workerData } from 'node:worker_threads';
import { TautlineError } from '../base/index.js';
import { runUdpLoop, runUdpNode, udpLoopUnavailable } from '../host/datagrams/index.js';
import { UdpResponder } from '../serve/index.js';
import type { UdpWorkerInput, UdpWorkerMessage } from './serve-udp.js';

/*
 * The UDP thread of `serve`: the responder of `serve/` on the native loop, which blocks until the stop
 * flag is set; or, without the system's functions, on Node's own socket, until a message comes.
 */
if (parentPort) await serve(workerData as UdpWorkerInput, parentPort);

type Port = NonNullable<typeof parentPort>;

async function serve(input: UdpWorkerInput, port: Port): Promise<void> {
  const post = (message: UdpWorkerMessage): void => port.postMessage(message);
  try {
    const responder = new UdpResponder({
      secret: input.secret,
      limits: input.limits,
      ...(input.key === undefined ? {} : { key: input.key }),
    });
    let posted = '';
    const onTick = (): void => {
      const counters = responder.counters();
      const text = JSON.stringify(counters);
      if (text !== posted) post({ kind: 'counters', counters });
      posted = text;
    };
    const common = { bind: input.bind, port: input.port, responder, onTick };
    const fallback = udpLoopUnavailable();
    if (fallback === undefined) {
      runUdpLoop({ ...common, stop: new Int32Array(input.stop), onReady: (bound) => post({ kind: 'ready', port: bound }) });
    } else {
      const ended = new AbortController();
      port.once('message', () => ended.abort());
      await runUdpNode({ ...common, signal: ended.signal, onReady: (bound) => post({ kind: 'ready', port: bound, fallback }) });
    }
    onTick();
  } catch (error) {
    const known = error instanceof TautlineError ? error : new TautlineError('io', error instanceof Error ? error.message : String(error));
    post({ kind: 'failed', code: known.code, message: known.message, ...(known.hint === undefined ? {} : { hint: known.hint }) });
  } finally {
    // A listener would keep the thread, which has nothing left to do.
    port.close();
  }
}
