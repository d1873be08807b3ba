import { SetMetadata } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';

/**
 * What a handler requires of its callers:
 * - `nothing`: anonymous callers are answered
 * - `read`: of the catalogue, of which `auth.publicRead` may open some sources to anonymous callers
 * - `login`: an authenticated caller, unless the registry is anonymous
 * - `write`: an authenticated caller, in every registry
 */
export type Requirement = 'nothing' | 'read' | 'login' | 'write';

const REQUIREMENT = Symbol('requirement');

/** Marks handlers that answer without a login. A mark on the handler, because paths can be written in many ways. */
export const Public = () => SetMetadata(REQUIREMENT, 'nothing' satisfies Requirement);

/** Marks handlers that show nothing but servers, of the source in the parameter `source` or of all that the caller may see. */
export const ReadsCatalogue = () => SetMetadata(REQUIREMENT, 'read' satisfies Requirement);

/** Marks handlers that change something. */
export const Writes = () => SetMetadata(REQUIREMENT, 'write' satisfies Requirement);

/** What a handler requires whose method is POST although it only reads. */
export interface ReadingByPost {
  readonly requirement: 'read' | 'login';
  /** The most bytes of a body. */
  readonly bodyBytes: number;
  /** Whether a body is kept as bytes whatever its type; otherwise it has to be JSON. */
  readonly takes: 'json' | 'any type';
}

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly readsByPost?: ReadingByPost;
  }
}

/** The mark of a route that reads by POST: its callers are admitted before the body is read, and need not be writers. */
export function readsByPost(
  requirement: ReadingByPost['requirement'],
  bodyBytes: number,
  takes: ReadingByPost['takes'] = 'json',
): ReadingByPost {
  return { requirement, bodyBytes, takes };
}

/** The requirement of each handler, cached: reading its marks takes as long as finding its answer. */
const known = new WeakMap<object, Requirement>();

/** Without a mark a handler wants a login: forgetting it opens nothing. */
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
