import type { FastifyReply, FastifyRequest } from 'fastify';
import { negotiateEncoding } from './accept-encoding.js';
import { TAG_SUFFIXES } from './catalogue-state.js';
import type { Compressor } from './compressor.js';
import { matchEntityTag } from './entity-tag.js';

/** An answer that is made for a request, and named by a tag. */
export interface TaggedAnswer {
  readonly tag: string;
  /** What every answer says, 304 too. */
  readonly headers: Readonly<Record<string, string>>;
  readonly changedAtMs: number | undefined;
  /** Makes the body; not called for a client that has it. */
  body(): Buffer | Promise<Buffer>;
}

/** Sends a JSON answer, compressed if the client accepts that, or 304 to a client that has it. */
export async function sendTagged(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: TaggedAnswer,
  compressor: Compressor,
): Promise<void> {
  const tags = Object.values(TAG_SUFFIXES).map((suffix) => `"${answer.tag}${suffix}"`);
  const matched = matchEntityTag(request.headers['if-none-match'], tags);
  void reply.headers(answer.headers);
  if (matched !== undefined) return void reply.code(304).header('etag', matched).send();
  const body = await answer.body();
  const wanted = negotiateEncoding(request.headers['accept-encoding']);
  const compressed = wanted === 'identity' ? undefined : await compressor.tryCompress([body], body.length, wanted);
  const encoding = compressed ? wanted : 'identity';
  void reply.headers({
    'content-type': 'application/json; charset=utf-8',
    etag: `"${answer.tag}${TAG_SUFFIXES[encoding]}"`,
    ...(compressed && { 'content-encoding': encoding }),
    ...(answer.changedAtMs !== undefined && { 'last-modified': new Date(answer.changedAtMs).toUTCString() }),
  });
  void reply.send(compressed ? Buffer.concat(compressed) : body);
}
