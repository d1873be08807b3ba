import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { nearestName } from '#spec/nearest-name.js';
import type { ExportFormat } from '#exports/export-format.js';
import { exportFormats, findFormat } from '#exports/index.js';
import { ReadsCatalogue } from '../auth/requirement.js';
import { Catalogue } from '../catalogue/catalogue.js';
import type { CatalogueScope } from '../catalogue/catalogue.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import { stateTag } from '#read-model/state-tag.js';
import { ExportRenderer } from '../exports/export-renderer.js';
import { answerOf, ExportFailed, ExportRefused, ExportTexts } from '../exports/export-texts.js';
import type { ExportText } from '../exports/export-texts.js';
import type { RenderOutcome } from '../exports/render-task.js';
import { API_LIMITS } from '../limits.js';
import { negotiateEncoding } from './accept-encoding.js';
import { acceptsAny } from './accepted-types.js';
import { AnswerMemory } from './answer-memory.js';
import { TAG_SUFFIXES } from './catalogue-state.js';
import { matchEntityTag } from './entity-tag.js';
import { ExportQuerySchema } from './export-query.js';
import type { ExportQuery } from './export-query.js';
import { exportOperations } from './exports.operations.js';
import { parseQuery } from './malformed.js';
import { ApiOperations } from './openapi/operation.js';
import { PreparedAnswer } from './prepared-answer.js';
import { Problem } from './problem.js';
import { holdUntilClosed } from './response-memory.js';
import { getAddressPrefix, getServedRegistry } from '../request-registry.js';
import { namedScopeOf, scopeOf } from './served-scope.js';

/**
 * Version of the rendering, as part of the ETags. Increase it if equal entries and parameters are rendered to different
 * bytes than before.
 */
const FORM = 2;
const NO_PARAMETERS = ExportQuerySchema.parse({});
const EXTENSIONS = { 'application/json': 'json', 'application/toml': 'toml', 'application/yaml': 'yaml' } as const;

/** A request for an export, with the current state of the catalogue. */
interface Asked {
  readonly request: FastifyRequest;
  readonly scope: CatalogueScope;
  readonly reader: CatalogueReader;
  readonly denied: readonly CatalogueReader[];
  readonly query: ExportQuery;
  readonly format: ExportFormat;
}

/** Serves the servers of a registry, source or view as files for clients and administrators. */
@ReadsCatalogue()
@ApiOperations(exportOperations)
@Controller(['registry/:source/exports', 'registry/exports'])
export class ExportsController {
  constructor(
    private readonly catalogue: Catalogue,
    private readonly texts: ExportTexts,
    private readonly renderer: ExportRenderer,
    private readonly memory: AnswerMemory,
  ) {}

  @Get()
  index(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.sendIndex(request, reply, scopeOf(request));
  }

  @Get(':format')
  async file(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Param('format') name: string): Promise<void> {
    const { source } = request.params as { source?: string };
    // This is the index of a source called `exports`, because no format has this name.
    if (name === 'exports' && source === undefined) {
      return this.sendIndex(request, reply, namedScopeOf(request, 'exports'));
    }
    const asked = this.asked(request, findNamed(name, request));
    const { format } = asked;
    const isText = format.mediaType !== 'application/json' && !acceptsAny(request.headers.accept, [format.mediaType]);
    if (!acceptsAny(request.headers.accept, isText ? ['text/plain'] : [format.mediaType])) {
      throw new Problem(406, `this path returns only ${format.mediaType}, which the Accept header excludes`);
    }
    const type = `${isText ? 'text/plain' : format.mediaType}; charset=utf-8`;
    const tag = this.tagOf(asked);
    this.describe(asked, reply);
    if (this.isCurrent(request, reply, tag)) return;
    const text = await this.text(asked, tag);
    const disposition = asked.query.isDownload ? 'attachment' : 'inline';
    void reply.headers({
      'content-disposition': `${disposition}; filename="${format.file}"`,
      'x-export-omitted': String(text.omitted),
    });
    await this.send(request, reply, text, type);
  }

  @Get(':format/report')
  async report(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('format') name: string,
  ): Promise<void> {
    const asked = this.asked(request, findNamed(name, request));
    const tag = stateTag([this.tagOf(asked), 'report']);
    this.describe(asked, reply);
    if (this.isCurrent(request, reply, tag)) return;
    const text = await this.text(asked, this.tagOf(asked));
    const report = {
      registry: registryName(request, asked.scope),
      revision: text.revision,
      format: asked.format.id,
      parameters: Object.fromEntries(new URLSearchParams(asked.query.canonical)),
      notes: text.notes,
      ...(text.failure && { failure: text.failure }),
    };
    const head = JSON.stringify(report).slice(0, -1);
    const body = Buffer.concat([Buffer.from(`${head},"entries":`), text.results, Buffer.from('}')]);
    const answer = new PreparedAnswer(answerOf(body), this.memory);
    await this.send(request, reply, { ...text, tag, answer }, 'application/json; charset=utf-8');
  }

  private asked(request: FastifyRequest, format: ExportFormat): Asked {
    const scope = scopeOf(request);
    const query = parseQuery(ExportQuerySchema, request);
    // Throws while a source has never been synced, because an incomplete policy would block servers that are allowed.
    const reader = this.catalogue.reader(scope);
    const denied = query.deny.map((name) => this.catalogue.reader(namedScopeOf(request, name)));
    return { request, scope, reader, denied, query, format };
  }

  private tagOf({ reader, denied, query, format, request, scope }: Asked): string {
    return stateTag([
      reader.tag,
      ...denied.map(({ tag }) => tag),
      format.id,
      String(FORM),
      registryName(request, scope),
      query.canonical,
    ]);
  }

  private async text(asked: Asked, tag: string): Promise<ExportText> {
    const { scope, reader, format } = asked;
    try {
      return await this.texts.get({
        place: placeOf(asked),
        tag,
        revision: this.catalogue.revision(scope),
        changedAtMs: reader.changedAtMs,
        format,
        render: () => this.render(asked),
      });
    } catch (error) {
      if (error instanceof ExportFailed) throw new Problem(503, error.message, { 'retry-after': '30' });
      if (error instanceof ExportRefused) throw new Problem(422, error.message);
      throw error;
    }
  }

  private render({ request, scope, reader, denied, query, format }: Asked): Promise<RenderOutcome> {
    const { names, tags, withDeprecated } = query;
    const selection = {
      ...(tags.length > 0 && { tags: [...tags] }),
      ...(!withDeprecated && { status: 'active' as const }),
    };
    // Check the number of entries before reading any. With name patterns, the thread counts the entries.
    if (names.length === 0) demandFits(reader.count({ version: 'latest', ...selection }));
    demandFits(denied.reduce((sum, each) => sum + each.count({ version: 'latest' }), 0));
    const options = {
      ...query.options,
      registry: registryName(request, scope),
      changedAtMs: reader.changedAtMs ?? 0,
    };
    const task = {
      format: format.id,
      names,
      options,
      maxEntries: API_LIMITS.exportedEntries,
      maxBytes: API_LIMITS.exportedBytes,
    };
    return this.renderer.render(task, { reader, selection, denied: denied.length > 0 ? denied : undefined });
  }

  /** Sets the headers of every response, including 304. */
  private describe({ request, scope, query, format }: Asked, reply: FastifyReply): void {
    const staleSince = this.catalogue.staleSince(scope);
    const search = query.canonical === '' ? '' : `?${query.canonical}`;
    const report = `${exportsPath(request)}/${format.id}/report${search}`;
    void reply.headers({
      ...cachingOf(request),
      'x-catalogue-revision': this.catalogue.revision(scope),
      link: `<${report}>; rel="describedby"`,
      ...(staleSince && { 'x-registry-stale': staleSince.toISOString() }),
    });
  }

  private isCurrent(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
    const tags = Object.values(TAG_SUFFIXES).map((suffix) => `"${tag}${suffix}"`);
    const matched = matchEntityTag(request.headers['if-none-match'], tags);
    if (matched === undefined) return false;
    void reply.code(304).header('etag', matched).send();
    return true;
  }

  private async send(request: FastifyRequest, reply: FastifyReply, text: ExportText, type: string): Promise<void> {
    const body = await text.answer.body(negotiateEncoding(request.headers['accept-encoding']));
    holdUntilClosed(reply.raw, body.release, this.memory.memory);
    void reply.headers({
      'content-type': type,
      etag: `"${text.tag}${TAG_SUFFIXES[body.encoding]}"`,
      ...(body.encoding !== 'identity' && { 'content-encoding': body.encoding }),
      ...(text.changedAtMs !== undefined && { 'last-modified': new Date(text.changedAtMs).toUTCString() }),
      ...(text.failure && { 'x-export-stale': text.revision }),
    });
    void reply.send(body.parts.length === 1 ? body.parts[0] : Buffer.concat([...body.parts]));
  }

  private sendIndex(request: FastifyRequest, reply: FastifyReply, scope: CatalogueScope): void {
    const reader = this.catalogue.reader(scope);
    const name = registryName(request, scope);
    const path = exportsPath(request);
    const index = {
      registry: name,
      revision: this.catalogue.revision(scope),
      entries: reader.count({ version: 'latest' }),
      formats: exportFormats.map((format) => {
        const asked = { request, scope, reader, denied: [], query: NO_PARAMETERS, format };
        const counts = this.texts.counts({ place: placeOf(asked), tag: this.tagOf(asked) });
        return { ...toIndexEntry(format, `${path}/${format.id}`), ...counts };
      }),
    };
    const body = JSON.stringify(index);
    const tag = stateTag([body]);
    void reply.headers({ ...cachingOf(request), 'x-catalogue-revision': index.revision });
    if (this.isCurrent(request, reply, tag)) return;
    void reply.headers({ 'content-type': 'application/json; charset=utf-8', etag: `"${tag}"` }).send(body);
  }
}

/** Returns what identifies an export regardless of the state of the catalogue. */
function placeOf({ scope, query, format }: Asked): string {
  const visible = scope.visibleSources ? [...scope.visibleSources].toSorted() : ['*'];
  const { namespace, registry, source, view } = scope;
  return [namespace, registry, source, view?.join(','), visible.join(','), format.id, query.canonical].join('\n');
}

/** Throws a 422 if there are more servers than one file may contain. */
function demandFits(servers: number): void {
  const { exportedEntries } = API_LIMITS;
  if (servers <= exportedEntries) return;
  const advice = 'select fewer with names, tag or deny';
  throw new Problem(422, `${servers} servers exceed the limit of ${exportedEntries} per file: ${advice}`);
}

function toIndexEntry(format: ExportFormat, url: string): object {
  const { id, file, mediaType, purpose, client, status, verified, emptyBlocksEverything, wherePut } = format;
  return { id, file, mediaType, url, purpose, client, status, verified, emptyBlocksEverything, wherePut };
}

/** Returns the format with this name, with or without its extension. Throws a 404 that suggests the nearest name. */
function findNamed(name: string, request: FastifyRequest): ExportFormat {
  const [id = '', ...extensions] = name.split('.');
  const format = findFormat(id);
  if (format && (name === id || extensions.join('.') === EXTENSIONS[format.mediaType])) return format;
  const nearest = nearestName(
    id,
    exportFormats.map((each) => each.id),
  );
  const hint = nearest === undefined ? '' : `: did you mean ${nearest}?`;
  throw new Problem(404, `there is no such format${hint} (${exportsPath(request)} lists them)`);
}

/** Returns the path of the index that a request is below, as the client sees it. */
function exportsPath(request: FastifyRequest): string {
  const { source } = request.params as { source?: string };
  return `${getAddressPrefix(request)}/registry/${source === undefined ? '' : `${encodeURIComponent(source)}/`}exports`;
}

function registryName(request: FastifyRequest, scope: CatalogueScope): string {
  return (request.params as { source?: string }).source ?? scope.source ?? scope.registry;
}

function cachingOf(request: FastifyRequest): Record<string, string> {
  return getServedRegistry(request).auth.mode === 'oauth'
    ? { 'cache-control': 'private, no-cache', vary: 'Accept, Accept-Encoding, Authorization' }
    : { 'cache-control': 'public, no-cache', vary: 'Accept, Accept-Encoding' };
}
