import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Delivery, WebhookType } from './webhook.js';

const KEY_PREFIX = 'whsec_';
/** Minimum length of a key in bytes, because a shorter one can be guessed. */
const LEAST_KEY_BYTES = 16;
/** Maximum accepted difference between the signed time and the current time. */
const TOLERANCE_SECONDS = 300;

/** Standard Webhooks 1.0.0 (standard-webhooks/spec). Every delivery is considered relevant. */
export const standardWebhook: WebhookType = {
  type: 'standard',
  prove: proveStandard,
  isCounted: () => true,
  secretFault: (secret) =>
    decodeKey(secret) ? undefined : `is not ${KEY_PREFIX} and at least ${LEAST_KEY_BYTES} bytes in base64`,
};

export function isStandardSecret(secret: Uint8Array): boolean {
  return Buffer.from(secret).toString('latin1').startsWith(KEY_PREFIX);
}

/**
 * Verifies that one of the `v1` signatures over id, time and body is valid. The id and the time are part of the signed
 * data.
 */
export function proveStandard({ header, body, nowMs }: Delivery, secret: Uint8Array): string | undefined {
  const key = decodeKey(secret);
  const id = header('webhook-id');
  const timestamp = header('webhook-timestamp');
  if (!key || !id || !isRecent(timestamp, nowMs)) return undefined;
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
  const signatures = (header('webhook-signature') ?? '').split(' ').map(decodeSignature);
  const isProven = signatures.some((given) => given?.length === expected.length && timingSafeEqual(given, expected));
  return isProven ? expected.toString('hex') : undefined;
}

function isRecent(timestamp: string | undefined, nowMs: number): boolean {
  if (timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  return Math.abs(nowMs / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS;
}

function decodeSignature(value: string): Buffer | undefined {
  return value.startsWith('v1,') ? decodeBase64(value.slice(3)) : undefined;
}

function decodeKey(secret: Uint8Array): Buffer | undefined {
  if (!isStandardSecret(secret)) return undefined;
  const key = decodeBase64(Buffer.from(secret).toString('latin1').slice(KEY_PREFIX.length));
  return key && key.length >= LEAST_KEY_BYTES ? key : undefined;
}

/** Decodes base64 with or without padding (RFC 4648, section 4). Returns undefined for anything else. */
function decodeBase64(text: string): Buffer | undefined {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}
