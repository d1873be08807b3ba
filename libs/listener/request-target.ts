const SLASH = 47;
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;

/**
 * Returns a request target in origin form (RFC 9112, section 3.2): a path with an optional query. The origin is removed
 * from a target in absolute form, and the asterisk form of OPTIONS is kept. Returns undefined for anything else. Never
 * throws, unlike `new URL`.
 */
export function toOriginForm(target: string): string | undefined {
  if (target.charCodeAt(0) === SLASH || target === '*') return target;
  const origin = ABSOLUTE_FORM.exec(target)?.[0];
  if (origin === undefined) return undefined;
  const rest = target.slice(origin.length);
  return rest.charCodeAt(0) === SLASH ? rest : `/${rest}`;
}
