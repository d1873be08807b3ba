import { isFields } from '#domain/fields.js';
import type { z } from 'zod';
import { nearestName } from './nearest-name.js';

/**
 * Refinement of an object with `auth` and, in `listFields`, lists of items that are served by name. Each name in
 * `publicRead` must be one of them or of `builtIn`, because a misspelled name would silently leave a source private.
 */
export function publicReadIsServed(listFields: readonly string[], builtIn: readonly string[] = []) {
  return (config: unknown, context: z.core.$RefinementCtx): void => {
    if (!isFields(config)) return;
    const lists = listFields.map((field) => config[field]).filter((list) => Array.isArray(list));
    if (lists.length === 0) return;
    const served = lists.flat().flatMap((each: { name?: unknown } | null) => each?.name ?? []);
    const names = [...served.filter((name) => typeof name === 'string'), ...builtIn];
    for (const spelling of ['auth', 'authConfig']) {
      const auth = config[spelling] as { mode?: unknown; publicRead?: unknown } | null | undefined;
      // In mode anonymous, everything is public, regardless of other settings.
      if (!Array.isArray(auth?.publicRead) || auth.mode === 'anonymous') continue;
      for (const [index, name] of auth.publicRead.entries()) {
        if (typeof name !== 'string' || names.includes(name)) continue;
        const path = [spelling, 'publicRead', index];
        context.addIssue({ code: 'custom', path, message: `is not served here: ${remedy(name, names)}` });
      }
    }
  };
}

function remedy(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  if (nearest !== undefined) return `did you mean ${nearest}?`;
  return `remove it${names.length > 0 ? `, or use one of ${names.join(', ')}` : ''}`;
}
