import type { RegistryView } from '#spec/server-config.js';

/** What `auth.publicRead` opens to everybody. */
export interface OpenPart {
  /** Names of the open part, as they are in paths. */
  readonly names: ReadonlySet<string>;
  /** All that these names hold. */
  readonly sources: ReadonlySet<string>;
}

const known = new WeakMap<readonly string[], { readonly views: readonly RegistryView[]; readonly part: OpenPart }>();
const NO_VIEWS: readonly RegistryView[] = [];

/** Undefined when nothing is open. The same sets each time, so that what is made of them can be kept. */
export function openPart(publicRead: readonly string[], views = NO_VIEWS): OpenPart | undefined {
  if (publicRead.length === 0) return undefined;
  const before = known.get(publicRead);
  if (before?.views === views) return before.part;
  const sources = publicRead.flatMap((name) => views.find((view) => view.name === name)?.sources ?? [name]);
  const part = { names: new Set(publicRead), sources: new Set(sources) };
  known.set(publicRead, { views, part });
  return part;
}
