import { BoundedMap } from '#domain/bounded-map.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import type { Answer } from '#read-model/answer.js';
import { API_LIMITS } from '../limits.js';
import { COMMON_HEADER_LINES } from './common-headers.js';
import type { Encoding } from './compressor.js';
import type { KeptMemory } from './kept-memory.js';
import { matchEntityTag } from './entity-tag.js';
import { PreparedAnswer } from './prepared-answer.js';
import type { AnswerResources } from './prepared-answer.js';

/** Suffixes of the tags by encoding, because equal tags mean equal bytes. */
export const TAG_SUFFIXES: Readonly<Record<Encoding, string>> = { identity: '', gzip: '.gz', br: '.br' };

/** Alternating names and values, which is the form that Node writes fastest. */
export type HeaderLines = readonly (string | number)[];

/**
 * The callers that a response is valid for: everybody, or only one caller because another may get a different response.
 */
export type Audience = 'everybody' | 'caller';

/** Finds an answer, or throws the error to respond with. */
export type Find = (reader: CatalogueReader) => Answer;

/** A query whose answer is cached by its canonical form. */
export interface KeptQuery<Query> {
  /** Distinguishes queries that look alike but have different answers. */
  readonly kind: string;
  /** Parses the canonical query of the request, or throws the error to respond with. */
  readonly parse: () => Query;
  readonly find: (reader: CatalogueReader, query: Query) => Answer;
}

/** Resources that the states of all lists share. */
export interface StateResources extends AnswerResources {
  readonly kept: KeptMemory;
}

/** One state of a list of servers: the headers of its responses, and a cache of its answers by canonical query. */
export class CatalogueState {
  /**
   * Additional headers of a response with content. A client that has the content already knows them (RFC 9110, section
   * 15.4.5).
   */
  readonly contentLines: HeaderLines;
  readonly #reader: CatalogueReader;
  readonly #tags: Readonly<Record<Encoding, string>>;
  readonly #publicLines: HeaderLines;
  readonly #personalLines: HeaderLines;
  readonly #resources: StateResources;
  /** The answers by canonical query, so that two spellings of a query share one answer. */
  readonly #answers = new BoundedMap<string, PreparedAnswer>(API_LIMITS.keptAnswers);
  /** The same answers by URL, so that a repeated URL does not have to be parsed again. */
  readonly #byUrl = new BoundedMap<string, PreparedAnswer>(API_LIMITS.keptAnswers);
  readonly #onKept = (bytes: number) => this.#resources.kept.add(bytes);

  constructor(reader: CatalogueReader, resources: StateResources) {
    const { tag, changedAtMs } = reader;
    this.#reader = reader;
    this.#resources = resources;
    resources.kept.register(this);
    const tagIn = (encoding: Encoding) => `"${tag}${TAG_SUFFIXES[encoding]}"`;
    this.#tags = { identity: tagIn('identity'), gzip: tagIn('gzip'), br: tagIn('br') };
    const changed = changedAtMs === undefined ? [] : ['last-modified', new Date(changedAtMs).toUTCString()];
    this.contentLines = [...changed, 'content-type', 'application/json; charset=utf-8'];
    // Clients may cache the response, but must revalidate it each time, so that changes are visible immediately.
    const publicly = ['cache-control', 'public, no-cache', 'vary', 'Accept-Encoding'];
    const privately = ['cache-control', 'private, no-cache', 'vary', 'Accept-Encoding, Authorization'];
    this.#publicLines = [...COMMON_HEADER_LINES, ...publicly];
    this.#personalLines = [...COMMON_HEADER_LINES, ...privately];
  }

  /** Returns the headers that every response has, including 304. */
  headerLines(audience: Audience): HeaderLines {
    return audience === 'caller' ? this.#personalLines : this.#publicLines;
  }

  tag(encoding: Encoding): string {
    return this.#tags[encoding];
  }

  /** Returns the headers of a 304; undefined if the client does not have the current content. */
  notModified(ifNoneMatch: string, audience: Audience): HeaderLines | undefined {
    const { identity, gzip, br } = this.#tags;
    const tag = matchEntityTag(ifNoneMatch, [identity, gzip, br]);
    return tag === undefined ? undefined : [...this.headerLines(audience), 'etag', tag];
  }

  /** Returns the answer to a query from the cache, or finds it. */
  keptAnswer<Query>(url: string, { kind, parse, find }: KeptQuery<Query>): PreparedAnswer {
    const known = this.#byUrl.get(url);
    if (known) return known;
    const query = parse();
    const key = `${kind} ${JSON.stringify(query)}`;
    const answer = this.#answers.get(key) ?? this.#prepare(key, find(this.#reader, query));
    if (url.length <= API_LIMITS.keptUrlLength) this.#keep(this.#byUrl, url, answer);
    return answer;
  }

  answer(find: Find): PreparedAnswer {
    return new PreparedAnswer(find(this.#reader), this.#resources);
  }

  /** Drops all cached answers. */
  clear(): void {
    this.#answers.clear();
    this.#byUrl.clear();
  }

  #prepare(key: string, found: Answer): PreparedAnswer {
    const answer = new PreparedAnswer(found, this.#resources, this.#onKept);
    this.#keep(this.#answers, key, answer);
    return answer;
  }

  #keep(answers: Map<string, PreparedAnswer>, key: string, answer: PreparedAnswer): void {
    answers.set(key, answer);
    this.#onKept(key.length);
  }
}
