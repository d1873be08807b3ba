import type { RegistryView } from '#spec/server-config.js';

/** The part of a registry that `auth.publicRead` opens to everybody. */
export interface OpenPart {
  /** Names of the open sources and views, as they appear in paths. */
  readonly names: ReadonlySet<string>;
  /** All sources that belong to these names. */
  readonly sources: ReadonlySet<string>;
}

const known = new WeakMap<readonly string[], { readonly views: readonly RegistryView[]; readonly part: OpenPart }>();
const NO_VIEWS: readonly RegistryView[] = [];

/**
 * Returns the open part; undefined if nothing is open. The result has the same set objects each time, so that derived
 * data can be cached.
 */
export function openPart(publicRead: readonly string[], views = NO_VIEWS): OpenPart | undefined {
  if (publicRead.length === 0) return undefined;
  const before = known.get(publicRead);
  if (before?.views === views) return before.part;
  const sources = publicRead.flatMap((name) => views.find((view) => view.name === name)?.sources ?? [name]);
  const part = { names: new Set(publicRead), sources: new Set(sources) };
  known.set(publicRead, { views, part });
  return part;
}
