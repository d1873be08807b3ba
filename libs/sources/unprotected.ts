import type { Notice } from '#domain/notice.js';

const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])\.?$/i;

/**
 * Returns a notice for each of these URLs, given by field name, to which credentials would be sent over http:// to
 * another machine.
 */
export function unprotectedNotices(urls: Readonly<Record<string, string | undefined>>): Notice[] {
  return Object.entries(urls).flatMap(([field, url]): Notice[] => {
    const parsed = url !== undefined && URL.canParse(url) ? new URL(url) : undefined;
    if (parsed?.protocol !== 'http:' || LOOPBACK.test(parsed.hostname)) return [];
    const message = `the credentials of its auth are sent over http://, where others can read them: set ${field} to an https:// URL`;
    return [{ reason: 'CredentialsUnprotected', message }];
  });
}
