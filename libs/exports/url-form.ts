import { Omitted } from './omission.js';

/**
 * Returns the normal form of a URL (WHATWG parse and serialisation) without fragment: the identity of a remote. Throws
 * `Omitted` for what is no http(s) URL or carries credentials.
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
