/**
 * Whether a URL, without its origin, leads to one of the paths or below it: segment by segment, and letter by letter. What could be
 * read in two ways leads nowhere: escapes, empty segments, and those that go up.
 */
export function isPublicPath(url: string, publicPaths: readonly string[]): boolean {
  if (publicPaths.length === 0) return false;
  const [path = ''] = url.split(/[?#]/);
  const [root, ...segments] = path.split('/');
  if (root !== '' || path.includes('%') || segments.slice(0, -1).includes('')) return false;
  if (segments.includes('.') || segments.includes('..')) return false;
  return publicPaths.some((each) => segmentsOf(each).every((segment, index) => segments[index] === segment));
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}
