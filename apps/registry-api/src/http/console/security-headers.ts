/**
 * Returns the headers that confine the page and its assets. Only the console's own script may run, and the page may
 * connect only to this server and, if people can sign in, to the origin of the provider's token endpoint.
 */
export function securityHeaders(tokenEndpoint?: string): Readonly<Record<string, string>> {
  const connectable = ["'self'", ...(tokenEndpoint === undefined ? [] : [new URL(tokenEndpoint).origin])].join(' ');
  return {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src ${connectable}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  };
}
