import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, Body, CatalogueReader } from '../catalogue/catalogue-reader.js';

/**
 * Sends a ready-made answer, or 304 to a client that has it. The parts go to the socket as they are, past Fastify's own
 * sending: joining them first costs more than all the rest of a request. Headers that are set so far are kept.
 */
export function sendAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  { tag }: CatalogueReader,
  answer: Answer,
): void | Promise<void> {
  const etag = `"${tag}"`;
  // Kept by clients, but asked about every time: a change is seen at once.
  reply.headers({ etag, 'cache-control': 'no-cache' });
  if (isCurrent(request.headers['if-none-match'], etag)) {
    void reply.code(304).send();
    return;
  }
  const { total, body } = answer.compose();
  if (total !== undefined) reply.header('x-total-count', total);
  return body instanceof Promise
    ? body.then((parts) => sendParts(request, reply, parts))
    : sendParts(request, reply, body);
}

function sendParts(request: FastifyRequest, reply: FastifyReply, parts: Body): void {
  reply.headers({
    'content-type': 'application/json; charset=utf-8',
    'content-length': parts.reduce((bytes, part) => bytes + part.length, 0),
  });
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders);
  if (request.method !== 'HEAD') {
    raw.cork();
    for (const part of parts) raw.write(part);
  }
  raw.end();
  raw.uncork();
}

/** RFC 9110, section 13.1.2: any of the listed tags, compared without regard to weakness. */
function isCurrent(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
