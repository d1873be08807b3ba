/**
 * Returns where the clean spelling of a path is, for a path with doubled or trailing slashes; undefined for a clean one.
 * `routed` is the URL as it is routed, `asked` as the client sent it.
 *
 * The reference is relative (RFC 3986, section 4.2) and begins with `../`: it stays right below a prefix that a proxy has
 * taken off, and can never lead to another host.
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
