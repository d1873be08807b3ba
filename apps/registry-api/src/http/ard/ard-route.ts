import { applyDecorators, Get, Header, HttpCode, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { ARD_LIMITS } from '#domain/ard/search-request.js';
import { readsByPost } from '../../auth/requirement.js';
import { findServedRegistry } from '../../request-registry.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route belongs to Agentic Resource Discovery, whose errors have a form of their own. */
    readonly isArd?: true;
  }
}

/** A GET of Agentic Resource Discovery. */
export const ArdGet = (path: string | string[]) => applyDecorators(Get(path), RouteConfig({ isArd: true }));

/** A POST of Agentic Resource Discovery, which reads only. */
export const ArdPost = (path: string) =>
  applyDecorators(
    Post(path),
    HttpCode(200),
    Header('cache-control', 'no-store'),
    RouteConfig({ isArd: true, readsByPost: readsByPost('read', ARD_LIMITS.bodyBytes) }),
  );

/** Returns whether a request is for Agentic Resource Discovery of a registry that has it. */
export function isArd(request: FastifyRequest): boolean {
  return request.routeOptions.config?.isArd === true && !isDisabled(request);
}

/** Returns whether a request is for Agentic Resource Discovery of a registry that has it switched off. */
export function isDisabledArd(request: FastifyRequest): boolean {
  return request.routeOptions.config?.isArd === true && isDisabled(request);
}

function isDisabled(request: FastifyRequest): boolean {
  return findServedRegistry(request)?.ard?.enabled === false;
}
