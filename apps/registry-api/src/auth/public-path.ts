/**
 * Whether a URL, without its origin, equals one of the paths or is below it. Paths are compared segment by segment and
 * case-sensitively. Ambiguous URLs never match: those with escapes, empty segments, or `.` and `..`.
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
