import type { Answer, CatalogueReader } from '../catalogue/catalogue-reader.js';
import { COMMON_HEADER_LINES } from './common-headers.js';
import { matchEntityTag } from './entity-tag.js';
import { PreparedAnswer } from './prepared-answer.js';
import type { Encoding } from './prepared-answer.js';

/** An answer is a few slices of the catalogue; compressed ones take memory of their own. */
const KEPT_ANSWERS = 2000;
/** Of a URL that an answer is kept by; one that a user agent makes is shorter. */
export const KEPT_URL_LENGTH = 1024;
const KEPT_COMPRESSED_BYTES = 16 * 1024 * 1024;

/** Part of a tag, since equal tags mean equal bytes. */
export const TAG_SUFFIXES: Readonly<Record<Encoding, string>> = { identity: '', gzip: '.gz', br: '.br' };

/** Names and values in turn, as Node writes them fastest. */
export type HeaderLines = readonly (string | number)[];

/** For whom an answer is: for everybody alike, or for a caller, where another one might get something else. */
export type Audience = 'everybody' | 'caller';

/** Finds an answer, or throws what there is to say instead. */
export type Find = (reader: CatalogueReader) => Answer;

/** One state of a list of servers as it is sent: its headers, and its answers by the URL that asked for them. */
export class CatalogueState {
  /** What an answer with content says beside; who has the content knows it (RFC 9110, section 15.4.5). */
  readonly contentLines: HeaderLines;
  readonly #reader: CatalogueReader;
  readonly #tags: Readonly<Record<Encoding, string>>;
  readonly #publicLines: HeaderLines;
  readonly #personalLines: HeaderLines;
  readonly #answers = new Map<string, PreparedAnswer>();
  #compressedBytes = 0;

  constructor(reader: CatalogueReader) {
    const { tag, changedAtMs } = reader;
    this.#reader = reader;
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

  /** Kept by its URL. */
  keptAnswer(url: string, find: Find): PreparedAnswer {
    const known = this.#answers.get(url);
    if (known) return known;
    if (url.length > KEPT_URL_LENGTH) return this.answer(find);
    const answer = new PreparedAnswer(find(this.#reader), (bytes) => this.#count(bytes));
    this.#answers.set(url, answer);
    if (this.#answers.size > KEPT_ANSWERS) this.#answers.delete(this.#answers.keys().next().value as string);
    return answer;
  }

  answer(find: Find): PreparedAnswer {
    return new PreparedAnswer(find(this.#reader));
  }

  /** All are let go at once: those that are asked for come back, and nothing has to be counted one by one. */
  #count(bytes: number): void {
    this.#compressedBytes += bytes;
    if (this.#compressedBytes <= KEPT_COMPRESSED_BYTES) return;
    this.#answers.clear();
    this.#compressedBytes = 0;
  }
}
