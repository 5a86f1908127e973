import type { HostPlace } from '../../base/index.js';
import type { Change, PlaceStates } from '../place.js';
import type { Persisted } from '../setting.js';

/**
 * A journal is one file a change, one JSON object a line, appended and synced before what it announces is done. Each line
 * carries the SHA-256 of the line before, so a line that was edited, lost or moved is noticed; only the last line may be
 * torn, by a crash in the middle of writing it, and is then taken as never written. Everything needed to undo the change
 * (originals, intentions) is in the first line, so it is on the disk before the first write.
 */
export type JournalRecord =
  | {
      readonly type: 'begin';
      readonly schema: 'tautline.journal/1';
      readonly change: string;
      readonly tool: string;
      /** Wall clock, ISO 8601. */
      readonly at: string;
      readonly host: HostPlace & { readonly name: string };
      readonly userId: number;
      readonly profile: string;
      /** Undone at this time unless confirmed before. */
      readonly confirmBefore?: string;
      readonly persist: boolean;
      readonly steps: readonly JournalStep[];
    }
  /** Step `step` is about to be written. */
  | { readonly type: 'doing'; readonly step: number }
  /** It was, and this is what the place holds since: kernels round, and clamp. */
  | { readonly type: 'done'; readonly step: number; readonly found: PlaceStates[keyof PlaceStates] | null; readonly why?: string }
  /** It was not, or not as it was meant; `found` where the place could be read. */
  | { readonly type: 'failed'; readonly step: number; readonly why: string; readonly found?: PlaceStates[keyof PlaceStates] | null }
  | { readonly type: 'applied'; readonly at: string }
  | { readonly type: 'confirmed'; readonly at: string }
  /** From here on everything is being undone; `reason`: asked, not confirmed in time, a step failed. */
  | { readonly type: 'undo'; readonly at: string; readonly reason: 'asked' | 'unconfirmed' | 'failed'; readonly force: boolean }
  | { readonly type: 'undoing'; readonly step: number }
  | { readonly type: 'undone'; readonly step: number; readonly outcome: 'undone' | 'conflict' | 'gone' | 'failed'; readonly why?: string }
  | { readonly type: 'rolled-back'; readonly at: string; readonly clean: boolean };

export type JournalStep = Change & {
  readonly setting: string;
  /** Steps of the same change that are only done once it is confirmed (what outlives a boot). */
  readonly onConfirm?: true;
  readonly persist?: readonly Persisted[];
  /** What must be done by hand for it to take effect, and again once it is undone. */
  readonly takesEffect?: string;
};

export type ChangeState = 'planned' | 'applying' | 'awaiting-confirmation' | 'applied' | 'rolling-back' | 'rolled-back' | 'conflicted';
