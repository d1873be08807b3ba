import type { UrlRewrite } from './source.js';

/** Replaces the longest matching prefix: how a site sends fetches to a mirror. A URL that no rule matches stays as it is. */
export function rewriteUrl(url: string, rewrites: readonly UrlRewrite[]): string {
  const longest = rewrites
    .filter(({ from }) => from !== '' && url.startsWith(from))
    .reduce<UrlRewrite | undefined>(
      (best, rule) => (best && best.from.length >= rule.from.length ? best : rule),
      undefined,
    );
  return longest ? longest.to + url.slice(longest.from.length) : url;
}
