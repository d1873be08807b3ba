import { SetMetadata } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';

/**
 * The requirement of a handler to its callers:
 * - `nothing`: anybody
 * - `read`: may read the catalogue; `auth.publicRead` may open some sources to anonymous callers
 * - `login`: an authenticated caller, unless the registry is anonymous
 * - `write`: an authenticated caller, in every registry
 */
export type Requirement = 'nothing' | 'read' | 'login' | 'write';

const REQUIREMENT = Symbol('requirement');

/**
 * Marks handlers that need no login. The mark is on the handler rather than on a path, because paths can be written in
 * many ways.
 */
export const Public = () => SetMetadata(REQUIREMENT, 'nothing' satisfies Requirement);

/**
 * Marks handlers that return nothing except servers: those of the source in the parameter `source`, or all that the
 * caller may see.
 */
export const ReadsCatalogue = () => SetMetadata(REQUIREMENT, 'read' satisfies Requirement);

/** Marks handlers that change data. */
export const Writes = () => SetMetadata(REQUIREMENT, 'write' satisfies Requirement);

/** The requirements of a handler with the method POST that only reads. */
export interface ReadingByPost {
  readonly requirement: 'read' | 'login';
  /** Maximum size of the body in bytes. */
  readonly bodyBytes: number;
  /** Whether a body is accepted as bytes, whatever its type; otherwise it must be JSON. */
  readonly takes: 'json' | 'any type';
}

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly readsByPost?: ReadingByPost;
  }
}

/**
 * Marks a route that reads by POST. Its callers are admitted before the body is read, and do not need the right to
 * write.
 */
export function readsByPost(
  requirement: ReadingByPost['requirement'],
  bodyBytes: number,
  takes: ReadingByPost['takes'] = 'json',
): ReadingByPost {
  return { requirement, bodyBytes, takes };
}

/** The requirement of each handler, cached because reading the marks takes as long as creating the response. */
const known = new WeakMap<object, Requirement>();

/**
 * Returns the requirement of a handler. A handler without a mark requires a login, so that a forgotten mark opens
 * nothing.
 */
export function requirementOf(reflector: Reflector, context: ExecutionContext): Requirement {
  const handler = context.getHandler();
  let requirement = known.get(handler);
  if (!requirement) {
    requirement =
      reflector.getAllAndOverride<Requirement | undefined>(REQUIREMENT, [handler, context.getClass()]) ?? 'login';
    known.set(handler, requirement);
  }
  return requirement;
}
