import type { Carrier, WorkloadKind } from '../workload.js';
import { durationText, lowest, plainQuantity } from '../workload.js';
import { judgeTransfer } from './transfer.js';

/** Loading may take this share of the time between two loads. */
const SHARE_MAX = 0.01;

/** Serving a model: its file is loaded once, and requests and answers are a few kilobytes. */
export const inference: WorkloadKind = {
  id: 'inference',
  title: 'serving a model that is loaded once',
  main: 'size',
  keys: {
    size: { takes: 'size', help: "the model's size", min: 1, max: 1e15, default: 14e9 },
    every: { takes: 'duration', help: 'how often it is loaded', min: 1000, max: 365 * 86_400_000, default: 86_400_000 },
  },
  example: 'inference=14GB,every=24h',
  judge: (values, carriers) => {
    const everySeconds = (values['every'] ?? 0) / 1000;
    return judgeTransfer(
      {
        title: `serving a model of ${plainQuantity(values['size'] ?? 0, 'bytes')}, loaded every ${durationText(everySeconds)}`,
        sizeBytes: values['size'] ?? 0,
        beside: ({ disks }) => disks,
        need: {
          seconds: everySeconds * SHARE_MAX,
          text: `loading is to take at most ${SHARE_MAX * 100} % of the time (${durationText(everySeconds * SHARE_MAX)})`,
        },
      },
      carriers,
    );
  },
  sufficient: {
    need: `loading takes at most ${SHARE_MAX * 100} % of the time, loaded once a day`,
    upTo: (carrier) => `models of up to ${plainQuantity(loadableBytes(carrier), 'bytes')}`,
  },
};

function loadableBytes(carrier: Carrier): number {
  return (lowest([...carrier.bounds, ...carrier.disks]).bound.bps / 8) * 86_400 * SHARE_MAX;
}
