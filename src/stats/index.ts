/**
 * From samples to statements: quantiles, summaries, intervals, jitter, loss and its burstiness, and a
 * histogram of bounded size. Pure computation; what a figure is worth is `diagnose/`'s business, and
 * units are the caller's. NaN stands for "no sample" (a lost packet) everywhere and is left out of the
 * figures; series are in the order in which they were taken, because neighbours resemble each other and
 * the intervals take that into account.
 *
 *     const summary = summarize(rttMs);               // undefined when nothing came back
 *     const loss = lossOf(sent, received);            // ratio with Wilson's 95 % interval
 *     const jitterMs = rfc3550Jitter(transitMs);
 */
export * from './bootstrap.js';
export * from './dependence.js';
export * from './distribution.js';
export * from './exact-tests.js';
export * from './histogram.js';
export * from './histogram-codec.js';
export * from './holm.js';
export * from './intervals.js';
export * from './jitter.js';
export * from './loss.js';
export * from './quantile.js';
export * from './ratio.js';
export * from './special.js';
export * from './student-test.js';
export * from './summary.js';
