import type { CatalogueReader } from './catalogue-reader.js';
import { CatalogueView } from './catalogue-view.js';
import type { Layout } from './layout.js';
import { stateTag } from './state-tag.js';
import type { StoredBodies } from './stored-bodies.js';

/** Several sources as one list; `layout` is what they were merged to. */
export function aggregateView(
  sources: readonly { readonly reader: CatalogueReader }[],
  layout: Layout,
  bodies: StoredBodies | undefined,
): CatalogueReader {
  const [only] = sources;
  if (only && sources.length === 1) return only.reader;
  const tag = stateTag(sources.map(({ reader }) => reader.tag));
  const changedAtMs = Math.max(...sources.map(({ reader }) => reader.changedAtMs ?? -Infinity));
  return new CatalogueView(layout, { tag, changedAtMs: changedAtMs === -Infinity ? undefined : changedAtMs }, bodies);
}
