/**
 * The use cases of tuning. Each loads what it needs when it is called: nobody who measures waits for the settings of a host,
 * and nobody who plans waits for the experiment.
 */
import type * as applying from './apply.js';
import type * as guarding from './guard.js';
import type * as listing from './list.js';
import type * as planning from './plan.js';
import type * as looking from './status.js';
import type * as trying from './try.js';
import type * as undoing from './undo.js';

export * from './requests.js';

export const tuneApply: typeof applying.tuneApply = async (...args) => await (await import('./apply.js')).tuneApply(...args);
export const tuneContinue: typeof applying.tuneContinue = async (...args) => await (await import('./apply.js')).tuneContinue(...args);
export const tuneGuard: typeof guarding.tuneGuard = async (...args) => await (await import('./guard.js')).tuneGuard(...args);
export const tuneList: typeof listing.tuneList = async (...args) => await (await import('./list.js')).tuneList(...args);
export const tunePlan: typeof planning.tunePlan = async (...args) => await (await import('./plan.js')).tunePlan(...args);
export const tuneScriptOf: typeof planning.tuneScriptOf = async (...args) => await (await import('./plan.js')).tuneScriptOf(...args);
export const tuneStatus: typeof looking.tuneStatus = async (...args) => await (await import('./status.js')).tuneStatus(...args);
export const tuneConfirm: typeof undoing.tuneConfirm = async (...args) => await (await import('./undo.js')).tuneConfirm(...args);
export const tuneRollback: typeof undoing.tuneRollback = async (...args) => await (await import('./undo.js')).tuneRollback(...args);
export const tuneTry: typeof trying.tuneTry = async (...args) => await (await import('./try.js')).tuneTry(...args);
