const FULL_OBJECT_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/i;

/** Names that git-check-ref-format(1) forbids, and names that start with `-`. */
const FORBIDDEN_NAME = /^-|[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|\/$|^\/|\.$|(^|\/)\.|\.lock(\/|$)|^@$/u;

export function isCommitId(text: string): boolean {
  return FULL_OBJECT_ID.test(text);
}

/**
 * Returns whether a string is a valid name of a branch or a tag. git could interpret any other string as something
 * else, such as an option.
 */
export function isRefName(text: string): boolean {
  return !FORBIDDEN_NAME.test(text);
}
