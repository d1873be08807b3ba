import type { CatalogueReader } from './catalogue-reader.js';
import { CatalogueView } from './catalogue-view.js';
import type { Layout } from './layout.js';
import { stateTag } from './state-tag.js';
import type { StoredBodies } from './stored-bodies.js';

/** The part of a source that is kept in memory. */
export interface SourceInMemory {
  readonly name: string;
  readonly layout: Layout;
  readonly reader: CatalogueReader;
}

/** Returns a reader of several sources as one list. `layout` is the result of merging them. */
export function aggregateView(
  sources: readonly SourceInMemory[],
  layout: Layout,
  bodies: StoredBodies | undefined,
): CatalogueReader {
  const [only] = sources;
  if (only && sources.length === 1) return only.reader;
  const tag = stateTag(sources.map(({ reader }) => reader.tag));
  const changedAtMs = Math.max(...sources.map(({ reader }) => reader.changedAtMs ?? -Infinity));
  const state = { tag, changedAtMs: changedAtMs === -Infinity ? undefined : changedAtMs, sources: idsOf(sources) };
  return new CatalogueView(layout, state, bodies);
}

/** Returns the ids of sources by name. A source without entries has no id. */
export function idsOf(sources: readonly Pick<SourceInMemory, 'name' | 'layout'>[]): ReadonlyMap<string, number> {
  return new Map(
    sources.flatMap(({ name, layout: { segments } }): [string, number][] =>
      segments[0] ? [[name, segments[0].sourceId]] : [],
    ),
  );
}
