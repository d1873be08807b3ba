import { Body, Controller, Header, HttpCode, Param, Post, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { outlineSource } from '#activities/plan.js';
import { Preview } from '#domain/preview.js';
import type { PreviewedSource } from '#domain/preview.js';
import { compileFilter } from '#domain/source-filter.js';
import { readByName, readPublishedSources, TooManyVersions } from '#persistence/read-judged.js';
import type { PublishedSource } from '#persistence/read-judged.js';
import { findSource } from '#sources/index.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import { BUILT_IN_SOURCE } from '#spec/source-entry-spec.js';
import type { RegistrySource } from '#spec/source-entry-spec.js';
import { readsByPost } from '../../auth/requirement.js';
import type { CatalogueScope } from '../../catalogue/catalogue.js';
import { API_LIMITS } from '../../limits.js';
import { Refusal } from '../../refusal.js';
import type { ServedRegistry } from '../../served-registry.js';
import { ViewDatabase } from '#persistence/view-database.js';
import { bytesOf } from '../json-body.js';
import { Scope, Served } from '../served-scope.js';
import { getNamedRegistry } from './named-registry.js';
import { readPreviewedSpec } from './previewed-spec.js';
import { PreviewSlots } from './preview-slots.js';
import type { Rest } from './preview-slots.js';
import { nameParameter } from './describe-view.js';
import { ApiOperations } from '../openapi/operation.js';

/** A source whose content after the edit is unknown until it is synced. */
interface UnknownContent {
  readonly source: string;
  readonly why: string;
}

/** Shows what an edit of the spec would add to the lists and remove from them, without changing anything. */
@ApiOperations(() => [
  {
    method: 'post',
    tag: 'Registries and sources',
    path: '/v1/registries/{name}/preview',
    id: 'previewSpec',
    summary: 'Shows what an edit of the spec would add to the lists and remove from them, without changing anything',
    parameters: [nameParameter],
    body: {
      type: 'object',
      description: 'The `spec` of an MCPRegistry, or a complete MCPRegistry; JSON, or YAML of up to 8,192 characters.',
    },
    success: { status: 200, answer: 'Preview' },
    problems: [404, 415, 422, 503],
  },
])
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
    const withTags = wanted.some(({ filter }) => filter?.tags !== undefined);
    try {
      for await (const entries of readByName(this.database, relevant, { withTags, rest })) {
        await preview.add(entries, rest);
        await rest();
      }
    } catch (error) {
      throw error instanceof TooManyVersions ? new Refusal('invalid', error.message) : error;
    }
    const { counts, changes, isTruncated } = preview;
    return { counts, changes, unknown: unknownContent(stored, wanted), truncated: isTruncated };
  }
}

/** Returns the sources of a registry or view according to the spec, in order of precedence. */
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

/**
 * Returns the built-in source if it is kept. On a cluster every registry lists the servers of its namespace with it,
 * although no spec mentions it.
 */
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
    if (!known)
      return [{ source: source.name, why: 'the source is new, so its content is not known before its first sync' }];
    if (findSource(known.type)?.shape === 'published') return [];
    if (known.specHash === null) return [{ source: source.name, why: 'the source has never been synced' }];
    if (known.specHash === outlineSource(source, 0).specHash) return [];
    return [
      {
        source: source.name,
        why: 'the location or format of the source changes, so its content is not known before a sync',
      },
    ];
  });
}
