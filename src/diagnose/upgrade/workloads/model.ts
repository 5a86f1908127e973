import type { WorkloadKind } from '../workload.js';
import { lowest, plainQuantity } from '../workload.js';
import { judgeTransfer } from './transfer.js';

const WITHIN_SECONDS = 60;

/** Moving a model's file from one host's disk to the other's. */
export const modelTransfer: WorkloadKind = {
  id: 'model',
  title: 'moving a model file',
  main: 'size',
  keys: {
    size: { takes: 'size', help: "the file's size", min: 1, max: 1e15, required: true },
    within: { takes: 'duration', help: 'how long it may take', min: 1, max: 30 * 86_400_000 },
    verify: { takes: 'rate', help: 'how fast a checksum is computed on the way, as with rsync --checksum', min: 1e6, max: 1e13 },
  },
  example: 'model=10GB,within=30s',
  judge: (values, carriers) =>
    judgeTransfer(
      {
        title: `moving a model of ${plainQuantity(values['size'] ?? 0, 'bytes')}`,
        sizeBytes: values['size'] ?? 0,
        beside: ({ disks }) => [...disks, ...(values['verify'] === undefined ? [] : [{ what: 'the checksum', bps: values['verify'] }])],
        ...(values['within'] === undefined
          ? {}
          : { need: { seconds: values['within'] / 1000, text: `it is to take ${plainQuantity(values['within'], 'ms')} at most` } }),
      },
      carriers,
    ),
  sufficient: {
    need: `a file that somebody waits for arrives within ${WITHIN_SECONDS} s`,
    upTo: (carrier) => `files of up to ${plainQuantity((lowest([...carrier.bounds, ...carrier.disks]).bound.bps / 8) * WITHIN_SECONDS, 'bytes')}`,
  },
};
