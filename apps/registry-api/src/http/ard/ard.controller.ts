import { Body, Controller, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { FilterFault, readAgentsFilter } from '#domain/ard/agents-filter.js';
import { toEntryFilter } from '#domain/ard/filter-terms.js';
import type { EntryFilter } from '#domain/ard/filter-terms.js';
import { readIdentifier } from '#domain/ard/identifier.js';
import { ARD_LIMITS, ExploreRequestSchema, SearchRequestSchema } from '#domain/ard/search-request.js';
import { Pacer } from '#read-model/pacer.js';
import type { Findings } from '#read-model/findings.js';
import { TopCounts } from '#read-model/top-counts.js';
import { stateTag } from '#read-model/state-tag.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import { openPart } from '../../auth/open-part.js';
import { Public, ReadsCatalogue } from '../../auth/requirement.js';
import { publicBaseOf } from '../../auth/resource-url.js';
import { Catalogue, UnknownSource } from '../../catalogue/catalogue.js';
import type { CatalogueScope } from '../../catalogue/catalogue.js';
import { isWholeRegistry } from '../../served-registry.js';
import { AnswerMemory } from '../answer-memory.js';
import { CostlyReads } from '../costly-reads.js';
import { parseJsonBody } from '../json-body.js';
import { parseQuery, toMalformed } from '../malformed.js';
import { ApiOperations } from '../openapi/operation.js';
import { Problem } from '../problem.js';
import { decodable, text } from '../query-fields.js';
import { getServedRegistry } from '../../request-registry.js';
import { holdUntilClosed } from '../response-memory.js';
import { namedScopeOf, scopeOf } from '../served-scope.js';
import { admitText, sendTagged } from '../tagged-answer.js';
import { ardOperations } from './ard.operations.js';
import { ArdManifests } from './ard-manifests.js';
import { digestOf, find, readEntries, readPageToken, toPageToken } from './ard-pages.js';
import { ArdGet, ArdPost } from './ard-route.js';

/** Version of the representation, as part of the ETags. Increase it if equal entries get a different representation. */
const FORM = '1';
const DEFAULT_PAGE = 20;

const AgentsQuerySchema = decodable.pipe(
  z.object({
    filter: text.optional(),
    orderBy: text.regex(/^name$/, 'must be name: lists are always sorted by name (code point order)').optional(),
    pageSize: text
      .regex(/^0*[1-9]\d*$/, `must be a whole number from 1; larger values count as ${ARD_LIMITS.pageSize}`)
      .transform((given) => Math.min(Number(given), ARD_LIMITS.pageSize))
      .default(DEFAULT_PAGE),
    pageToken: text
      .refine((token) => token.length <= ARD_LIMITS.token, 'is not a token that this server issued')
      .optional(),
  }),
);

/** Serves agents that search for a server in their own words (Agentic Resource Discovery). */
@ReadsCatalogue()
@ApiOperations(ardOperations)
@Controller(['', 'registry/:source'])
export class ArdController {
  readonly #manifests = new ArdManifests();

  constructor(
    private readonly catalogue: Catalogue,
    private readonly memory: AnswerMemory,
    private readonly costly: CostlyReads,
  ) {}

  /** Serves the same manifest to every caller: only what can be read without a login. */
  @Public()
  @ArdGet(['.well-known/ard.json', '.well-known/ai-catalog.json'])
  async manifest(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const base = baseOf(request);
    const scope = publicScopeOf(request);
    const reader = scope && this.catalogue.reader(scope);
    const { displayName, name: registry } = getServedRegistry(request);
    const name = sourceOf(request) ?? registry;
    const subject = { base, name, displayName: name === registry ? (displayName ?? name) : name, reader };
    const answer = {
      tag: stateTag([reader?.tag ?? 'nothing', base, subject.displayName, FORM, 'manifest']),
      headers: {
        'cache-control': 'public, no-cache',
        vary: 'Accept-Encoding',
        ...(scope && this.#staleness(scope)),
      },
      changedAtMs: reader?.changedAtMs,
      body: () => this.#manifests.manifest(subject, this.memory),
    };
    await sendTagged(request, reply, answer, this.memory);
  }

  @ArdPost('search')
  async search(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<Buffer> {
    const { query, federation, pageSize, pageToken } = parseBody(SearchRequestSchema, body);
    const base = baseOf(request);
    const { scope, reader } = this.#reads(request, reply);
    const filter = toEntryFilter(query.filter);
    const digest = digestOf(scope, ['search', query.text], filter);
    const place = pageToken === undefined ? undefined : readPageToken(pageToken, digest);
    const findings = await this.costly.run(reply.raw, () => find(reader, filter, query.text));
    const from = place ? findings.firstAfter(place) : 0;
    const entries = await readEntries(findings, { from, limit: pageSize, base }, this.memory);
    const results = entries.map((entry, at) => ({ ...entry, score: findings.at(from + at).score, source: `${base}/` }));
    const end = from + entries.length;
    return this.#toJson(reply, {
      results,
      ...(federation === 'referrals' && { referrals: [] }),
      ...(end > from && end < findings.size && { pageToken: toPageToken(findings.at(end - 1), digest) }),
    });
  }

  @ArdPost('explore')
  async explore(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Body() body: unknown,
  ): Promise<Buffer> {
    const { query, resultType } = parseBody(ExploreRequestSchema, body);
    const { reader } = this.#reads(request, reply);
    const facets = await this.costly.run(reply.raw, () =>
      countFacets(find(reader, toEntryFilter(query.filter), query.text), resultType.facets),
    );
    return this.#toJson(reply, { resultType: 'facets', facets });
  }

  @ArdGet('agents')
  async agents(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const { filter: expression, pageSize, pageToken } = parseQuery(AgentsQuerySchema, request);
    const base = baseOf(request);
    const { scope, reader } = this.#reads(request, reply);
    const filter = readFilter(expression);
    const digest = digestOf(scope, ['agents'], filter);
    const place = pageToken === undefined ? undefined : readPageToken(pageToken, digest);
    await this.#sendTagged(request, reply, reader, {
      place: [base, 'agents', digest, String(pageSize), place?.name ?? ''],
      body: async () => {
        const findings = await this.costly.run(reply.raw, () => find(reader, filter));
        const from = place ? findings.firstAfter(place) : 0;
        const items = await readEntries(findings, { from, limit: pageSize, base }, this.memory);
        const end = from + items.length;
        const isLast = end === from || end === findings.size;
        return {
          items,
          total: findings.size,
          ...(!isLast && { pageToken: toPageToken(findings.at(end - 1), digest) }),
        };
      },
    });
  }

  @ArdGet('agents/:identifier')
  async agent(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('identifier') identifier: string,
  ): Promise<void> {
    const base = baseOf(request);
    const read = readIdentifier(identifier);
    if (read.kind === 'malformed')
      throw new Problem(400, 'the identifier is not a URN such as urn:air:example.com:server:weather');
    const { reader } = this.#reads(request, reply);
    const filter = read.kind === 'server' ? { names: [read.name] } : undefined;
    const findings = await this.costly.run(reply.raw, () => find(reader, filter));
    if (findings.size === 0) throw new Problem(404, 'nothing is served under this identifier');
    await this.#sendTagged(request, reply, reader, {
      place: [base, 'agent', identifier],
      body: async () => (await readEntries(findings, { from: 0, limit: 1, base }, this.memory))[0] as object,
    });
  }

  /** Serializes the body of a response. Its memory is reserved until it has been sent. */
  #toJson(reply: FastifyReply, content: object): Buffer {
    const { bytes, release } = admitText(JSON.stringify(content), this.memory.memory);
    holdUntilClosed(reply.raw, release, this.memory.memory);
    void reply.header('content-type', 'application/json; charset=utf-8');
    return bytes;
  }

  #reads(request: FastifyRequest, reply: FastifyReply): { scope: CatalogueScope; reader: CatalogueReader } {
    const scope = scopeOf(request);
    const reader = this.catalogue.reader(scope);
    void reply.headers(this.#staleness(scope));
    return { scope, reader };
  }

  #staleness(scope: CatalogueScope): Record<string, string> {
    const staleSince = this.catalogue.staleSince(scope);
    return staleSince ? { 'x-registry-stale': staleSince.toISOString() } : {};
  }

  async #sendTagged(
    request: FastifyRequest,
    reply: FastifyReply,
    reader: CatalogueReader,
    { place, body }: { readonly place: readonly string[]; readonly body: () => Promise<object> },
  ): Promise<void> {
    const isPersonal = getServedRegistry(request).auth.mode === 'oauth';
    const answer = {
      tag: stateTag([reader.tag, FORM, ...place]),
      headers: isPersonal
        ? { 'cache-control': 'private, no-cache', vary: 'Accept-Encoding, Authorization' }
        : { 'cache-control': 'public, no-cache', vary: 'Accept-Encoding' },
      changedAtMs: reader.changedAtMs,
      body: async () => admitText(JSON.stringify(await body()), this.memory.memory),
    };
    await sendTagged(request, reply, answer, this.memory);
  }
}

async function countFacets(
  findings: Findings,
  wanted: z.output<typeof ExploreRequestSchema>['resultType']['facets'],
): Promise<Readonly<Record<string, object>>> {
  const pacer = new Pacer();
  const facets: Record<string, object> = {};
  for (const { field, limit, minCount } of wanted) {
    const counts = new TopCounts(limit, minCount);
    await findings.count(field, counts, pacer);
    const { top, otherCount } = counts;
    facets[field] = { buckets: top, ...(otherCount > 0 && { otherCount }) };
  }
  return facets;
}

function parseBody<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(parseJsonBody(body));
  if (error) throw toMalformed(error.issues);
  return data as z.output<Schema>;
}

function readFilter(expression: string | undefined): EntryFilter | undefined {
  if (expression === undefined) return {};
  try {
    return readAgentsFilter(expression);
  } catch (error) {
    if (error instanceof FilterFault) throw new Problem(400, `filter ${error.message}`);
    throw error;
  }
}

function sourceOf(request: FastifyRequest): string | undefined {
  return (request.params as { source?: string }).source;
}

/**
 * Returns the URL of the registry, or of a part of it, as the request sees it. Throws a 400 if the Host header is not a
 * valid host.
 */
function baseOf(request: FastifyRequest): string {
  const root = publicBaseOf(request);
  if (root === undefined) throw new Problem(400, 'the Host header does not name a host');
  const source = sourceOf(request);
  return source === undefined ? root : `${root}/registry/${encodeURIComponent(source)}`;
}

/**
 * Returns the part of the requested scope that can be read without a login, or undefined if there is none. Throws
 * `UnknownSource` for a part that is not open, so that its manifest does not reveal whether it exists.
 */
function publicScopeOf(request: FastifyRequest): CatalogueScope | undefined {
  const served = getServedRegistry(request);
  const source = sourceOf(request);
  const { auth, views } = served;
  if (auth.mode === 'anonymous') return withVisible(namedScopeOf(request, source), undefined);
  const open = openPart(auth.publicRead, views);
  const isWhole = source === undefined || isWholeRegistry(served, source);
  if (!isWhole && !open?.names.has(source)) throw new UnknownSource(source);
  return open && withVisible(namedScopeOf(request, source), open.sources);
}

function withVisible(scope: CatalogueScope, visibleSources: ReadonlySet<string> | undefined): CatalogueScope {
  const { visibleSources: granted, ...open } = scope;
  return granted === visibleSources ? scope : { ...open, ...(visibleSources && { visibleSources }) };
}
