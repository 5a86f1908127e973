import { Worker } from 'node:worker_threads';

export interface ThreadOptions {
  /** The module that the thread runs, as `new URL('./x-worker.js', import.meta.url)`. */
  readonly entry: URL;
  readonly name: string;
  /** Plain data and shared memory. */
  readonly data: unknown;
  readonly onMessage: (message: unknown) => void;
  /** Called once, with what went wrong, if anything did. */
  readonly onExit: (failure: string | undefined) => void;
}

export interface Thread {
  post(message: unknown): void;
  /** Ends it at once, wherever it is. */
  terminate(): Promise<void>;
}

/** What a thread without a large heap of its own may use; it costs about 10 MB. */
const LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8, stackSizeMb: 1 };

/** Starts a thread of this process, for work that blocks. */
export function startThread({ entry, name, data, onMessage, onExit }: ThreadOptions): Thread {
  const worker = new Worker(entry, { workerData: data, name, execArgv: [], resourceLimits: LIMITS });
  let failure: string | undefined;
  worker.on('message', onMessage);
  worker.on('error', (error) => {
    failure = error instanceof Error ? error.message : String(error);
  });
  worker.on('exit', (code) => onExit(failure ?? (code === 0 ? undefined : `it ended with code ${code}`)));
  return {
    post: (message) => worker.postMessage(message),
    terminate: async () => void (await worker.terminate()),
  };
}
