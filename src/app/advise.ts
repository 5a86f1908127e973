import { TautlineError } from '../base/index.js';
import type { Clock, Files, HostFacts } from '../base/index.js';
import { advise as compute } from '../diagnose/index.js';
import type { UpgradeInput } from '../diagnose/index.js';
import type { AdviceDocument } from '../results/index.js';
import { keptPath } from './advise-kept.js';
import { readPrices } from './advise-prices.js';
import { boundOf, cableOf, diskOf, durationOf, goodputOf, hostsOf, metresOf, portsOf, speedOf } from './advise-values.js';
import { readWorkload } from './advise-workloads.js';
import { documentHead } from './head.js';

/** What a person wrote, still as text; what is left out is taken from a kept run or assumed. */
export interface AdviseRequest {
  /** A target whose last kept run tells the speeds and figures. */
  readonly peer?: string;
  readonly from?: string;
  readonly to?: string;
  readonly workloads: readonly string[];
  readonly limits: readonly string[];
  readonly hosts?: string;
  readonly distance?: string;
  readonly cable?: string;
  readonly ports?: string;
  readonly freePorts?: string;
  readonly disk?: string;
  readonly measured?: string;
  readonly rtt?: string;
  readonly pricesFile?: string;
  readonly historyFolder: string;
}

/** Advice on a faster link from what was declared and measured. @throws TautlineError `usage` or `config` that names the flag or file */
export async function advise(ports: { files: Files; facts: HostFacts; clock: Clock }, request: AdviseRequest): Promise<AdviceDocument> {
  const startedMs = ports.clock.nowMs();
  const head = await documentHead(ports);
  const declared = declaredInput(request);
  const kept = request.peer === undefined ? {} : await keptPath({ files: ports.files, folder: request.historyFolder }, request.peer);
  const prices = request.pricesFile === undefined ? undefined : await readPrices(ports.files, request.pricesFile);
  const input: UpgradeInput = {
    ...kept,
    ...declared,
    ...(kept.measured || declared.measured ? { measured: { ...kept.measured, ...declared.measured } } : {}),
    ...(prices ? { prices } : {}),
    today: head.startedAt.slice(0, 10),
  };
  refuseWithoutGain(input, request);
  const advice = compute(input);
  if (!advice) throw withoutSpeeds(request);
  return { schema: 'tautline.advice/1', ...head, durationMs: ports.clock.nowMs() - startedMs, advice };
}

function declaredInput(request: AdviseRequest): UpgradeInput {
  const { from, to, measured, rtt, hosts, distance, cable, disk, ports, freePorts } = request;
  const bps = measured === undefined ? undefined : goodputOf('--measured', measured);
  return {
    ...(from === undefined ? {} : { fromBps: speedOf('--from', from) }),
    ...(to === undefined ? {} : { toBps: speedOf('--to', to) }),
    ...(bps === undefined && rtt === undefined
      ? {}
      : { measured: { ...(bps === undefined ? {} : { bps }), ...(rtt === undefined ? {} : { rttMs: rttOf(rtt) }) } }),
    ...(hosts === undefined ? {} : { hosts: hostsOf(hosts) }),
    ...(distance === undefined ? {} : { distanceMetres: metresOf(distance) }),
    ...(cable === undefined ? {} : { cable: cableOf(cable) }),
    ...(ports === undefined ? {} : { ports: portsOf(ports) }),
    ...(freePorts === undefined ? {} : { freePorts: freePorts === 'yes' }),
    ...(disk === undefined ? {} : { disk: diskOf(disk) }),
    bounds: request.limits.map(boundOf),
    workloads: request.workloads.map(readWorkload),
  };
}

/** @throws TautlineError `usage` where the later speed is not the higher one */
function refuseWithoutGain({ fromBps, toBps, near, far }: UpgradeInput, { from, to }: AdviseRequest): void {
  const now = fromBps ?? lower(near?.link?.speedBps, far?.link?.speedBps);
  const then = toBps ?? lower(near?.link?.supportedBpsMax, far?.link?.supportedBpsMax);
  if (now === undefined || then === undefined || then > now) return;
  const declared = from !== undefined && to !== undefined;
  throw new TautlineError('usage', declared ? `--to ${to} is not faster than --from ${from}` : 'the link already runs at what both ends can do', {
    hint: declared ? 'write the slower speed with --from and the faster one with --to' : 'declare a faster one with --to, for example --to 10G',
  });
}

function lower(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.min(a, b);
}

function withoutSpeeds({ peer, from, to }: AdviseRequest): TautlineError {
  if (peer !== undefined) {
    return new TautlineError(
      'usage',
      `the last kept run of '${peer}' does not tell the speeds of both ends' links${to === undefined ? '' : ', or no cable is involved'}`,
      {
        hint: 'declare them: --from 1G --to 10G',
      },
    );
  }
  const missing = [...(from === undefined ? ['--from'] : []), ...(to === undefined ? ['--to'] : [])].join(' and ');
  return new TautlineError('usage', `${missing} missing: from which speed to which?`, {
    hint: 'write for example tautline advise --from 1G --to 10G --workload model=10GB',
  });
}

function rttOf(text: string): number {
  const ms = durationOf('--rtt', text);
  if (ms > 0 && ms <= RTT_MS_MAX) return ms;
  throw new TautlineError('usage', `--rtt: '${text}' is no round trip of a link`, { hint: 'write for example 0.3ms' });
}

const RTT_MS_MAX = 10_000;
