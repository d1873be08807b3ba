import type { FastifyReply, FastifyRequest } from 'fastify';
import { negotiateEncoding } from './accept-encoding.js';
import type { ByteBudget } from '../byte-budget.js';
import { onceClosed } from './catalogue-answers.js';
import { TAG_SUFFIXES } from './catalogue-state.js';
import { matchEntityTag } from './entity-tag.js';
import { acquireForAnswer } from './prepared-answer.js';
import type { AnswerResources } from './prepared-answer.js';

/** A body whose memory is reserved until `release` is called, which is idempotent. */
export interface AdmittedBytes {
  readonly bytes: Buffer;
  readonly release: () => void;
}

/** Makes a body of a text and reserves its memory at once. Throws `Overloaded` when that is not free. */
export function admitText(text: string, memory: ByteBudget): AdmittedBytes {
  const release = acquireForAnswer(memory, Buffer.byteLength(text));
  return { bytes: Buffer.from(text), release };
}

/** An answer that is made for a request, and named by a tag. */
export interface TaggedAnswer {
  readonly tag: string;
  /** What every answer says, 304 too. */
  readonly headers: Readonly<Record<string, string>>;
  readonly changedAtMs: number | undefined;
  /** Makes the body; not called for a client that has it. */
  body(): AdmittedBytes | Promise<AdmittedBytes>;
}

/** Sends a JSON answer, compressed if the client accepts that, or 304 to a client that has it. */
export async function sendTagged(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: TaggedAnswer,
  { compressor }: Pick<AnswerResources, 'compressor'>,
): Promise<void> {
  const tags = Object.values(TAG_SUFFIXES).map((suffix) => `"${answer.tag}${suffix}"`);
  const matched = matchEntityTag(request.headers['if-none-match'], tags);
  void reply.headers(answer.headers);
  if (matched !== undefined) return void reply.code(304).header('etag', matched).send();
  const { bytes: body, release } = await answer.body();
  onceClosed(reply.raw, release);
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
