import { shellWord } from './shell.js';

/**
 * The process that keeps a bound on idle states: the kernel honours it for as long as somebody has the device open
 * (Documentation/power/pm_qos_interface.rst). A shell, because it must outlive whoever asked for it and takes almost
 * nothing; the name stands in its command line, where it is found again, also when a unit started it at boot.
 */
export const LATENCY_DEVICE = '/dev/cpu_dma_latency';
export const LATENCY_PROCESS = 'tautline-latency-hold';

/** Arguments for `sh`. It says `ready` once the bound is in force. */
export function latencyHoldArgs(microseconds: number, device = LATENCY_DEVICE): readonly string[] {
  // Text of any length but four is taken for hexadecimal digits (kernel/power/qos.c, cpu_latency_qos_write).
  const figure = `0x${microseconds.toString(16).padStart(8, '0')}`;
  // The sleep does not have the device open: left behind by a shell that was killed, it holds nothing.
  const script = `exec 3>${shellWord(device)} && printf ${figure} >&3 && echo ready && exec >/dev/null && while sleep 3600 3>&-; do :; done`;
  return ['-c', script, LATENCY_PROCESS, String(microseconds)];
}
