import type { MeasureDocument } from '../../../src/results/index.js';
import { TAUTLINE, metric } from '../../lab/tautline.js';
import { runUml } from './uml.js';

const T = TAUTLINE.map((word) => `'${word}'`).join(' ');

/**
 * The beginning of a job: two namespaces inside the kernel that has netem, with serve in the far one.
 * `near` and `far` run a command in each; `measure PROBE ARGS` and `check` print JSON.
 */
export const SERVED_PATH = `
near() { ip netns exec near "$@"; }
far() { ip netns exec far "$@"; }
ip netns add near; ip netns add far
ip link add path0 netns near type veth peer name path0 netns far
near ip link set lo up; far ip link set lo up; near ip link set path0 up; far ip link set path0 up
near ip addr add 10.77.0.1/24 dev path0; far ip addr add 10.77.0.2/24 dev path0
head -c 32 /dev/urandom | base64 > key; chmod 600 key
far ${T} serve --bind 10.77.0.2 --port 7227 --key-file key > serve.out 2>&1 &
for i in $(seq 100); do grep -q :7227 serve.out && break; sleep 0.1; done
measure() { near ${T} measure "$1" 10.77.0.2:7227 --key-file key --json --quiet "\${@:2}" || true; }
check() { near ${T} check 10.77.0.2:7227 --key-file key --json --quiet "$@" || true; }
`;

export interface KnownDelay {
  /** The delay that was found: the least round trip with it minus the least without. */
  readonly foundMs: number;
  /** How far the median lies above the least. */
  readonly jitterMs: number;
  /** What ping says of the same path. */
  readonly ping: string;
}

/**
 * Measures a delay that netem puts on the way out. What is compared is the least round trip with the
 * delay minus the least without: the least is what the path itself takes, free of what two programs
 * that share one emulated processor add, and the difference leaves the namespaces' own time out.
 */
export async function measureKnownDelay(delayMs: number): Promise<KnownDelay> {
  const { stdout, stderr } = await runUml(`${SERVED_PATH}
    measure echo --count 300 --interval 10ms > plain.json
    near tc qdisc add dev path0 root netem delay ${delayMs}ms
    near ping -q -i 0.02 -c 100 10.77.0.2 > ping.txt
    measure echo --count 300 --interval 10ms > delayed.json
    cat plain.json; echo ---; cat delayed.json; echo ---; tail -n 1 ping.txt`);
  const [plain, delayed, ping = ''] = stdout.split('---\n');
  const base = rttOf(plain, stderr);
  const rtt = rttOf(delayed, stderr);
  return { foundMs: rtt.min - base.min, jitterMs: rtt.median - rtt.min, ping: ping.trim() };
}

/** @throws with all that the job said when it printed no document */
export function read<D>(text: string | undefined, stderr: string): D {
  try {
    return JSON.parse(text ?? '') as D;
  } catch (cause) {
    throw new Error(`no document: ${text?.slice(0, 500)} ${stderr}`, { cause });
  }
}

function rttOf(text: string | undefined, stderr: string): { readonly min: number; readonly median: number } {
  const { summary, reason } = metric(read<MeasureDocument>(text, stderr).measurements, 'rtt');
  if (!summary) throw new Error(`no round trips: ${reason}`);
  return summary;
}
