/**
 * Returns the value of an Authorization header with client credentials. Both parts are form-encoded, because either may
 * contain a colon (RFC 6749, section 2.3.1).
 */
export function basicCredentials(clientId: string, secret: string): string {
  const encoded = [clientId, secret].map(formEncoded);
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
}

/** Encodes a value for a form (application/x-www-form-urlencoded). */
export function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
