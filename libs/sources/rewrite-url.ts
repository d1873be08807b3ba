import { RegistryError } from '#domain/registry-error.js';
import { shownUrl } from '#http/http-failure.js';
import { trimmedEnd } from '#domain/trimmed-end.js';

/** One rule of SOURCE_URL_REWRITES: URLs equal to or below `from` are fetched from `to`. */
export interface UrlRewrite {
  readonly from: string;
  readonly to: string;
}

interface Address {
  /** Scheme, ssh user, host and port, in a normalized form. */
  readonly origin: string;
  readonly segments: readonly string[];
  /** The query with its question mark. */
  readonly query: string;
}

/**
 * Rewrites a URL to the mirror of a site, using the rule with the longest matching path. A URL without a matching rule
 * is not changed. Origins are compared after parsing, and paths by whole segments, so a rule for
 * `https://git.example.com/team` matches neither `https://git.example.com.evil.example/team` nor
 * `https://git.example.com/teams`. Throws a RegistryError `ValidationFailed` if the rest of the path could lead out of
 * the target folder of the rule.
 */
export function rewriteUrl(url: string, rewrites: readonly UrlRewrite[]): string {
  const address = parseAddress(url);
  if (!address) return url;
  let best: { readonly rule: UrlRewrite; readonly length: number } | undefined;
  for (const rule of rewrites) {
    const from = parseAddress(rule.from);
    if (from && isBelow(address, from) && from.segments.length >= (best?.length ?? 0)) {
      best = { rule, length: from.segments.length };
    }
  }
  if (!best) return url;
  const rest = address.segments.slice(best.length);
  if (rest.some(couldClimb)) {
    const message = `A path with ".." or an encoded slash is not rewritten by the rule for ${best.rule.from}: write the URL without them.`;
    throw new RegistryError('ValidationFailed', message, 'stop');
  }
  return append(best.rule.to, rest, address.query);
}

/**
 * Rewrites a URL that is requested over HTTP. Throws a RegistryError `ValidationFailed` if a rule leads to another kind
 * of URL.
 */
export function rewriteHttpUrl(url: string, rewrites: readonly UrlRewrite[]): string {
  const rewritten = rewriteUrl(url, rewrites);
  if (URL.canParse(rewritten) && /^https?:/.test(rewritten)) return rewritten;
  const message = `SOURCE_URL_REWRITES does not produce an http:// or https:// URL from ${shownUrl(url)}: correct its rule.`;
  throw new RegistryError('ValidationFailed', message, 'stop');
}

/** Returns the reason, as a predicate, why a rule can never be applied, or undefined for a valid rule. */
export function ruleFault({ from, to }: UrlRewrite): string | undefined {
  if (!parseAddress(from)) return 'must begin with a URL such as https://git.example.com/team/';
  return parseAddress(to) ? undefined : 'must be replaced by a URL such as https://mirror.example/team/';
}

/** Returns whether either side of a rule contains a user name or password. */
export function hasCredentials({ from, to }: UrlRewrite): boolean {
  return [from, to].some((side) => /^[a-z][a-z0-9+.-]*:\/\/[^]*@/i.test(side));
}

const SCP_LIKE = /^(?<user>[\w.-]+)@(?<host>[\w.-]+):(?<path>[^:]*)$/;

function parseAddress(text: string): Address | undefined {
  const scp = SCP_LIKE.exec(text)?.groups;
  if (scp) {
    const { user = '', host = '', path = '' } = scp;
    return { origin: `ssh://${user}@${host.toLowerCase()}`, segments: segmentsOf(path), query: '' };
  }
  if (!URL.canParse(text)) return undefined;
  const { protocol, username, hostname, port, pathname, search } = new URL(text);
  if (!hostname && protocol !== 'file:') return undefined;
  const isSsh = protocol === 'ssh:';
  const user = isSsh && username ? `${username}@` : '';
  const shownPort = port && !(isSsh && port === '22') ? `:${port}` : '';
  const origin = `${protocol}//${user}${hostname.toLowerCase()}${shownPort}`;
  return { origin, segments: segmentsOf(pathname), query: search };
}

/** Splits a path into segments. A leading or trailing slash makes no difference. */
function segmentsOf(path: string): string[] {
  const bare = trimmedEnd(path.replace(/^\/+/, ''), '/');
  return bare === '' ? [] : bare.split('/');
}

function isBelow({ origin, segments }: Address, from: Address): boolean {
  return origin === from.origin && from.segments.every((segment, index) => segments[index] === segment);
}

function couldClimb(segment: string): boolean {
  const plain = segment.replace(/%2e/gi, '.');
  return plain === '.' || plain === '..' || /[\\\0]|%(2f|5c|00)/i.test(segment);
}

function append(to: string, rest: readonly string[], query: string): string {
  const [base = '', ...own] = to.split('?');
  const parameters = [own.join('?'), query.slice(1)].filter(Boolean).join('&');
  // In an scp-like address, `host:` is followed by the path without a slash.
  const joint = base.endsWith('/') || base.endsWith(':') ? '' : '/';
  const path = rest.length > 0 ? `${base}${joint}${rest.join('/')}` : base;
  return parameters ? `${path}?${parameters}` : path;
}
