import { RegistryError } from '#domain/registry-error.js';
import { shownUrl } from '#http/http-failure.js';

/** One rule of SOURCE_URL_REWRITES: addresses at or below `from` are fetched from `to`. */
export interface UrlRewrite {
  readonly from: string;
  readonly to: string;
}

interface Address {
  /** Scheme, user of ssh, host and port, in one spelling. */
  readonly origin: string;
  readonly segments: readonly string[];
  /** Query, with its question mark. */
  readonly query: string;
}

/**
 * Sends an address to the mirror of a site by the rule with the longest path; an address without a rule stays as it is. Origins
 * are compared as parsed, and paths by whole segments: a rule for `https://git.example.com/team` concerns neither
 * `https://git.example.com.evil.example/team` nor `https://git.example.com/teams`. Throws a RegistryError `ValidationFailed` when the
 * rest of the path could leave the folder that the rule leads to.
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
    const message = `A path with ".." or an encoded slash is not rewritten by the rule for ${best.rule.from}: write the address plainly.`;
    throw new RegistryError('ValidationFailed', message, 'stop');
  }
  return append(best.rule.to, rest, address.query);
}

/** Rewrites a URL that is asked over HTTP. Throws a RegistryError `ValidationFailed` when a rule leads to an address of another kind. */
export function rewriteHttpUrl(url: string, rewrites: readonly UrlRewrite[]): string {
  const rewritten = rewriteUrl(url, rewrites);
  if (URL.canParse(rewritten) && /^https?:/.test(rewritten)) return rewritten;
  const message = `SOURCE_URL_REWRITES makes no http:// or https:// URL of ${shownUrl(url)}: correct its rule.`;
  throw new RegistryError('ValidationFailed', message, 'stop');
}

/** Returns why a rule can never be used, as a predicate; undefined for a good one. */
export function ruleFault({ from, to }: UrlRewrite): string | undefined {
  if (!parseAddress(from)) return 'must begin with an address such as https://git.example.com/team/';
  return parseAddress(to) ? undefined : 'must lead to an address such as https://mirror.example/team/';
}

/** Whether either side of a rule carries a user name or password. */
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

/** A slash at either end says nothing about which folder is meant. */
function segmentsOf(path: string): string[] {
  const bare = path.replace(/^\/+|\/+$/g, '');
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
  // `host:` of an scp-like address is followed by the path without a slash.
  const joint = base.endsWith('/') || base.endsWith(':') ? '' : '/';
  const path = rest.length > 0 ? `${base}${joint}${rest.join('/')}` : base;
  return parameters ? `${path}?${parameters}` : path;
}
