import { HttpFailure, shownUrl } from './http-failure.js';

/** Returns the target of a redirect. Throws an HttpFailure for a redirect that must not be followed. */
export function redirectTarget(url: URL, location: string | undefined): URL {
  const refuse = (why: string) =>
    new HttpFailure('FetchFailed', `${shownUrl(url)} redirects ${why}: use the final URL.`, 'wait');
  if (!location || !URL.canParse(location, url.href)) throw refuse('to nowhere');
  const target = new URL(location, url);
  if (target.protocol !== 'https:' && target.protocol !== 'http:') throw refuse(`to a ${target.protocol} address`);
  if (url.protocol === 'https:' && target.protocol === 'http:') throw refuse(`from https to ${shownUrl(target)}`);
  return target;
}
