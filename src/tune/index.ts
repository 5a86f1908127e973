/**
 * What can be tuned on a host, and how it is done without regret: settings that know where they apply and whether they do
 * anything, profiles as data, a plan that shows everything before it happens, a journal that is on the disk before the first
 * write, and an experiment that tells what helped. It decides and orders; every read and write goes through `TunePorts`,
 * and measuring is handed in by `app/`.
 *
 *     const plan = await planTune(view, profile, SETTINGS);
 *     const report = await applyChange(ports, { folder, profile, steps, persist: false });
 *     await rollBack(ports, { folder, change: report.change, force: false, reason: 'asked' });
 */
export * from './place.js';
export * from './ports.js';
export * from './profile.js';
export * from './setting.js';
export * from './plan.js';
export { SETTINGS } from './settings/registry.js';
export * from './journal/records.js';
export * from './places/registry.js';
export { sysctlPath } from './places/kernel-value.js';
export * from './experiment/decide.js';
export * from './experiment/design.js';
export { experimentFigures } from './experiment/figures.js';
export * from './experiment/groups.js';
export * from './experiment/metrics.js';
export * from './experiment/runs.js';
export { readEnvironment, platformOf } from './environment.js';
export { readManagers } from './others/read-others.js';
export type { Managers } from './others/read-others.js';
export * from './profile-inherit.js';
export * from './view.js';
export * from './advice.js';
export { newChangeId } from './journal/change-id.js';
export { CHANGE_ID } from './journal/record-schema.js';
export { refuseForeignFolder } from './journal/trusted-folder.js';
export { applyChange } from './engine/apply.js';
export type { ApplyRequest } from './engine/apply.js';
export { confirmChange } from './engine/confirm.js';
export type { ConfirmRequest } from './engine/confirm.js';
export type { ChangeReport } from './engine/report.js';
export { resumeApply } from './engine/resume.js';
export type { ResumeRequest } from './engine/resume.js';
export { rollBack } from './engine/roll-back.js';
export type { RollBackRequest } from './engine/roll-back.js';
export { findDrift, standingChanges } from './engine/standing.js';
export type { Drift, StandingChange, StandingStep } from './engine/standing.js';
export { checkHost } from './checks.js';
export type { TuneCheck } from './checks.js';
export { resembles } from './resembles.js';
export { planPersistence } from './persist.js';
export type { PersistRequest, Persistence } from './persist.js';
export { announceUnits } from './announce-units.js';
export { tuneScript } from './script.js';
export { TRY_PREFIX } from './engine/session.js';
