import { Body, Controller, Header, HttpCode, Param, Post, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { outlineSource } from '#activities/plan.js';
import { Preview } from '#domain/preview.js';
import type { PreviewedSource } from '#domain/preview.js';
import { compileFilter } from '#domain/source-filter.js';
import { readByName, readPublishedSources } from '#persistence/read-judged.js';
import type { PublishedSource } from '#persistence/read-judged.js';
import { findSource } from '#sources/index.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import { BUILT_IN_SOURCE } from '#spec/source-entry-spec.js';
import type { RegistrySource } from '#spec/source-entry-spec.js';
import { readsByPost } from '../../auth/requirement.js';
import type { CatalogueScope } from '../../catalogue/catalogue.js';
import { API_LIMITS } from '../../limits.js';
import type { ServedRegistry } from '../../served-registry.js';
import { ViewDatabase } from '#persistence/view-database.js';
import { bytesOf } from '../json-body.js';
import { Scope, Served } from '../served-scope.js';
import { getNamedRegistry } from './named-registry.js';
import { readPreviewedSpec } from './previewed-spec.js';
import { PreviewSlots } from './preview-slots.js';
import type { Rest } from './preview-slots.js';

/** A source whose content after the edit is not known before it was synced. */
interface UnknownContent {
  readonly source: string;
  readonly why: string;
}

/** Says what an edit of the spec would add to the lists and remove from them; it changes nothing. */
@Controller('v1/registries')
export class PreviewController {
  readonly #slots = new PreviewSlots();

  constructor(private readonly database: ViewDatabase) {}

  @Post(':name/preview')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @RouteConfig({ readsByPost: readsByPost('login', API_LIMITS.previewBytes, 'any type') })
  async preview(
    @Scope() scope: CatalogueScope,
    @Served() served: ServedRegistry,
    @Param('name') name: string,
    @Body() body: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    return this.#slots.run(`${scope.namespace}/${scope.registry}`, reply.raw, async (rest) => {
      const spec = readPreviewedSpec(bytesOf(body));
      const registry = await getNamedRegistry(this.database, scope, served, name);
      return this.#compare(scope, registry.sources, sourcesAfter(spec, name, served), rest);
    });
  }

  async #compare(
    scope: CatalogueScope,
    before: readonly string[],
    wanted: readonly RegistrySource[],
    rest: Rest,
  ): Promise<object> {
    const stored = await readPublishedSources(this.database, scope);
    const after = [...wanted.map(toPreviewed), ...keptBuiltIn(stored, before, wanted)];
    const relevant = stored.filter(({ name }) => before.includes(name) || after.some((each) => each.name === name));
    const preview = new Preview(before, after);
    for await (const entries of readByName(this.database, relevant)) {
      await preview.add(entries, rest);
      await rest();
    }
    const { counts, changes, isTruncated } = preview;
    return { counts, changes, unknown: unknownContent(stored, wanted), truncated: isTruncated };
  }
}

/** Returns the sources of a name as the spec has them, in the order in which names are won. */
function sourcesAfter(
  { registries, views }: RegistrySpec,
  name: string,
  served: ServedRegistry,
): readonly RegistrySource[] {
  const isView = served.views?.some((view) => view.name === name) === true;
  if (!isView) return registries;
  const sources = views?.find((view) => view.name === name)?.sources ?? [];
  return sources.flatMap((each) => registries.find((source) => source.name === each) ?? []);
}

function toPreviewed({ name, filter }: RegistrySource): PreviewedSource {
  return { name, hiddenBy: compileFilter(filter) };
}

/** On a cluster every registry has the source of its namespace's servers, which no spec names. */
function keptBuiltIn(
  stored: readonly PublishedSource[],
  before: readonly string[],
  wanted: readonly RegistrySource[],
): readonly PreviewedSource[] {
  const builtIn = stored.find(({ name, type }) => name === BUILT_IN_SOURCE && isDiscovered(type));
  if (!builtIn || !before.includes(BUILT_IN_SOURCE) || wanted.some(({ name }) => name === BUILT_IN_SOURCE)) return [];
  return [{ name: BUILT_IN_SOURCE, hiddenBy: () => undefined }];
}

function isDiscovered(type: string): boolean {
  return findSource(type)?.changedBy === 'server-objects';
}

function unknownContent(stored: readonly PublishedSource[], wanted: readonly RegistrySource[]): UnknownContent[] {
  return wanted.flatMap((source): UnknownContent[] => {
    const known = stored.find(({ name }) => name === source.name);
    if (!known) return [{ source: source.name, why: 'it is new, so its content is not known before its first sync' }];
    if (findSource(known.type)?.shape === 'published') return [];
    if (known.specHash === null) return [{ source: source.name, why: 'it was never synced' }];
    if (known.specHash === outlineSource(source, 0).specHash) return [];
    return [{ source: source.name, why: 'its place or format changes, so its content is not known before a sync' }];
  });
}
