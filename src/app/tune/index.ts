export * from './requests.js';
export { tuneApply, tuneContinue } from './apply.js';
export { tuneGuard } from './guard.js';
export { tuneList } from './list.js';
export { tunePlan, tuneScriptOf } from './plan.js';
export { tuneStatus } from './status.js';
export { tuneConfirm, tuneRollback } from './undo.js';
export { tuneTry } from './try.js';
export { undoTries } from './try-switch.js';
