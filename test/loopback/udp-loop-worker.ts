import { parentPort, workerData } from 'node:worker_threads';
import { runUdpLoop } from '../../src/host/index.js';
import { scriptedResponder } from './scripted-responder.js';

/* The native UDP server in a thread, with the responder that the tests speak to. */
const { bind, stop } = workerData as { bind: string; stop: SharedArrayBuffer };
const responder = scriptedResponder();
runUdpLoop({ bind, port: 0, responder, stop: new Int32Array(stop), onReady: (port) => parentPort?.postMessage({ port }) });
parentPort?.postMessage({ counters: responder.counters() });
