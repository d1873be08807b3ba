import { applyDecorators, Get, Header, HttpCode, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { ARD_LIMITS } from '#domain/ard/search-request.js';
import { readsByPost } from '../../auth/requirement.js';
import { findServedRegistry } from '../../request-registry.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Marks routes of Agentic Resource Discovery, whose error responses have a form of their own. */
    readonly isArd?: true;
  }
}

/** Declares a GET of Agentic Resource Discovery. */
export const ArdGet = (path: string | string[]) => applyDecorators(Get(path), RouteConfig({ isArd: true }));

/** Declares a POST of Agentic Resource Discovery, which only reads. */
export const ArdPost = (path: string) =>
  applyDecorators(
    Post(path),
    HttpCode(200),
    Header('cache-control', 'no-store'),
    RouteConfig({ isArd: true, readsByPost: readsByPost('read', ARD_LIMITS.bodyBytes) }),
  );

/** Returns whether a request is for Agentic Resource Discovery and the registry has it enabled. */
export function isArd(request: FastifyRequest): boolean {
  return request.routeOptions.config?.isArd === true && !isDisabled(request);
}

/** Returns whether a request is for Agentic Resource Discovery but the registry has it disabled. */
export function isDisabledArd(request: FastifyRequest): boolean {
  return request.routeOptions.config?.isArd === true && isDisabled(request);
}

function isDisabled(request: FastifyRequest): boolean {
  return findServedRegistry(request)?.ard?.enabled === false;
}
