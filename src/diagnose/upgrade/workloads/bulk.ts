import type { WorkloadKind } from '../workload.js';
import { durationText, lowest, plainQuantity } from '../workload.js';
import { judgeTransfer } from './transfer.js';

const WINDOW_MS = 8 * 3_600_000;

/** High-volume batch jobs: so much data within a window, such as a night. */
export const bulk: WorkloadKind = {
  id: 'bulk',
  title: 'high-volume batch jobs',
  main: 'size',
  keys: {
    size: { takes: 'size', help: 'all that is moved', min: 1, max: 1e18, required: true },
    within: { takes: 'duration', help: 'the window', min: 1, max: 365 * 86_400_000, default: WINDOW_MS },
  },
  example: 'bulk=5TB,within=8h',
  judge: ({ size = 0, within = WINDOW_MS }, carriers) =>
    judgeTransfer(
      {
        title: `moving ${plainQuantity(size, 'bytes')} within ${durationText(within / 1000)}`,
        sizeBytes: size,
        beside: ({ disks }) => disks,
        need: { seconds: within / 1000, text: `it is to be done within ${durationText(within / 1000)}` },
      },
      carriers,
    ),
  sufficient: {
    need: 'a night of 8 h is long enough',
    upTo: (carrier) => `${plainQuantity((lowest([...carrier.bounds, ...carrier.disks]).bound.bps / 8) * (WINDOW_MS / 1000), 'bytes')} a night`,
  },
};
