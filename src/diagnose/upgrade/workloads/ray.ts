import type { WorkloadKind } from '../workload.js';
import { byteRateText, lowest, plainQuantity } from '../workload.js';
import { judgeTransfer } from './transfer.js';

/**
 * What Ray's object manager was seen to move between two nodes of 10 Gbit/s each, with one owner for the objects:
 * 45 Gbit/s to ten nodes (github.com/ray-project/ray/issues/42632, January 2024; 0.2 to 0.3 GB/s each with many
 * owners, and about half of an 11 Gbit/s link in issue 1325).
 */
const FRAMEWORK_BPS = 4.5e9;

/** Objects of Ray from one node's store to another's; they stay in memory, so no disk is involved. */
export const raySync: WorkloadKind = {
  id: 'ray',
  title: 'Ray object sync',
  main: 'size',
  keys: {
    size: { takes: 'size', help: 'how much is moved at once', min: 1, max: 1e15, default: 1e9 },
    framework: { takes: 'rate', help: 'what Ray itself moves between two nodes, where you measured it', min: 1e6, max: 1e13, default: FRAMEWORK_BPS },
  },
  example: 'ray=1GB,framework=4.5G',
  judge: (values, carriers) =>
    judgeTransfer(
      {
        title: `Ray moving objects of ${plainQuantity(values['size'] ?? 0, 'bytes')}`,
        sizeBytes: values['size'] ?? 0,
        beside: () => [{ what: "Ray's object manager", bps: values['framework'] ?? FRAMEWORK_BPS }],
        assumed:
          values['framework'] === FRAMEWORK_BPS
            ? [
                "Ray's object manager moves 4.5 Gbit/s between two nodes, as in github.com/ray-project/ray/issues/42632; framework=RATE sets what you measured",
              ]
            : [],
      },
      carriers,
    ),
  sufficient: {
    need: 'the link is not what limits the sync',
    upTo: ({ bounds }) => {
      const bps = Math.min(lowest(bounds).bound.bps, FRAMEWORK_BPS);
      return `${byteRateText(bps)}${bps === FRAMEWORK_BPS ? ' (Ray itself)' : ''}`;
    },
  },
};
