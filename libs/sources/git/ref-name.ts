const FULL_OBJECT_ID = /^([0-9a-f]{40}|[0-9a-f]{64})$/i;

/** What git-check-ref-format(1) forbids, and a first `-`. */
const FORBIDDEN_NAME = /^-|[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|\/$|^\/|\.$|(^|\/)\.|\.lock(\/|$)|^@$/u;

export function isCommitId(text: string): boolean {
  return FULL_OBJECT_ID.test(text);
}

/** Returns whether a text may name a branch or a tag; git could read any other text as something else, such as an option. */
export function isRefName(text: string): boolean {
  return !FORBIDDEN_NAME.test(text);
}
