import type { Challenge } from '../refusal.js';

/** Returns the value of WWW-Authenticate for a challenge (RFC 6750, section 3, and RFC 9728, section 5.1). */
export function toChallengeHeader({ realm, metadataUrl, fault }: Challenge): string {
  const parameters = {
    realm,
    ...(fault && { error: fault.error, error_description: fault.description }),
    ...(fault?.scope !== undefined && { scope: fault.scope }),
    ...(metadataUrl !== undefined && { resource_metadata: metadataUrl }),
  };
  const quoted = Object.entries(parameters).map(([name, value]) => `${name}=${quote(value)}`);
  return `Bearer ${quoted.join(', ')}`;
}

/**
 * Returns a quoted string for a header (RFC 9110, section 5.6.4). Characters that could terminate the header or the
 * string are removed or escaped.
 */
function quote(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '').replaceAll(/["\\]/g, '\\$&')}"`;
}
