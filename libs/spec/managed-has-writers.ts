import { isFields } from '#domain/fields.js';
import type { z } from 'zod';

const NEEDS_WRITERS =
  'needs auth.oauth.requiredScopes.write, the scope that a token must hold to publish: without it each valid token could publish, replace and delete entries; set it, or allow that with writers: everyone';

/**
 * The rule of {@link managedHasWriters} for the API server: a registry with authentication must specify who may
 * publish.
 */
export const managedHasWritersRule = {
  rule: [
    '!has(self.registries)',
    '!self.registries.exists(source, has(source.managed) && !has(source.managed.writers))',
    ...['auth', 'authConfig'].map(
      (auth) =>
        `(has(self.${auth}) && (self.${auth}.mode == 'anonymous' || (has(self.${auth}.oauth) && has(self.${auth}.oauth.requiredScopes) && has(self.${auth}.oauth.requiredScopes.write))))`,
    ),
  ].join(' || '),
  message: `managed ${NEEDS_WRITERS}`,
};

/** A refinement of an object with sources and `auth`: a managed source must specify which callers may publish to it. */
export function managedHasWriters(sourcesField: string) {
  return (config: unknown, context: z.core.$RefinementCtx): void => {
    if (!isFields(config)) return;
    const { [sourcesField]: sources, auth, authConfig } = config;
    if (!Array.isArray(sources) || !lacksWriteScope(auth ?? authConfig)) return;
    for (const [index, entry] of sources.entries()) {
      const managed: unknown = entry?.managed;
      if (managed === undefined || (managed as { writers?: unknown } | null)?.writers !== undefined) continue;
      context.addIssue({ code: 'custom', path: [sourcesField, index, 'managed'], message: NEEDS_WRITERS });
    }
  };
}

/**
 * Returns whether there is no scope for writers. Returns false without auth or in mode anonymous, because there are no
 * writers then, and a missing auth is reported separately.
 */
function lacksWriteScope(auth: unknown): boolean {
  if (!isFields(auth)) return false;
  const { mode, oauth } = auth as { mode?: unknown; oauth?: { requiredScopes?: { write?: unknown } | null } | null };
  return mode !== 'anonymous' && oauth?.requiredScopes?.write === undefined;
}
