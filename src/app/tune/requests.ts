import type { PlanDocument } from '../../results/index.js';
import type { Peer } from '../../paths/index.js';
import type { Progress } from '../progress.js';

/** Where a person's tuning is: the same in every use case. */
export interface TuneScope {
  /** The journals and what goes with them; see `tuneFolder`. */
  readonly folder: string;
  /** Where root keeps its changes, left out for root itself: that there are some there is told even where they cannot be read. */
  readonly rootFolder?: string;
  readonly homeFolder: string;
  /** Where a person keeps profiles of their own, the first first: a file there goes before one of Tautline with the same name. */
  readonly profileFolders: readonly string[];
}

/** `tautline tune list`. */
export type TuneListRequest = TuneScope;

/** `tautline tune plan [PROFILE]`, and the same with `--script`. */
export interface TunePlanRequest extends TuneScope {
  /** A name, or the absolute path of a file (it ends in .yaml or .yml); without one, what is advised for this kind of host. */
  readonly profile?: string;
  /** `--interface`, as often as it was given; left out: the uplinks. */
  readonly interfaces?: readonly string[];
}

/** `tautline tune apply PROFILE`. */
export interface TuneApplyRequest extends TunePlanRequest {
  readonly profile: string;
  /** Whether it is to outlive a boot. */
  readonly persist: boolean;
  /** Everything is undone after so long unless `tuneConfirm` comes before. */
  readonly confirmWithinMs?: number;
  /** What a person saw and agreed to. Where the plan has become another one since, nothing is applied and that is told. */
  readonly agreed?: PlanDocument;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** `tautline tune apply --continue [CHANGE]`: finishes an apply that was interrupted. */
export interface TuneContinueRequest {
  readonly folder: string;
  /** Its id or the beginning of it; without one the only one that was interrupted. */
  readonly change?: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** `tautline tune confirm [CHANGE]`. */
export interface TuneConfirmRequest {
  readonly folder: string;
  /** Its id or the beginning of it; without one the only one that awaits it. */
  readonly change?: string;
}

/** `tautline tune status`, `tautline tune verify`. */
export type TuneStatusRequest = TuneScope;

/** `tautline tune rollback [CHANGE]`. */
export interface TuneRollbackRequest extends Pick<TuneScope, 'folder' | 'rootFolder'> {
  /** Its id or the beginning of it; without one the newest. */
  readonly change?: string;
  /** Every change in force, the newest first. */
  readonly all: boolean;
  /** Whether values that someone else changed since are set back too. */
  readonly force: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** `tautline tune try PROFILE --target T`. */
export interface TuneTryRequest extends TunePlanRequest {
  /** `--setting KEY=VALUE`, as often as it was given: tried beside the profile, or alone without one, also where a plan would not do it. */
  readonly settings?: readonly { readonly id: string; readonly value: string }[];
  readonly target: string;
  readonly peers: readonly Peer[];
  readonly keyFile?: string;
  readonly family?: 4 | 6;
  readonly seed: number;
  /** Blocks of every group; without it as many as `timeMs` allows, or the default. */
  readonly blocks?: number;
  /** How long all of it may take; without it as long as the blocks need. */
  readonly timeMs?: number;
  /** Setting groups to try; left out: all that the plan would change. */
  readonly groups?: readonly string[];
  /** Whether what helped is left applied. */
  readonly keep: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** `tautline tune guard CHANGE`, which `apply --confirm-within` starts itself: waits, and undoes what was not confirmed. */
export interface TuneGuardRequest {
  readonly folder: string;
  readonly change: string;
  /** Called once it watches: from here on the one that started it may end. */
  ready(): Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Where changes are journalled: for root the machine's own place, since what root changes is the machine's; else the
 * person's. A relative XDG_STATE_HOME is none, as its specification says.
 */
export function tuneFolder(on: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeFolder: string;
  readonly platform: string;
  readonly root: boolean;
}): string {
  const mac = on.platform === 'darwin';
  if (on.root) return mac ? '/Library/Application Support/tautline' : '/var/lib/tautline';
  const state = on.env['XDG_STATE_HOME'];
  if (state !== undefined && state.startsWith('/')) return `${state.replace(/\/+$/, '')}/tautline`;
  const home = on.homeFolder.replace(/\/+$/, '');
  return mac ? `${home}/Library/Application Support/tautline` : `${home}/.local/state/tautline`;
}
