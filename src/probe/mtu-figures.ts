import type { RouteFacts } from '../base/index.js';
import type { Measurement, MtuDetails, Summary } from '../results/index.js';
import { clampAdvice, mssOf } from './mtu-clamp.js';
import type { MtuFinding } from './mtu-search.js';

/** Fewer packets that vanish may have been lost. */
const VANISHED_MIN = 3;

/** What is known beside the finding itself. */
export interface MtuContext {
  readonly direction: 'up' | 'down';
  readonly method: MtuDetails['method'];
  readonly family: 4 | 6;
  readonly remote: string;
  readonly remoteHost: string;
  readonly interfaceName: string | undefined;
  readonly interfaceMtuBytes: number | undefined;
  readonly route: RouteFacts | undefined;
  readonly tcpMssBytes: number | undefined;
  readonly os: string;
  /** What the sender's kernel believed before anything large was sent, and at the end. */
  readonly believedFirstBytes?: number | undefined;
  readonly believedBytes: number | undefined;
  /** Answers were rationed. */
  readonly rationed?: boolean;
  readonly aborted: boolean;
  readonly also?: readonly string[];
}

export type MtuFigures = Pick<Measurement, 'outcome'> & Partial<Measurement>;

/** A finding as a measurement. */
export function mtuFigures(finding: MtuFinding, context: MtuContext): MtuFigures {
  const { passes } = finding;
  const interrupted = context.aborted ? { partial: true } : {};
  if (passes === undefined) {
    if (context.aborted) return { outcome: 'unchecked', reason: 'interrupted before anything was measured', ...interrupted };
    return { outcome: finding.over?.outcome ?? 'lost', reason: finding.over?.reason ?? 'not even the smallest packets are answered' };
  }
  const details = mtuDetails(finding, context);
  const open = openBytes(finding);
  return {
    outcome: 'ok',
    summary: single(passes),
    error: { value: open, unit: 'bytes', from: errorCauses(finding, context, details) },
    ...(finding.verified ? {} : { partial: true }),
    ...interrupted,
    ...reasonOf(finding, context, details),
    details: { ...details },
  };
}

/** How much larger it may be than what is known to pass. */
function openBytes({ verified, passes, fails }: MtuFinding): number {
  if (verified) return 0;
  return Math.max(1, (fails ?? 65_536) - (passes ?? 0) - 1);
}

function single(bytes: number): Summary {
  return { unit: 'bytes', n: 1, min: bytes, median: bytes, mean: bytes, p95: bytes, p99: bytes, max: bytes, stddev: 0 };
}

function mtuDetails(finding: MtuFinding, context: MtuContext): MtuDetails {
  const { direction, method, family, interfaceName, interfaceMtuBytes, tcpMssBytes } = context;
  const passes = finding.passes as number;
  const told = toldOf(finding, context);
  const blackHole = isBlackHole(finding, context, told);
  const wrongMtuBytes = told?.mtuBytes !== undefined && finding.verified && !finding.refused && told.mtuBytes > passes ? told.mtuBytes : undefined;
  const clamp = clampAdvice({ ...context, mtuBytes: passes, blackHole, wrongMtuBytes });
  const up = direction === 'up';
  return {
    direction,
    method,
    remote: context.remote,
    passesBytes: passes,
    ...(finding.fails === undefined ? {} : { failsBytes: finding.fails }),
    blackHole,
    ...(told?.from === undefined ? {} : { tooBigFrom: told.from }),
    ...(told?.mtuBytes === undefined ? {} : { tooBigMtuBytes: told.mtuBytes }),
    ...(up && interfaceName !== undefined ? { interfaceName } : {}),
    ...(up && interfaceMtuBytes !== undefined ? { interfaceMtuBytes } : {}),
    ...(context.believedBytes === undefined ? {} : { kernelMtuBytes: context.believedBytes }),
    mssBytes: mssOf(passes, family),
    ...(tcpMssBytes === undefined ? {} : { tcpMssBytes }),
    ...(clamp ? { clamp } : {}),
    tried: finding.tried,
    verified: finding.verified,
    ...(finding.fails === undefined ? {} : { chance: finding.chance }),
    ownInterface: finding.refused,
    vanished: finding.vanished,
    fitting: finding.fitting,
    ...(finding.surprises.length === 0 ? {} : { surprises: finding.surprises }),
    changes: finding.changes,
  };
}

interface Told {
  readonly from?: string;
  readonly mtuBytes?: number;
}

/**
 * Who said that packets are too big. On the way down that is said to the peer: it shows in what the peer's kernel
 * believes, unless its own interface is what is small.
 */
function toldOf(finding: MtuFinding, context: MtuContext): Told | undefined {
  if (context.direction === 'up') return finding.tooBig.findLast(({ mtuBytes }) => mtuBytes === finding.passes) ?? finding.tooBig.at(-1);
  const { believedBytes, believedFirstBytes = 0 } = context;
  if (finding.refused || believedBytes === undefined || finding.passes === undefined) return undefined;
  return believedBytes < believedFirstBytes || believedBytes <= finding.passes ? { mtuBytes: believedBytes } : undefined;
}

function isBlackHole(finding: MtuFinding, context: MtuContext, told: Told | undefined): boolean {
  if (finding.passes === undefined || finding.fails === undefined || finding.refused || told !== undefined) return false;
  if (!finding.verified || finding.vanished < VANISHED_MIN) return false;
  // What the peer's kernel knows cannot be known where it does not say.
  return context.direction === 'up' || context.believedBytes !== undefined;
}

function reasonOf(finding: MtuFinding, context: MtuContext, details: MtuDetails): { reason?: string } {
  const { passes, fails } = finding;
  if (finding.over && !finding.verified) return { reason: `${finding.over.reason}; ${passes} bytes passed before` };
  if (context.aborted && !finding.verified)
    return { reason: `interrupted; ${passes} bytes pass${fails === undefined ? '' : `, ${fails} did not until then`}` };
  if (!finding.verified)
    return {
      reason: `${passes} bytes pass${fails === undefined ? '' : `, ${fails} do not as it seems`}: too much is lost, or too little time was left, to be sure`,
    };
  const sentences: string[] = [];
  if (details.blackHole)
    sentences.push(
      `black hole on the way ${context.direction}: ${finding.vanished} packets above ${passes} bytes vanished without any ICMP "too big"${details.clamp ? `; try \`${details.clamp.command}\`` : ''}`,
    );
  if (details.tooBigMtuBytes !== undefined && details.tooBigMtuBytes !== passes && !finding.refused) {
    const who = details.tooBigFrom ?? "the peer's kernel, from what routers told it,";
    sentences.push(`${who} names an MTU of ${details.tooBigMtuBytes} bytes, but ${passes} is what passes`);
  }
  if (finding.surprises.length > 0)
    sentences.push(`packets of ${finding.surprises.join(', ')} bytes do not pass although ${passes} bytes do: something on the way drops by size`);
  if (finding.changes > 0) sentences.push('the path MTU changed while it was measured; this is what it was at the end');
  return sentences.length === 0 ? {} : { reason: sentences.join('. ') };
}

/** How sure it is, and what else bears on it. */
function errorCauses(finding: MtuFinding, context: MtuContext, details: MtuDetails): string[] {
  const { passes, fails, fitting } = finding;
  const list: string[] = [];
  const failed = finding.tried.find(({ bytes }) => bytes === fails);
  if (finding.verified && finding.refused) list.push(`${fails} bytes do not leave the sender: its own interface takes ${passes}`);
  else if (finding.verified && fails !== undefined && failed)
    list.push(
      `verified: ${fails} bytes failed ${failed.sent} times, while ${fitting.passed} of ${fitting.sent} packets that fit arrived: by chance once in ${oneIn(finding.chance)}`,
    );
  else if (finding.verified) list.push(`${passes} bytes is the largest packet there is`);
  else list.push(`between ${passes} and ${(fails ?? 65_536) - 1} bytes: not verified`);
  if (context.rationed === true) list.push('answers are rationed by the target, so few packets could be sent');
  if (context.method !== 'responder')
    list.push('the way there only: answers may come back in pieces, so the way back is not known (run `tautline serve` there)');
  const { believedFirstBytes } = context;
  if (believedFirstBytes !== undefined && !finding.refused && passes !== undefined && believedFirstBytes <= passes && context.direction === 'down')
    list.push("the peer's kernel knew the MTU before; whether routers still tell it cannot be seen");
  if (context.direction === 'down' && context.believedBytes === undefined && !finding.refused)
    list.push('the peer does not say what its kernel believes of the path, so a black hole cannot be told from an MTU that it knows');
  if (details.tcpMssBytes !== undefined) list.push(`TCP puts ${details.tcpMssBytes} bytes into a segment on this path`);
  return [...list, ...(context.also ?? [])];
}

function oneIn(chance: number): string {
  return chance < 1e-12 ? 'more than 10^12 times' : `10^${Math.floor(-Math.log10(chance))} times`;
}
