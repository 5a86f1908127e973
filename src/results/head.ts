import * as v from 'valibot';

/** What every document opens with. */
export const documentHead = {
  tool: v.object({ name: v.literal('tautline'), version: v.string() }),
  host: v.object({
    name: v.string(),
    os: v.string(),
    kernel: v.string(),
    arch: v.string(),
    cpus: v.number(),
    cpuModel: v.string(),
    memoryBytes: v.number(),
    node: v.string(),
    root: v.boolean(),
  }),
  startedAt: v.string(),
  durationMs: v.number(),
  /** Set when the run was interrupted: everything up to then is in the document. */
  interrupted: v.optional(v.boolean()),
};
