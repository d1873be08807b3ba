import { Omitted } from './omission.js';

/**
 * Returns the normal form of a URL (WHATWG parsing and serialization) without its fragment. The normal form identifies
 * a remote. Throws `Omitted` if the input is not an http(s) URL or contains credentials.
 */
export function toNormalUrl(text: string): string {
  if (!URL.canParse(text)) throw new Omitted('fails-client-schema', 'the URL cannot be parsed');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new Omitted('fails-client-schema', 'the URL is neither https nor http');
  }
  if (url.username !== '' || url.password !== '') throw new Omitted('credentials-in-url');
  url.hash = '';
  return url.href;
}
