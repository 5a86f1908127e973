import { accessSync, constants, readFileSync, readdirSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { LATENCY_PROCESS, TautlineError, latencyHoldArgs } from '../../base/index.js';
import type { HostControl } from '../../base/index.js';
import { startInBackground } from './background.js';
import { startOf } from './processes.js';
import { valueError } from './refusals.js';

const READY_TIMEOUT_MS = 5000;
const END_TIMEOUT_MS = 5000;
const LOOK_MS = 5;

interface Hold {
  readonly pid: number;
  readonly start: string;
  readonly microseconds: number;
}

/** Processes that keep the latency device open, found by their command line wherever they were started (a unit at boot, too). */
export function createLatencyControl(device: string): Pick<HostControl, 'holdLatency' | 'heldLatency' | 'dropLatency'> {
  return {
    async holdLatency(microseconds) {
      if (!Number.isSafeInteger(microseconds) || microseconds < 0 || microseconds > 0x7fffffff) {
        throw new TautlineError('usage', `${microseconds} is no latency in whole microseconds`);
      }
      try {
        accessSync(device, constants.W_OK);
      } catch (cause) {
        throw valueError('write', device, cause);
      }
      return await startInBackground({
        program: 'sh',
        args: latencyHoldArgs(microseconds, device),
        readyOn: 1,
        readyTimeoutMs: READY_TIMEOUT_MS,
        name: `the process that holds ${device}`,
      });
    },

    async heldLatency() {
      const held = holdsOf(device).map(({ microseconds }) => microseconds);
      return held.length === 0 ? undefined : Math.min(...held);
    },

    async dropLatency() {
      const holds = holdsOf(device);
      // The number may be another process's by now; its start tells.
      for (const hold of holds) if (startOf(hold.pid) === hold.start) endSession(hold.pid, device);
      for (let waitedMs = 0; holds.some(({ pid, start }) => startOf(pid) === start); waitedMs += LOOK_MS) {
        if (waitedMs >= END_TIMEOUT_MS) throw new TautlineError('io', `a process that holds ${device} does not end`);
        await wait(LOOK_MS);
      }
    },
  };
}

function holdsOf(device: string): Hold[] {
  const script = latencyHoldArgs(0, device)[1]?.split(' && ')[0] ?? '';
  return processNumbers().flatMap((pid) => {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
      const ours = args.length === 5 && args[1] === '-c' && args[3] === LATENCY_PROCESS && (args[2] ?? '').startsWith(`${script} && `);
      if (!ours || !/^\d+$/.test(args[4] ?? '')) return [];
      // Anybody may call a process so; only root's and our own are taken for it.
      const owner = statSync(`/proc/${pid}`).uid;
      const start = startOf(pid);
      if ((owner !== 0 && owner !== process.geteuid?.()) || start === undefined) return [];
      return [{ pid, start, microseconds: Number(args[4]) }];
    } catch {
      // It has ended meanwhile, or is hidden from this user.
      return [];
    }
  });
}

function processNumbers(): number[] {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}

/** With its sleep, which leads no session of its own. One that leads none itself is ended alone. */
function endSession(pid: number, device: string): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, 'SIGTERM');
      return;
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'EPERM') throw valueError('write', device, cause);
    }
  }
}
