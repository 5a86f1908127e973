import type { PacketLog, PacketOutcome, PacketPlan } from '../../base/index.js';

/** Flows of one plan: each has a socket. */
export const FLOWS_MAX = 256;

/** What the thread is started with. Word 0 of `abort` is set to end it early. */
export interface PacketsWorkerData {
  readonly plan: Omit<PacketPlan, 'signal' | 'onOutcome'>;
  readonly abort: SharedArrayBuffer;
  /** Tell each outcome as it is known. */
  readonly tell: boolean;
  /** `socket`: read ICMP errors from an ICMP socket, as where the kernel queues none. */
  readonly errors: 'queue' | 'socket';
  /** Distinguishes this plan's packets from those of others, of this process and of the rest. */
  readonly run: number;
}

export type PacketsAnswer =
  | { readonly kind: 'outcome'; readonly index: number; readonly outcome: PacketOutcome }
  | { readonly kind: 'log'; readonly log: PacketLog }
  | {
      readonly kind: 'failure';
      readonly code: 'permission' | 'unsupported' | 'io';
      readonly message: string;
      readonly hint?: string;
    };
