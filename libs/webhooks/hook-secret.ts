import { getWebhookType } from './index.js';

/** Bytes of the shortest secret that is accepted: anybody may try to guess one. */
const LEAST_SECRET_BYTES = 16;

/** Returns a secret without the white space around it, which is an editor's. */
export function trimSecret(bytes: Uint8Array): Buffer {
  // Latin-1 maps each byte to one character and back, so that a secret need not be text.
  const text = Buffer.from(bytes).toString('latin1');
  return Buffer.from(text.replace(/^[ \t\r\n]+/, '').replace(/[ \t\r\n]+$/, ''), 'latin1');
}

/** Returns why a trimmed secret is refused, without a word of it; undefined when it is accepted. */
export function secretFault(type: string, secret: Uint8Array): string | undefined {
  if (secret.length < LEAST_SECRET_BYTES) return `has less than ${LEAST_SECRET_BYTES} bytes`;
  return getWebhookType(type).secretFault?.(secret);
}
