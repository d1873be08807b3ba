import { applyDecorators, Get, Header, Injectable, UseInterceptors } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map } from 'rxjs';
import type { Observable } from 'rxjs';
import { stateTag } from '#read-model/state-tag.js';
import { matchEntityTag } from '../entity-tag.js';

/** Adds an ETag, which is a hash of the body, and responds with 304 if the client already has the body. */
@Injectable()
class EntityTagInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<string | undefined> {
    const http = context.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const { headers } = http.getRequest<FastifyRequest>();
    return next.handle().pipe(
      map((body: object) => {
        const text = JSON.stringify(body);
        const tag = `"${stateTag([text])}"`;
        void reply.headers({ etag: tag, vary: 'Authorization' });
        if (matchEntityTag(headers['if-none-match'], [tag]) !== undefined) return void reply.code(304);
        void reply.header('content-type', 'application/json; charset=utf-8');
        return text;
      }),
    );
  }
}

/**
 * Declares a GET whose response is created again for each request. Clients that poll it can cache and revalidate the
 * response.
 */
export const GetTagged = (path?: string) =>
  applyDecorators(Get(path), Header('cache-control', 'private, no-cache'), UseInterceptors(EntityTagInterceptor));
