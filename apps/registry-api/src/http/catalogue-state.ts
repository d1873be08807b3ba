import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import type { Answer } from '#read-model/answer.js';
import { API_LIMITS } from '../limits.js';
import { COMMON_HEADER_LINES } from './common-headers.js';
import type { Encoding } from './compressor.js';
import type { KeptMemory } from './kept-memory.js';
import { matchEntityTag } from './entity-tag.js';
import { PreparedAnswer } from './prepared-answer.js';
import type { AnswerResources } from './prepared-answer.js';

/** Part of a tag, since equal tags mean equal bytes. */
export const TAG_SUFFIXES: Readonly<Record<Encoding, string>> = { identity: '', gzip: '.gz', br: '.br' };

/** Names and values in turn, as Node writes them fastest. */
export type HeaderLines = readonly (string | number)[];

/** For whom an answer is: for everybody alike, or for a caller, where another one might get something else. */
export type Audience = 'everybody' | 'caller';

/** Finds an answer, or throws the refusal. */
export type Find = (reader: CatalogueReader) => Answer;

/** A query whose answer is cached by what it asks for. */
export interface KeptQuery<Query> {
  /** Distinguishes queries that look alike and are answered differently. */
  readonly kind: string;
  /** Reads the canonical query of the request, or throws the refusal. */
  readonly parse: () => Query;
  readonly find: (reader: CatalogueReader, query: Query) => Answer;
}

/** What the states of all lists share. */
export interface StateResources extends AnswerResources {
  readonly kept: KeptMemory;
}

/** One state of a list of servers as it is sent: its headers, and a cache of its answers by canonical query. */
export class CatalogueState {
  /** What an answer with content says beside; who has the content knows it (RFC 9110, section 15.4.5). */
  readonly contentLines: HeaderLines;
  readonly #reader: CatalogueReader;
  readonly #tags: Readonly<Record<Encoding, string>>;
  readonly #publicLines: HeaderLines;
  readonly #personalLines: HeaderLines;
  readonly #resources: StateResources;
  /** By canonical query: two spellings of one query have one answer. */
  readonly #answers = new Map<string, PreparedAnswer>();
  /** The same answers by URL, so that a URL that is asked for again need not be parsed. */
  readonly #byUrl = new Map<string, PreparedAnswer>();
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
    // Kept by clients, but asked about every time: a change is seen at once.
    const publicly = ['cache-control', 'public, no-cache', 'vary', 'Accept-Encoding'];
    const privately = ['cache-control', 'private, no-cache', 'vary', 'Accept-Encoding, Authorization'];
    this.#publicLines = [...COMMON_HEADER_LINES, ...publicly];
    this.#personalLines = [...COMMON_HEADER_LINES, ...privately];
  }

  /** What every answer says, 304 too. */
  headerLines(audience: Audience): HeaderLines {
    return audience === 'caller' ? this.#personalLines : this.#publicLines;
  }

  tag(encoding: Encoding): string {
    return this.#tags[encoding];
  }

  /** The head of a 304; undefined for a client that does not have what is right now. */
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

  /** Lets go of every kept answer. */
  clear(): void {
    this.#answers.clear();
    this.#byUrl.clear();
  }

  #prepare(key: string, found: Answer): PreparedAnswer {
    const answer = new PreparedAnswer(found, this.#resources, this.#onKept);
    this.#keep(this.#answers, key, answer);
    return answer;
  }

  /** Keeps an answer; above the limit the one goes that was added first. */
  #keep(answers: Map<string, PreparedAnswer>, key: string, answer: PreparedAnswer): void {
    answers.set(key, answer);
    this.#onKept(key.length);
    if (answers.size > API_LIMITS.keptAnswers) answers.delete(answers.keys().next().value as string);
  }
}
