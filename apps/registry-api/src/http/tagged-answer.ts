import type { FastifyReply, FastifyRequest } from 'fastify';
import { negotiateEncoding } from './accept-encoding.js';
import type { ByteBudget } from '../byte-budget.js';
import { TAG_SUFFIXES } from './catalogue-state.js';
import { matchEntityTag } from './entity-tag.js';
import { acquireForAnswer } from './prepared-answer.js';
import type { AnswerResources } from './prepared-answer.js';
import { holdUntilClosed } from './response-memory.js';

/** A body whose memory is reserved until `release` is called. `release` is idempotent. */
export interface AdmittedBytes {
  readonly bytes: Buffer;
  readonly release: () => void;
}

/** Converts a string to a body and reserves its memory. Throws `Overloaded` if not enough is free. */
export function admitText(text: string, memory: ByteBudget): AdmittedBytes {
  const release = acquireForAnswer(memory, Buffer.byteLength(text));
  return { bytes: Buffer.from(text), release };
}

/** A response that is created for a request and identified by a tag. */
export interface TaggedAnswer {
  readonly tag: string;
  /** The headers of every response, including 304. */
  readonly headers: Readonly<Record<string, string>>;
  readonly changedAtMs: number | undefined;
  /** Creates the body. Not called if the client already has it. */
  body(): AdmittedBytes | Promise<AdmittedBytes>;
}

/** Sends a JSON response, compressed if the client accepts that, or 304 if the client already has it. */
export async function sendTagged(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: TaggedAnswer,
  { compressor, memory }: AnswerResources,
): Promise<void> {
  const tags = Object.values(TAG_SUFFIXES).map((suffix) => `"${answer.tag}${suffix}"`);
  const matched = matchEntityTag(request.headers['if-none-match'], tags);
  void reply.headers(answer.headers);
  if (matched !== undefined) return void reply.code(304).header('etag', matched).send();
  const { bytes: body, release } = await answer.body();
  holdUntilClosed(reply.raw, release, memory);
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
