import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { grantedAccess } from '../auth/granted-access.js';
import { UnknownSource } from '../catalogue/catalogue.js';
import type { CatalogueScope } from '../catalogue/catalogue.js';
import { getServedRegistry } from '../request-registry.js';
import { isWholeRegistry } from '../served-registry.js';
import type { ServedRegistry } from '../served-registry.js';

/** Returns the scope of a request: its registry, the source in its path if any, and what the caller may see. */
export function scopeOf(request: FastifyRequest): CatalogueScope {
  return namedScopeOf(request, (request.params as { source?: string }).source);
}

/**
 * Returns the scope of a source or view, or of the whole registry if `name` is undefined, for the caller of a request.
 * Throws `UnknownSource`.
 */
export function namedScopeOf(request: FastifyRequest, name: string | undefined): CatalogueScope {
  const served = getServedRegistry(request);
  const { visibleSources, visibleNames } = grantedAccess(request.raw);
  return {
    namespace: served.namespace,
    registry: served.name,
    ...named(served, name, visibleNames),
    ...(visibleSources && { visibleSources }),
    declaredSources: served.sources,
  };
}

/**
 * Resolves a name to a source or to a view of the configuration. Throws `UnknownSource`, also for a name that the caller
 * may not refer to, so that the response does not reveal whether it exists.
 */
function named(
  served: ServedRegistry,
  asked: string | undefined,
  visible: ReadonlySet<string> | undefined,
): Pick<CatalogueScope, 'source' | 'view'> {
  if (asked === undefined || isWholeRegistry(served, asked)) return {};
  if (visible?.has(asked) === false) throw new UnknownSource(asked);
  if (!served.views) return { source: asked };
  const view = served.views.find(({ name }) => name === asked);
  if (!view) throw new UnknownSource(asked);
  return { view: view.sources };
}

/** Parameter decorator for the registry that the request is for. */
export const Served = createParamDecorator((_: unknown, context: ExecutionContext): ServedRegistry =>
  getServedRegistry(context.switchToHttp().getRequest<FastifyRequest>()),
);

/** Parameter decorator for the scope of the request. */
export const Scope = createParamDecorator((_: unknown, context: ExecutionContext): CatalogueScope =>
  scopeOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
