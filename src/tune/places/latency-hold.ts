import { LATENCY_DEVICE, LATENCY_PROCESS, latencyHoldArgs, shellWord } from '../../base/index.js';
import type { Place } from '../place.js';

/**
 * What a process of ours keeps /dev/cpu_dma_latency at: the kernel allows no idle state that takes longer to leave than the
 * least figure of all who have the device open (Documentation/power/pm_qos_interface.rst).
 */
export const latencyHoldPlace: Place<'latency-hold'> = {
  kind: 'latency-hold',
  async read(ports) {
    if ((await ports.control.readEntry(LATENCY_DEVICE)) === undefined) return undefined;
    return (await ports.control.heldLatency()) ?? null;
  },
  async write({ control }, _, state) {
    if (((await control.heldLatency()) ?? null) === state) return;
    await control.dropLatency();
    if (state !== null) await control.holdLatency(state);
  },
  holds: (state, meant) => state === meant,
  label: () => LATENCY_DEVICE,
  show: (state) => (state === null ? 'not held' : `held at ${state} us`),
  commands: (_, state) => (state === null ? [DROP] : [DROP, hold(state)]),
  reach: () => 'machine',
};

function hold(microseconds: number): string {
  return `setsid sh ${latencyHoldArgs(microseconds).map(shellWord).join(' ')} < /dev/null > /dev/null 2>&1 &`;
}

/** Ends the whole session, so that its sleep does not stay behind. */
const DROP = `for pid in $(pgrep -f '^sh -c .* ${LATENCY_PROCESS} [0-9]+$'); do kill -- "-$pid" 2>/dev/null || kill "$pid" || :; done`;
