import type { Notice } from '#domain/notice.js';

const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])\.?$/i;

/** Returns a notice for each of these URLs, by the field that it stands in, to which credentials would go over http:// to another machine. */
export function unprotectedNotices(urls: Readonly<Record<string, string | undefined>>): Notice[] {
  return Object.entries(urls).flatMap(([field, url]): Notice[] => {
    const parsed = url !== undefined && URL.canParse(url) ? new URL(url) : undefined;
    if (parsed?.protocol !== 'http:' || LOOPBACK.test(parsed.hostname)) return [];
    const message = `the credentials of its auth go over http://, where others can read them: give ${field} an https:// URL`;
    return [{ reason: 'CredentialsUnprotected', message }];
  });
}
