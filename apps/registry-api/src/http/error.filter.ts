import { STATUS_CODES } from 'node:http';
import { Catch, HttpException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Overloaded } from '../byte-budget.js';
import { ExportBusy } from '../exports/render-queue.js';
import { CatalogueNotLoaded, SourceNotSynced, UnknownSource } from '../catalogue/catalogue.js';
import { BodyChanged } from '#read-model/stored-bodies.js';
import { Refusal } from '../refusal.js';
import type { RefusalKind } from '../refusal.js';
import { TriggerAway } from '../sync/sync-trigger.js';
import { DatabaseAway } from '#persistence/view-database.js';
import { isArd } from './ard/ard-route.js';
import { toArdProblem } from './ard/ard-problem.js';
import { BodiesBusy } from './body-slots.js';
import { toChallengeHeader } from './challenge-header.js';
import { ReadsBusy } from './costly-reads.js';
import { Problem } from './problem.js';

/**
 * The only place that converts errors to responses: `{"error": "…"}` or the form of the route. Logs the errors that are
 * faults of this server.
 */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const problem = toProblem(error);
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    if (problem.status === 500) {
      const { id, method, originalUrl } = request;
      // Log the path without the query, which may contain a token.
      this.logger.error({ err: error, requestId: id, method, path: originalUrl.split('?')[0] }, 'request failed');
    }
    sendProblem(host.switchToHttp().getResponse<FastifyReply>(), problem);
  }
}

function sendProblem(reply: FastifyReply, { status, message, headers }: Problem): void {
  void reply
    .code(status)
    .headers({
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'x-request-id': reply.request.id,
      ...headers,
    })
    .send(JSON.stringify(isArd(reply.request) ? toArdProblem(status, message) : { error: message }));
}

/** Converts an error to a problem. Exported for its test. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Refusal) return new Problem(REFUSAL_STATUS[error.kind], error.message, headersOf(error));
  if (error instanceof UnknownSource) return new Problem(404, error.message);
  // The delay is longer than for the temporary errors below, because a sync takes a while and may have to wait for its
  // source.
  if (error instanceof SourceNotSynced) return new Problem(503, error.message, { 'retry-after': '10' });
  if (AWAY.some((kind) => error instanceof kind)) {
    return new Problem(503, (error as Error).message, { 'retry-after': '2' });
  }
  const status = error instanceof HttpException ? error.getStatus() : statusOf(error);
  return new Problem(status, FAULTS[status] ?? `${STATUS_CODES[status]}`);
}

const REFUSAL_STATUS: Readonly<Record<RefusalKind, number>> = {
  malformed: 400,
  ambiguous: 400,
  unauthenticated: 401,
  forbidden: 403,
  unknown: 404,
  conflict: 409,
  invalid: 422,
  unavailable: 503,
};

function headersOf({ details: { challenge, retryAfterSeconds } }: Refusal): Record<string, string> {
  return {
    ...(challenge && { 'www-authenticate': toChallengeHeader(challenge) }),
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
  };
}

/** Temporary errors. */
const AWAY = [
  CatalogueNotLoaded,
  DatabaseAway,
  BodyChanged,
  TriggerAway,
  Overloaded,
  BodiesBusy,
  ReadsBusy,
  ExportBusy,
];

/** Returns the status of one of Fastify's errors, or 500 for any other error, which is a fault of this server. */
function statusOf(error: unknown): number {
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
}

/** Messages by status, because those of frameworks are meant for programmers and repeat what the client sent. */
const FAULTS: Readonly<Record<number, string>> = {
  404: 'nothing is served at this path',
  413: 'the body is larger than this path accepts',
  500: 'internal error; see the log of the server',
};
