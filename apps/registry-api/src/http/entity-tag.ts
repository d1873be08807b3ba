/**
 * Returns the first of our tags that a client has (RFC 9110, section 13.1.2), comparing weakly with the listed ones, or
 * the first tag for `*`; undefined if the client has none of them.
 */
export function matchEntityTag(ifNoneMatch: string | undefined, tags: readonly string[]): string | undefined {
  if (ifNoneMatch === undefined) return undefined;
  if (tags.includes(ifNoneMatch)) return ifNoneMatch;
  if (ifNoneMatch.trim() === '*') return tags[0];
  const listed = ifNoneMatch.split(',').map((each) => each.trim().replace(/^W\//, ''));
  return tags.find((each) => listed.includes(each));
}
