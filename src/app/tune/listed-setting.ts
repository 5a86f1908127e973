import type { TuneListDocument } from '../../results/index.js';
import type { Setting } from '../../tune/index.js';

/** A setting as it declares itself, for `tune list` and for the page of all settings. */
export function listedSetting({
  id,
  title,
  group,
  platforms,
  effect,
  scope,
  needs,
  takes,
  why,
  sources,
}: Setting): TuneListDocument['settings'][number] {
  return {
    id,
    title,
    group,
    platforms: [...platforms],
    effect,
    scope,
    needsRoot: needs.root,
    ...(needs.restart === undefined ? {} : { restart: needs.restart }),
    takes,
    why,
    sources: sources.map((source) => ({ ...source })),
  };
}
