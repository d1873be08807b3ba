import { getWebhookType } from './index.js';

/** Minimum length of a secret in bytes, because anybody may try to guess it. */
const LEAST_SECRET_BYTES = 16;

/** Returns a secret without surrounding white space, which editors add. */
export function trimSecret(bytes: Uint8Array): Buffer {
  let [start, end] = [0, bytes.length];
  while (start < end && isBlank(bytes[start])) start += 1;
  while (end > start && isBlank(bytes[end - 1])) end -= 1;
  return Buffer.from(bytes.subarray(start, end));
}

/** Returns whether a byte is a space, a tab or a line break. */
function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

/** Returns the reason why a trimmed secret is rejected, without any part of it, or undefined if it is accepted. */
export function secretFault(type: string, secret: Uint8Array): string | undefined {
  if (secret.length < LEAST_SECRET_BYTES) return `has less than ${LEAST_SECRET_BYTES} bytes`;
  return getWebhookType(type).secretFault?.(secret);
}
