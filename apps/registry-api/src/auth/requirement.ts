import { SetMetadata } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';

/**
 * What a handler asks of whoever calls it:
 * - `nothing`: it answers everybody
 * - `read`: of the catalogue, where `auth.publicRead` may open some sources to everybody
 * - `login`: a caller who is known, unless the registry is anonymous
 * - `write`: a caller who is known, in every registry
 */
export type Requirement = 'nothing' | 'read' | 'login' | 'write';

const REQUIREMENT = Symbol('requirement');

/** Marks handlers that answer without a login. A mark on the handler, because paths can be written in many ways. */
export const Public = () => SetMetadata(REQUIREMENT, 'nothing' satisfies Requirement);

/** Marks handlers that show nothing but servers, of the source in the parameter `source` or of all that the caller may see. */
export const ReadsCatalogue = () => SetMetadata(REQUIREMENT, 'read' satisfies Requirement);

/** Marks handlers that change something. */
export const Writes = () => SetMetadata(REQUIREMENT, 'write' satisfies Requirement);

/** Of each handler; looking at its marks takes as long as finding its answer. */
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
