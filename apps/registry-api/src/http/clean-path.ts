/**
 * Returns the location of the clean spelling of a path with doubled or trailing slashes; undefined if the path is
 * clean. `routed` is the URL as it is routed, `asked` the URL as the client sent it.
 *
 * The reference is relative (RFC 3986, section 4.2) and starts with `../`, so it stays correct below a prefix that a
 * proxy has removed, and can never lead to another host.
 */
export function cleanLocation(routed: string, asked: string): string | undefined {
  if (!isUnclean(pathOf(routed))) return undefined;
  const path = pathOf(asked);
  const [, ...segments] = path.split('/');
  const clean = segments.filter((segment) => segment !== '').join('/');
  return `${'../'.repeat(segments.length - 1)}${clean}${asked.slice(path.length)}`;
}

function isUnclean(path: string): boolean {
  return path.includes('//') || (path.length > 1 && path.endsWith('/'));
}

function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
}
