/**
 * Returns the first of our tags that a client has (RFC 9110, section 13.1.2): any of the listed ones, without regard to
 * weakness, or the first for `*`; undefined when it has none of them.
 */
export function matchEntityTag(ifNoneMatch: string | undefined, tags: readonly string[]): string | undefined {
  if (ifNoneMatch === undefined) return undefined;
  if (tags.includes(ifNoneMatch)) return ifNoneMatch;
  if (ifNoneMatch.trim() === '*') return tags[0];
  const listed = ifNoneMatch.split(',').map((each) => each.trim().replace(/^W\//, ''));
  return tags.find((each) => listed.includes(each));
}
