import { parentPort, workerData } from 'node:worker_threads';
import { TautlineError } from '../../base/index.js';
import { libcUnavailable, loadLibc } from '../libc/index.js';
import type { PacketsAnswer, PacketsWorkerData } from './messages.js';
import { Prober } from './prober.js';

/* The thread of one plan. It blocks until the plan has ended, and is reached meanwhile through shared memory only. */
const port = parentPort;
if (port) {
  const answer = (message: PacketsAnswer): void => port.postMessage(message);
  const data = workerData as PacketsWorkerData;
  try {
    const libc = loadLibc();
    if (!libc) throw new TautlineError('unsupported', libcUnavailable() ?? 'no libc');
    const log = new Prober(libc, data, (index, outcome) => {
      if (data.tell) answer({ kind: 'outcome', index, outcome });
    }).run();
    answer({ kind: 'log', log });
  } catch (error) {
    const known = error instanceof TautlineError ? error : undefined;
    answer({
      kind: 'failure',
      code: known?.code === 'permission' || known?.code === 'unsupported' ? known.code : 'io',
      message: error instanceof Error ? error.message : String(error),
      ...(known?.hint === undefined ? {} : { hint: known.hint }),
    });
  }
}
