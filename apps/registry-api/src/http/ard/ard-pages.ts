import { hash } from 'node:crypto';
import { z } from 'zod';
import { toArdEntry } from '#domain/ard/ard-entry.js';
import type { ArdEntry, ServedServer } from '#domain/ard/ard-entry.js';
import type { EntryFilter } from '#domain/ard/filter-terms.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import { canonicalFilter } from '#read-model/cursor.js';
import type { ListFilter } from '#read-model/cursor.js';
import { Findings } from '#read-model/findings.js';
import type { FindingPlace } from '#read-model/findings.js';
import { EMPTY_LAYOUT } from '#read-model/layout.js';
import { READ_MODEL_LIMITS } from '#read-model/limits.js';
import { fromOpaque, toOpaque } from '#read-model/opaque-cursor.js';
import { Pacer } from '#read-model/pacer.js';
import type { CatalogueScope } from '../../catalogue/catalogue.js';
import { acquireForAnswer, PreparedAnswer } from '../prepared-answer.js';
import type { AnswerResources } from '../prepared-answer.js';
import { Problem } from '../problem.js';

/** Bytes of documents that are parsed between two calls of the pacer. */
const CHUNK_BYTES = 256 * 1024;
const DIGEST_LENGTH = 12;

const NOTHING = new Findings({ layout: EMPTY_LAYOUT, sources: new Map(), bodies: undefined }, new Uint32Array(0));

/** Finds the entries that match a filter and a search text. An undefined filter matches nothing. */
export function find(reader: CatalogueReader, filter: EntryFilter | undefined, text?: string): Findings {
  return filter ? reader.find(toListFilter(filter), text) : NOTHING;
}

function toListFilter(filter: EntryFilter): ListFilter {
  return canonicalFilter(filter as ListFilter);
}

export interface PageOptions {
  readonly from: number;
  readonly limit: number;
  /** URL of the registry, without a trailing slash. */
  readonly base: string;
}

/**
 * Reads the entries of a page. The page stops early if it would otherwise exceed the maximum bytes of a page of
 * servers. Throws `Overloaded` if there is not enough memory.
 */
export async function readEntries(
  findings: Findings,
  { from, limit, base }: PageOptions,
  resources: AnswerResources,
): Promise<readonly ArdEntry[]> {
  const entries: ArdEntry[] = [];
  const pacer = new Pacer();
  const end = Math.min(from + limit, findings.size);
  using held = new DisposableStack();
  for (let bytes = 0; from + entries.length < end && bytes < READ_MODEL_LIMITS.pageBytes;) {
    const at = from + entries.length;
    const { answer } = findings.documents(at, end - at, CHUNK_BYTES);
    const sent = await new PreparedAnswer(answer, resources).body('identity');
    try {
      held.defer(acquireForAnswer(resources.memory, sent.bytes));
      const { servers } = JSON.parse(Buffer.concat([...sent.parts]).toString()) as { servers: readonly ServedServer[] };
      servers.forEach((each, index) => entries.push(toArdEntry(each, base, findings.at(at + index).source)));
      bytes += sent.bytes;
    } finally {
      sent.release?.();
    }
    await pacer.rest();
  }
  return entries;
}

/** Returns a digest that binds a page token to one query in one scope. */
export function digestOf(scope: CatalogueScope, query: readonly unknown[], filter: EntryFilter | undefined): string {
  const { namespace, registry, source, view, visibleSources } = scope;
  const place = [namespace, registry, source, view, visibleSources && [...visibleSources].toSorted()];
  const text = JSON.stringify([place, query, filter ? toListFilter(filter) : null]);
  return hash('sha256', text).slice(0, DIGEST_LENGTH);
}

const Token = z.tuple([z.int().min(0).max(100), z.string(), z.string()]);

export function toPageToken({ score, name }: FindingPlace, digest: string): string {
  return toOpaque([score, name, digest]);
}

/**
 * Returns the position after which a page starts. Throws a 400 if the token is invalid or belongs to another query or
 * scope.
 */
export function readPageToken(token: string, digest: string): FindingPlace {
  const { data } = Token.safeParse(fromOpaque(token));
  if (data?.[2] !== digest)
    throw new Problem(400, 'pageToken was not issued by this server for this query: start again without it');
  return { score: data[0], name: data[1] };
}
