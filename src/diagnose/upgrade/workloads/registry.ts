import type { WorkloadKind } from '../workload.js';
import { realTimeAudio } from './audio.js';
import { smallBatches } from './batch.js';
import { bulk } from './bulk.js';
import { gradientExchange } from './gradients.js';
import { inference } from './inference.js';
import { modelTransfer } from './model.js';
import { raySync } from './ray.js';
import { dataStream } from './stream.js';
import { developmentSync } from './sync.js';

/** Every kind of work that can be declared; a new one is one file and one line here. */
export const WORKLOAD_KINDS: readonly WorkloadKind[] = [
  modelTransfer,
  raySync,
  gradientExchange,
  inference,
  smallBatches,
  developmentSync,
  dataStream,
  bulk,
  realTimeAudio,
];
