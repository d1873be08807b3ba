/**
 * Returns the value of an Authorization header with client credentials. Both are encoded as in a form, since either may hold a colon
 * (RFC 6749, section 2.3.1).
 */
export function basicCredentials(clientId: string, secret: string): string {
  const encoded = [clientId, secret].map((text) => new URLSearchParams([['', text]]).toString().slice(1));
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
}
